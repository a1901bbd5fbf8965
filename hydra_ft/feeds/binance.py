"""Binance futures: aggregate trades, trades, and forced orders.

``m`` says that the buyer was the maker, so the taker sold. A forced order is the order that
closes the position: SELL closes a long. Binance sends at most the latest forced order of a
pair in a second, so what is recorded is a lower bound of what was liquidated.
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
    numbered,
    one_of,
    stamp_ms,
    whole,
)
from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    Payload = Mapping[str, Any]


def trade(payload: Payload, contract: Contract) -> PublicTrade:
    """Read an ``aggTrade`` event, an answer of ``/aggTrades``, or a ``trade`` event.

    The id of an aggregate is that of aggregates (``a``): they follow each other.
    """
    price = amount(payload, "p")
    first, last, key = numbered(whole(payload, "t" if payload.get("e") == "trade" else "a"))
    return PublicTrade(
        first,
        last,
        stamp_ms(payload.get("T")),
        price,
        contract.base(amount(payload, "q"), price),
        one_of(payload, "m", {True: SELL, False: BUY}),
        key,
    )


def forced(payload: Payload, contract: Contract) -> tuple[Forced, ...]:
    """Read the order of a ``forceOrder`` event, with or without the event around it.

    The price is the average that was paid (``ap``), the quantity all that was filled (``z``;
    ``l`` is only the last fill).
    """
    order = payload.get("o")
    if not isinstance(order, dict):
        order = payload
    price = amount(order, "ap")
    return (
        Forced(
            str(order.get("s")),
            stamp_ms(order.get("T")),
            one_of(order, "S", {"SELL": Side.LONG, "BUY": Side.SHORT}),
            price,
            contract.base(amount(order, "z"), price),
        ),
    )


def from_id(trade_id: int) -> dict[str, Any]:
    """Parameters with which ``fetch_trades`` begins at an id."""
    return {"fromId": trade_id}


BINANCE: Final = Venue(
    name="binance",
    trade=trade,
    forced=forced,
    has_id_ranges=True,
    trade_params={"name": "aggTrade"},
    refetch=from_id,
)
