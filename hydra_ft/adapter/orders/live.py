"""Freqtrade's live callbacks, each handed to the order route.

These are mixed into a strategy only when it trades, live or dry: in a backtest every
callback that takes a trade costs a deep copy of it.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from hydra_ft.adapter.exits.barriers import NO_BARRIERS
from hydra_ft.adapter.fail_closed import fail_closed
from hydra_ft.adapter.orders.assembly import assemble
from hydra_ft.adapter.orders.breakers import is_locked_by_others
from hydra_ft.adapter.orders.entries import OPERATOR_TAG, EntryRequest
from hydra_ft.adapter.orders.live_exits import LiveExits
from hydra_ft.adapter.sizes.live_sizes import LiveSizes
from hydra_ft.adapter.trades import side_of, to_ms
from hydra_ft.execution.lifecycle import End
from hydra_ft.execution.ticks import floor_steps
from hydra_ft.types import Kind, Side

if TYPE_CHECKING:
    from datetime import datetime

    from freqtrade.persistence import Order, Trade

logger = logging.getLogger(__name__)

_FARTHEST, _FARTHEST_OF_FREQTRADE = "custom_price_max_distance_ratio", 0.02
"""Freqtrade moves a price to within so much of its own: in a book wider than that, a stop would
rest where nobody takes it. How far a chase goes is its policy's; another number is yours."""


class LiveOrders(LiveSizes, LiveExits):
    """Orders of a strategy while it trades."""

    position_adjustment_enable = True
    _loop_thread: int | None = None

    def start_orders(self) -> None:
        """Restore parents and attempts, and open the desk; once, when parameters are loaded."""
        route = assemble(self)
        self._desk, self._rounds = route.desk, route.rounds
        self._entries, self._exits = route.entries, route.exits
        self.stage_b.admission.unbooked = self._entries.unbooked
        self._refusals: dict[str, str] = {}
        self._prices = {}
        if self.config.get(_FARTHEST, _FARTHEST_OF_FREQTRADE) == _FARTHEST_OF_FREQTRADE:
            self.config[_FARTHEST] = 1.0
        # Never written into the dict of the class, which all instances share.
        self.order_time_in_force = {"entry": "GTC", "exit": "GTC"}

    def refusal(self, pair: str, side: Side) -> str | None:
        """Return why an entry may not go on, None if it may."""
        decision = self.last_decision(pair)
        if decision is not None and decision.side == -side.sign:
            return End.REVERSED
        if decision is not None and decision.leaves(side):
            return End.EXIT_SIGNAL
        return End.PAIR_LOCKED if is_locked_by_others(pair, side) else None

    def _is_commanded(self, entry_tag: str | None) -> bool:
        """Whether the operator orders an entry: by its tag, or from a thread of commands.

        What he orders, at his price, is not chased.
        """
        elsewhere = self._loop_thread not in (None, threading.get_ident())
        return elsewhere or entry_tag == OPERATOR_TAG

    def volatility_bps(self, pair: str) -> float:
        """Return how far the mid typically moves within a second (bps), 0 if not known."""
        decision = self.last_decision(pair)
        return decision.volatility_bps if decision is not None else 0.0

    @fail_closed(answer=None)
    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        """Settle what was sent, end what is over, and set the time in force of this loop."""
        now = to_ms(current_time)
        self._loop_thread = threading.get_ident()
        self._desk.forget_quotes()
        self._exits.begin_loop()
        self._entries.drop_unsent(now)
        self._rounds.begin(now)
        self.stage_b.begin_loop(now)
        self.look_at_risk(now)
        self.order_time_in_force["entry"] = self._desk.entry_time_in_force(now)
        self.order_time_in_force["exit"] = "GTC"

    def held_entry(self, pair: str) -> tuple[Side, str] | None:
        """Return side and tag of an entry that is being chased beyond its own bar.

        Not beside an exit signal: freqtrade takes no exit on a bar that also enters.
        """
        parent = self._desk.book.of(pair, Kind.ENTRY)
        decision = self.last_decision(pair)
        if parent is None or decision is None or decision.leaves(parent.side):
            return None
        return parent.side, parent.reason

    @fail_closed(answer=None)
    def custom_entry_price(
        self,
        pair: str,
        trade: Trade | None,
        current_time: datetime,
        proposed_rate: float,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float:
        """Quote at the own touch, or across where the parent must cross."""
        if trade is not None:
            return self._entries.top_up_price(trade, proposed_rate)
        if self._is_commanded(entry_tag):
            return proposed_rate
        return self._entries.price(pair, Side(side), proposed_rate, to_ms(current_time))

    @fail_closed(answer=False)
    def confirm_trade_entry(
        self,
        pair: str,
        order_type: str,
        amount: float,
        rate: float,
        time_in_force: str,
        current_time: datetime,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> bool:
        """Refuse, or write down what is about to be sent and let it go."""
        if self._is_commanded(entry_tag):
            return True
        wanted, now = Side(side), to_ms(current_time)
        decision = self.last_decision(pair)
        decided = decision is not None and decision.enters(wanted)
        is_new = self._entries.chased(pair, wanted) is None
        if is_new:
            refusal = self.stage_b.refusal(pair, wanted, entry_tag or "", now)
            if refusal or not decided:
                return self._refused(pair, refusal or "no_decision")
        quantity = floor_steps(amount, self._desk.host.step_size(pair))
        bar_time = decision.at if decision is not None else now
        price = decision.close if decision is not None and decided else 0.0
        barriers = decision.barriers if decision is not None and decided else NO_BARRIERS
        sent_at = self._desk.host.as_sent(pair, rate)
        request = EntryRequest(
            pair, wanted, quantity, sent_at, entry_tag or "", bar_time, price, barriers
        )
        reason = self._entries.confirm(request, now)
        if is_new:
            self.stage_b.answered(pair, reason)
        return self._refused(pair, reason)

    def _refused(self, pair: str, reason: str) -> bool:
        """Log a refusal once; return True when there is none."""
        if reason and self._refusals.get(pair) != reason:
            logger.info("Entry for %s refused: %s.", pair, reason)
        self._refusals[pair] = reason
        return not reason

    @fail_closed(answer=False)
    def check_entry_timeout(
        self, pair: str, trade: Trade, order: Order, current_time: datetime, **kwargs: Any
    ) -> bool:
        """Cancel the working entry order when the chase says so."""
        stopped = order.safe_filled and self.is_stopped(trade, to_ms(current_time))
        ending = End.STOP_LOSS if stopped else self.refusal(pair, side_of(trade))
        return self._entries.timed_out(trade, order, ending, to_ms(current_time))

    @fail_closed(answer=None)
    def adjust_trade_position(
        self,
        trade: Trade,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        min_stake: float | None,
        max_stake: float,
        current_entry_rate: float,
        current_exit_rate: float,
        current_entry_profit: float,
        current_exit_profit: float,
        **kwargs: Any,
    ) -> tuple[float, str] | None:
        """Complete a partly filled entry to its target, when no order is open."""
        if trade.has_open_orders or not trade.has_open_position:
            return None
        return self._entries.top_up(trade, min_stake or 0.0, max_stake, to_ms(current_time))

    @fail_closed(answer=None)
    def order_filled(
        self, pair: str, trade: Trade, order: Order, current_time: datetime, **kwargs: Any
    ) -> None:
        """End an entry parent as soon as its target is reached."""
        if order.ft_order_side == trade.entry_side:
            self.keep_size(trade)
            self._entries.filled(trade, to_ms(current_time))
