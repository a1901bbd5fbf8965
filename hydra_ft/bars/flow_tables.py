"""Rows and cells of the fold as flow bars and footprints; joining, cutting, summing those."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hydra_ft.bars.flow_rows import BUY, HIGH, SELL, UNCOVERED
from hydra_ft.errors import DataError
from hydra_ft.types import Bars
from hydra_ft.types.flow import Flow, FlowBars, Footprint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra_ft.types import IntArray
    from hydra_ft.types.flow import TradeGrid

COUNTED = tuple(f.name for f in fields(FlowBars) if f.name not in {"grid", "step_ms", "time"})
"""Fields of flow bars in the order of the columns of a row."""


class Closed(NamedTuple):
    """What closed, as bare rows: of sub-bars from number ``first`` on, of bars, and cells.

    Shapes (m, columns), (n, columns) and (4, cells): bar, bin, buy, sell.
    """

    first: int
    rows: IntArray
    bars: IntArray
    cells: IntArray


def flow_from(closed: Sequence[Closed], grid: TradeGrid, step_ms: int, sub_ms: int) -> Flow:
    """Flow of what closed one after the other."""
    first = closed[0].first
    rows = np.concatenate([part.rows for part in closed])
    bars = np.concatenate([part.bars for part in closed])
    cells = np.concatenate([part.cells for part in closed], axis=1)
    begin = first * sub_ms // step_ms
    numbers = np.arange(begin, begin + len(bars))
    times = sub_ms * np.arange(first, first + len(rows))
    return Flow(
        bars=flow_bars_of(bars, numbers * step_ms, step_ms, grid),
        footprint=footprint_of(cells, numbers, grid),
        sub_bars=flow_bars_of(rows, times, sub_ms, grid),
    )


def flow_bars_of(rows: IntArray, time: IntArray, step_ms: int, grid: TradeGrid) -> FlowBars:
    """Flow bars from closed rows, shape (n, columns), and the times at which they opened.

    Raises DataError where notional does not fit its 63 bits.
    """
    refuse_overflow(rows, grid)
    columns = np.array(rows[:, : UNCOVERED + 1].T, order="C")
    counted = dict(zip(COUNTED, columns, strict=True))
    return FlowBars(grid=grid, step_ms=step_ms, time=time, **counted)


def refuse_overflow(rows: IntArray, grid: TradeGrid) -> None:
    """Raise DataError where the notional of a row, shape (n, columns), may not fit its 63 bits."""
    largest = rows[:, HIGH].astype(np.float64) * (rows[:, BUY] + rows[:, SELL])
    if largest.size and largest.max() > 9e18:
        raise DataError(
            f"notional: expected at most 9e18 ticks x lots in a bar, was {largest.max():.3g}; "
            f"give a coarser lot_size than {grid.lot_size}"
        )


def refuse_torn(times: IntArray, step_ms: int) -> None:
    """Raise DataError unless the bars that open at these times follow each other."""
    torn = np.flatnonzero(np.diff(times) != step_ms)
    if torn.size:
        found = times[torn[0] : torn[0] + 2].tolist()
        raise DataError(f"flow bars: expected one every {step_ms} ms, was {found}")


def footprint_of(cells: IntArray, numbers: IntArray, grid: TradeGrid) -> Footprint:
    """Build the footprint of bars ``numbers`` from their cells (bar, bin, buy, sell), shape (4, m).

    Cells of the same bar and bin, which trades out of order leave, are summed.
    """
    bar, bin_ = cells[0], cells[1]
    rises = (bar[1:] > bar[:-1]) | ((bar[1:] == bar[:-1]) & (bin_[1:] > bin_[:-1]))
    if not rises.all():
        cells = _summed(cells[:, np.lexsort((bin_, bar))])
    first = numbers[0] if numbers.size else 0
    offsets = np.searchsorted(cells[0], np.arange(first, first + numbers.size + 1))
    bins, buy, sell = (np.ascontiguousarray(row) for row in cells[1:])
    return Footprint(grid, offsets.astype(np.int64), bins, buy, sell)


def _summed(cells: IntArray) -> IntArray:
    """Sorted cells with one for each bar and bin."""
    fresh = np.r_[True, np.any(cells[:2, 1:] != cells[:2, :-1], axis=0)]
    starts = np.flatnonzero(fresh)
    volumes = np.add.reduceat(cells[2:], starts, axis=1)
    return np.concatenate([cells[:2, starts], volumes])


def joined(parts: Sequence[Flow]) -> Flow:
    """Flow that closed one after the other, as one."""
    return Flow(
        bars=joined_bars([part.bars for part in parts]),
        footprint=joined_footprints([part.footprint for part in parts]),
        sub_bars=joined_bars([part.sub_bars for part in parts]),
    )


def joined_bars(parts: Sequence[FlowBars]) -> FlowBars:
    """Flow bars of consecutive times, as one.

    Raises DataError when grids or lengths differ, or a part does not begin where the one
    before it ends.
    """
    head = parts[0]
    if any((part.grid, part.step_ms) != (head.grid, head.step_ms) for part in parts):
        raise DataError("flow bars: expected one grid and one step_ms, was more than one")
    arrays = {n: np.concatenate([getattr(p, n) for p in parts]) for n in ("time", *COUNTED)}
    refuse_torn(arrays["time"], head.step_ms)
    return FlowBars(grid=head.grid, step_ms=head.step_ms, **arrays)


def joined_footprints(parts: Sequence[Footprint]) -> Footprint:
    """Footprints of consecutive bars, as one; raises DataError when their grids differ."""
    if any(part.grid != parts[0].grid for part in parts):
        raise DataError("footprints: expected one grid, was more than one")
    sizes = np.concatenate([np.diff(part.offsets) for part in parts])
    return Footprint(
        grid=parts[0].grid,
        offsets=np.r_[0, np.cumsum(sizes)].astype(np.int64),
        bin=np.concatenate([part.bin for part in parts]),
        buy=np.concatenate([part.buy for part in parts]),
        sell=np.concatenate([part.sell for part in parts]),
    )


def same_flow(left: FlowBars, right: FlowBars) -> bool:
    """Whether two stretches of flow bars are the same in every count."""
    if (left.grid, left.step_ms, len(left)) != (right.grid, right.step_ms, len(right)):
        return False
    names = ("time", *COUNTED)
    return all(np.array_equal(getattr(left, n), getattr(right, n)) for n in names)


def candles(bars: FlowBars) -> Bars:
    """Flow bars as plain candles, from the first bar of which the price is known.

    Empty bars stay: flat, at the price before, without volume.
    """
    known = np.flatnonzero(bars.close_ticks >= 0)
    start = int(known[0]) if known.size else len(bars)
    columns = {name: getattr(bars, name)[start:] for name in ("open", "high", "low", "close")}
    return Bars(time=bars.time[start:], step_ms=bars.step_ms, volume=bars.volume[start:], **columns)
