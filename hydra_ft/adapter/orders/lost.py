"""Fills of our own orders that freqtrade's books lack: the proof that exposure is ours."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from freqtrade.persistence import Order
from sqlalchemy import select

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from hydra_ft.adapter.orders.host import Host
    from hydra_ft.adapter.orders.parents import ParentBook
    from hydra_ft.execution.attempts import SeenOrder

PROVED_WITHIN_MS = 86_400_000
"""How far back the orders of a pair are read for a proof (one day)."""


class LostFills:
    """Reads the exchange for what our orders filled, and freqtrade for what it knows."""

    def __init__(self, host: Host, book: ParentBook, clock: Callable[[], int]) -> None:
        self._host = host
        self._book = book
        self._clock = clock

    def of(self, pair: str, known: set[str]) -> float:
        """Return the signed quantity (base units) that our orders filled beyond the books.

        Reductions of ours that were taken back for it count against it. ``known`` are the
        ids of the pair's orders that freqtrade has. What freqtrade had booked once is not
        lost: its trade was deleted by the operator, or the bot runs on another database,
        and neither is a reason to close a position.
        """
        since = self._clock() - PROVED_WITHIN_MS
        rows = _rows(pair)
        booked = {str(row.order_id): float(row.safe_filled) for row in rows}
        followed = {str(row.order_id) for row in rows if row.ft_is_open and row.trade.is_open}
        stops = Counter(_as_filled(row) for row in rows if row.ft_order_side == "stoploss")
        noted = self._book.fills_since(pair, since)
        total = 0.0
        for order in self._host.orders_since(pair, since):
            if order.order_id in followed or not self._is_ours(order, noted.keys() | known):
                # What works is read anew by freqtrade in this very loop.
                continue
            if order.order_id not in booked and stops[order.buys, order.filled] > 0:
                # A stop that triggered became an order of another id than freqtrade's.
                stops[order.buys, order.filled] -= 1
                continue
            has = max(booked.get(order.order_id, 0.0), noted.get(order.order_id, 0.0))
            missing = order.filled - has
            total += missing if order.buys else -missing
        return total

    def _is_ours(self, order: SeenOrder, ids: AbstractSet[str]) -> bool:
        prefix = self._host.prefix
        return order.order_id in ids or bool(prefix and order.client_order_id.startswith(prefix))


def _rows(pair: str) -> list[Order]:
    """Freqtrade's orders of a pair, stops among them."""
    return list(Order.session.scalars(select(Order).where(Order.ft_pair == pair)))


def _as_filled(row: Order) -> tuple[bool, float]:
    return row.side == "buy", float(row.safe_filled)
