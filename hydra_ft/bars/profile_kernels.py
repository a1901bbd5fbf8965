"""The compiled loops of volume profiles: built anew for a range of bars, or rolled along.

A dense histogram of lots stands for the profile; bin ``b`` is its entry ``b - base``.
Point of control: the bin that traded most; of several, the nearest to the middle of the range,
then the lower. Value area (Steidlmayer 1986; Dalton, Mind Over Markets): from the point of
control on the two rows above or the two below are added, whichever hold more (the upper if
equal), until the share is reached. Low-volume nodes: local minima of the profile smoothed by
1-2-1 that lie below a share of the volume at the point of control.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from hydra_ft.bars.compiled import FLOAT, INT, INTS_2D, READ_INTS, inlined, kernel

if TYPE_CHECKING:
    from hydra_ft.types import IntArray

# Columns of a profile's row.
POC, VALUE_HIGH, VALUE_LOW, VOLUME, NODE_BELOW, NODE_ABOVE = range(6)
COLUMNS: Final = 6
# What rolling keeps beside the histogram.
_LOW, _HIGH, _TOTAL, _BEST, _AT, _TIES, _STALE = range(7)
_NEAR: Final = 1 - 1e-12
"""A share of the volume is reached within the rounding of the product."""


@inlined
def _peak(hist: IntArray, low: int, high: int) -> tuple[int, int]:
    """Find where most traded within ``low`` to ``high``, and at how many bins that much did."""
    best, ties = hist[low], 0
    for i in range(low, high + 1):
        best = max(best, hist[i])
    at, distance = low, high - low + 1
    for i in range(low, high + 1):
        if hist[i] == best:
            ties += 1
            off = abs(2 * i - low - high)
            if off < distance:
                at, distance = i, off
    return at, ties


@inlined
def _rows(hist: IntArray, first: int, second: int, low: int, high: int) -> int:
    """Volume of two rows, of those that are within the range."""
    volume = 0
    if low <= first <= high:
        volume += hist[first]
    if low <= second <= high:
        volume += hist[second]
    return volume


@inlined
def _value_area(hist: IntArray, low: int, high: int, poc: int, wanted: float) -> tuple[int, int]:
    """Grow the value area from the point of control; its lowest and highest bin."""
    bottom = top = poc
    volume = hist[poc]
    while volume < wanted and (bottom > low or top < high):
        above = _rows(hist, top + 1, top + 2, low, high)
        below = _rows(hist, bottom - 1, bottom - 2, low, high)
        if top < high and (above >= below or bottom == low):
            top = min(top + 2, high)
            volume += above
        else:
            bottom = max(bottom - 2, low)
            volume += below
    return bottom, top


@inlined
def _smoothed(hist: IntArray, i: int, low: int, high: int) -> int:
    """Four times the volume at a bin, smoothed by 1-2-1; nothing traded outside the range."""
    before = hist[i - 1] if i > low else 0
    after = hist[i + 1] if i < high else 0
    return int(before + 2 * hist[i] + after)


@inlined
def _nodes(hist: IntArray, low: int, high: int, limit: float, reference: int) -> tuple[int, int]:
    """Find the nearest low-volume nodes: at or below the reference, and above it; -1 for none."""
    below, above = -1, -1
    i = low + 1
    while i < high:
        here = _smoothed(hist, i, low, high)
        last = i
        while last < high and _smoothed(hist, last + 1, low, high) == here:
            last += 1
        falls = _smoothed(hist, i - 1, low, high) > here
        rises = last < high and _smoothed(hist, last + 1, low, high) > here
        if falls and rises and here < limit:
            node = (i + last) // 2
            if node <= reference:
                below = node
            elif above < 0:
                above = node
        i = last + 1
    return below, above


@inlined
def _describe(
    hist: IntArray, low: int, high: int, poc: int, total: int, shares: tuple[float, float],
    base: int, reference: int, row: IntArray,
) -> None:  # fmt: skip
    """Write point of control, value area and, for a reference price, nodes to a row."""
    bottom, top = _value_area(hist, low, high, poc, shares[0] * total * _NEAR)
    row[POC], row[VALUE_HIGH], row[VALUE_LOW] = poc + base, top + base, bottom + base
    row[VOLUME] = total
    if reference >= 0:
        limit = 4 * shares[1] * hist[poc] * _NEAR
        below, above = _nodes(hist, low, high, limit, reference - base)
        row[NODE_BELOW] = below + base if below >= 0 else -1
        row[NODE_ABOVE] = above + base if above >= 0 else -1


@kernel(
    READ_INTS, READ_INTS, READ_INTS, READ_INTS, READ_INTS, READ_INTS, READ_INTS, FLOAT, FLOAT,
    INTS_2D,
)  # fmt: skip
def build_profiles(
    offsets: IntArray,
    bins: IntArray,
    lots: IntArray,
    starts: IntArray,
    stops: IntArray,
    sizes: IntArray,
    reference: IntArray,
    share: float,
    node_share: float,
    rows: IntArray,
) -> None:
    """Build the profile of bars ``starts[k]`` to ``stops[k]`` for each k, each from nothing.

    ``sizes`` are the footprint's bins in a bin of the profile, ``reference`` the bin (of the
    profile) that nodes are sought around, negative for no nodes; all of shape (k,). Rows,
    shape (k, columns), come filled with -1 and volume 0, and stay so where nothing traded.
    """
    for k in range(starts.shape[0]):
        first, last = offsets[starts[k]], offsets[stops[k]]
        if last <= first:
            continue
        low = high = bins[first] // sizes[k]
        for i in range(first, last):
            low, high = min(low, bins[i] // sizes[k]), max(high, bins[i] // sizes[k])
        hist = np.zeros(high - low + 1, dtype=np.int64)
        total = 0
        for i in range(first, last):
            hist[bins[i] // sizes[k] - low] += lots[i]
            total += lots[i]
        poc, _ = _peak(hist, 0, high - low)
        _describe(hist, 0, high - low, poc, total, (share, node_share), low, reference[k], rows[k])


@inlined
def _enter(hist: IntArray, at: int, lots: int, state: IntArray) -> None:
    """Add volume at a bin."""
    before = hist[at]
    hist[at] = before + lots
    state[_TOTAL] += lots
    state[_LOW], state[_HIGH] = min(state[_LOW], at), max(state[_HIGH], at)
    if hist[at] > state[_BEST]:
        state[_BEST], state[_AT], state[_TIES], state[_STALE] = hist[at], at, 1, 0
    elif hist[at] == state[_BEST]:
        state[_TIES] += 1


@inlined
def _leave(hist: IntArray, at: int, lots: int, state: IntArray) -> None:
    """Take volume away at a bin; the peak is looked for again only if it was that one."""
    if hist[at] == state[_BEST]:
        state[_STALE] = 1
    hist[at] -= lots
    state[_TOTAL] -= lots
    while state[_LOW] <= state[_HIGH] and hist[state[_LOW]] == 0:
        state[_LOW] += 1
    while state[_HIGH] > state[_LOW] and hist[state[_HIGH]] == 0:
        state[_HIGH] -= 1


@kernel(READ_INTS, READ_INTS, READ_INTS, INT, INT, INT, INT, INT, READ_INTS, FLOAT, FLOAT, INTS_2D)
def roll_profiles(
    offsets: IntArray,
    bins: IntArray,
    lots: IntArray,
    base: int,
    width: int,
    start: int,
    stop: int,
    window: int,
    reference: IntArray,
    share: float,
    node_share: float,
    rows: IntArray,
) -> None:
    """Fill rows ``start`` to ``stop`` with the profile of the ``window`` bars up to each.

    ``bins`` are the profile's own, from ``base`` on, ``width`` of them. One histogram is
    rolled along: bars that enter are added, bars that leave taken away, in whole lots, so
    that it is that of a profile built anew.
    """
    hist = np.zeros(width, dtype=np.int64)
    state = np.zeros(7, dtype=np.int64)
    state[_LOW], state[_HIGH] = width, -1
    for bar in range(max(0, start - window + 1), stop):
        for i in range(offsets[bar], offsets[bar + 1]):
            _enter(hist, bins[i] - base, lots[i], state)
        if bar < start:
            continue
        if bar >= window and bar - window >= start - window + 1:
            for i in range(offsets[bar - window], offsets[bar - window + 1]):
                _leave(hist, bins[i] - base, lots[i], state)
        if state[_TOTAL] == 0:
            state[_LOW], state[_HIGH] = width, -1
            state[_BEST], state[_TIES], state[_STALE] = 0, 0, 0
            continue
        if bar < window - 1:
            continue
        if state[_STALE] or state[_TIES] > 1:
            state[_AT], state[_TIES] = _peak(hist, state[_LOW], state[_HIGH])
            state[_BEST], state[_STALE] = hist[state[_AT]], 0
        _describe(
            hist, state[_LOW], state[_HIGH], state[_AT], state[_TOTAL], (share, node_share),
            base, reference[bar], rows[bar],
        )  # fmt: skip
