"""Which stretch of the generated market is shown as now, so that there is something to see.

The market can be read at any time of its life. HydraFlow's own decisions are computed over
a long stretch of it, at this time of day, and a day is taken on which many pairs enter on
the candles that close next while the price is moving. What the bot then finds, it finds by
itself.
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
from hydra_ft.cli.demo.rehearsal import needs_requote
from hydra_ft.cli.demo.workspace import pair_of
from hydra_ft.decisions.pipeline import Decisions, HeadRules, decide
from hydra_ft.errors import HydraError
from loopback_exchange.market import Market

if TYPE_CHECKING:
    from pathlib import Path

    from hydra_ft.types import Bars, FloatArray, IntArray

DAY_MS = 86_400_000
SEARCHED_DAYS = 120
WARM_UP_DAYS = 30
STANDING_BARS = 2
"""Consecutive candles that must enter: a start may be early or late by one candle."""
REHEARSED_DAYS = 40
STARTS_MS = range(-270_000, 90_000, 30_000)
"""When the bot may come to look, from the close that was aimed at."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """A whole number of days by which the market is ahead of the clock."""

    days_ahead: int
    closes_at: datetime
    pairs: tuple[str, ...]


def choose_epoch(seed: int, soonest: int, folder: Path) -> Epoch:
    """Return the day on which there is most to see from ``soonest`` on.

    Of the days on which most pairs enter, the one on which an entry would need a requote
    whenever the bot comes to look.

    Raises
    ------
    HydraError
        When no pair enters at this time of day in the whole stretch that is searched.
    """
    market, rules = Market(seed), load_rules("HydraFlow", folder)
    step = timeframe_ms(rules.base)
    close = -(-soonest // step) * step
    with ThreadPoolExecutor(2) as workers:
        found = workers.map(partial(_standing, market, rules, close), market.symbols)
        sides = dict(zip(market.symbols, found, strict=True))
    count = np.sum([np.abs(side) for side in sides.values()], axis=0)
    if not count.any():
        raise HydraError(
            f"seed {seed} has no entry at this time of day within {SEARCHED_DAYS} days; "
            "try another, as in: hydra demo --seed 8"
        )
    busiest = [int(day) for day in np.argsort(-count)[:REHEARSED_DAYS] if count[day]]
    best = max(busiest, key=lambda day: _liveliness(market, sides, day, close))
    pairs = tuple(pair_of(symbol) for symbol, side in sides.items() if side[best])
    return Epoch(best + 1, datetime.fromtimestamp(close / 1e3, tz=UTC), pairs)


def _liveliness(
    market: Market, sides: dict[str, IntArray], day: int, close: int
) -> tuple[int, int]:
    """Starts after which some entry of the day would need a requote, and how many would."""
    at = close + (day + 1) * DAY_MS
    entries = [(symbol, int(side[day])) for symbol, side in sides.items() if side[day]]
    moves = [
        sum(needs_requote(market, symbol, side, at + offset) for symbol, side in entries)
        for offset in STARTS_MS
    ]
    return sum(count > 0 for count in moves), sum(moves)


def _standing(market: Market, rules: HeadRules, close: int, symbol: str) -> IntArray:
    """Side (-1, 0, +1) that enters on all the wanted candles, per day from 1 day ahead on."""
    decisions = _decisions(market, rules, close, symbol)
    step = timeframe_ms(rules.base)
    wanted = close + np.arange(1, SEARCHED_DAYS + 1) * DAY_MS
    rows = [
        np.searchsorted(decisions.time + step, wanted + (bar - 1) * step)
        for bar in range(STANDING_BARS)
    ]
    side: IntArray = decisions.side[rows[0]]
    stands = np.all([side == decisions.side[row] for row in rows], axis=0)
    return np.where(stands, side, 0)


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
