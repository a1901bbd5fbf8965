"""The standing orders of other people, derived from the last trade and the minute."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from loopback_exchange.market.noise import Ints, key_of, normal, uniform

if TYPE_CHECKING:
    from loopback_exchange.market.specs import SymbolSpec

_SPREAD = key_of("spread")
_SIZE_SHARE = 0.02


class Book(NamedTuple):
    """Levels as (price in ticks, size in steps), best first; ``version`` is the last trade."""

    version: int
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]


def touch(trade_id: int, price: int, *, is_buy: bool) -> tuple[int, int]:
    """Give best bid and ask in ticks: the last trade is the side that its aggressor took."""
    draw = float(uniform(_SPREAD, np.array([trade_id]))[0])
    spread = 1 + (draw > 0.8) + (draw > 0.95)
    return (price - spread, price) if is_buy else (price, price + spread)


def level_size(seed: int, spec: SymbolSpec, price: Ints, minute: int) -> list[int]:
    """Give the size standing at prices (ticks) in a minute, in steps, at least one."""
    # A tenth of a minute's turnover a dozen ticks deep, uneven from price to price.
    key = key_of(seed, spec.symbol, "level", minute)
    value = spec.minute_notional * _SIZE_SHARE * np.exp(0.8 * normal(key, price))
    steps = value / (spec.start_price * float(spec.step))
    return np.maximum(np.rint(steps), 1).astype(np.int64).tolist()  # type: ignore[no-any-return]
