"""Volume profiles from footprints: of single bars, of ranges, of rolling windows, of periods.

The size of a profile's bin is a ten-thousandth of the price at which its session opened, in
whole ticks: frozen for the session, so that bins never move within it.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Final

import numpy as np

from hydra_ft.bars.profile_kernels import COLUMNS, PAD, STATE, VOLUME, build_profiles, roll_profiles
from hydra_ft.errors import DataError
from hydra_ft.types.flow import UNKNOWN
from hydra_ft.types.profiles import Profiles

if TYPE_CHECKING:
    from hydra_ft.types import IntArray
    from hydra_ft.types.flow import FlowBars, Footprint, TradeGrid

VALUE_SHARE: Final = 0.70
"""Share of the volume that makes the value area."""
NODE_SHARE: Final = 0.20
"""A low-volume node lies below this share of the volume at the point of control."""
BIN_SHARE: Final = 1e-4
"""Size of a profile's bin, as a share of the session's first price."""
SESSION_MS: Final = 86_400_000
"""A session is a day of UTC."""


def bin_size(price_ticks: int, bin_ticks: int = 1) -> int:
    """Size of a profile's bin at a price: a ten-thousandth, in bins of ``bin_ticks``, 1 or more."""
    return max(1, round(price_ticks * BIN_SHARE / bin_ticks))


