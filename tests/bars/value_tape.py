"""A tape of two and a half hours, its flow by the minute, and value by the half hour."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from bars.flow_reference import GRID, START, made_trades, picked

from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.bars.value_columns import value_columns

if TYPE_CHECKING:
    from hydra_ft.types import ValueColumns
    from hydra_ft.types.flow import Flow, Trades

MINUTE, TEN_S = 60_000, 10_000
PERIOD, ROLLING, SPAN = 30 * MINUTE, 10 * MINUTE, 150 * MINUTE
GRID_7 = replace(GRID, bin_ticks=7)
TRADES = made_trades(9_000, seed=3, span_ms=SPAN, grid=GRID_7)


def flow(trades: Trades = TRADES, until: int = SPAN) -> Flow:
    kept = picked(trades, np.flatnonzero(trades.time < START + until))
    return flow_of(kept, GRID_7, MINUTE, TEN_S, covered=(START, START + until))


def columns(of: Flow) -> ValueColumns:
    return value_columns(of, period_ms=PERIOD, rolling_ms=ROLLING)
