"""GET routes that answer from the present moment: book, trades, tickers, mark price."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loopback_exchange.clock import DAY_MS, HOUR_MS, MINUTE_MS
from loopback_exchange.errors import ApiError, Code
from loopback_exchange.matching.placement import needed
from loopback_exchange.routes.params import Params, eight, integer, limit_of, number, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from loopback_exchange.exchange import Exchange
    from loopback_exchange.market.specs import SymbolSpec
    from loopback_exchange.market.trades import Trades

_DEPTHS = (5, 10, 20, 50, 100, 500, 1000)


def depth(exchange: Exchange, params: Params, at: int) -> dict[str, Any]:
    """GET /fapi/v1/depth."""
    spec = exchange.spec(needed(params, "symbol"))
    limit = integer(params, "limit", 500)
    if limit not in _DEPTHS:
        raise ApiError(Code.INVALID_PARAMETER, name="limit")
    book = exchange.shown(spec.symbol, at, limit)
    return {
        "lastUpdateId": book.version,
        "E": at,
        "T": at,
        "bids": _levels(book.bids, spec),
        "asks": _levels(book.asks, spec),
    }


def _levels(side: list[tuple[int, int]], spec: SymbolSpec) -> list[list[str]]:
    return [[text(spec.price(price)), text(spec.quantity(size))] for price, size in side]


def agg_trades(exchange: Exchange, params: Params, at: int) -> list[dict[str, Any]]:
    """GET /fapi/v1/aggTrades: by id, by a window of at most an hour, or the latest."""
    spec = exchange.spec(needed(params, "symbol"))
    limit = limit_of(params, 500, 1000)
    stop = at + 1
    if "fromId" in params:
        found = exchange.public_trades(spec.symbol).trades_from(
            spec.symbol, integer(params, "fromId"), stop, limit
        )
    elif "startTime" in params or "endTime" in params:
        start, end = _trade_window(params, stop)
        found = exchange.public_trades(spec.symbol).trades(spec.symbol, start, end, limit)
    else:
        found = exchange.public_trades(spec.symbol).latest_trades(spec.symbol, at, limit)
    return [
        {"a": one, "p": price, "q": quantity, "f": one, "l": one, "T": moment, "m": not is_buy}
        for one, price, quantity, _, is_buy, moment in _trades(found, spec)
    ]


def recent_trades(exchange: Exchange, params: Params, at: int) -> list[dict[str, Any]]:
    """GET /fapi/v1/trades: the latest ones."""
    spec = exchange.spec(needed(params, "symbol"))
    limit = limit_of(params, 500, 1000)
    return _single(exchange.public_trades(spec.symbol).latest_trades(spec.symbol, at, limit), spec)


def historical_trades(exchange: Exchange, params: Params, at: int) -> list[dict[str, Any]]:
    """GET /fapi/v1/historicalTrades: from an id on, or the latest."""
    if "fromId" not in params:
        return recent_trades(exchange, params, at)
    spec = exchange.spec(needed(params, "symbol"))
    limit = limit_of(params, 500, 1000)
    first = integer(params, "fromId")
    return _single(
        exchange.public_trades(spec.symbol).trades_from(spec.symbol, first, at + 1, limit), spec
    )


def _single(trades: Trades, spec: SymbolSpec) -> list[dict[str, Any]]:
    return [
        {
            "id": one,
            "price": price,
            "qty": quantity,
            "quoteQty": quote,
            "time": moment,
            "isBuyerMaker": not is_buy,
        }
        for one, price, quantity, quote, is_buy, moment in _trades(trades, spec)
    ]


def _trade_window(params: Params, stop: int) -> tuple[int, int]:
    end = min(integer(params, "endTime", stop - 1) + 1, stop)
    start = integer(params, "startTime", max(0, end - HOUR_MS))
    if "endTime" in params and end - 1 - start > HOUR_MS:
        raise ApiError(Code.INVALID_PARAMETER, name="startTime")
    return start, min(end, start + HOUR_MS)


def _trades(trades: Trades, spec: SymbolSpec) -> Iterator[tuple[int, str, str, str, bool, int]]:
    """Give id, price, quantity, turnover, side and time of each trade."""
    columns = (column.tolist() for column in trades)
    for trade_id, ticks, steps, is_buy, moment in zip(*columns, strict=True):
        price, quantity = spec.price(ticks), spec.quantity(steps)
        quote = text(price * quantity)
        yield trade_id, text(price), text(quantity), quote, is_buy, moment


def _one_or_all(
    exchange: Exchange, params: Params, answer: Callable[[str], dict[str, Any]]
) -> dict[str, Any] | list[dict[str, Any]]:
    if "symbol" in params:
        return answer(exchange.spec(params["symbol"]).symbol)
    return [answer(symbol) for symbol in exchange.market.symbols]


def ticker_24hr(exchange: Exchange, params: Params, at: int) -> Any:
    """GET /fapi/v1/ticker/24hr, of one symbol or of all."""
    return _one_or_all(exchange, params, lambda symbol: _day(exchange, symbol, at))


def _day(exchange: Exchange, symbol: str, at: int) -> dict[str, Any]:
    spec = exchange.spec(symbol)
    minute = at // MINUTE_MS * MINUTE_MS
    rows = exchange.market.candles(symbol, MINUTE_MS, minute - DAY_MS, at + 1, at).rows
    last = spec.price(exchange.book.last_price(symbol, at))
    first = spec.price(int(rows["open"][0])) if len(rows) else last
    high = spec.price(int(rows["high"].max())) if len(rows) else last
    low = spec.price(int(rows["low"].min())) if len(rows) else last
    volume, quote = spec.quantity(int(rows["volume"].sum())), float(rows["quote"].sum())
    newest = exchange.market.last_trade(symbol, at).id
    return {
        "symbol": symbol,
        "priceChange": text(last - first),
        "priceChangePercent": f"{(last / first - 1) * 100:.3f}",
        "weightedAvgPrice": number(quote / float(volume) if volume else float(last), spec),
        "lastPrice": text(last),
        "lastQty": text(spec.step),
        "openPrice": text(first),
        "highPrice": text(max(high, last)),
        "lowPrice": text(min(low, last)),
        "volume": text(volume),
        "quoteVolume": f"{quote:.2f}",
        "openTime": at - DAY_MS,
        "closeTime": at,
        "firstId": int(rows["first_id"][0]) if len(rows) else newest,
        "lastId": newest,
        "count": int(rows["count"].sum()),
    }


def book_ticker(exchange: Exchange, params: Params, at: int) -> Any:
    """GET /fapi/v1/ticker/bookTicker, of one symbol or of all."""
    return _one_or_all(exchange, params, lambda symbol: _touch(exchange, symbol, at))


def _touch(exchange: Exchange, symbol: str, at: int) -> dict[str, Any]:
    spec = exchange.spec(symbol)
    book = exchange.shown(symbol, at, 1)
    (bid, bid_size), (ask, ask_size) = book.bids[0], book.asks[0]
    return {
        "symbol": symbol,
        "bidPrice": text(spec.price(bid)),
        "bidQty": text(spec.quantity(bid_size)),
        "askPrice": text(spec.price(ask)),
        "askQty": text(spec.quantity(ask_size)),
        "time": at,
        "lastUpdateId": book.version,
    }


def premium_index(exchange: Exchange, params: Params, at: int) -> Any:
    """GET /fapi/v1/premiumIndex: mark price and the funding rate as it stands."""
    return _one_or_all(exchange, params, lambda symbol: _premium(exchange, symbol, at))


def _premium(exchange: Exchange, symbol: str, at: int) -> dict[str, Any]:
    mark = exchange.book.mark_price(symbol, at)
    rate, following = exchange.market.funding_now(symbol, at)
    return {
        "symbol": symbol,
        "markPrice": eight(mark),
        "indexPrice": eight(float(mark) / (1.0 + rate)),
        "estimatedSettlePrice": eight(mark),
        "lastFundingRate": eight(rate),
        "interestRate": "0.00010000",
        "nextFundingTime": following,
        "time": at,
    }
