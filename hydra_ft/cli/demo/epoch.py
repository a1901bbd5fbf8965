"""Which stretch of the generated market is shown as now, so that there is something to see.

The market can be read at any time of its life. HydraFlow's own decisions are computed over
a long stretch of it, at this time of day, and the day is taken on which most pairs enter
on the candles that close next. What the bot then finds, it finds by itself.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.adapter.heads import load_rules
from hydra_ft.bars.candles import bars_from, timeframe_ms
from hydra_ft.cli.demo.workspace import pair_of
from hydra_ft.decisions.pipeline import Decisions, HeadRules, decide
from hydra_ft.errors import HydraError
from loopback_exchange.market import Market

if TYPE_CHECKING:
    from pathlib import Path

    from hydra_ft.types import Bars, BoolArray, FloatArray, IntArray

DAY_MS = 86_400_000
SEARCHED_DAYS = 60
WARM_UP_DAYS = 30
STANDING_BARS = 2
"""Consecutive candles that must enter: a start may be late by one candle."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """A whole number of days by which the market is ahead of the clock."""

    days_ahead: int
    closes_at: datetime
    pairs: tuple[str, ...]


def choose_epoch(seed: int, soonest: int, folder: Path) -> Epoch:
    """Return the day on which most pairs enter on the candles that close from ``soonest`` on.

    Raises
    ------
    HydraError
        When no pair enters at this time of day in the whole stretch that is searched.
    """
    market, rules = Market(seed), load_rules("HydraFlow", folder)
    step = timeframe_ms(rules.base)
    close = -(-soonest // step) * step
    with ThreadPoolExecutor(2) as workers:
        entries = list(workers.map(partial(_standing, market, rules, close), market.symbols))
    count = np.sum(entries, axis=0)
    best = int(count.argmax())
    if not count[best]:
        raise HydraError(
            f"seed {seed} has no entry at this time of day within {SEARCHED_DAYS} days; "
            "try another, as in: hydra demo --seed 8"
        )
    pairs = tuple(pair_of(s) for s, days in zip(market.symbols, entries, strict=True) if days[best])
    return Epoch(best + 1, datetime.fromtimestamp(close / 1e3, tz=UTC), pairs)


def _standing(market: Market, rules: HeadRules, close: int, symbol: str) -> BoolArray:
    """Days ahead (1 to SEARCHED_DAYS) on which the symbol enters on the wanted candles."""
    decisions = _decisions(market, rules, close, symbol)
    step = timeframe_ms(rules.base)
    closes = decisions.time + step
    wanted = close + np.arange(1, SEARCHED_DAYS + 1) * DAY_MS
    standing = np.ones(SEARCHED_DAYS, dtype=np.bool_)
    for bar in range(STANDING_BARS):
        row = np.searchsorted(closes, wanted + (bar - 1) * step)
        standing &= (decisions.side != 0)[row]
    return standing


def _decisions(market: Market, rules: HeadRules, close: int, symbol: str) -> Decisions:
    first = (close // DAY_MS + 1 - WARM_UP_DAYS) * DAY_MS
    last = (close // DAY_MS + SEARCHED_DAYS + 2) * DAY_MS
    frames = {tf: _bars(market, symbol, tf, first, last) for tf in (rules.base, rules.structure)}
    plain = _bars(market, symbol, rules.market, first, last)
    frames[rules.market] = _with_feeds(market, symbol, plain)
    return decide(frames, rules, rules.feeds)


def _bars(market: Market, symbol: str, timeframe: str, first: int, last: int) -> Bars:
    step = timeframe_ms(timeframe)
    columns = market.klines(symbol, step, first, last)
    opened = np.asarray(columns["open_time"], np.int64)
    high, low = np.asarray(columns["high"], np.float64), np.asarray(columns["low"], np.float64)
    start, end = np.asarray(columns["open"], np.float64), np.asarray(columns["close"], np.float64)
    volume = np.asarray(columns["volume"], np.float64)
    return bars_from(opened, step, (start, high, low, end), volume)


def _with_feeds(market: Market, symbol: str, bars: Bars) -> Bars:
    """Add settled funding and open interest, placed as freqtrade's frames place them."""
    end = int(bars.time[-1]) + bars.step_ms
    settled_at, rates = market.funding(symbol, int(bars.time[0]), end)
    return bars_from(
        bars.time,
        bars.step_ms,
        (bars.open, bars.high, bars.low, bars.close),
        bars.volume,
        funding_rate=_placed(bars.time, settled_at, rates),
        open_interest=market.open_interest(symbol, bars.time),
    )


def _placed(bar_times: IntArray, at: IntArray, values: FloatArray) -> FloatArray:
    placed = np.full(bar_times.shape[0], np.nan)
    placed[np.searchsorted(bar_times, at, side="right") - 1] = values
    return placed
