"""Delta of each bar, its extremes and the volumes alone: how near a fold comes to reading.

Nothing of the product calls this: it always makes the full bars, whose sub-bars, ids and levels
something reads wherever their deltas are read. As in ``hydra_ft.bars.flow_sums``, trades are staged
by the block in loops that become vectors. What is left is the running delta with its extremes, four
trades at a time, so that no sum waits for a comparison.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.compiled import (
    FLOAT,
    INT,
    INTS,
    INTS_2D,
    READ_FLOATS,
    READ_INTS,
    READ_SIDES,
    Kernel,
    inlined,
)
from hydra_ft.bars.flow_rows import BLOCK, MOST, ON_GRID
from hydra_ft.bars.flow_sums import before
from hydra_ft.errors import DataError

if TYPE_CHECKING:
    from hydra_ft.types import FloatArray, IntArray
    from hydra_ft.types.flow import SideArray, TradeGrid, Trades

# Columns of a row of deltas.
DELTA, VOLUME, TRADES, MAX_DELTA, MIN_DELTA = range(5)
COLUMNS = 5


@inlined
def _staged(
    at: int, n: int, time: IntArray, quantity: FloatArray, side: SideArray, lots_per_base: float,
    stage: IntArray,
) -> int:  # fmt: skip
    """Write signed lots to the stage; how many trades are off the grid, or out of order."""
    first, size, faults = np.uint64(at), np.uint64(n), 0
    for i in range(size):
        steps = quantity[first + i] * lots_per_base
        lots = int(steps + 0.5)
        fine = (abs(steps - lots) <= ON_GRID) & (steps > 0.5) & (steps < MOST)
        faults += not fine
        stage[i] = lots * side[first + i]
    for i in range(size):
        faults += side[first + i] * side[first + i] != 1
    for i in range(first + np.uint64(1), first + size):
        faults += time[i] < time[i - np.uint64(1)]
    return faults


@inlined
def _summed(n: int, stage: IntArray, row: IntArray) -> None:
    """Append the staged lots to the row of their bar."""
    size, volume = np.uint64(n), 0
    for i in range(size):
        volume += abs(stage[i])
    delta, most, least = row[DELTA], row[MAX_DELTA], row[MIN_DELTA]
    whole = np.uint64(n - n % 4)
    for i in range(np.uint64(0), whole, np.uint64(4)):
        first = delta + stage[i]
        second = first + stage[i + np.uint64(1)]
        third = second + stage[i + np.uint64(2)]
        delta = third + stage[i + np.uint64(3)]
        high, low = max(first, second), min(first, second)
        high_after, low_after = max(third, delta), min(third, delta)
        high, low = max(high, high_after), min(low, low_after)
        most, least = max(most, high), min(least, low)
    for i in range(whole, size):
        delta += stage[i]
        most, least = max(most, delta), min(least, delta)
    row[DELTA], row[MAX_DELTA], row[MIN_DELTA] = delta, most, least
    row[VOLUME] += volume
    row[TRADES] += n


def _sum_deltas(
    time: IntArray,
    quantity: FloatArray,
    side: SideArray,
    begin: int,
    step_ms: int,
    lots_per_base: float,
    stage: IntArray,
    rows: IntArray,
) -> int:
    """Add trades up in ``rows``, shape (bars, columns), which come as of bars without trades.

    Bar k begins at ``begin`` + k ``step_ms``. Returns how many trades were counted: all, or those
    before the block with one that is off the grid, out of order or in no bar.
    """
    at, latest = 0, begin
    while at < time.shape[0]:
        bar = (time[at] - begin) // step_ms
        if time[at] < latest or bar >= rows.shape[0]:
            return at
        n = int(min(BLOCK, time.shape[0] - at))
        end = begin + (bar + 1) * step_ms
        if time[at + n - 1] >= end:
            n = before(end, at, n, time)
        if _staged(at, n, time, quantity, side, lots_per_base, stage):
            return at
        _summed(n, stage, rows[bar])
        latest = time[at + n - 1]
        at += n
    return at


SUM_DELTAS = Kernel(
    _sum_deltas, (READ_INTS, READ_FLOATS, READ_SIDES, INT, INT, FLOAT, INTS, INTS_2D)
)
_NEVER = 1 << 62


@dataclass(frozen=True, slots=True)
class BarDeltas:
    """Whole lots of each bar, shape (n,) each; those of ``FlowBars``. 0 where nothing traded."""

    time: IntArray
    buy_lots: IntArray
    sell_lots: IntArray
    count: IntArray
    max_delta_lots: IntArray
    min_delta_lots: IntArray


def bar_deltas(
    trades: Trades, grid: TradeGrid, step_ms: int, covered: tuple[int, int]
) -> BarDeltas:
    """Sum the trades of a file up by bar, from the bar of ``covered[0]`` to before ``covered[1]``.

    Trades must be in order of time, and none must be there twice: ids are not looked at.
    Raises DataError for one that is out of order, off the grid, or not within ``covered``.
    """
    begin = covered[0] // step_ms * step_ms
    times = np.arange(begin, covered[1], step_ms, dtype=np.int64)
    rows = np.zeros((times.shape[0], COLUMNS), dtype=np.int64)
    rows[:, MAX_DELTA], rows[:, MIN_DELTA] = -_NEVER, _NEVER
    done = SUM_DELTAS(
        trades.time, trades.quantity, trades.side, begin, step_ms, grid.lots_per_base,
        np.empty(BLOCK, dtype=np.int64), rows,
    )  # fmt: skip
    if done < len(trades):
        raise DataError(
            f"trades: expected sides of 1 or -1, positive multiples of lot_size = {grid.lot_size}, "
            f"in order of time and within {covered}, was another among the {BLOCK} trades from "
            f"number {done} on; sort them, or fold them with FlowFolder, which says which"
        )
    rows[rows[:, TRADES] == 0] = 0
    delta, volume = rows[:, DELTA], rows[:, VOLUME]
    return BarDeltas(
        times,
        (volume + delta) // 2,
        (volume - delta) // 2,
        rows[:, TRADES],
        rows[:, MAX_DELTA],
        rows[:, MIN_DELTA],
    )
