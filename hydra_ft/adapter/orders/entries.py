"""Entries: the first child, its requotes, and the completion of a partial fill."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freqtrade.persistence import Order, Trade

from hydra_ft.adapter.exits.barriers import NO_BARRIERS, Barriers
from hydra_ft.adapter.orders.desk import ended_elsewhere
from hydra_ft.adapter.orders.parents import entry_key
from hydra_ft.adapter.trades import entry_filled, side_of, trade_of
from hydra_ft.errors import StoreError
from hydra_ft.execution.chase import is_over, is_sane, is_usable, may_act, next_price
from hydra_ft.execution.lifecycle import End, Progress, progress, remaining
from hydra_ft.execution.ticks import floor_steps
from hydra_ft.types import Attempt, ChildState, Kind, ParentOrder, Quote, Side

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra_ft.adapter.orders.desk import OrderDesk

logger = logging.getLogger(__name__)

OPERATOR_TAG = "force_entry"
"""Tag that freqtrade gives an entry which the operator commands."""

# Freqtrade computes the quantity back from the stake and truncates it to the step:
# without this, a requote at another price can lose a step to the last bit of a double.
_STAKE_SLACK = 1 + 1e-9


@dataclass(frozen=True, slots=True)
class EntryRequest:
    """What freqtrade is about to order, the bar that decided it (UTC ms), and what it declared."""

    pair: str
    side: Side
    quantity: float
    price: float
    tag: str
    bar_time: int
    decision_price: float = 0.0
    barriers: Barriers = NO_BARRIERS


class Entries:
    """Decisions on entry orders, in terms of parents and children."""

    def __init__(
        self, desk: OrderDesk, max_open_trades: float, admits: Callable[[str, int], bool]
    ) -> None:
        self._desk = desk
        self._book = desk.book
        self._policy = desk.policies.entry
        self._max_open_trades = max_open_trades
        self._admits = admits
        self._planned: dict[str, tuple[Attempt, float]] = {}

    def chased(self, pair: str, side: Side) -> ParentOrder | None:
        """Return the open entry parent of a pair on a side, if there is one."""
        parent = self._book.of(pair, Kind.ENTRY)
        return parent if parent is not None and parent.side is side else None

    def price(self, pair: str, side: Side, proposed: float, now: int) -> float:
        """Price of the first child of an entry, or of its next one after a cancel."""
        quote = self._desk.quote(pair, now)
        if quote is None or not is_usable(quote, self._policy, now):
            return proposed
        parent = self.chased(pair, side) or _intent(pair, side, quote, now)
        return next_price(parent, quote, self._policy, now)

    def stake(self, pair: str, side: Side, rate: float, leverage: float) -> float | None:
        """Stake (quote) that gives a chased parent its target; None for a new parent."""
        parent = self.chased(pair, side)
        if parent is None or not parent.quantity:
            return None
        return parent.quantity * _STAKE_SLACK * rate / leverage

    def first_stake(self, side: Side, proposed: float, available: float) -> float:
        """Stake (quote) of a new parent: what the account can pay at the end of the chase, too.

        A buy that is chased upwards costs more than it did at first; without this room its
        rest would not be paid for. A sale that is chased downwards needs none.
        """
        room = 1 + self._policy.max_chase_bps / 1e4 if side is Side.LONG else 1.0
        return min(proposed, available / room)

    def confirm(self, request: EntryRequest, now: int) -> str:
        """Write the attempt down and return '', or return the reason to refuse."""
        if self._book.is_unknown(request.pair):
            return "outcome_unknown"
        quote = self._desk.quote(request.pair, now)
        if quote is None or not is_sane(quote, self._policy, now):
            return "quote_stale"
        if not is_usable(quote, self._policy, now):
            return "spread"
        other = self._book.of(request.pair, Kind.ENTRY)
        if other is not None and other.side is not request.side:
            self._book.end(other, End.REVERSED, now)
        parent = self.chased(request.pair, request.side) or self._opened(request, quote, now)
        refusal = "no_slot" if parent is None else self._objection(parent, request, now)
        if not refusal and not self._admits(request.pair, now):
            # Asked last: a yes of a breaker that is half open is used up.
            refusal = "breaker"
        if parent is not None and not refusal:
            self._book.send(parent, request.quantity, request.price, now)
        return refusal

    def unbooked(self) -> list[ParentOrder]:
        """Entries that are chased and have no trade now: freqtrade drops one without a fill."""
        return [p for p in self._book.parents(Kind.ENTRY) if trade_of(p) is None]

    def _opened(self, request: EntryRequest, quote: Quote, now: int) -> ParentOrder | None:
        """Return a new parent for a request, None when all slots are taken or reserved."""
        if Trade.get_open_trade_count() + len(self.unbooked()) >= self._max_open_trades:
            return None
        intent = _intent(request.pair, request.side, quote, now)
        return ParentOrder(
            key=entry_key(request.pair, request.side, request.bar_time),
            pair=intent.pair,
            side=intent.side,
            kind=intent.kind,
            quantity=request.quantity,
            arrival_price=intent.arrival_price,
            decided_at=now,
            reason=request.tag,
            decision_price=request.decision_price,
            stop=request.barriers.stop,
            target=request.barriers.target,
            max_hold_s=request.barriers.max_hold_s,
        )

    def _objection(self, parent: ParentOrder, request: EntryRequest, now: int) -> str:
        """Return why a child may not go out now, '' if it may."""
        if not parent.last_quoted_at:
            return "ended_this_bar" if self._book.known(parent.key) is not None else ""
        if self._was_ended(parent, None, now):
            return "cancelled_elsewhere"
        if parent.rejections >= self._policy.max_rejections:
            return "rejected"
        if is_over(parent, self._policy, now):
            return "deadline"
        if self._desk.too_soon(parent, now):
            return "too_soon"
        step = self._desk.host.step_size(parent.pair)
        over = floor_steps(request.quantity, step) > parent.quantity * (1 + 1e-9)
        return "above_target" if over else ""

    def top_up(
        self, trade: Trade, min_stake: float, max_stake: float, now: int
    ) -> tuple[float, str] | None:
        """Stake (quote) and tag of the child that completes a partly filled parent.

        Sized from the target less what the trade holds, never from the last order, and no
        more than the account can pay at today's price.
        """
        parent = self.chased(trade.pair, side_of(trade))
        if parent is None or self._must_wait(parent, now) or self._was_ended(parent, trade, now):
            return None
        quote = self._desk.quote(trade.pair, now)
        if quote is None or not may_act(parent, quote, self._policy, now):
            return None
        step = self._desk.host.step_size(trade.pair)
        rest = remaining(parent, entry_filled(trade), step)
        if not rest:
            return None
        price = next_price(parent, quote, self._policy, now)
        rest = min(rest, floor_steps(max_stake * trade.leverage / (price * _STAKE_SLACK), step))
        stake = rest * _STAKE_SLACK * price / trade.leverage
        if not rest or stake < min_stake:
            broke = max_stake < min_stake or not rest
            self._book.end(parent, End.REST_UNFUNDED if broke else End.REST_BELOW_MIN, now)
            return None
        if not self._admits(trade.pair, now):
            return None
        # Written here and not in the price hook that follows: that one cannot refuse, so
        # a failure to write there would send an order that nobody remembers.
        attempt = self._book.send(parent, rest, price, now)
        self._planned[trade.pair] = (attempt, price)
        return stake, parent.reason

    def _was_ended(self, parent: ParentOrder, trade: Trade | None, now: int) -> bool:
        """End a parent whose child somebody else has ended, since this loop began."""
        ended = ended_elsewhere(parent, trade)
        if ended:
            self._book.end(parent, End.CANCELLED_ELSEWHERE, now)
        return ended

    def _must_wait(self, parent: ParentOrder, now: int) -> bool:
        return (
            self._book.is_unknown(parent.pair)
            or self._book.of(parent.pair, Kind.EXIT) is not None
            or is_over(parent, self._policy, now)
            or parent.rejections >= self._policy.max_rejections
            or self._desk.too_soon(parent, now)
        )

    def top_up_price(self, trade: Trade, proposed: float) -> float:
        """Price of the top-up that was just planned; freqtrade's own for anything else."""
        _, price = self._planned.pop(trade.pair, (None, proposed))
        return price

    def drop_unsent(self, now: int) -> None:
        """Close the attempts of top-ups for which freqtrade never asked the price.

        A paused bot asks for the stake and then sends nothing.
        """
        planned, self._planned = self._planned, {}
        for attempt, _ in planned.values():
            try:
                self._book.settle(attempt, ChildState.NOT_SENT, now)
            except StoreError as error:
                logger.error("An attempt stays open: %s", error)  # noqa: TRY400

    def timed_out(self, trade: Trade, order: Order, ending: str | None, now: int) -> bool:
        """Whether freqtrade shall cancel the working entry order now.

        ``ending`` says why the parent may not go on: a decision against it, a lock, or the
        stop of what has filled. Freqtrade evaluates no exit while a first entry is only
        partly filled; once it is cancelled here, the same loop books the part and exits it.
        """
        parent = self.chased(trade.pair, side_of(trade))
        if parent is not None and self._is_foreign(order, parent):
            self._book.end(parent, End.OPERATOR, now)
            parent = None
        if parent is None:
            # Whoever placed it: it may not add to a position that is being left.
            leaves = self._book.of(trade.pair, Kind.EXIT) is not None
            ends = leaves or self._desk.is_left_over(trade, order)
            return ends and self._desk.cancel(trade, order)
        if ending:
            self._book.end(parent, ending, now)
            return self._desk.cancel(trade, order)
        if self._desk.stops_on_exchange and order.safe_filled:
            # Freqtrade books a part when its order has ended, and places no stop before.
            return self._desk.cancel(trade, order, parent)
        return self._desk.pursue(trade, order, parent, now)

    def _is_foreign(self, order: Order, parent: ParentOrder) -> bool:
        """Whether the operator ordered this beside the parent, by whatever tag."""
        if str(order.order_id) == parent.child or self._book.is_unknown(parent.pair):
            return False
        return not self._book.is_ours(parent.pair, str(order.order_id))

    def filled(self, trade: Trade, now: int) -> None:
        """End the parent when the trade holds its target, before anything else can happen."""
        parent = self.chased(trade.pair, side_of(trade))
        if parent is None:
            return
        step = self._desk.host.step_size(trade.pair)
        if progress(parent, entry_filled(trade), step) is Progress.DONE:
            self._book.end(parent, End.FILLED, now)


def _intent(pair: str, side: Side, quote: Quote, now: int) -> ParentOrder:
    """Return the parent that an entry decided now would be; not stored."""
    return ParentOrder("", pair, side, Kind.ENTRY, 0.0, quote.mid, now)
