"""Bybit v5: public trades and liquidations.

The side of a trade (``S``) is the taker's. That of a liquidation is the position's: Buy is a
long that was liquidated, other than on Binance, and its price is that of bankruptcy. Ids of
trades are UUIDs: nothing proves that none is missing but a connection that stood.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hydra_ft.feeds.normal import (
    BUY,
    SELL,
    Contract,
    Forced,
    PublicTrade,
    Venue,
    amount,
    named,
    one_of,
    stamp_ms,
)
from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    Payload = Mapping[str, Any]

_POSITIONS: Final = {"Buy": Side.LONG, "Sell": Side.SHORT}


def trade(payload: Payload, contract: Contract) -> PublicTrade:
    """Read one entry of a ``publicTrade`` message."""
    price = amount(payload, "p")
    first, last, key = named(str(payload.get("i")))
    return PublicTrade(
        first,
        last,
        stamp_ms(payload.get("T")),
        price,
        contract.base(amount(payload, "v"), price),
        one_of(payload, "S", {"Buy": BUY, "Sell": SELL}),
        key,
    )


def forced(payload: Payload, contract: Contract) -> tuple[Forced, ...]:
    """Read one entry of an ``allLiquidation`` message, or the older ``liquidation``."""
    is_old = "updatedTime" in payload
    names = ("symbol", "updatedTime", "side", "price", "size")
    symbol, time, side, price_name, size = names if is_old else ("s", "T", "S", "p", "v")
    price = amount(payload, price_name)
    return (
        Forced(
            str(payload.get(symbol)),
            stamp_ms(payload.get(time)),
            one_of(payload, side, _POSITIONS),
            price,
            contract.base(amount(payload, size), price),
        ),
    )


BYBIT: Final = Venue(name="bybit", trade=trade, forced=forced, has_id_ranges=False, trade_params={})
