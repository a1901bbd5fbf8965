"""What became of the orders that were sent: known, or read from the exchange.

An attempt closes when its order shows up in the trade. One that is still open at the
next loop has an unknown outcome: its answer was lost, the bot was killed, or the order
was refused. Until the exchange has been read, no child of that pair is sent.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hydra_ft.adapter.trades import child_of, open_trade, order_ids, side_of
from hydra_ft.execution.attempts import CLOCK_TOLERANCE_MS, SeenOrder, match
from hydra_ft.execution.ticks import floor_steps, is_dust
from hydra_ft.types import Attempt, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra_ft.adapter.host import Host
    from hydra_ft.adapter.parents import ParentBook

logger = logging.getLogger(__name__)

ABSENT_AFTER_MS = 3_000
"""An order that the exchange does not show this long after it was sent never arrived."""


class Settlement:
    """Finds the outcome of every open attempt."""

    def __init__(self, host: Host, book: ParentBook, alert: Callable[[str], None]) -> None:
        self._host = host
        self._book = book
        self._alert = alert

    def settle(self, now: int) -> None:
        """Close every attempt whose outcome can be known now; the others stay unknown."""
        for attempt in self._book.attempts():
            known = self._book.order_ids(attempt.pair, attempt.sent_at - CLOCK_TOLERANCE_MS)
            child = child_of(attempt, known)
            if child is not None:
                self._book.close(attempt, "placed", str(child.order_id), now)
            else:
                self._read_exchange(attempt, known, now)

    def _read_exchange(self, attempt: Attempt, known: set[str], now: int) -> None:
        logger.warning("Outcome of an order for %s is unknown: reading the exchange.", attempt.pair)
        seen = self._host.orders_since(attempt.pair, attempt.sent_at - CLOCK_TOLERANCE_MS)
        known = known | order_ids(attempt.pair)
        step = self._host.step_size(attempt.pair)
        ours = match(attempt, seen, known, self._host.prefix, step)
        if not ours:
            if now - attempt.sent_at >= ABSENT_AFTER_MS:
                self._book.close(attempt, "not_sent", "", now)
            return
        final = [self._stopped(order) for order in ours]
        if any(order.is_open for order in final):
            return
        self._account(attempt, final, now)

    def _stopped(self, order: SeenOrder) -> SeenOrder:
        """Cancel an order of ours that freqtrade does not know, if it still rests."""
        if not order.is_open:
            return order
        logger.warning(
            "Cancelling order %s of %s: its answer was lost.", order.order_id, order.pair
        )
        return self._host.cancel(order.order_id, order.pair)

    def _account(self, attempt: Attempt, final: list[SeenOrder], now: int) -> None:
        filled = sum(order.filled for order in final)
        order_id = final[0].order_id
        if filled and attempt.kind is Kind.ENTRY:
            self._take_back(attempt, filled)
            parent = self._book.known(attempt.parent_key)
            if parent is not None:
                self._book.end(parent, "lost_fill_closed", now)
        # A lost exit needs nothing: it was reduce-only, and freqtrade finds the smaller
        # position by itself.
        self._book.close(attempt, "lost_filled" if filled else "lost_cancelled", order_id, now)

    def _take_back(self, attempt: Attempt, filled: float) -> None:
        """Close, reduce-only, what a lost order bought beyond what freqtrade knows of.

        The surplus is measured anew at every try, so an answer that is lost here too
        cannot take more than there is.
        """
        position = self._host.position(attempt.pair) * attempt.side.sign
        trade = open_trade(attempt.pair)
        booked = trade.amount if trade is not None and side_of(trade) is attempt.side else 0.0
        step = self._host.step_size(attempt.pair)
        surplus = floor_steps(min(filled, max(0.0, position - booked)), step)
        if is_dust(surplus, step):
            return
        self._alert(
            f"{attempt.pair}: an order of {filled} filled whose answer was lost; "
            f"closing the {surplus} that freqtrade does not know of."
        )
        leverage = trade.leverage if trade is not None else 1.0
        self._host.reduce(attempt.pair, attempt.side, surplus, leverage)
