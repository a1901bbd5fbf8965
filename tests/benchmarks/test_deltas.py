"""Deltas alone are those of the flow bars, to the lot; what is not in order is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bars.flow_reference import GRID, made_trades

from benchmarks.features.deltas import bar_deltas
from hydra_ft.bars.flow_rows import BLOCK
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.errors import DataError

STEP_MS = 60_000


@pytest.mark.parametrize("count", [1, 7, BLOCK, BLOCK + 1, 5_000])
def test_deltas_are_those_of_the_flow_bars(count: int) -> None:
    trades = made_trades(count)
    order = np.argsort(trades.time, kind="stable")
    trades = type(trades)(
        *(getattr(trades, name)[order] for name in ("id", "time", "price", "quantity", "side"))
    )
    covered = int(trades.time[0]) - 3 * STEP_MS, int(trades.time[-1]) + STEP_MS
    found = bar_deltas(trades, GRID, STEP_MS, covered)
    bars = flow_of(trades, GRID, STEP_MS, covered=covered).bars
    for name in ("time", "buy_lots", "sell_lots", "count", "max_delta_lots", "min_delta_lots"):
        assert np.array_equal(getattr(found, name), getattr(bars, name)), name
    assert found.count.sum() == count
    assert (found.count == 0).any()


@pytest.mark.parametrize("fault", ["time", "quantity", "nan", "side", "early", "late"])
def test_a_trade_that_cannot_be_counted_is_refused(fault: str) -> None:
    trades = made_trades(1_000)
    trades = replace(
        trades,
        time=np.sort(trades.time),
        quantity=trades.quantity.copy(),
        side=trades.side.copy(),
    )
    covered = int(trades.time[0]), int(trades.time[-1]) + 1
    if fault == "time":
        trades.time[700] = trades.time[699] - 1
    elif fault == "side":
        trades.side[700] = 0
    elif fault in ("quantity", "nan"):
        trades.quantity[700] = float("nan") if fault == "nan" else GRID.lot_size * 1.5
    elif fault == "early":
        covered = covered[0] + 10 * STEP_MS, covered[1]
    else:
        covered = covered[0], covered[0] + STEP_MS
    with pytest.raises(DataError, match="in order of time"):
        bar_deltas(trades, GRID, STEP_MS, covered)
