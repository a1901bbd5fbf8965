"""GET routes that answer from the market's history: candles, funding, open interest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from loopback_exchange.clock import HOUR_MS
from loopback_exchange.errors import ApiError, Code
from loopback_exchange.market.candles import INTERVALS_MS, bucket_offset_ms
from loopback_exchange.market.synthetic import LISTED_MS
from loopback_exchange.matching.placement import needed
from loopback_exchange.routes.params import Params, eight, integer, limit_of, window

if TYPE_CHECKING:
    from loopback_exchange.exchange import Exchange

_PERIODS = ("5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d")
_SETTLEMENT_MS = 8 * HOUR_MS
_LATEST_SETTLEMENTS = 200
"""What is given at most when neither a start nor an end is asked for, as Binance documents it."""


def _interval(params: Params) -> int:
    name = needed(params, "interval")
    if name not in INTERVALS_MS:
        raise ApiError(Code.BAD_INTERVAL)
    return INTERVALS_MS[name]


def _range(params: Params, interval: int, at: int) -> tuple[int, int]:
    """Give [start, end) of the candles asked for: the first ``limit``, else the last ones."""
    limit = limit_of(params, 500, 1500)
    start, end = window(params, at)
    end = min(end, at + 1)
    if "startTime" not in params:
        offset = bucket_offset_ms(interval)
        newest = (end - 1 - offset) // interval * interval + offset
        return newest - (limit - 1) * interval, end
    return start, min(end, start + limit * interval)


def klines(exchange: Exchange, params: Params, at: int) -> list[list[Any]]:
    """GET /fapi/v1/klines; the last row is the candle that is forming."""
    spec = exchange.spec(needed(params, "symbol"))
    interval = _interval(params)
    start, end = _range(params, interval, at)
    candles = exchange.market.candles(spec.symbol, interval, start, end, at)
    rows = candles.rows
    price, quantity = spec.price, spec.quantity
    columns = (rows[name].tolist() for name in (
        "open", "high", "low", "close", "volume", "taker_buy", "count", "quote"
    ))  # fmt: skip
    return [
        [opened, *(f"{price(ticks):f}" for ticks in ohlc), f"{quantity(volume):f}",
         opened + interval - 1, f"{quote:.5f}", count, f"{quantity(bought):f}",
         f"{quote * bought / volume if volume else 0.0:.5f}", "0"]
        for opened, *ohlc, volume, bought, count, quote
        in zip(candles.open_time.tolist(), *columns, strict=True)
    ]  # fmt: skip


def mark_klines(exchange: Exchange, params: Params, at: int) -> list[list[Any]]:
    """GET /fapi/v1/markPriceKlines; mark prices have no volume."""
    spec = exchange.spec(needed(params, "symbol"))
    interval = _interval(params)
    start, end = _range(params, interval, at)
    times, prices = exchange.market.mark_candles(spec.symbol, interval, start, end, at)
    return [
        [
            opened,
            *(eight(price) for price in row),
            "0",
            opened + interval - 1,
            "0",
            0,
            "0",
            "0",
            "0",
        ]
        for opened, row in zip(times.tolist(), prices.tolist(), strict=True)
    ]


def funding_rate(exchange: Exchange, params: Params, at: int) -> list[dict[str, Any]]:
    """GET /fapi/v1/fundingRate: settlements, oldest first."""
    limit = limit_of(params, 100, 1000)
    names = [needed(params, "symbol")] if "symbol" in params else exchange.market.symbols
    start, end = window(params, at)
    end = min(end, at + 1)
    forward = "startTime" in params
    if not forward and "endTime" not in params:
        limit = min(limit, _LATEST_SETTLEMENTS)
    if not forward:
        start = max(0, end - limit * _SETTLEMENT_MS)
    found = [row for name in names for row in _settlements(exchange, name, start, end, limit)]
    found.sort()
    kept = found[:limit] if forward else found[-limit:]
    return [_funding_row(exchange, *row) for row in kept]


def _settlements(
    exchange: Exchange, symbol: str, start: int, end: int, limit: int
) -> list[tuple[int, str, float]]:
    """Give at least the first ``limit`` settlements; a long range is read piece by piece."""
    exchange.spec(symbol)
    found: list[tuple[int, str, float]] = []
    start = max(start, LISTED_MS)
    while start < end and len(found) < limit:
        stop = min(end, start + limit * _SETTLEMENT_MS)
        times, rates = exchange.market.funding(symbol, start, stop)
        rows = zip(times.tolist(), rates.tolist(), strict=True)
        found.extend((moment, symbol, rate) for moment, rate in rows)
        start = stop
    return found


def _funding_row(exchange: Exchange, moment: int, symbol: str, rate: float) -> dict[str, Any]:
    hour = moment // HOUR_MS * HOUR_MS
    _, marks = exchange.market.mark_candles(symbol, HOUR_MS, hour, hour + 1, moment)
    mark = marks[0, 0] if len(marks) else exchange.market.mark_price(symbol, moment)
    return {
        "symbol": symbol,
        "fundingTime": moment,
        "fundingRate": eight(rate),
        "markPrice": eight(float(mark)),
    }


def open_interest(exchange: Exchange, params: Params, at: int) -> list[dict[str, Any]]:
    """GET /futures/data/openInterestHist: open interest at the end of each period."""
    spec = exchange.spec(needed(params, "symbol"))
    period = needed(params, "period")
    if period not in _PERIODS:
        raise ApiError(Code.INVALID_PARAMETER, name="period")
    step = INTERVALS_MS[period]
    limit = limit_of(params, 30, 500)
    newest = min(integer(params, "endTime", at), at) // step
    oldest = newest - limit + 1
    if "startTime" in params:
        oldest = -(-integer(params, "startTime") // step)
        newest = min(newest, oldest + limit - 1)
    times = np.arange(oldest, newest + 1) * step
    levels = exchange.market.open_interest(spec.symbol, times)
    return [
        {
            "symbol": spec.symbol,
            "sumOpenInterest": eight(level),
            "sumOpenInterestValue": eight(level * exchange.market.mark_price(spec.symbol, moment)),
            "timestamp": moment,
        }
        for moment, level in zip(times.tolist(), levels.tolist(), strict=True)
        if not np.isnan(level)
    ]
