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
from hydra_ft.cli.symbols import pair_of
from hydra_ft.decisions.pipeline import Decisions, HeadRules, decide
from hydra_ft.decisions.rules import usual_feeds
from hydra_ft.errors import HydraError
from loopback_exchange.market import Market

if TYPE_CHECKING:
    from pathlib import Path

    from hydra_ft.types import Bars, FloatArray, IntArray

DAY_MS = 86_400_000
SEARCHED_DAYS = 120
WARM_UP_DAYS = 30
REHEARSED_DAYS = 60
LATEST_MS = 1_200_000
"""How much later than the first look an entry may come, if none comes earlier."""
PACE_MS = 10_000
"""Distance of the moments at which an entry is rehearsed."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """A whole number of days by which the market is ahead of the clock."""

    days_ahead: int
    closes_at: datetime
    pairs: tuple[str, ...]


def choose_epoch(seed: int, looks: tuple[int, int], folder: Path) -> Epoch:
    """Return the day on which there is most to see when the bot comes to look.

    ``looks`` are the first and the last moment (ms) at which that may be. Of the days on
    which most pairs enter then, it is the one on which entries would need requotes at
    most of these moments. Around a settlement of funding nothing enters: then it is a
    later candle.

    Raises
    ------
    HydraError
        When no pair enters at this time of day in the whole stretch that is searched.
    """
    market, rules = Market(seed), load_rules("HydraFlow", folder)
    step = timeframe_ms(rules.base)
    with ThreadPoolExecutor(2) as workers:
        made = workers.map(partial(_decisions, market, rules, looks[1]), market.symbols)
        decisions = dict(zip(market.symbols, made, strict=True))
    for later in range(0, LATEST_MS, step):
        closes = range((looks[0] + later) // step * step, looks[1] + later + 1, step)
        sides = {s: _standing(made, closes, step) for s, made in decisions.items()}
        count = np.sum([np.abs(side) for side in sides.values()], axis=0)
        if count.any():
            busiest = [int(day) for day in np.argsort(-count)[:REHEARSED_DAYS] if count[day]]
            moments = range(looks[0] + later, looks[1] + later, PACE_MS)
            best = max(busiest, key=partial(_liveliness, market, sides, moments))
            pairs = tuple(pair_of(symbol) for symbol, side in sides.items() if side[best])
            return Epoch(best + 1, datetime.fromtimestamp(closes[-1] / 1e3, tz=UTC), pairs)
    raise HydraError(
        f"seed {seed} has no entry at this time of day within {SEARCHED_DAYS} days; "
        "try another, as in: hydra demo --seed 8"
    )


def _liveliness(market: Market, sides: dict[str, IntArray], looks: range, day: int) -> float:
    """Moments at which an entry of the day needs a requote, each by how sure that is.

    The rehearsal leaves our own orders and the time on the way out: half of what it says of one
    entry comes true otherwise, so two entries are worth more than one.
    """
    entries = [(symbol, int(side[day])) for symbol, side in sides.items() if side[day]]
    ahead = (day + 1) * DAY_MS
    moves = [
        sum(needs_requote(market, symbol, side, look + ahead) for symbol, side in entries)
        for look in looks
    ]
    return sum(1.0 - 0.5**count for count in moves)


def _standing(decisions: Decisions, closes: range, step: int) -> IntArray:
    """Side (-1, 0, +1) that enters on all these candles, per day from 1 day ahead on."""
    closed = decisions.time + step
    days = np.arange(1, SEARCHED_DAYS + 1) * DAY_MS
    found = [decisions.side[np.searchsorted(closed, close + days)] for close in closes]
    stands = np.all([side == found[0] for side in found], axis=0)
    return np.where(stands, found[0], 0)


def _decisions(market: Market, rules: HeadRules, close: int, symbol: str) -> Decisions:
    first = (close // DAY_MS + 1 - WARM_UP_DAYS) * DAY_MS
    last = (close // DAY_MS + SEARCHED_DAYS + 2) * DAY_MS
    frames = {tf: _bars(market, symbol, tf, first, last) for tf in (rules.base, rules.structure)}
    plain = _bars(market, symbol, rules.market, first, last)
    frames[rules.market] = _with_feeds(market, symbol, plain)
    return decide(frames, rules, usual_feeds(rules))


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
