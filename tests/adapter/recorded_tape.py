"""A tape of trades in a Hydra database, and candles to lay it beside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.candles import bars_from
from hydra_ft.bars.flow_trades import trades_from
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.types.flow import TradeGrid

if TYPE_CHECKING:
    from hydra_ft.types import Bars
    from hydra_ft.types.flow import Flow, Trades

PAIR = "BTC/USDT:USDT"
START = 1_767_225_600_000  # 2026-01-01 00:00 UTC
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
FIVE = 5 * MINUTE
GRID = TradeGrid(0.1, 0.001, 50)


def made_trades(days: float, per_minute: float = 1.5, seed: int = 1) -> Trades:
    """Trades of so many days at random times, with ids without a hole."""
    chance = np.random.default_rng(seed)
    n = int(days * 1_440 * per_minute)
    time = START + np.sort(chance.integers(0, int(days * DAY), n))
    price = np.round(60_000 * np.exp(np.cumsum(chance.normal(0, 0.0004, n))), 1)
    side = chance.choice([-1, 1], n)
    return trades_from(np.arange(n) + 1, time, price, chance.integers(1, 2_000, n) / 1_000, side)


def made_flow(trades: Trades, start: int, stop: int) -> Flow:
    """Flow of all that was traded within an interval, as one recorder would write it."""
    first, last = np.searchsorted(trades.time, (start, stop)).tolist()
    return flow_of(trades.part(first, last), GRID, MINUTE, covered=(start, stop))


def flat_candles(stop: int, n: int, step_ms: int = FIVE) -> Bars:
    """So many candles that end at a time; their prices do not matter here."""
    price = np.full(n, 60_000.0)
    times = np.arange(stop - n * step_ms, stop, step_ms)
    return bars_from(times, step_ms, (price, price, price, price), price)
