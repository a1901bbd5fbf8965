"""OKX v5: trades and liquidation orders.

Quantities of swaps are numbers of contracts. The ``trades`` channel tells the fills of one
taker at one price as one: ``tradeId`` is the last of ``count`` ids. A liquidation order is
the order that closes the position: sell closes a long; its price is that of bankruptcy, and
one message may hold several, of which ccxt keeps the first only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hydra_ft.errors import DataError
from hydra_ft.feeds.normal import (
    BUY,
    SELL,
    Contract,
    Forced,
    PublicTrade,
    Venue,
    amount,
    one_of,
    stamp_ms,
    whole,
)
from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    Payload = Mapping[str, Any]


def trade(payload: Payload, contract: Contract) -> PublicTrade:
    """Read one entry of a ``trades`` or ``trades-all`` message."""
    price, last = amount(payload, "px"), whole(payload, "tradeId")
    count = whole(payload, "count") if "count" in payload else 1
    return PublicTrade(
        last - max(count, 1) + 1,
        last,
        stamp_ms(payload.get("ts")),
        price,
        contract.base(amount(payload, "sz"), price),
        one_of(payload, "side", {"buy": BUY, "sell": SELL}),
        str(last),
    )


def forced(payload: Payload, contract: Contract) -> tuple[Forced, ...]:
    """Read one contract's entry of a ``liquidation-orders`` message, all of its details."""
    market = str(payload.get("instId"))
    return tuple(_position(market, one, contract) for one in payload.get("details") or ())


def _position(market: str, detail: Payload, contract: Contract) -> Forced:
    side: Side = one_of(detail, "side", {"sell": Side.LONG, "buy": Side.SHORT})
    stated = detail.get("posSide")
    if stated in {"long", "short"} and stated != side.value:
        raise DataError(
            f"posSide: expected {side.value}, which a {detail['side']} closes, was {stated!r}"
        )
    price = amount(detail, "bkPx")
    quantity = contract.base(amount(detail, "sz"), price)
    return Forced(market, stamp_ms(detail.get("ts")), side, price, quantity)


OKX: Final = Venue(
    name="okx",
    trade=trade,
    forced=forced,
    has_id_ranges=True,
    trade_params={"channel": "trades"},
    bunches_trades=True,
)
