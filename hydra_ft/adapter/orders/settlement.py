"""What became of the orders that were sent: known, or read from the exchange.

An attempt closes when its order shows up in the trade, or when the exchange was heard to
refuse it. One that is still open at the next loop has an unknown outcome: its answer was
lost, or the bot was killed. Until the exchange has been read, no other child is sent.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from freqtrade.exceptions import ExchangeError
from freqtrade.persistence import Trade

from hydra_ft.adapter.fail_closed import fail_closed
from hydra_ft.adapter.orders.listener import Heard
from hydra_ft.adapter.orders.placed import child_of
from hydra_ft.adapter.trades import held, open_trade, order_ids, side_of
from hydra_ft.execution.attempts import SeenOrder, match, tolerance_ms
from hydra_ft.execution.breaker import Outcome
from hydra_ft.execution.ticks import floor_steps, is_dust
from hydra_ft.types import Attempt, ChildState, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hydra_ft.adapter.orders.host import Host
    from hydra_ft.adapter.orders.parents import ParentBook
    from hydra_ft.adapter.orders.reports import Reports
    from hydra_ft.types import ParentOrder

logger = logging.getLogger(__name__)

ABSENT_ENTRY_MS, ABSENT_EXIT_MS, ABSENT_STOP_MS = 10_000, 5_000, 2_000
"""How long the exchange must show no order before it counts as never arrived: a request
that timed out here may still be on its way there. An exit is reduce-only: a late one takes
nothing that is not there, and a position must not wait long for it."""
SENT_WITHIN_MS = 10_000
"""How long a request is under way at most before ccxt gives it up: one reading that shows no
order so much later is enough, however many readings failed before."""
LOOKED_FOR_MS, RECHECKED_AFTER_MS = 15_000, 60_000
"""How long an order that counted as never arrived is looked for in each loop, and when once
more."""
SENDING_MS = 30_000
"""How long another thread may take from its note to freqtrade's (ccxt gives up at 10 s)."""


_REFUSED = {
    Heard.REFUSED: Outcome.REJECTED,
    Heard.UNFUNDED: Outcome.UNFUNDED,
    # A passive quote in a moving market; the breaker need not hear of it.
    Heard.NOT_PASSIVE: None,
}


