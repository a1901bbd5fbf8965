"""One day of one symbol, generated at once: 1,440 minutes of everything the exchange shows.

The log price is a sum of ramps between random knots (trends of hours to months, see
``TREND_SCALES``), which can be read at any minute, plus a random walk with clustered
volatility and cascades that is tied to zero at both ends of the day. So a day needs no other
day, and days join: the first open is the last close of the day before, to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from loopback_exchange.market.noise import Floats, Ints, key_of, normal, ramps, uniform

if TYPE_CHECKING:
    from loopback_exchange.market.specs import SymbolSpec

DAY = 1440
TRADES_A_DAY = 16 * DAY
LEAST_TRADES = 4
"""A minute needs four trades to show its open, high, low and close."""

MINUTE = np.dtype(
    [
        ("open", np.int64),  # ticks
        ("high", np.int64),
        ("low", np.int64),
        ("close", np.int64),
        ("volume", np.int64),  # steps
        ("taker_buy", np.int64),  # steps bought by aggressors
        ("count", np.int64),  # trades
        ("first_id", np.int64),  # id of the first trade of the minute
        ("quote", np.float64),  # turnover, quote
        ("basis", np.float64),  # mark / last - 1
        ("mark_open", np.float64),  # quote
        ("mark_high", np.float64),
        ("mark_low", np.float64),
        ("mark_close", np.float64),
        ("premium", np.float64),  # funding premium, ratio
        ("open_interest", np.float64),  # base
        ("long_liquidations", np.float64),  # quote, positions that were long
        ("short_liquidations", np.float64),  # quote, positions that were short
    ]
)

# (knot distance in minutes, size of a knot as a log return) for the common factor.
TREND_SCALES = (
    (170, 0.0042),
    (940, 0.0125),
    (2_830, 0.019),
    (10_080, 0.036),
    (43_200, 0.075),
    (172_800, 0.13),
    (720_000, 0.18),
)
_MINUTE_SIGMA = 0.00036
_COMMON_SHARE = 0.65


@dataclass(frozen=True)
class CommonDay:
    """What all symbols share on a day: shapes (1440,), the trend (1441,)."""

    trend: Floats
    sigma: Floats
    steps: Floats
    cascades: Floats


def trend(seed: int, name: str, minute: Ints) -> Floats:
    """Sum the ramps of one factor at these minutes, as a log return; bounded for ever."""
    total = np.zeros(len(minute))
    for period, size in TREND_SCALES:
        total += size * ramps(key_of(seed, name, "trend", period), float(period), minute)
    return total


@lru_cache(maxsize=200)
def _common_trend(seed: int, first: int) -> Floats:
    """Give the common trend at the minutes of a day, once for all symbols; not to be written to."""
    return trend(seed, "common", np.arange(first, first + DAY))


def _joined_trend(seed: int, name: str, day: int) -> Floats:
    """Give the trend at the 1,441 edges of a day, its ends computed as single points."""
    grid = np.arange(day * DAY, (day + 1) * DAY + 1)
    curve = trend(seed, name, grid)
    # Interpolating along an array may round differently from a point; the ends must not.
    curve[0] = trend(seed, name, grid[:1])[0]
    curve[-1] = trend(seed, name, grid[-1:])[0]
    return curve


def _volatility(seed: int, name: str, minute: Ints) -> Floats:
    """Give the log of the volatility level: clustered over half an hour to a week."""
    level = np.zeros(len(minute))
    for period, size in ((35, 0.22), (260, 0.28), (1_500, 0.28), (9_000, 0.25)):
        level += size * ramps(key_of(seed, name, "volatility", period), float(period), minute)
    return level


def _season(minute: Ints) -> Floats:
    hour = (minute % DAY) / 60.0
    curve: Floats = 1.0 + 0.3 * np.sin(2.0 * np.pi * (hour - 9.5) / 24.0)
    return curve


def _cascades(seed: int, name: str, day: int, chance: float, size: float) -> Floats:
    """Give log returns per minute of forced moves: fast one way, then part of the way back."""
    key = key_of(seed, name, "cascade", day)
    moves = np.zeros(DAY)
    draws = uniform(key, np.arange(12)).reshape(3, 4)
    for happens, when, way, much in draws:
        if happens > chance:
            continue
        start = int(20 + when * (DAY - 60))
        age = np.arange(DAY - start, dtype=np.float64)
        fall = np.exp(-age / 4.0) / 4.5
        back = np.exp(-age / 70.0) / 70.5 * 0.45
        moves[start:] += (1.0 if way < 0.5 else -1.0) * size * (0.5 + much) * (fall - back)
    return moves


def common_day(seed: int, day: int) -> CommonDay:
    """Compute the part of a day that all symbols share."""
    minute = np.arange(day * DAY, (day + 1) * DAY)
    return CommonDay(
        trend=_joined_trend(seed, "common", day),
        sigma=_MINUTE_SIGMA * np.exp(_volatility(seed, "common", minute)) * _season(minute),
        steps=normal(key_of(seed, "common", "walk"), minute),
        cascades=_cascades(seed, "common", day, 0.22, 0.014),
    )


def _walk(increments: Floats, sigma: Floats) -> Floats:
    """Sum the increments to a path (1441,) that is tied to zero at both ends."""
    path = np.concatenate([[0.0], np.cumsum(increments)])
    share = np.concatenate([[0.0], np.cumsum(sigma**2)])
    tied: Floats = path - path[-1] * (share / share[-1])
    tied[-1] = 0.0
    return tied


@dataclass(frozen=True)
class _Path:
    edges: Ints  # ticks at the 1,441 edges
    sigma: Floats  # log return a minute
    cascades: Floats
    slow: Floats  # the trend at the edges, log return


def _path(seed: int, spec: SymbolSpec, day: int, common: CommonDay) -> _Path:
    minute = np.arange(day * DAY, (day + 1) * DAY)
    name, own = spec.symbol, spec.own_scale
    slow = spec.beta * common.trend + own * _joined_trend(seed, name, day)
    activity = np.exp(0.5 * _volatility(seed, name, minute))
    sigma = common.sigma * activity * np.hypot(spec.beta, own)
    cascades = spec.beta * common.cascades + _cascades(seed, name, day, 0.1, 0.016)
    own_steps = normal(key_of(seed, name, "walk"), minute)
    steps = _COMMON_SHARE * common.steps + np.sqrt(1 - _COMMON_SHARE**2) * own_steps
    log_price = np.log(spec.start_price) + slow + _walk(sigma * steps + cascades, sigma)
    edges = np.rint(np.exp(log_price) / float(spec.tick)).astype(np.int64)
    return _Path(np.maximum(edges, 10), sigma, cascades, slow)


def day_block(seed: int, spec: SymbolSpec, day: int, common: CommonDay) -> np.ndarray:
    """Compute the 1,440 minutes of a day (days since 1970) as an array of ``MINUTE``."""
    block = np.zeros(DAY, dtype=MINUTE)
    minute = np.arange(day * DAY, (day + 1) * DAY)
    path = _path(seed, spec, day, common)
    _fill_prices(block, seed, spec, minute, path)
    _fill_volume(block, seed, spec, minute, path)
    _fill_trade_ids(block, day)
    _fill_derivatives(block, seed, spec, minute, path)
    return block


def _fill_prices(block: np.ndarray, seed: int, spec: SymbolSpec, minute: Ints, path: _Path) -> None:
    start, end = path.edges[:-1], path.edges[1:]
    reach = path.sigma * start * 0.55
    up = np.abs(normal(key_of(seed, spec.symbol, "high"), minute)) * reach
    down = np.abs(normal(key_of(seed, spec.symbol, "low"), minute)) * reach
    block["open"], block["close"] = start, end
    block["high"] = np.maximum(start, end) + up.astype(np.int64)
    block["low"] = np.maximum(np.minimum(start, end) - down.astype(np.int64), 1)


def _fill_volume(block: np.ndarray, seed: int, spec: SymbolSpec, minute: Ints, path: _Path) -> None:
    price = path.edges[:-1] * float(spec.tick)
    change = np.log(path.edges[1:] / path.edges[:-1]) / path.sigma
    noise = normal(key_of(seed, spec.symbol, "volume"), minute)
    lively = path.sigma / (_MINUTE_SIGMA * np.hypot(spec.beta, spec.own_scale))
    notional = spec.minute_notional * lively * np.exp(0.45 * noise) * (0.5 + 0.6 * np.abs(change))
    volume = np.maximum(np.rint(notional / price / float(spec.step)), 20 * LEAST_TRADES)
    lean = normal(key_of(seed, spec.symbol, "taker"), minute)
    share = np.clip(0.5 + 0.28 * np.tanh(0.9 * change) + 0.06 * lean, 0.06, 0.94)
    block["volume"] = volume.astype(np.int64)
    block["taker_buy"] = np.rint(volume * share).astype(np.int64)
    middle = (block["open"] + block["high"] + block["low"] + block["close"]) / 4.0
    block["quote"] = block["volume"] * float(spec.step) * middle * float(spec.tick)


def _fill_trade_ids(block: np.ndarray, day: int) -> None:
    # Every day has the same number of trades, so an id is known without counting from 1970;
    # within the day they are spread by activity, so that counts mean something.
    weight = np.cumsum(np.sqrt(block["volume"]))
    spare = TRADES_A_DAY - LEAST_TRADES * DAY
    shared = np.floor(spare * weight / weight[-1]).astype(np.int64)
    block["count"] = LEAST_TRADES + np.diff(shared, prepend=0)
    room = block["volume"] // 2
    if (block["count"] > room).any():
        block["volume"] = np.maximum(block["volume"], 2 * block["count"])
        block["taker_buy"] = np.clip(block["taker_buy"], 1, block["volume"] - 1)
    block["first_id"] = day * TRADES_A_DAY + np.cumsum(block["count"]) - block["count"]


def premium(seed: int, spec: SymbolSpec, minute: Ints, drift: Floats | None = None) -> Floats:
    """Give the funding premium (ratio) at these minutes: a slow crowd, leaning with the trend."""
    crowd = np.zeros(len(minute))
    for period, size in ((480, 0.00008), (2_100, 0.00012), (8_000, 0.00010)):
        crowd += size * ramps(key_of(seed, spec.symbol, "crowd", period), float(period), minute)
    level: Floats = (
        0.00008 + crowd + 0.006 * (_drift(seed, spec, minute) if drift is None else drift)
    )
    return level


def _drift(seed: int, spec: SymbolSpec, minute: Ints) -> Floats:
    """Give the trend's log return over the 24 hours before these minutes."""
    return _slow(seed, spec, minute) - _slow(seed, spec, minute - DAY)