def session_sizes(bars: FlowBars, session_ms: int = SESSION_MS) -> IntArray:
    """Size of the profile's bins at each bar, in bins of the footprint, shape (n,).

    By the first price of the bar's session. 0 before something has traded in it, and in all
    of it where it is not known that this was the first price: where the session's beginning
    is not among the bars, or a bar of it is not whole. Any other choice, the price carried
    into the session among them, would depend on where the data begins. (What is missing after
    that first bar, and so makes it doubtful too, does not matter here.)
    """
    n, rows = len(bars), np.arange(len(bars))
    begin = (bars.time // session_ms * session_ms - (bars.time[0] if n else 0)) // bars.step_ms
    traded = np.append(np.flatnonzero(bars.count), n)
    first = traded[np.searchsorted(traded, begin)]
    late = np.logical_or(bars.late, np.append(bars.late[1:], 0))
    torn = np.concatenate(([0], np.cumsum((bars.uncovered_ms > 0) | (bars.missing_ids > 0) | late)))
    known = (begin >= 0) & (first <= rows)
    known &= torn[np.minimum(first, rows) + 1] == torn[np.maximum(begin, 0)]
    opens = bars.open_ticks[np.minimum(first, rows)]
    sizes = np.maximum(1, np.round(opens * BIN_SHARE / bars.grid.bin_ticks)).astype(np.int64)
    return np.where(known, sizes, 0)


def range_profiles(
    footprint: Footprint,
    starts: IntArray,
    stops: IntArray,
    size: IntArray | int = 1,
    reference_ticks: IntArray | None = None,
) -> Profiles:
    """Profiles of the bars from ``starts`` to ``stops`` (as in slicing), shape (k,) each.

    ``size`` is that of a bin, in bins of the footprint: one number, or one a range, 0 for a
    range that gets no profile. With ``reference_ticks``, shape (k,), the low-volume nodes
    around that price are found too.
    """
    sizes = _sizes(size, len(starts))
    usable = sizes > 0
    rows = _blank(len(starts))
    build_profiles(
        footprint.offsets,
        footprint.bin,
        footprint.buy + footprint.sell,
        np.where(usable, starts, 0),
        np.where(usable, stops, 0),
        np.maximum(sizes, 1),
        _reference(reference_ticks, sizes, footprint.grid),
        VALUE_SHARE,
        NODE_SHARE,
        _room(footprint.bin),
        rows,
    )
    return _profiles(rows, sizes, footprint.grid)


def bar_profiles(footprint: Footprint, size: IntArray | int = 1) -> Profiles:
    """Profile of each bar by itself, shape (n,)."""
    bars = np.arange(len(footprint))
    return range_profiles(footprint, bars, bars + 1, size)


def rolling_profiles(
    footprint: Footprint,
    window: int,
    size: IntArray | int = 1,
    reference_ticks: IntArray | None = None,
) -> Profiles:
    """Profiles of the ``window`` bars that end with each bar, shape (n,).

    Unknown before there are so many bars. ``size`` as in ``range_profiles``, one number or
    one a bar: where it changes, the whole window is sorted into bins of the new size. The
    work is in the levels that enter and leave, not in those of the window.
    """
    if window < 1:
        raise DataError(f"window: expected 1 or more bars, was {window}")
    n = len(footprint)
    sizes = _sizes(size, n)
    reference = _reference(reference_ticks, sizes, footprint.grid)
    lots = footprint.buy + footprint.sell
    rows = _blank(n)
    changes = np.flatnonzero(np.diff(sizes)) + 1
    for start, stop in zip(np.r_[0, changes], np.r_[changes, n], strict=True):
        if start < stop and sizes[start] > 0 and footprint.bin.size:
            _roll(footprint, lots, (int(start), int(stop)), window, sizes, reference, rows)
    return _profiles(rows, sizes, footprint.grid)


def _roll(
    footprint: Footprint,
    lots: IntArray,
    span: tuple[int, int],
    window: int,
    sizes: IntArray,
    reference: IntArray,
    rows: IntArray,
) -> None:
    """Roll over a stretch of bars with one size of bins."""
    start, stop = span
    first = footprint.offsets[max(0, start - window + 1)]
    cells = slice(first, footprint.offsets[stop])
    bins = footprint.bin[cells] // sizes[start]
    if not bins.size:
        return
    roll_profiles(
        footprint.offsets - first,
        bins,
        np.ascontiguousarray(lots[cells]),
        int(bins.min()) - PAD,
        start,
        stop,
        window,
        reference,
        VALUE_SHARE,
        NODE_SHARE,
        _room(bins),
        np.zeros(STATE, dtype=np.int64),
        rows,
    )


def _room(bins: IntArray) -> IntArray:
    """Build an empty histogram that holds all of these bins, and the padding."""
    width = int(bins.max() - bins.min()) + 1 if bins.size else 0
    return np.zeros(width + 2 * PAD, dtype=np.int64)


def previous_profiles(
    footprint: Footprint,
    bars: FlowBars,
    period_ms: int,
    size: IntArray | int = 1,
    reference_ticks: IntArray | None = None,
) -> Profiles:
    """Profile of the last period that was complete when each bar opened, shape (n,).

    Periods are multiples of ``period_ms`` since the epoch. Unknown in the first period, and
    after one of which the first bars are not there. It holds none of the bar's own trades.
    """
    if period_ms % bars.step_ms:
        raise DataError(f"period_ms: expected a multiple of {bars.step_ms}, was {period_ms}")
    length = period_ms // bars.step_ms
    begin = bars.time // period_ms * period_ms - period_ms
    starts = (begin - (bars.time[0] if len(bars) else 0)) // bars.step_ms
    sizes = np.where(starts >= 0, _sizes(size, len(bars)), 0)
    if reference_ticks is not None:
        return range_profiles(footprint, starts, starts + length, sizes, reference_ticks)
    each, of = np.unique(np.stack([starts, sizes]), axis=1, return_inverse=True)
    found = range_profiles(footprint, each[0], each[0] + length, each[1])
    columns = {f.name: getattr(found, f.name)[of] for f in fields(Profiles) if f.name != "grid"}
    return Profiles(grid=found.grid, **columns)


def _sizes(size: IntArray | int, n: int) -> IntArray:
    sizes = np.ascontiguousarray(np.broadcast_to(np.asarray(size, dtype=np.int64), (n,)))
    if n and sizes.min() < 0:
        raise DataError(f"size: expected 0 or more of the footprint's bins, was {sizes.min()}")
    return sizes


def _blank(n: int) -> IntArray:
    rows = np.full((n, COLUMNS), UNKNOWN, dtype=np.int64)
    rows[:, VOLUME] = 0
    return rows


def _reference(ticks: IntArray | None, sizes: IntArray, grid: TradeGrid) -> IntArray:
    """Bins of the reference prices, negative where there is none."""
    if ticks is None:
        return np.full(sizes.shape, UNKNOWN, dtype=np.int64)
    bins = np.asarray(ticks, dtype=np.int64) // grid.bin_ticks // np.maximum(sizes, 1)
    return np.where(np.asarray(ticks) >= 0, bins, UNKNOWN)


def _profiles(rows: IntArray, sizes: IntArray, grid: TradeGrid) -> Profiles:
    poc, high, low, volume, below, above = np.ascontiguousarray(rows.T)
    return Profiles(grid, sizes * grid.bin_ticks, poc, high, low, volume, below, above)
