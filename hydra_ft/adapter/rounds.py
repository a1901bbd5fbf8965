"""What is done at the start of every loop, in this order."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freqtrade.exceptions import ExchangeError
from freqtrade.persistence import Trade

from hydra_ft.adapter.trades import entry_filled, held, is_empty_shell
from hydra_ft.errors import HydraError
from hydra_ft.execution.ticks import is_dust

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra_ft.adapter.children import Children
    from hydra_ft.adapter.desk import OrderDesk
    from hydra_ft.adapter.reconciliation import Reconciliation
    from hydra_ft.adapter.reports import Reports
    from hydra_ft.adapter.settlement import Settlement
    from hydra_ft.adapter.stops import Stops

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rounds:
    """Settle what was sent, book what filled, end what is over, compare, and tell.

    A step that fails now does not hold up the others; it is tried again next loop.
    """

    desk: OrderDesk
    settlement: Settlement
    children: Children
    stops: Stops
    reconciliation: Reconciliation
    reports: Reports

    def begin(self, now: int) -> None:
        """Do all of it, at the time of this loop (UTC ms)."""
        steps: tuple[Callable[[int], None], ...] = (
            self._save_again,
            self.settlement.settle,
            self.children.follow,
            self._clear_shells,
            self._close_flat,
            self._end_parents,
            self.reconciliation.look,
            self.stops.resize,
            self.reports.tell_ended,
            self.desk.book.prune,
        )
        for step in steps:
            try:
                step(now)
            except (ExchangeError, HydraError) as error:
                logger.warning("%s is left for the next loop: %s", step.__name__, error)

    def _save_again(self, _now: int) -> None:
        self.desk.book.save_again()

    def _clear_shells(self, _now: int) -> None:
        """Delete trades of ours that a dead bot left without an order and without a fill."""
        book = self.desk.book
        for trade in Trade.get_open_trades():
            if is_empty_shell(trade) and not book.is_unknown(trade.pair):
                ids = [str(order.order_id) for order in trade.orders]
                if all(book.is_ours(trade.pair, order_id) for order_id in ids):
                    logger.warning("Removing %s: its orders have ended without a fill.", trade)
                    trade.delete()
                    Trade.commit()

    def _close_flat(self, _now: int) -> None:
        """Let freqtrade close trades whose orders have sold all, if it died before it did."""
        host = self.desk.host
        for trade in Trade.get_open_trades():
            is_flat = trade.amount and not trade.has_open_orders and entry_filled(trade)
            if not host.dry_run and is_flat and is_dust(held(trade), host.step_size(trade.pair)):
                host.reload(trade)

    def _end_parents(self, now: int) -> None:
        for parent in self.desk.book.parents():
            if not self.desk.book.is_unknown(parent.pair):
                try:
                    self.desk.end_if_over(parent, now)
                except (ExchangeError, HydraError) as error:
                    logger.warning("Parent %s cannot be judged now: %s", parent.key, error)
