"""The text of each event, with the fields and in the order that Binance documents."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from loopback_exchange.routes.params import text
from loopback_exchange.streams.names import AGG_TRADE

if TYPE_CHECKING:
    from loopback_exchange.market.specs import SymbolSpec
    from loopback_exchange.market.trades import Trades
    from loopback_exchange.streams.depth import Change
    from loopback_exchange.streams.forced import Forced


def trade_texts(kind: str, spec: SymbolSpec, trades: Trades, at: int) -> list[str]:
    """Write trades as ``aggTrade`` or ``trade`` events; every trade is its own aggregate."""
    head = f'{{"e":"{kind}","E":{at},"s":"{spec.symbol}",'
    prices, quantities = spec.prices(trades.price).tolist(), spec.quantities(trades.quantity)
    columns = (trades.id.tolist(), prices, quantities.tolist(), trades.is_buy, trades.time_ms)
    rows = zip(*(c if isinstance(c, list) else c.tolist() for c in columns), strict=True)
    p, q = spec.price_decimals, spec.quantity_decimals
    if kind == AGG_TRADE:
        return [
            f'{head}"a":{i},"p":"{price:.{p}f}","q":"{quantity:.{q}f}","f":{i},"l":{i},'
            f'"T":{moment},"m":{"false" if is_buy else "true"}}}'
            for i, price, quantity, is_buy, moment in rows
        ]
    return [
        f'{head}"T":{moment},"t":{i},"p":"{price:.{p}f}","q":"{quantity:.{q}f}",'
        f'"X":"MARKET","m":{"false" if is_buy else "true"}}}'
        for i, price, quantity, is_buy, moment in rows
    ]


def depth_text(spec: SymbolSpec, change: Change, at: int) -> str:
    """Write a ``depthUpdate`` event."""
    return _dumped(
        {
            "e": "depthUpdate",
            "E": at,
            "T": at,
            "s": spec.symbol,
            "U": change.first,
            "u": change.last,
            "pu": change.before,
            "b": _levels(change.bids, spec),
            "a": _levels(change.asks, spec),
        }
    )


def touch_text(
    spec: SymbolSpec, version: int, bid: tuple[int, int], ask: tuple[int, int], at: int
) -> str:
    """Write a ``bookTicker`` event."""
    (bid_price, bid_size), (ask_price, ask_size) = _levels([bid, ask], spec)
    return _dumped(
        {
            "e": "bookTicker",
            "u": version,
            "E": at,
            "T": at,
            "s": spec.symbol,
            "b": bid_price,
            "B": bid_size,
            "a": ask_price,
            "A": ask_size,
        }
    )


def forced_text(spec: SymbolSpec, order: Forced, at: int) -> str:
    """Write a ``forceOrder`` event: a long is sold out, so the order says SELL."""
    price, quantity = text(spec.price(order.price)), text(spec.quantity(order.quantity))
    body = {
        "s": spec.symbol,
        "S": "SELL" if order.is_long else "BUY",
        "o": "LIMIT",
        "f": "IOC",
        "q": quantity,
        "p": price,
        "ap": price,
        "X": "FILLED",
        "l": quantity,
        "z": quantity,
        "T": order.time_ms,
    }
    return _dumped({"e": "forceOrder", "E": at, "o": body})


def answer_text(number: Any, result: Any = None) -> str:
    """Write the answer to a request."""
    return _dumped({"result": result, "id": number})


def error_text(number: Any, message: str) -> str:
    """Write the refusal of a request."""
    return _dumped({"error": {"code": 2, "msg": f"Invalid request: {message}"}, "id": number})


def wrapped(name: str, body: str) -> str:
    """Write an event as a combined stream does."""
    return f'{{"stream":"{name}","data":{body}}}'


def _levels(side: list[tuple[int, int]], spec: SymbolSpec) -> list[list[str]]:
    return [[text(spec.price(price)), text(spec.quantity(size))] for price, size in side]


def _dumped(body: dict[str, Any]) -> str:
    return json.dumps(body, separators=(",", ":"))
