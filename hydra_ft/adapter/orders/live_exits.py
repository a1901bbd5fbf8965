"""Freqtrade's live callbacks for exits, each handed to the order route."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from hydra_ft.adapter.fail_closed import fail_closed
from hydra_ft.adapter.orders.exits import ExitRequest
from hydra_ft.adapter.trades import to_ms
from hydra_ft.bars.candles import timeframe_ms
from hydra_ft.risk.codes import DAY_LOSS

if TYPE_CHECKING:
    from datetime import datetime

    from freqtrade.enums import ExitCheckTuple
    from freqtrade.persistence import Order, Trade

    from hydra_ft.adapter.orders.desk import OrderDesk
    from hydra_ft.adapter.orders.exits import Exits
    from hydra_ft.adapter.strategy import HydraStrategy

    _Base = HydraStrategy
else:
    _Base = object

logger = logging.getLogger(__name__)


class LiveExits(_Base):
    """Exit orders of a strategy while it trades."""

    _desk: OrderDesk
    _exits: Exits
    _prices: dict[str, tuple[float, int]]

    @fail_closed(answer=None)
    def custom_exit_price(
        self,
        pair: str,
        trade: Trade,
        current_time: datetime,
        proposed_rate: float,
        current_profit: float,
        exit_tag: str | None,
        **kwargs: Any,
    ) -> float:
        """Quote at the own touch, or across where the exit is urgent or late.

        Freqtrade reads the time in force of an exit after this hook, so it is set here.
        """
        reason, now = exit_tag or "", to_ms(current_time)
        self.order_time_in_force["exit"] = "GTC"
        self.order_time_in_force["exit"] = self._exits.time_in_force(trade, reason, now)
        return self._exits.price(trade, reason, proposed_rate, now)

    @fail_closed(answer=True)
    def confirm_trade_exit(
        self,
        pair: str,
        trade: Trade,
        order_type: str,
        amount: float,
        rate: float,
        time_in_force: str,
        exit_reason: str,
        current_time: datetime,
        **kwargs: Any,
    ) -> bool:
        """Wait while another order of the trade is open, else write the attempt down.

        A failure here lets the exit go: without a note it cannot be chased, but it is sent.
        """
        # Freqtrade has read it by now; the next exit may be the operator's own.
        self.order_time_in_force["exit"] = "GTC"
        decision, now = self.last_decision(pair), to_ms(current_time)
        decided = now if decision is None else decision.at + timeframe_ms(self.timeframe)
        price = self._desk.host.as_sent(pair, rate) if order_type == "limit" else 0.0
        request = ExitRequest(amount, price, exit_reason, decided)
        refusal = self._exits.confirm(trade, request, now)
        if refusal:
            logger.info("Exit of %s (%s) waits: %s.", pair, exit_reason, refusal)
        return not refusal

    def should_exit(
        self, trade: Trade, rate: float, current_time: datetime, *, exit_: bool, **more: Any
    ) -> list[ExitCheckTuple]:
        """Take an exit signal that ``exit_profit_only`` holds back for none.

        Beside a signal freqtrade does not ask ``custom_exit``, which guards the position.
        """
        if exit_ and self.exit_profit_only:
            exit_ = trade.calc_profit_ratio(rate) > self.exit_profit_offset
        return list(super().should_exit(trade, rate, current_time, exit_=exit_, **more))

    @fail_closed(answer=None)
    def custom_exit(
        self,
        pair: str,
        trade: Trade,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        **kwargs: Any,
    ) -> str | None:
        """Keep an exit alive that has begun; leave on a lost day, and where no stop guards.

        With stops on the exchange freqtrade looks at no stop itself: where none could be
        placed, the position is left here.
        """
        self._prices[pair] = (current_rate, to_ms(current_time))
        alive = self._exits.keep_alive(trade)
        if alive is None and self.ends_with_day(to_ms(trade.open_date_utc)):
            return DAY_LOSS
        if alive is None and self._desk.stops_on_exchange and not trade.has_open_sl_orders:
            unguarded = self.is_stopped(trade, to_ms(current_time))
            return "stop_loss" if unguarded else None
        return alive

    def is_stopped(self, trade: Trade, now: int) -> bool:
        """Whether the stop of a position is hit that freqtrade does not look at yet."""
        quote, stop = self._desk.quote(trade.pair, now), self.stop_of(trade)
        if quote is None or not stop:
            return False
        return quote.best_ask >= stop if trade.is_short else quote.best_bid <= stop

    def stop_of(self, trade: Trade) -> float:
        """Price of the stop of a trade, 0 if it has none yet."""
        return float(trade.stop_loss or 0.0)

    @fail_closed(answer=False)
    def check_exit_timeout(
        self, pair: str, trade: Trade, order: Order, current_time: datetime, **kwargs: Any
    ) -> bool:
        """Cancel the working exit order when the chase says so."""
        return self._exits.timed_out(trade, order, to_ms(current_time))
