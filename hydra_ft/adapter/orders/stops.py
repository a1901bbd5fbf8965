"""Stops: that every position has one, and those on the exchange beside a chase.

Freqtrade places the stop, moves it, and takes it down. It does not make it smaller when an
exit fills in part, and it forgets one whose answer was lost. Both are mended by taking the
stop away, which makes freqtrade place it anew in the same loop.

The watchdog looks at every position at the start of a loop, whoever opened it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from freqtrade.persistence import Trade

from hydra_ft.adapter.exits.stances import number_of
from hydra_ft.adapter.fail_closed import fail_closed
from hydra_ft.execution.ticks import is_dust

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from hydra_ft.adapter.exits.stances import Number
    from hydra_ft.adapter.orders.host import Host

logger = logging.getLogger(__name__)


class Stops:
    """Keeps the stops on the exchange as large as their positions, and none beside them."""

    def __init__(
        self,
        host: Host,
        alert: Callable[[str], None],
        pairs: Callable[[], Collection[str]],
        interval_s: float,
        *,
        enabled: bool,
        stoploss: float,
    ) -> None:
        self._host = host
        self._alert = alert
        self._pairs = pairs
        self._interval_ms = int(interval_s * 1e3)
        self._enabled = enabled and not host.dry_run
        self._looked_at = 0
        self._stoploss = stoploss
        self._without: dict[Number, int] = {}

    def watch(self, now: int) -> None:
        """Give the head's stop to a position that has none, and tell of one without a guard."""
        if self._enabled:
            for pair, order_id in self._host.dropped_stops():
                self._alert(f"{pair}: stop {order_id} was gone from the exchange; placed anew.")
        guard = fail_closed(answer=None)(self._guard)
        open_now = {number_of(trade): trade for trade in Trade.get_open_trades()}
        self._without = {key: at for key, at in self._without.items() if key in open_now}
        for trade in open_now.values():
            guard(trade, now)

    def _guard(self, trade: Trade, now: int) -> None:
        if not trade.has_open_position:
            return
        if not trade.stop_loss:
            # Freqtrade reads 0 as a stop below every price of a long, and as one that every
            # price of a short has passed.
            trade.adjust_stop_loss(trade.open_rate, self._stoploss, allow_refresh=True)
            Trade.commit()
            self._alert(f"{trade.pair}: the position had no stop; it is {trade.stop_loss:g} now.")
        number = number_of(trade)
        if not self._enabled or trade.has_open_sl_orders:
            self._without.pop(number, None)
        elif number not in self._without:
            # What has just filled gets its stop in this loop.
            self._without[number] = now
        elif self._without[number]:
            self._without[number] = 0
            self._alert(
                f"{trade.pair}: no stop rests on the exchange; "
                f"the bot itself leaves the position at {trade.stop_loss:g}."
            )

    def resize(self, now: int) -> None:
        """Take away stops of a wrong size, and now and then those without an owner."""
        if not self._enabled:
            return
        resize = fail_closed(answer=None)(self._resize)
        for trade in Trade.get_open_trades():
            resize(trade)
        if now - self._looked_at >= self._interval_ms:
            self._take_ownerless()
            self._looked_at = now

    def _resize(self, trade: Trade) -> None:
        step = self._host.step_size(trade.pair)
        for stop in trade.open_sl_orders:
            # Freqtrade sizes a stop by the amount that it has booked.
            wrong = abs(float(stop.safe_amount) - float(trade.amount))
            if trade.amount and not is_dust(wrong, step):
                logger.info("Stop %s of %s has another size.", stop.order_id, trade.pair)
                self._host.cancel_stop(str(stop.order_id), trade.pair)

    def _take_ownerless(self) -> None:
        """Cancel stops of ours that no open trade knows; a later position would meet them."""
        owned = {
            str(stop.order_id) for trade in Trade.get_open_trades() for stop in trade.open_sl_orders
        }
        for stop in self._host.open_stops(self._pairs()):
            ours = bool(self._host.prefix) and stop.client_order_id.startswith(self._host.prefix)
            if ours and stop.order_id not in owned:
                self._alert(f"{stop.pair}: stop {stop.order_id} has no owner; cancelled.")
                self._host.cancel_stop(stop.order_id, stop.pair)
