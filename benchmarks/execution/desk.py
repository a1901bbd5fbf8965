"""One parent order while it is executed: its children, its rest, and how it ends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.execution.windows import volatility_bps
from hydra_ft.execution.ticks import floor_steps
from hydra_ft.types import Kind, ParentOrder, Quote, WorkingOrder

if TYPE_CHECKING:
    from benchmarks.execution.venue import Venue
    from benchmarks.execution.windows import Window
    from loopback_exchange.matching.orders import Order

CANCEL_MS = 100
"""From the quote that a loop looks at to the moment at which its cancel has effect."""
PLACE_MS = 200
"""From that quote to the moment at which the new order arrives."""


class Desk:
    """Does what a bot does for one parent, in its order: look, cancel, place."""

    def __init__(self, venue: Venue, window: Window) -> None:
        self.venue = venue
        self._volatility_bps = volatility_bps(venue.market, window.symbol, window.decided_at)
        # The close of the bar is the last trade before its end.
        close = venue.market.last_trade(window.symbol, window.decided_at - 1).price
        price = float(venue.spec.price(close))
        self.is_buy = window.side.sign > 0
        self.parent = ParentOrder(
            key="bench",
            pair=window.symbol,
            side=window.side,
            kind=Kind.ENTRY,
            quantity=max(self.least(price), floor_steps(window.notional_quote / price, venue.step)),
            arrival_price=venue.mid(window.decided_at + window.late_ms),
            decided_at=window.decided_at,
            decision_price=price,
        )
        self._order: Order | None = None
        self._sent_at = 0

    def least(self, price: float) -> float:
        """Give the smallest parent: three times what the exchange takes, in whole steps."""
        return floor_steps(3 * float(self.venue.spec.min_notional) / price, self.venue.step)

    def quote(self, at: int) -> Quote:
        """Look at the book."""
        return self.venue.quote(at, self._volatility_bps)

    @property
    def filled(self) -> float:
        """Quantity that the parent has so far, in base."""
        return sum(fill.quantity for fill in self.venue.fills())

    @property
    def missing(self) -> float:
        """Quantity that is missing, in whole steps."""
        return floor_steps(max(0.0, self.parent.quantity - self.filled), self.venue.step)

    @property
    def working(self) -> WorkingOrder | None:
        """The child that rests on the exchange."""
        order = self._order
        if order is None or not order.is_open:
            return None
        spec = self.venue.spec
        return WorkingOrder(
            order_id=str(order.id),
            price=float(spec.price(order.price)),
            quantity=float(spec.quantity(order.quantity)),
            filled=float(spec.quantity(order.filled)),
            placed_at=self._sent_at,
        )

    @property
    def is_rest_too_small(self) -> bool:
        """Whether the exchange would refuse an order for the rest: it is kept working."""
        return self.venue.is_too_small(self.parent.arrival_price, 0.98 * self.missing)

    def cancel(self, at: int) -> None:
        """Cancel the working child, which may fill until the cancel arrives."""
        self.venue.advance(at + CANCEL_MS)
        if self._order is not None:
            self.venue.cancel(self._order, at + CANCEL_MS)

    def place(self, price: float, at: int, *, post_only: bool = False) -> None:
        """Send a child for the rest, priced on what was seen at ``at``; 0 is a market order."""
        arrives = at + PLACE_MS
        self.venue.advance(arrives)
        if not self.missing:
            return
        self._order = self.venue.place(
            price, self.missing, arrives, is_buy=self.is_buy, post_only=post_only
        )
        if self._order is None:
            rejections = self.parent.rejections + 1
            self.parent = replace(
                self.parent, rejections=rejections, rejected_at=at, last_quoted_at=at
            )
            return
        self._sent_at = at
        self.parent = replace(
            self.parent, children=self.parent.children + 1, last_quoted_at=at, rejections=0
        )

    def end(self, reason: str, at: int) -> None:
        """Cancel what rests, and end the parent."""
        self.cancel(at)
        self.parent = replace(self.parent, ended_at=at, end_reason=reason)
