"""What entries and exits share: the quotes of this loop, the parents, and their endings."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from freqtrade.exceptions import ExchangeError
from freqtrade.persistence import Order, Trade

from hydra_ft.adapter.settlement import Settlement
from hydra_ft.adapter.trades import entry_filled, is_empty_shell, to_ms, trade_of, working_order
from hydra_ft.errors import HydraError
from hydra_ft.execution.chase import decide, is_over, must_cross
from hydra_ft.execution.lifecycle import Progress, progress
from hydra_ft.types import Abandon, Keep, Kind, ParentOrder, Quote, Side

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra_ft.adapter.host import Host
    from hydra_ft.adapter.parents import ParentBook
    from hydra_ft.execution.policy import ChasePolicies, ChasePolicy

logger = logging.getLogger(__name__)

URGENT_INTERVAL_MS = 1_000


class OrderDesk:
    """Quotes, parents and rules of one bot, asked once a loop and by every callback."""

    def __init__(
        self,
        host: Host,
        book: ParentBook,
        policies: ChasePolicies,
        stoploss: float,
        alert: Callable[[str], None],
        refuses: Callable[[str, Side], str | None],
    ) -> None:
        self.host = host
        self.book = book
        self.policies = policies
        self._stoploss = stoploss
        self._settlement = Settlement(host, book, alert)
        self._refuses = refuses
        self._quotes: dict[str, Quote | None] = {}

    def begin_loop(self, now: int) -> None:
        """Settle what was sent, end what is over.

        One parent that cannot be judged now does not hold up the others.
        """
        self.book.save_again()
        self._settlement.settle(now)
        try:
            self._clear_shells()
        except HydraError as error:
            logger.warning("Empty trades are not cleared now: %s", error)
        for parent in self.book.parents():
            if not self.book.is_unknown(parent.pair):
                try:
                    self._end_if_over(parent, now)
                except (ExchangeError, HydraError) as error:
                    logger.warning("Parent %s cannot be judged now: %s", parent.key, error)
        self.book.prune(now)

    def forget_quotes(self) -> None:
        """Forget the quotes of the last loop."""
        self._quotes.clear()

    def _clear_shells(self) -> None:
        """Delete trades of ours that a dead bot left without an order and without a fill."""
        for trade in Trade.get_open_trades():
            if is_empty_shell(trade) and not self.book.is_unknown(trade.pair):
                ids = [str(order.order_id) for order in trade.orders]
                if all(self.book.is_ours(trade.pair, order_id) for order_id in ids):
                    logger.warning("Removing %s: its orders have ended without a fill.", trade)
                    trade.delete()
                    Trade.commit()

    def policy(self, kind: Kind) -> ChasePolicy:
        """Return the chase policy of entries or of exits."""
        return self.policies.entry if kind is Kind.ENTRY else self.policies.exit

    def quote(self, pair: str, now: int) -> Quote | None:
        """Return the quote of a pair, read at most once a loop; None if it cannot be read."""
        if pair not in self._quotes:
            try:
                self._quotes[pair] = self.host.quote(pair, now)
            except ExchangeError as error:
                logger.warning("No quote of %s: %s", pair, error)
                self._quotes[pair] = None
        return self._quotes[pair]

    def entry_time_in_force(self, now: int) -> str:
        """Return the time in force of this loop's entries: post-only unless one must cross.

        Freqtrade reads it before it asks for the price, so it is settled per loop.
        """
        policy = self.policies.entry
        crosses = any(must_cross(p, policy, now) for p in self.book.parents(Kind.ENTRY))
        return "PO" if policy.post_only and not crosses else "GTC"

    def too_soon(self, parent: ParentOrder, now: int) -> bool:
        """Whether the last child of a parent was sent too short a time ago for another."""
        policy = self.policy(parent.kind)
        interval = policy.min_requote_interval_s * 1e3
        return now - parent.last_quoted_at < (URGENT_INTERVAL_MS if parent.urgent else interval)

    def is_left_over(self, trade: Trade, order: Order) -> bool:
        """Whether an order is a child of ours, whose parent has ended."""
        return self.book.is_ours(trade.pair, str(order.order_id))

    def cancel_is_refused(self, trade: Trade, order: Order) -> bool:
        """Whether freqtrade will refuse to cancel, by its own formulas.

        It refuses when the filled part of an entry, or the rest of an exit, is less than
        its minimum stake; the order would stay where it is for ever.
        """
        filled = order.safe_filled
        if not filled:
            return False
        least = self.host.min_stake(trade.pair, trade.open_rate, self._stoploss)
        if order.ft_order_side == trade.entry_side:
            return bool((trade.amount + filled) * trade.open_rate < least)
        return bool(trade.stake_amount - filled * trade.open_rate / trade.leverage < least)

    def pursue(self, trade: Trade, order: Order, parent: ParentOrder, now: int) -> bool:
        """Do with the working order of a parent what the chase says; True to cancel it."""
        quote, policy = self.quote(trade.pair, now), self.policy(parent.kind)
        action = decide(parent, working_order(order), quote, policy, now)
        if isinstance(action, Keep):
            if parent.cancelling == str(order.order_id):
                # It was to be cancelled and still works: if it goes now, it was not us.
                self.book.put(replace(parent, cancelling=""))
            return False
        if isinstance(action, Abandon):
            parent = self.book.end(parent, action.reason, now)
        return self.cancel(trade, order, parent)

    def cancel(self, trade: Trade, order: Order, parent: ParentOrder | None = None) -> bool:
        """Let freqtrade cancel (True), or cancel through the seam where it would refuse.

        That it was us who wanted it is noted on the parent: a child that ends otherwise was
        ended by somebody else, and is not brought back.
        """
        if parent is not None and parent.is_open and parent.kind is Kind.ENTRY:
            self.book.put(replace(parent, cancelling=str(order.order_id)))
        if not self.cancel_is_refused(trade, order):
            return True
        logger.info("Order %s of %s is below the minimum stake.", order.order_id, trade.pair)
        self.host.cancel(str(order.order_id), trade.pair)
        # The next loop reads the cancelled order and books what it filled.
        return False

    def _end_if_over(self, parent: ParentOrder, now: int) -> None:
        ending = self._exit_ending if parent.kind is Kind.EXIT else self._entry_ending
        reason = ending(parent, now)
        if reason:
            self.book.end(parent, reason, now)

    def _exit_ending(self, parent: ParentOrder, _now: int) -> str | None:
        """Return why an exit parent is over, None while its position is there."""
        trade = trade_of(parent)
        gone = trade is None or to_ms(trade.open_date_utc) > parent.decided_at
        return "filled" if gone else None

    def _entry_ending(self, parent: ParentOrder, now: int) -> str | None:
        """Return why an entry parent is over, None while it has an order or may have one."""
        trade = trade_of(parent)
        if trade is not None and trade.has_open_orders:
            return None
        if trade is not None:
            step = self.host.step_size(parent.pair)
            reached = progress(parent, entry_filled(trade), step)
            if reached is not Progress.REST:
                return "filled" if reached is Progress.DONE else "dust"
        if ended_elsewhere(parent, trade):
            return "cancelled_elsewhere"
        over = is_over(parent, self.policies.entry, now)
        return "deadline" if over else self._refuses(parent.pair, parent.side)


def ended_elsewhere(parent: ParentOrder, trade: Trade | None) -> bool:
    """Whether the last child ended although Hydra did not want it cancelled.

    The operator or the exchange cancelled it, or deleted its trade. A child that filled as
    a whole ended as it should.
    """
    if not parent.child or parent.child == parent.cancelling:
        return False
    order = trade.select_order_by_order_id(parent.child) if trade is not None else None
    return order is None or order.status != "closed"
