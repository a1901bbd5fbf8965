"""Stops that rest on the exchange, beside a chase that changes the position under them.

Freqtrade places the stop, moves it, and takes it down. It does not make it smaller when an
exit fills in part, and it forgets one whose answer was lost. Both are mended by taking the
stop away, which makes freqtrade place it anew in the same loop.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from freqtrade.persistence import Trade

from hydra_ft.adapter.fail_closed import fail_closed
from hydra_ft.execution.ticks import is_dust

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from hydra_ft.adapter.host import Host

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
    ) -> None:
        self._host = host
        self._alert = alert
        self._pairs = pairs
        self._interval_ms = int(interval_s * 1e3)
        self._enabled = enabled and not host.dry_run
        self._looked_at = 0

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
