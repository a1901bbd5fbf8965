"""What is done at the start of every loop, in this order."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freqtrade.exceptions import ExchangeError
from freqtrade.persistence import Order, Trade
from sqlalchemy import select

from hydra_ft.adapter.fail_closed import fail_closed
from hydra_ft.adapter.orders.exits import STOPS
from hydra_ft.adapter.trades import entry_filled, held, is_empty_shell, trade_of
from hydra_ft.errors import HydraError
from hydra_ft.execution.lifecycle import End
from hydra_ft.execution.ticks import is_dust
from hydra_ft.types import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra_ft.adapter.orders.children import Children
    from hydra_ft.adapter.orders.desk import OrderDesk
    from hydra_ft.adapter.orders.reconciliation import Reconciliation
    from hydra_ft.adapter.orders.reports import Reports
    from hydra_ft.adapter.orders.settlement import Settlement
    from hydra_ft.adapter.orders.stops import Stops
    from hydra_ft.types import ParentOrder

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
            self.stops.watch,
            self.stops.resize,
            self.reports.tell_ended,
            self.desk.book.prune,
        )
        for step in steps:
            fail_closed(answer=None)(step)(now)

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
                    self._end_if_over(parent, now)
                except (ExchangeError, HydraError) as error:
                    logger.warning("Parent %s cannot be judged now: %s", parent.key, error)

    def _end_if_over(self, parent: ParentOrder, now: int) -> None:
        closed = self._closed_position(parent) if parent.kind is Kind.ENTRY else None
        if closed is None:
            self.desk.end_if_over(parent, now)
        else:
            # What one of our exits closed was ended with that exit.
            stopped = closed.exit_reason in STOPS
            reason = End.STOP_LOSS if stopped else End.CLOSED_ELSEWHERE
            self.desk.book.end(parent, reason, now)

    def _closed_position(self, parent: ParentOrder) -> Trade | None:
        """Return the trade that an entry has filled, if freqtrade has closed it since."""
        if trade_of(parent) is not None:
            return None
        ids = [child.order_id for child in self.desk.book.children(parent) if child.filled]
        rows = Order.session.scalars(
            select(Order).where(Order.ft_pair == parent.pair, Order.order_id.in_(ids))
        )
        return next((row.trade for row in rows if row.trade and not row.trade.is_open), None)
