"""Forced orders: those that the minutes of the market tell of, and those that a test adds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from loopback_exchange.clock import MINUTE_MS
from loopback_exchange.market.noise import key_of, uniform

if TYPE_CHECKING:
    from loopback_exchange.market.source import MarketSource

_TYPICAL_NOTIONAL = 20_000.0
_MOST_A_MINUTE = 20


class Forced(NamedTuple):
    """A position that was closed by force."""

    is_long: bool
    price: int  # ticks
    quantity: int  # steps
    time_ms: int


def forced_orders(market: MarketSource, symbol: str, minute: int) -> list[Forced]:
    """Give the forced orders of a minute since 1970, in time order.

    Their turnover is what the minute says, within a step of quantity for each.
    """
    _, rows = market.rows(symbol, minute, minute + 1)
    if not len(rows):
        return []
    found: list[Forced] = []
    for name, is_long in (("long_liquidations", True), ("short_liquidations", False)):
        notional = float(rows[name][0])
        if notional > 0:
            found += _split(market, symbol, minute, notional, is_long=is_long)
    return sorted(found, key=lambda order: order.time_ms)


def _split(
    market: MarketSource, symbol: str, minute: int, notional: float, *, is_long: bool
) -> list[Forced]:
    spec = market.spec(symbol)
    count = int(min(max(1, notional // _TYPICAL_NOTIONAL), _MOST_A_MINUTE))
    draws = uniform(key_of(market.seed, symbol, "forced", minute, is_long), np.arange(count))
    orders = []
    for offset in np.sort(draws):
        at = minute * MINUTE_MS + int(offset * MINUTE_MS)
        price = market.last_trade(symbol, at).price
        steps = notional / count / (price * float(spec.tick) * float(spec.step))
        if round(steps) >= 1:
            orders.append(Forced(is_long, price, round(steps), at))
    return orders
