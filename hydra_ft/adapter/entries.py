"""Entries: the first child, its requotes, and the completion of a partial fill."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freqtrade.persistence import Order, Trade

from hydra_ft.adapter.parents import entry_key
from hydra_ft.adapter.trades import entry_filled, side_of, trade_of, working_order
from hydra_ft.execution.chase import decide, is_usable, next_price
from hydra_ft.execution.lifecycle import Progress, progress, remaining
from hydra_ft.execution.ticks import floor_steps
from hydra_ft.types import Abandon, Keep, Kind, ParentOrder, Quote, Side

if TYPE_CHECKING:
    from hydra_ft.adapter.desk import OrderDesk

logger = logging.getLogger(__name__)

# Freqtrade computes the quantity back from the stake and truncates it to the step:
# without this, a requote at another price can lose a step to the last bit of a double.
_STAKE_SLACK = 1 + 1e-9


@dataclass(frozen=True, slots=True)
class EntryRequest:
    """What freqtrade is about to order, and the bar that decided it (UTC ms)."""

    pair: str
    side: Side
    quantity: float
    price: float
    tag: str
    bar_time: int


class Entries:
    """Decisions on entry orders, in terms of parents and children."""

    def __init__(self, desk: OrderDesk, max_open_trades: float) -> None:
        self._desk = desk
        self._book = desk.book
        self._policy = desk.policies.entry
        self._max_open_trades = max_open_trades
        self._planned: dict[str, float] = {}

    def price(self, pair: str, side: Side, proposed: float, now: int) -> float:
        """Price of the first child of an entry, or of its next one after a cancel."""
        quote = self._desk.quote(pair, now)
        if quote is None or not is_usable(quote, self._policy, now):
            return proposed
        parent = self._book.of(pair, Kind.ENTRY)
        if parent is None or parent.side is not side:
            parent = _intent(pair, side, quote, now)
        return next_price(parent, quote, self._policy, now)

    def stake(self, pair: str, side: Side, rate: float, leverage: float) -> float | None:
        """Stake (quote) that gives a chased parent its target; None for a new parent."""
        parent = self._book.of(pair, Kind.ENTRY)
        if parent is None or parent.side is not side or not parent.quantity:
            return None
        return parent.quantity * _STAKE_SLACK * rate / leverage

    def confirm(self, request: EntryRequest, now: int) -> str:
        """Write the attempt down and return '', or return the reason to refuse."""
        if self._book.is_unknown(request.pair):
            return "outcome_unknown"
        quote = self._desk.quote(request.pair, now)
        if quote is None or not is_usable(quote, self._policy, now):
            return "spread"
        parent = self._book.of(request.pair, Kind.ENTRY)
        if parent is not None and parent.side is not request.side:
            self._book.end(parent, "reversed", now)
            parent = None
        if parent is None:
            parent = self._opened(request, quote, now)
        refusal = "no_slot" if parent is None else self._objection(parent, request, now)
        if parent is not None and not refusal:
            self._book.send(parent, request.quantity, request.price, now)
        return refusal

    def _opened(self, request: EntryRequest, quote: Quote, now: int) -> ParentOrder | None:
        """Return a new parent for a request, None when all slots are taken or reserved."""
        chased = [p for p in self._book.parents(Kind.ENTRY) if trade_of(p) is None]
        if Trade.get_open_trade_count() + len(chased) >= self._max_open_trades:
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
        )

    def _objection(self, parent: ParentOrder, request: EntryRequest, now: int) -> str:
        """Return why a child may not go out now, '' if it may."""
        if not parent.children and not parent.last_quoted_at:
            earlier = self._book.known(parent.key)
            return "ended_this_bar" if earlier is not None and not earlier.is_open else ""
        if self._desk.is_over(parent, now):
            return "deadline"
        if self._desk.too_soon(parent, now):
            return "too_soon"
        step = self._desk.host.step_size(parent.pair)
        over = floor_steps(request.quantity, step) > parent.quantity * (1 + 1e-9)
        return "above_target" if over else ""

    def top_up(self, trade: Trade, min_stake: float, now: int) -> tuple[float, str] | None:
        """Stake (quote) and tag of the child that completes a partly filled parent.

        Sized from the target less what the trade holds, never from the last order.
        """
        self._planned.pop(trade.pair, None)
        parent = self._book.of(trade.pair, Kind.ENTRY)
        if parent is None or trade_of(parent) is None or self._book.is_unknown(trade.pair):
            return None
        quote = self._desk.quote(trade.pair, now)
        if (
            self._book.of(trade.pair, Kind.EXIT) is not None
            or quote is None
            or not is_usable(quote, self._policy, now)
            or self._desk.is_over(parent, now)
            or self._desk.too_soon(parent, now)
        ):
            return None
        rest = remaining(parent, entry_filled(trade), self._desk.host.step_size(trade.pair))
        if not rest:
            return None
        price = next_price(parent, quote, self._policy, now)
        stake = rest * _STAKE_SLACK * price / trade.leverage
        if stake < min_stake:
            self._book.end(parent, "rest_below_min", now)
            return None
        # Written here and not in the price hook that follows: that one cannot refuse, so
        # a failure to write there would send an order that nobody remembers.
        self._book.send(parent, rest, price, now)
        self._planned[trade.pair] = price
        return stake, parent.reason

    def top_up_price(self, trade: Trade, proposed: float) -> float:
        """Price of the top-up that was just planned; freqtrade's own for anything else."""
        return self._planned.pop(trade.pair, proposed)

    def timed_out(self, trade: Trade, order: Order, ending: str | None, now: int) -> bool:
        """Whether freqtrade shall cancel the working entry order now.

        ``ending`` says why the parent may not go on: a decision against it, a lock, or the
        stop of what has filled. Freqtrade evaluates no exit while a first entry is only
        partly filled; once it is cancelled here, the same loop books the part and exits it.
        """
        parent = self._book.of(trade.pair, Kind.ENTRY)
        if parent is None or parent.side is not side_of(trade):
            return self._desk.is_orphan(trade, order) and self._desk.cancel(trade, order)
        if ending:
            self._book.end(parent, ending, now)
            return self._desk.cancel(trade, order)
        quote = self._desk.quote(trade.pair, now)
        action = decide(parent, working_order(order), quote, self._policy, now)
        if isinstance(action, Keep):
            return False
        if isinstance(action, Abandon):
            self._book.end(parent, action.reason, now)
        return self._desk.cancel(trade, order)

    def filled(self, trade: Trade, now: int) -> None:
        """End the parent when the trade holds its target, before anything else can happen."""
        parent = self._book.of(trade.pair, Kind.ENTRY)
        if parent is None or parent.side is not side_of(trade):
            return
        step = self._desk.host.step_size(trade.pair)
        if progress(parent, entry_filled(trade), step) is Progress.DONE:
            self._book.end(parent, "filled", now)


def _intent(pair: str, side: Side, quote: Quote, now: int) -> ParentOrder:
    """Return the parent that an entry decided now would be; not stored."""
    return ParentOrder("", pair, side, Kind.ENTRY, 0.0, quote.mid, now)
