"""Delta of each bar, its extremes and the volumes, where nothing else of the trades is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.delta_kernels import (
    COLUMNS,
    DELTA,
    MAX_DELTA,
    MIN_DELTA,
    TRADES,
    VOLUME,
    sum_deltas,
)
from hydra_ft.bars.flow_rows import BLOCK
from hydra_ft.errors import DataError

if TYPE_CHECKING:
    from hydra_ft.types import IntArray
    from hydra_ft.types.flow import TradeGrid, Trades

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
    done = sum_deltas(
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
