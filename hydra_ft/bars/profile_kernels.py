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

from hydra_ft.bars.compiled import FLOAT, INT, INTS, INTS_2D, READ_INTS, inlined, kernel, spliced

if TYPE_CHECKING:
    from hydra_ft.types import IntArray

# Columns of a profile's row.
POC, VALUE_HIGH, VALUE_LOW, VOLUME, NODE_BELOW, NODE_ABOVE = range(6)
COLUMNS: Final = 6
# What rolling keeps beside the histogram.
_LOW, _HIGH, _TOTAL, _BEST, _AT, _TIES, _STALE = range(7)
STATE: Final = 7
_NEAR: Final = 1 - 1e-12
"""A share of the volume is reached within the rounding of the product."""


PAD: Final = 2
"""Empty bins on each side of a histogram."""


@inlined
def _coarse(bin_: int, per_bin: float) -> int:
    """Whole bins of a larger size: floor of the quotient, exact below 2 ** 50."""
    return int((bin_ + 0.5) * per_bin)


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
def _value_area(hist: IntArray, low: int, high: int, poc: int, wanted: float) -> tuple[int, int]:
    """Grow the value area from the point of control; its lowest and highest bin.

    Beyond ``low`` and ``high`` the histogram holds two empty bins at least.
    """
    bottom = top = poc
    volume = hist[poc]
    above, below = hist[poc + 1] + hist[poc + 2], hist[poc - 1] + hist[poc - 2]
    while volume < wanted and (bottom > low or top < high):
        if top < high and (above >= below or bottom == low):
            top = min(top + 2, high)
            volume += above
            above = hist[top + 1] + hist[top + 2]
        else:
            bottom = max(bottom - 2, low)
            volume += below
            below = hist[bottom - 1] + hist[bottom - 2]
    return bottom, top


@inlined
def _smoothed(hist: IntArray, i: int) -> int:
    """Four times the volume at a bin, smoothed by 1-2-1; nothing traded outside the range."""
    return int(hist[i - 1] + 2 * hist[i] + hist[i + 1])


@spliced
def _nodes(hist: IntArray, low: int, high: int, limit: float, reference: int) -> tuple[int, int]:
    """Find the nearest low-volume nodes: at or below the reference, and above it; -1 for none."""
    below, above = -1, -1
    i = low + 1
    while i < high:
        here = _smoothed(hist, i)
        last = i
        while last < high and _smoothed(hist, last + 1) == here:
            last += 1
        falls = _smoothed(hist, i - 1) > here
        rises = last < high and _smoothed(hist, last + 1) > here
        if falls and rises and here < limit:
            node = (i + last) // 2
            if node <= reference:
                below = node
            elif above < 0:
                above = node
        i = last + 1
    return below, above


@spliced
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
    INTS, INTS_2D,
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
    hist: IntArray,
    rows: IntArray,
) -> None:
    """Build the profile of bars ``starts[k]`` to ``stops[k]`` for each k, each from nothing.

    ``sizes`` are the footprint's bins in a bin of the profile, ``reference`` the bin (of the
    profile) that nodes are sought around, negative for no nodes; all of shape (k,). Rows,
    shape (k, columns), come filled with -1 and volume 0, and stay so where nothing traded.
    ``hist`` is room to work in, empty, for the widest range and ``PAD`` bins on each side.
    """
    for k in range(starts.shape[0]):
        first, last, per_bin = offsets[starts[k]], offsets[stops[k]], 1.0 / sizes[k]
        if last <= first:
            continue
        low = high = _coarse(bins[first], per_bin)
        for i in range(first, last):
            at = _coarse(bins[i], per_bin)
            low, high = min(low, at), max(high, at)
        base, total = low - PAD, 0
        for i in range(first, last):
            hist[_coarse(bins[i], per_bin) - base] += lots[i]
            total += lots[i]
        poc, _ = _peak(hist, PAD, high - base)
        _describe(
            hist, PAD, high - base, poc, total, (share, node_share), base, reference[k], rows[k]
        )
        for i in range(PAD, high - base + 1):
            hist[i] = 0


