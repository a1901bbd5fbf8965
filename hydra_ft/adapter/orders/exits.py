"""Exits: kept alive until the position is gone, never doubled, stops first.

An exit is reduce-only: the exchange takes no more than there is. So it may be late by a
loop, while another order is cancelled, but nothing here may hold it up for good.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hydra_ft.adapter.orders.desk import OPERATOR_EXIT
from hydra_ft.adapter.orders.parents import exit_key
from hydra_ft.adapter.trades import side_of
from hydra_ft.errors import StoreError
from hydra_ft.execution.chase import may_act, must_cross, next_price
from hydra_ft.execution.lifecycle import End
from hydra_ft.risk.codes import DAY_LOSS
from hydra_ft.risk.exits import TIME
from hydra_ft.types import Kind, ParentOrder

if TYPE_CHECKING:
    from freqtrade.persistence import Order, Trade

    from hydra_ft.adapter.orders.desk import OrderDesk

logger = logging.getLogger(__name__)

STOPS = frozenset(
    {"stop_loss", "trailing_stop_loss", "stoploss_on_exchange", "liquidation", TIME, DAY_LOSS}
)
FORCED = frozenset({OPERATOR_EXIT, "emergency_exit"})

UNKNOWN_HOLDS_MS = 30_000
"""How long an exit that is not urgent waits for an order of unknown outcome."""

_TAG_LENGTH = 64
"""Freqtrade trims a longer exit reason, with a warning each time."""


@dataclass(frozen=True, slots=True)
class ExitRequest:
    """What freqtrade is about to order to leave a trade.

    ``decided_at`` is when the newest bar closed, on which it may have been decided (UTC ms).
    """

    quantity: float
    price: float
    reason: str
    decided_at: int = 0


class Exits:
    """Decisions on exit orders, in terms of parents and children."""

    def __init__(self, desk: OrderDesk) -> None:
        self._desk = desk
        self._book = desk.book
        self._policy = desk.policies.exit
        self._priced: dict[str, int] = {}

    def begin_loop(self) -> None:
        """Forget which exits this thread priced: a partial one asks no confirmation.

        A command may be between price and confirmation in a thread of its own.
        """
        here = threading.get_ident()
        for pair in [pair for pair, thread in self._priced.items() if thread == here]:
            del self._priced[pair]

    def price(self, trade: Trade, reason: str, proposed: float, now: int) -> float:
        """Price of the next child of an exit; freqtrade's own where no quote serves."""
        self._priced[trade.pair] = threading.get_ident()
        parent = self._parent(trade, ExitRequest(trade.amount, proposed, reason), now)
        quote = self._desk.quote(trade.pair, now)
        if quote is None or not may_act(parent, quote, self._policy, now):
            return proposed
        return next_price(parent, quote, self._policy, now)

    def time_in_force(self, trade: Trade, reason: str, now: int) -> str:
        """Return post-only for a passive child, if so wanted; good till cancelled else."""
        parent = self._parent(trade, ExitRequest(trade.amount, 0.0, reason), now)
        passive = not must_cross(parent, self._policy, now)
        return "PO" if self._policy.post_only and passive else "GTC"

    def confirm(self, trade: Trade, request: ExitRequest, now: int) -> str:
        """Write the attempt down and return '', or return what the exit waits for.

        It waits a loop for an open order of the trade, which is cancelled then: its size
        would be wrong. What the operator forces goes at once; a price of his is not chased.
        """
        entry = self._book.of(trade.pair, Kind.ENTRY)
        if entry is not None:
            self._book.end(entry, End.EXIT, now)
        priced_here = trade.pair in self._priced
        self._priced.pop(trade.pair, None)
        if request.reason in FORCED and not priced_here:
            self._step_aside(trade)
            return ""
        parent = self._parent(trade, request, now)
        begins = self._book.of(trade.pair, Kind.EXIT) is None and not parent.urgent
        if begins and self._desk.is_left_alone(trade.pair, request.decided_at):
            # What the operator ended waits for the decision of another bar; a stop does not.
            return "ended_this_bar"
        refusal = self._objection(trade, parent, request, now)
        if refusal:
            # Remembered all the same: the next loop cancels what stands in its way.
            self._book.put(parent)
        else:
            self._send(parent, request, now)
        return refusal

    def _step_aside(self, trade: Trade) -> None:
        """Note that the last child made way for an order of the operator's.

        If his order comes to nothing the exit goes on; if it is taken the exit is over.
        """
        parent = self._book.of(trade.pair, Kind.EXIT)
        if parent is not None:
            self._book.put(replace(parent, cancelling=_last_exit(trade)))

    def _send(self, parent: ParentOrder, request: ExitRequest, now: int) -> None:
        """Write the attempt down; an exit that cannot be noted goes out all the same."""
        try:
            self._book.send(parent, request.quantity, request.price, now)
        except StoreError as error:
            logger.error("An exit of %s goes out unnoted: %s", parent.pair, error)  # noqa: TRY400
            self._book.put(replace(parent, last_quoted_at=now))

    def _objection(self, trade: Trade, parent: ParentOrder, request: ExitRequest, now: int) -> str:
        """Return what an exit waits for; what is forced waits only to know its last child."""
        if self._book.has_unknown(parent):
            return "outcome_unknown"
        if request.reason in FORCED:
            return ""
        if trade.has_open_orders:
            return "order_open"
        if not parent.urgent and self._book.is_unknown(trade.pair, now - UNKNOWN_HOLDS_MS):
            return "outcome_unknown"
        return "too_soon" if self._desk.too_soon(parent, now) else ""

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
        if parent is None and order.ft_order_tag in STOPS:
            # A liquidation exit passes no hook before it is sent.
            request = ExitRequest(order.safe_amount, order.safe_placement_price, order.ft_order_tag)
            parent = self._book.put(self._parent(trade, request, now))
        commanded = order.ft_order_tag in FORCED and not self._desk.is_left_over(trade, order)
        if commanded and (parent is None or not parent.urgent):
            # The operator's own price stands, but not in the way of a stop.
            return False
        if parent is None:
            return self._desk.is_left_over(trade, order) and self._desk.cancel(trade, order)
        if self._desk.stops_on_exchange and order.safe_filled:
            # Freqtrade books a part, and makes the stop smaller, when the order has ended.
            return self._desk.cancel(trade, order, parent)
        return self._desk.pursue(trade, order, parent, now)

    def _parent(self, trade: Trade, request: ExitRequest, now: int) -> ParentOrder:
        """Return the exit parent of a trade, or the one that an exit decided now would be.

        It is made urgent, not stored, when the reason to leave is a stop or a command.
        """
        parent = self._book.of(trade.pair, Kind.EXIT) or self._intent(trade, request, now)
        if request.reason in FORCED:
            # Freqtrade has cancelled the last child for this one.
            parent = replace(parent, cancelling=_last_exit(trade))
        if request.reason in STOPS | FORCED and not parent.urgent:
            return replace(parent, urgent=True, reason=request.reason)
        return parent

    def _intent(self, trade: Trade, request: ExitRequest, now: int) -> ParentOrder:
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


def _last_exit(trade: Trade) -> str:
    """Return the id of the newest exit order of a trade, '' if it has none."""
    ids = [str(one.order_id) for one in trade.orders if one.ft_order_side == trade.exit_side]
    return ids[-1] if ids else ""
