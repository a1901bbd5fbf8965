"""What entries and exits share: the quotes of this loop, the parents, and their endings."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from freqtrade.constants import CANCEL_REASON
from freqtrade.exceptions import ExchangeError

from hydra_ft.adapter.orders.host import clock
from hydra_ft.adapter.trades import (
    entry_filled,
    open_trade,
    side_of,
    to_ms,
    trade_for,
    trade_of,
    working_order,
)
from hydra_ft.errors import StoreError
from hydra_ft.execution.chase import decide, is_over, must_cross, next_child_at
from hydra_ft.execution.lifecycle import End, Progress, progress
from hydra_ft.types import Abandon, Cross, Keep, Kind, ParentOrder, Quote, Requote, Side

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade.persistence import Order, Trade

    from hydra_ft.adapter.orders.host import Host
    from hydra_ft.adapter.orders.parents import ParentBook
    from hydra_ft.execution.policy import ChasePolicies, ChasePolicy

logger = logging.getLogger(__name__)

OPERATOR_EXIT = "force_exit"
"""Tag that freqtrade gives an exit which the operator commands."""

_BY_FREQTRADE = tuple(
    CANCEL_REASON[name] for name in ("TIMEOUT", "REPLACE", "ALL_CANCELLED", "FORCE_EXIT")
)


class MarketView(Protocol):
    """What the strategy knows of a pair beyond its orders."""

    def refusal(self, pair: str, side: Side) -> str | None:
        """Return why an entry may not go on, None if it may."""

    def volatility_bps(self, pair: str) -> float:
        """Return how far the mid typically moves within a second (bps), 0 if not known."""


class OrderDesk:
    """Quotes, parents and rules of one bot, asked once a loop and by every callback."""

    def __init__(
        self,
        host: Host,
        book: ParentBook,
        policies: ChasePolicies,
        market: MarketView,
        is_paused: Callable[[str, int], bool],
        *,
        requotes_per_minute: int,
        stoploss: float,
        stops_on_exchange: bool,
    ) -> None:
        self.host = host
        self.book = book
        self.policies = policies
        self.stops_on_exchange = stops_on_exchange
        self._stoploss = stoploss
        self._market = market
        self._is_paused = is_paused
        self._requotes_per_minute = requotes_per_minute
        self._quotes: dict[str, Quote | None] = {}
        self._left_alone: dict[str, int] = {}

    def forget_quotes(self) -> None:
        """Forget the quotes of the last loop."""
        self._quotes.clear()

    def policy(self, kind: Kind) -> ChasePolicy:
        """Return the chase policy of entries or of exits."""
        return self.policies.entry if kind is Kind.ENTRY else self.policies.exit

    def quote(self, pair: str, now: int) -> Quote | None:
        """Return the quote of a pair, None if it cannot be read.

        Read once a loop, and again where a slow loop has made it too old to decide on.
        """
        known = self._quotes.get(pair)
        is_old = known is not None and now - known.at > self._oldest_ms
        if pair not in self._quotes or is_old:
            try:
                quote = self.host.quote(pair, self._market.volatility_bps(pair))
            except ExchangeError as error:
                logger.warning("No quote of %s: %s", pair, error)
                quote = None
            self._quotes[pair] = quote
            if quote is not None:
                self.book.mids[pair] = quote.mid
            # A command in another thread may forget the quotes in between.
            return quote
        return known

    @property
    def _oldest_ms(self) -> float:
        oldest = min(self.policies.entry.max_quote_age_s, self.policies.exit.max_quote_age_s)
        return 500.0 * oldest  # half of what a decision would still take

    def entry_time_in_force(self, now: int) -> str:
        """Return the time in force of this loop's entries: post-only unless one must cross.

        Freqtrade reads it before it asks for the price, so it is settled per loop.
        """
        policy = self.policies.entry
        crosses = any(must_cross(p, policy, now) for p in self.book.parents(Kind.ENTRY))
        return "PO" if policy.post_only and not crosses else "GTC"

    def too_soon(self, parent: ParentOrder, now: int) -> bool:
        """Whether the last child was sent, or refused, too short a time ago for another."""
        return now < next_child_at(parent, self.policy(parent.kind))

    def is_spent(self) -> bool:
        """Whether all bots on this database have sent as many orders as a minute may see."""
        try:
            sent = self.book.sent_since(clock() - 60_000)
        except StoreError as error:
            logger.warning("The budget of requotes is not known: %s", error)
            return False
        return sent >= self._requotes_per_minute

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
        if isinstance(action, Requote) and self.is_spent():
            logger.info("%s is not requoted: the budget of this minute is spent.", parent.key)
            action = Keep()
        if isinstance(action, Requote | Cross) and self._may_not_return(parent, now):
            action = Keep()
        if isinstance(action, Keep):
            if parent.cancelling == str(order.order_id):
                # It was to be cancelled and still works: if it goes now, it was not us.
                self.book.put(replace(parent, cancelling=""))
            return False
        if isinstance(action, Abandon):
            parent = self.book.end(parent, action.reason, now)
        else:
            self._note(parent, order, action, now)
        return self.cancel(trade, order, parent)

    def _may_not_return(self, parent: ParentOrder, now: int) -> bool:
        """Whether an entry that is taken back now could not be sent again: a breaker is open."""
        return parent.kind is Kind.ENTRY and self._is_paused(parent.pair, now)

    def _note(self, parent: ParentOrder, order: Order, action: Requote | Cross, now: int) -> None:
        """Write down why a child is taken back: once, however often the cancel is tried."""
        if parent.cancelling != str(order.order_id):
            what = "cross" if isinstance(action, Cross) else "requote"
            step = f"{order.safe_placement_price:g} to {action.price:g}"
            self.book.note(parent.key, what, now, order_id=str(order.order_id), detail=step)

    def cancel(self, trade: Trade, order: Order, parent: ParentOrder | None = None) -> bool:
        """Let freqtrade cancel (True), or cancel through the seam where it would refuse.

        That it was us who wanted it is noted on the parent: a child that ends otherwise was
        ended by somebody else, and is not brought back.
        """
        if parent is not None and parent.is_open:
            self.book.put(replace(parent, cancelling=str(order.order_id)))
        if not self.cancel_is_refused(trade, order):
            return True
        logger.info("Order %s of %s is below the minimum stake.", order.order_id, trade.pair)
        self.host.cancel(str(order.order_id), trade.pair)
        # The next loop reads the cancelled order and books what it filled.
        return False

    def end_if_over(self, parent: ParentOrder, now: int) -> None:
        """End a parent that has no order working and nothing left to do."""
        ending = self._exit_ending if parent.kind is Kind.EXIT else self._entry_ending
        reason = ending(parent, now)
        if reason:
            self.book.end(parent, reason, now)

    def _exit_ending(self, parent: ParentOrder, now: int) -> str | None:
        """Return why an exit parent is over, None while its position is there to be left."""
        trade = trade_of(parent)
        if trade is None or to_ms(trade.open_date_utc) > parent.decided_at:
            return self._who_closed(parent)
        if not parent.urgent and self._foreign(parent, trade, OPERATOR_EXIT):
            ending = End.OPERATOR
        elif not trade.has_open_orders and taken_back(parent, trade):
            ending = End.CANCELLED_ELSEWHERE
        else:
            return None
        self._left_alone[parent.pair] = now
        return ending

    def _who_closed(self, parent: ParentOrder) -> str:
        """Return why the position of an exit parent is gone: it was left, or by whom."""
        trade = trade_for(parent)
        if trade is None:
            return End.CANCELLED_ELSEWHERE
        foreign = [order for order in self._foreign(parent, trade) if order.safe_filled]
        if any(order.ft_order_side == "stoploss" for order in foreign):
            return End.STOP_LOSS
        if any(order.ft_order_tag == OPERATOR_EXIT for order in foreign):
            return End.OPERATOR
        # Freqtrade tags what it sends; an order that it found on the exchange has no tag.
        found = any(not order.ft_order_tag for order in foreign)
        return End.CLOSED_ELSEWHERE if found else End.FILLED

    def _foreign(self, parent: ParentOrder, trade: Trade, tag: str = "") -> list[Order]:
        """Return the orders of the parent's direction that are not ours.

        Those that were placed, or filled, since its decision: a stop rests long before.
        """
        enters = parent.kind is Kind.ENTRY
        return [
            order
            for order in trade.orders
            if (order.ft_order_side == trade.entry_side) is enters
            and (not tag or order.ft_order_tag == tag)
            and to_ms(order.order_filled_utc or order.order_date_utc) >= parent.decided_at
            and not self.book.is_ours(trade.pair, str(order.order_id))
        ]

    def is_left_alone(self, pair: str, since: int) -> bool:
        """Whether an exit of a pair was ended by somebody else at or after a time (UTC ms)."""
        return self._left_alone.get(pair, 0) >= max(since, 1)

    def _entry_ending(self, parent: ParentOrder, now: int) -> str | None:
        """Return why an entry parent is over, None while it has an order or may have one."""
        trade = open_trade(parent.pair)
        if trade is not None and trade.has_open_orders:
            return None if side_of(trade) is parent.side else End.OPERATOR
        if trade is not None:
            if side_of(trade) is not parent.side or self._foreign(parent, trade):
                # A decision of ours for the other side would have ended it: REVERSED.
                return End.OPERATOR
            step = self.host.step_size(parent.pair)
            reached = progress(parent, entry_filled(trade), step)
            if reached is not Progress.REST:
                return End.FILLED if reached is Progress.DONE else End.DUST
        if ended_elsewhere(parent, trade):
            return End.CANCELLED_ELSEWHERE
        if parent.rejections >= self.policies.entry.max_rejections:
            return End.REJECTED
        over = is_over(parent, self.policies.entry, now)
        return End.DEADLINE if over else self._market.refusal(parent.pair, parent.side)


def ended_elsewhere(parent: ParentOrder, trade: Trade | None) -> bool:
    """Whether the last child ended although Hydra did not want it cancelled.

    The operator or the exchange cancelled it, or deleted its trade. A child that filled as
    a whole ended as it should.
    """
    if not parent.child or parent.child == parent.cancelling:
        return False
    order = trade.select_order_by_order_id(parent.child) if trade is not None else None
    return order is None or order.status != "closed"


def taken_back(parent: ParentOrder, trade: Trade) -> bool:
    """Whether somebody else cancelled the last child of an exit.

    An exit goes on after what expired at the exchange, and after what freqtrade cancelled by
    itself or to make way for a forced exit: only a person's cancel is a wish.
    """
    if not parent.child or parent.child == parent.cancelling:
        return False
    order = trade.select_order_by_order_id(parent.child)
    why = (order.ft_cancel_reason or "") if order is not None else ""
    return order is not None and order.status == "canceled" and not why.startswith(_BY_FREQTRADE)