@inlined
def _enter(
    hist: IntArray,
    bins: IntArray,
    lots: IntArray,
    cells: tuple[int, int],
    base: int,
    state: IntArray,
) -> None:
    """Add the cells of a bar."""
    low, high, total = state[_LOW], state[_HIGH], state[_TOTAL]
    best, ties = state[_BEST], state[_TIES]
    for i in range(cells[0], cells[1]):
        at = bins[i] - base
        volume = hist[at] + lots[i]
        hist[at] = volume
        total += lots[i]
        low, high = min(low, at), max(high, at)
        if volume > best:
            best, ties = volume, 1
            state[_AT], state[_STALE] = at, 0
        elif volume == best:
            ties += 1
    state[_LOW], state[_HIGH], state[_TOTAL] = low, high, total
    state[_BEST], state[_TIES] = best, ties


@inlined
def _leave(
    hist: IntArray,
    bins: IntArray,
    lots: IntArray,
    cells: tuple[int, int],
    base: int,
    state: IntArray,
) -> None:
    """Take the cells of a bar away; the peak is looked for again only if it lost volume."""
    best, total = state[_BEST], state[_TOTAL]
    for i in range(cells[0], cells[1]):
        at = bins[i] - base
        if hist[at] == best:
            state[_STALE] = 1
        hist[at] -= lots[i]
        total -= lots[i]
    state[_TOTAL] = total
    while state[_LOW] <= state[_HIGH] and hist[state[_LOW]] == 0:
        state[_LOW] += 1
    while state[_HIGH] > state[_LOW] and hist[state[_HIGH]] == 0:
        state[_HIGH] -= 1


@kernel(
    READ_INTS, READ_INTS, READ_INTS, INT, INT, INT, INT, READ_INTS, FLOAT, FLOAT, INTS, INTS,
    INTS_2D,
)  # fmt: skip
def roll_profiles(
    offsets: IntArray,
    bins: IntArray,
    lots: IntArray,
    base: int,
    start: int,
    stop: int,
    window: int,
    reference: IntArray,
    share: float,
    node_share: float,
    hist: IntArray,
    state: IntArray,
    rows: IntArray,
) -> None:
    """Fill rows ``start`` to ``stop`` with the profile of the ``window`` bars up to each.

    ``bins`` are the profile's own; bin b is entry ``b - base`` of ``hist``, which comes empty,
    with ``PAD`` bins on each side, as does ``state`` (shape (STATE,)). One histogram is rolled
    along: bars that enter are added, bars that leave taken away, in whole lots, so that it is
    that of a profile built anew.
    """
    begin = max(0, start - window + 1)
    state[_LOW], state[_HIGH] = hist.shape[0], -1
    for bar in range(begin, stop):
        _enter(hist, bins, lots, (offsets[bar], offsets[bar + 1]), base, state)
        if bar - window >= begin:
            cells = offsets[bar - window], offsets[bar - window + 1]
            _leave(hist, bins, lots, cells, base, state)
        if state[_TOTAL] == 0:
            state[_LOW], state[_HIGH] = hist.shape[0], -1
            state[_BEST], state[_TIES], state[_STALE] = 0, 0, 0
        if bar < max(start, window - 1) or state[_TOTAL] == 0:
            continue
        if state[_STALE] or state[_TIES] > 1:
            state[_AT], state[_TIES] = _peak(hist, state[_LOW], state[_HIGH])
            state[_BEST], state[_STALE] = hist[state[_AT]], 0
        _describe(
            hist, state[_LOW], state[_HIGH], state[_AT], state[_TOTAL], (share, node_share),
            base, reference[bar], rows[bar],
        )  # fmt: skip