def _slow(seed: int, spec: SymbolSpec, minute: Ints, common: Floats | None = None) -> Floats:
    """Give the symbol's trend at these minutes, as a log return."""
    shared = trend(seed, "common", minute) if common is None else common
    own: Floats = spec.beta * shared + spec.own_scale * trend(seed, spec.symbol, minute)
    return own


def fill_marks(block: np.ndarray, tick: float) -> None:
    """Set the mark prices of rows from their candle and basis."""
    ratio = tick * (1.0 + block["basis"])
    for name in ("open", "high", "low", "close"):
        block[f"mark_{name}"] = np.round(block[name] * ratio, 8)


def _fill_derivatives(
    block: np.ndarray, seed: int, spec: SymbolSpec, minute: Ints, path: _Path
) -> None:
    before = _common_trend(seed, int(minute[0]) - DAY)
    drift = path.slow[:-1] - _slow(seed, spec, minute - DAY, before)
    block["premium"] = premium(seed, spec, minute, drift)
    block["basis"] = np.clip(0.4 * block["premium"], -0.0004, 0.0004)
    fill_marks(block, float(spec.tick))
    shed = np.cumsum(np.abs(path.cascades)) * np.linspace(1.0, 0.0, DAY)
    level = 0.25 * ramps(key_of(seed, spec.symbol, "interest"), 5_000.0, minute)
    level += 0.06 * ramps(key_of(seed, spec.symbol, "interest-day"), 700.0, minute)
    crowding = 2.0 * np.abs(drift)
    notional = spec.open_interest_notional * np.exp(level + crowding - 3.0 * shed)
    block["open_interest"] = notional / spec.start_price
    _fill_liquidations(block, seed, spec, minute, path)


def _fill_liquidations(
    block: np.ndarray, seed: int, spec: SymbolSpec, minute: Ints, path: _Path
) -> None:
    change = np.log(block["close"] / block["open"])
    forced = np.maximum(np.abs(change) / path.sigma - 1.6, 0.0) * 0.004
    forced += np.abs(path.cascades) * 8.0
    draw = uniform(key_of(seed, spec.symbol, "liquidation"), minute)
    amount = np.where(draw < 0.5, 0.0, forced) * block["quote"] * draw
    block["long_liquidations"] = np.where(change < 0, amount, 0.0)
    block["short_liquidations"] = np.where(change > 0, amount, 0.0)
