"""What entries and exits share: the quotes of this loop, the parents, and their endings."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hydra_ft.adapter.settlement import Settlement
from hydra_ft.adapter.trades import entry_filled, to_ms, trade_of
from hydra_ft.execution.attempts import CLOCK_TOLERANCE_MS
from hydra_ft.execution.chase import is_overdue, must_cross
from hydra_ft.execution.lifecycle import Progress, progress
from hydra_ft.types import Kind, ParentOrder, Quote, Side

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade.persistence import Order, Trade

    from hydra_ft.adapter.host import Host
    from hydra_ft.adapter.parents import ParentBook
    from hydra_ft.execution.policy import ChasePolicies, ChasePolicy

logger = logging.getLogger(__name__)

CROSSING_GRACE_S = 30.0
"""Time that an entry which crosses at its deadline is given to fill."""

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
        """Forget the quotes of the last loop, settle what was sent, end what is over."""
        self._quotes.clear()
        self._settlement.settle(now)
        for parent in self.book.parents():
            if not self.book.is_unknown(parent.pair):
                reason = self._ending(parent, now)
                if reason:
                    self.book.end(parent, reason, now)

    def policy(self, kind: Kind) -> ChasePolicy:
        """Return the chase policy of entries or of exits."""
        return self.policies.entry if kind is Kind.ENTRY else self.policies.exit

    def quote(self, pair: str, now: int) -> Quote | None:
        """Return the quote of a pair, read at most once a loop; None if it cannot be read."""
        if pair not in self._quotes:
            self._quotes[pair] = self.host.quote(pair, now)
        return self._quotes[pair]

    def time_in_force(self, kind: Kind, now: int) -> str:
        """Return the time in force of this loop: post-only unless a parent has to cross.

        Freqtrade reads it before it asks for the price, so it is settled per loop.
        """
        policy = self.policy(kind)
        crosses = any(must_cross(parent, policy, now) for parent in self.book.parents(kind))
        return "PO" if policy.post_only and not crosses else "GTC"

    def too_soon(self, parent: ParentOrder, now: int) -> bool:
        """Whether the last child of a parent was sent too short a time ago for another."""
        policy = self.policy(parent.kind)
        interval = policy.min_requote_interval_s * 1e3
        return now - parent.last_quoted_at < (URGENT_INTERVAL_MS if parent.urgent else interval)

    def is_orphan(self, trade: Trade, order: Order) -> bool:
        """Whether an order is a child of ours whose parent has ended."""
        since = to_ms(order.order_date_utc) - CLOCK_TOLERANCE_MS
        return str(order.order_id) in self.book.order_ids(trade.pair, since)

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

    def cancel(self, trade: Trade, order: Order) -> bool:
        """Let freqtrade cancel (True), or cancel through the seam where it would refuse."""
        if not self.cancel_is_refused(trade, order):
            return True
        logger.info("Order %s of %s is below the minimum stake.", order.order_id, trade.pair)
        self.host.cancel(str(order.order_id), trade.pair)
        # The next loop reads the cancelled order and books what it filled.
        return False

    def is_over(self, parent: ParentOrder, now: int) -> bool:
        """Whether an entry parent has no time left, the time to cross included."""
        policy = self.policy(parent.kind)
        grace = CROSSING_GRACE_S * 1e3 if must_cross(parent, policy, now) else 0.0
        return is_overdue(parent, policy, now - int(grace))

    def _ending(self, parent: ParentOrder, now: int) -> str | None:
        """Return the reason for which a parent is over, None while it is not."""
        trade = trade_of(parent)
        if parent.kind is Kind.EXIT:
            gone = trade is None or to_ms(trade.open_date_utc) > parent.decided_at
            return "filled" if gone else None
        if trade is None:
            return "deadline" if self.is_over(parent, now) else self._refusal(parent)
        if trade.has_open_orders:
            return None
        step = self.host.step_size(parent.pair)
        match progress(parent, entry_filled(trade), step):
            case Progress.DONE:
                return "filled"
            case Progress.DUST:
                return "dust"
            case Progress.REST:
                return "deadline" if self.is_over(parent, now) else None

    def _refusal(self, parent: ParentOrder) -> str | None:
        return self._refuses(parent.pair, parent.side)
