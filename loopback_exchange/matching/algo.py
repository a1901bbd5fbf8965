"""Conditional orders: what they are, and how the parameters of one are checked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from loopback_exchange.errors import ApiError, Code
from loopback_exchange.matching.placement import (
    check_position_side,
    client_id_of,
    flag,
    force_of,
    is_buy_of,
    needed,
    steps_of,
    ticks_of,
)

if TYPE_CHECKING:
    from loopback_exchange.market.specs import SymbolSpec

LIMIT_KINDS = ("STOP", "TAKE_PROFIT")
MARKET_KINDS = ("STOP_MARKET", "TAKE_PROFIT_MARKET")
KINDS = LIMIT_KINDS + MARKET_KINDS


class AlgoStatus(StrEnum):
    """States of a conditional order; it is FINISHED once the order that it became has ended."""

    NEW = "NEW"
    CANCELED = "CANCELED"
    TRIGGERED = "TRIGGERED"
    FINISHED = "FINISHED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"


@dataclass(slots=True)
class AlgoOrder:
    """One conditional order; ``order_id`` is what it became, 0 before."""

    id: int
    symbol: str
    client_id: str
    is_buy: bool
    kind: str  # of KINDS
    time_in_force: str
    trigger: int  # ticks
    price: int  # ticks, 0 for a market order
    quantity: int  # steps, 0 closes the position
    reduce_only: bool
    by_mark: bool  # the mark price triggers it, else the last price
    time_ms: int
    update_ms: int
    trigger_ms: int = 0
    order_id: int = 0
    status: AlgoStatus = AlgoStatus.NEW

    @property
    def is_limit(self) -> bool:
        """Whether it becomes a limit order."""
        return self.kind in LIMIT_KINDS

    @property
    def closes(self) -> bool:
        """Whether it closes the whole position, whatever its size then."""
        return not self.quantity

    @property
    def rises(self) -> bool:
        """Whether it waits for the price to rise to its trigger."""
        return self.is_buy == self.kind.startswith("STOP")


def parse_algo(params: dict[str, str], spec: SymbolSpec, at: int) -> AlgoOrder:
    """Check the parameters of POST /algoOrder one by one; the id is still 0.

    Raises
    ------
    ApiError
        With the code that Binance gives for the first parameter that is wrong.
    """
    if needed(params, "algoType") != "CONDITIONAL":
        raise ApiError(Code.INVALID_PARAMETER, name="algoType")
    is_buy, kind = is_buy_of(params), needed(params, "type")
    if kind not in KINDS:
        raise ApiError(Code.BAD_ORDER_TYPE)
    check_position_side(params)
    closes, reduces = flag(params, "closePosition"), flag(params, "reduceOnly")
    if closes and (kind in LIMIT_KINDS or reduces or params.get("quantity")):
        raise ApiError(Code.INVALID_PARAMETER, name="closePosition")
    working = params.get("workingType", "CONTRACT_PRICE")
    if working not in {"CONTRACT_PRICE", "MARK_PRICE"}:
        raise ApiError(Code.INVALID_PARAMETER, name="workingType")
    return AlgoOrder(
        id=0,
        symbol=spec.symbol,
        client_id=client_id_of(params, "clientAlgoId") or "",
        is_buy=is_buy,
        kind=kind,
        time_in_force=force_of(params, default="GTC"),
        trigger=ticks_of(params, spec, "triggerPrice"),
        price=ticks_of(params, spec) if kind in LIMIT_KINDS else 0,
        quantity=0 if closes else steps_of(params, spec),
        reduce_only=reduces or closes,
        by_mark=working == "MARK_PRICE",
        time_ms=at,
        update_ms=at,
    )