class Settlement:
    """Finds the outcome of every open attempt."""

    def __init__(
        self,
        host: Host,
        book: ParentBook,
        reports: Reports,
        alert: Callable[[str], None],
        hear: Callable[[str, Outcome, int], None],
    ) -> None:
        self._host = host
        self._book = book
        self._reports = reports
        self._alert = alert
        self._hear = hear
        self._absent_since: dict[int, int] = {}
        self._doubtful = {attempt.id: attempt for attempt in book.not_sent()}
        self._taken: dict[int, float] = {}
        self._told: set[int] = set()

    def settle(self, now: int) -> None:
        """Close every attempt whose outcome can be known now; the others stay unknown.

        Freqtrade's own database comes first for all of them. Then the exchange is read for
        each that is left; one that cannot be read does not hold up the others.
        """
        for attempt in self._book.attempts():
            self._each(attempt, now, self._find_placed)
        for attempt in self._book.attempts():
            sending = self._book.is_anothers(attempt) and now - attempt.sent_at < SENDING_MS
            if not sending:
                self._each(attempt, now, self._read_exchange)
        for attempt in list(self._doubtful.values()):
            if not LOOKED_FOR_MS < now - attempt.known_at < RECHECKED_AFTER_MS:
                self._each(attempt, now, self._look_again)

    def _each(self, attempt: Attempt, now: int, act: Callable[[Attempt, int], None]) -> None:
        """One that cannot be settled now stays of unknown outcome."""
        fail_closed(answer=None)(act)(attempt, now)

    def _find_placed(self, attempt: Attempt, now: int) -> None:
        step = self._host.step_size(attempt.pair)
        child = child_of(attempt, self._book.order_ids(attempt), step)
        if child is not None:
            self._absent_since.pop(attempt.id, None)
            self._book.place(attempt, str(child.order_id), now)
            self._hear(attempt.pair, Outcome.SUCCESS, now)
            parent = self._book.recall(attempt.parent_key)
            if parent is not None and parent.children == 1:
                self._reports.placed(parent, attempt)

    def _read_exchange(self, attempt: Attempt, now: int) -> None:
        if self._is_known_from_sending(attempt, now):
            return
        if attempt.state is ChildState.WRITTEN:
            logger.warning(
                "Outcome of an order for %s is unknown: reading the exchange.", attempt.pair
            )
            self._book.doubt(attempt, now)
            self._hear(attempt.pair, Outcome.TIMED_OUT, now)
        self._settle_unknown(attempt, now)

    def _is_known_from_sending(self, attempt: Attempt, now: int) -> bool:
        """Settle an attempt that was refused for certain, or not sent at all, by this process."""
        written_at = self._book.written_at(attempt)
        if written_at is None:
            return False
        answer = self._host.answer(attempt, written_at)
        if answer is not None and answer.heard in _REFUSED:
            logger.info("Order of %s was refused: %s", attempt.pair, answer.why)
            self._book.refuse(attempt, answer.why, now)
            outcome = _REFUSED[answer.heard]
            if outcome is not None:
                self._hear(attempt.pair, outcome, now)
            return True
        if self._host.was_sent(attempt, written_at):
            return False
        logger.info("Freqtrade did not send the order of %s that it asked for.", attempt.pair)
        self._book.settle(attempt, ChildState.NOT_SENT, now)
        self._book.disputed.add(attempt.pair)
        return True

    def _settle_unknown(self, attempt: Attempt, now: int) -> None:
        ours = self._seen(attempt)
        if ours:
            self._absent_since.pop(attempt.id, None)
            self._stop_and_account(attempt, ours, now)
        elif self._is_absent(attempt, now):
            self._absent_since.pop(attempt.id, None)
            self._book.settle(attempt, ChildState.NOT_SENT, now)
            absent = replace(attempt, state=ChildState.NOT_SENT, known_at=now, done_at=now)
            self._doubtful[attempt.id] = absent
            self._book.disputed.add(attempt.pair)

    def _is_absent(self, attempt: Attempt, now: int) -> bool:
        """Whether the exchange has shown no such order for long enough."""
        parent = self._book.recall(attempt.parent_key)
        urgent = parent is not None and parent.urgent
        exit_waits = ABSENT_STOP_MS if urgent else ABSENT_EXIT_MS
        waits = ABSENT_ENTRY_MS if attempt.kind is Kind.ENTRY else exit_waits
        shown_for = now - self._absent_since.setdefault(attempt.id, now)
        return shown_for >= waits or now - attempt.sent_at >= waits + SENT_WITHIN_MS

    def _look_again(self, attempt: Attempt, now: int) -> None:
        """Look again for an order that counted as never arrived."""
        ours = self._seen(attempt)
        is_last = now - attempt.known_at >= RECHECKED_AFTER_MS
        if self._stop_and_account(attempt, ours, now) if ours else is_last:
            self._doubtful.pop(attempt.id, None)

    def _seen(self, attempt: Attempt) -> tuple[SeenOrder, ...]:
        since = attempt.sent_at - tolerance_ms(self._host.prefix)
        seen = self._orders(attempt, since)
        known = self._book.order_ids(attempt) | order_ids(attempt.pair)
        step = self._host.step_size(attempt.pair)
        return match(attempt, seen, known, self._host.prefix, step)

    def _orders(self, attempt: Attempt, since: int) -> Sequence[SeenOrder]:
        """Read the orders of a pair; of an exit the open ones will do.

        An exit is reduce-only: one that is not open has filled or never came, and the next
        takes no more than is left. A stop must not wait for a history that cannot be read.
        """
        try:
            return self._host.orders_since(attempt.pair, since)
        except ExchangeError:
            if attempt.kind is Kind.ENTRY or self._host.dry_run:
                raise
            return self._host.open_orders([attempt.pair])

    def _stop_and_account(self, attempt: Attempt, ours: tuple[SeenOrder, ...], now: int) -> bool:
        """Stop these orders and account for what they filled; False while that is not done."""
        final = [self._stopped(order) for order in ours]
        if any(order.is_open for order in final):
            return False
        filled = sum(order.filled for order in final)
        parent = self._book.recall(attempt.parent_key)
        if attempt.kind is Kind.EXIT and filled:
            self._take_in(attempt, parent)
        if attempt.kind is Kind.ENTRY and filled:
            if not self._take_back(attempt, filled):
                return False
            if parent is not None:
                self._book.end(parent, "lost_fill_closed", now)
        elif attempt.kind is Kind.ENTRY and parent is not None and ours[0].is_cancelled:
            # Not by us: the operator cancelled it before freqtrade's row was seen here.
            self._book.end(parent, "cancelled_elsewhere", now)
        state = ChildState.LOST_FILLED if filled else ChildState.LOST_CANCELLED
        self._book.settle(attempt, state, now, final[0].order_id)
        self._book.disputed.add(attempt.pair)
        return True

    def _take_in(self, attempt: Attempt, parent: ParentOrder | None) -> None:
        """Let freqtrade take in what a lost exit closed, and keep why it was closed.

        Left alone it does so only once the position is too small to exit, and not at all
        while a stop rests on the exchange.
        """
        trade = open_trade(attempt.pair)
        if trade is None or side_of(trade) is not attempt.side:
            return
        self._host.reload(trade)
        if not trade.is_open and parent is not None:
            trade.exit_reason = parent.reason
            Trade.commit()

    def _stopped(self, order: SeenOrder) -> SeenOrder:
        """Cancel an order of ours that freqtrade does not know, if it still rests."""
        if not order.is_open:
            return order
        logger.warning(
            "Cancelling order %s of %s: its answer was lost.", order.order_id, order.pair
        )
        return self._host.cancel(order.order_id, order.pair)

    def _take_back(self, attempt: Attempt, filled: float) -> bool:
        """Close, reduce-only, what a lost order bought beyond what freqtrade knows of.

        Returns True when nothing is left to take. The surplus is measured anew at every
        try, and never more than the order filled is taken in all.
        """
        position = self._host.position(attempt.pair) * attempt.side.sign
        trade = open_trade(attempt.pair)
        ours = trade is not None and side_of(trade) is attempt.side
        booked = self._booked(trade) if ours else 0.0
        step = self._host.step_size(attempt.pair)
        taken = self._taken.get(attempt.id, 0.0)
        surplus = floor_steps(min(filled - taken, max(0.0, position - booked)), step)
        if is_dust(surplus, step):
            self._taken.pop(attempt.id, None)
            return True
        if attempt.id not in self._told:
            self._told.add(attempt.id)
            self._alert(
                f"{attempt.pair}: an order of {filled} filled whose answer was lost; "
                f"closing the {surplus} that freqtrade does not know of."
            )
        leverage = trade.leverage if trade is not None else 1.0
        self._host.reduce(attempt.pair, attempt.side, surplus, leverage)
        self._taken[attempt.id] = taken + surplus
        return False

    def _booked(self, trade: Trade) -> float:
        """Quantity of a trade, with the fills of its open orders as they are now."""
        quantity = held(trade)
        for order in trade.open_orders:
            since = self._host.order(str(order.order_id), trade.pair).filled - order.safe_filled
            quantity += since if order.ft_order_side == trade.entry_side else -since
        return quantity
