"""Exits: kept alive until the position is gone, never sent twice, stops first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hydra_ft.adapter.parents import exit_key
from hydra_ft.adapter.trades import side_of, working_order
from hydra_ft.execution.chase import decide, is_usable, next_price
from hydra_ft.types import Abandon, Keep, Kind, ParentOrder

if TYPE_CHECKING:
    from freqtrade.persistence import Order, Trade

    from hydra_ft.adapter.desk import OrderDesk

STOPS = frozenset({"stop_loss", "trailing_stop_loss", "stoploss_on_exchange", "liquidation"})
FORCED = frozenset({"force_exit", "emergency_exit"})

_TAG_LENGTH = 64
"""Freqtrade trims a longer exit reason, with a warning each time."""


@dataclass(frozen=True, slots=True)
class ExitRequest:
    """What freqtrade is about to order to leave a trade; ``price`` 0 for a market order."""

    quantity: float
    price: float
    reason: str


class Exits:
    """Decisions on exit orders, in terms of parents and children."""

    def __init__(self, desk: OrderDesk) -> None:
        self._desk = desk
        self._book = desk.book
        self._policy = desk.policies.exit

    def price(self, trade: Trade, reason: str, proposed: float, now: int) -> float:
        """Price of the next child of an exit; freqtrade's own where no quote is usable."""
        quote = self._desk.quote(trade.pair, now)
        parent = self._book.of(trade.pair, Kind.EXIT)
        if parent is None:
            parent = self._intent(trade, ExitRequest(trade.amount, proposed, reason), now)
        parent = _hastened(parent, reason)
        if quote is None or not (parent.urgent or is_usable(quote, self._policy, now)):
            return proposed
        return next_price(parent, quote, self._policy, now)

    def confirm(self, trade: Trade, request: ExitRequest, now: int) -> str:
        """Write the attempt down and return '', or return the reason to refuse.

        A forced exit passes always. Any other waits for an open order of the trade, and
        for an order whose outcome is unknown: both would make its size wrong.
        """
        entry = self._book.of(trade.pair, Kind.ENTRY)
        if entry is not None:
            self._book.end(entry, "exit", now)
        known = self._book.of(trade.pair, Kind.EXIT)
        parent = _hastened(known or self._intent(trade, request, now), request.reason)
        refusal = "" if request.reason in FORCED else self._objection(trade, known, parent, now)
        if refusal:
            if known is not None and known != parent:
                self._book.put(parent)
            return refusal
        self._book.send(parent, request.quantity, request.price, now)
        return ""

    def _objection(
        self, trade: Trade, known: ParentOrder | None, parent: ParentOrder, now: int
    ) -> str:
        if trade.has_open_orders:
            return "order_open"
        if self._book.is_unknown(trade.pair):
            return "outcome_unknown"
        return "too_soon" if known is not None and self._desk.too_soon(parent, now) else ""

    def keep_alive(self, trade: Trade) -> str | None:
        """Return the reason of an exit that has begun and has no order working.

        The signal, the target or the stop that began it may have gone: it goes on.
        """
        parent = self._book.of(trade.pair, Kind.EXIT)
        if parent is None or trade.has_open_orders or parent.side is not side_of(trade):
            return None
        return parent.reason[:_TAG_LENGTH]

    def timed_out(self, trade: Trade, order: Order, now: int) -> bool:
        """Whether freqtrade shall cancel the working exit order now."""
        parent = self._book.of(trade.pair, Kind.EXIT)
        if parent is None:
            return self._desk.is_orphan(trade, order) and self._desk.cancel(trade, order)
        quote = self._desk.quote(trade.pair, now)
        action = decide(parent, working_order(order), quote, self._policy, now)
        if isinstance(action, Keep):
            return False
        if isinstance(action, Abandon):
            self._book.end(parent, action.reason, now)
        return self._desk.cancel(trade, order)

    def _intent(self, trade: Trade, request: ExitRequest, now: int) -> ParentOrder:
        """Return the parent that an exit decided now would be; not stored."""
        quote = self._desk.quote(trade.pair, now)
        side = side_of(trade)
        return ParentOrder(
            key=exit_key(trade.pair, side, now),
            pair=trade.pair,
            side=side,
            kind=Kind.EXIT,
            quantity=request.quantity,
            arrival_price=quote.mid if quote is not None else request.price,
            decided_at=now,
            reason=request.reason,
        )


def _hastened(parent: ParentOrder, reason: str) -> ParentOrder:
    """Return the parent made urgent, if the reason to leave is a stop or a command."""
    if reason in STOPS | FORCED and not parent.urgent:
        return replace(parent, urgent=True, reason=reason)
    return parent
