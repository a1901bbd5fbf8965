"""How far placed children have come, and what their fills cost: read, booked, closed."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from freqtrade.persistence import Order
from sqlalchemy import select

from hydra_ft.adapter.fail_closed import fail_closed
from hydra_ft.execution.lifecycle import ENDS, seen_as
from hydra_ft.execution.pricing import buys
from hydra_ft.types import Attempt, ChildState, Fill

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hydra_ft.adapter.orders.host import Host
    from hydra_ft.adapter.orders.parents import ParentBook

logger = logging.getLogger(__name__)

FILLS_AWAITED_MS = 60_000
"""How long the exchange is asked for the fills of a child before it is booked without."""


class Children:
    """Follows the placed children of all parents to their end."""

    def __init__(
        self,
        host: Host,
        book: ParentBook,
        alert: Callable[[str], None],
        filled: Callable[[Attempt, int], None],
    ) -> None:
        self._host = host
        self._book = book
        self._alert = alert
        self._filled = filled
        self._ended_since: dict[int, int] = {}

    def follow(self, now: int) -> None:
        """Book what freqtrade has learned about each working child since the last loop."""
        working = self._book.working()
        rows = _rows([attempt.order_id for attempt in working])
        follow = fail_closed(answer=None)(self._follow)
        for attempt in working:
            follow(attempt, rows.get((attempt.pair, attempt.order_id)), now)

    def _follow(self, attempt: Attempt, row: Order | None, now: int) -> None:
        if row is None or row.trade is None:
            self._part(attempt, now)
            return
        if row.ft_is_open and not row.trade.is_open:
            self._take_down(attempt, now)
            return
        is_open = bool(row.ft_is_open)
        filled = float(row.safe_filled)
        state = seen_as(float(row.safe_amount), filled, is_open=is_open)
        if state in ENDS and not is_open:
            self._close(attempt, state, row, now)
        elif filled > attempt.filled:
            price = float(row.safe_price)
            self._book.book(
                attempt, ChildState.PART_FILLED, now, filled=filled, average_price=price
            )

    def _part(self, attempt: Attempt, now: int) -> None:
        """Book a child whose trade is gone as the exchange has it.

        Freqtrade deletes a trade whose only order it cancelled unfilled; the operator may
        delete one that holds a position, which is his from then on.
        """
        if self._host.dry_run:
            self._book.book(attempt, ChildState.CANCELLED, now)
            return
        seen = self._host.order(attempt.order_id, attempt.pair)
        if seen.is_open:
            self._book.disputed.add(attempt.pair)
            return
        state = seen_as(seen.quantity, seen.filled, is_open=False)
        self._book.book(attempt, state, now, filled=seen.filled, average_price=seen.price)

    def _take_down(self, attempt: Attempt, now: int) -> None:
        """Cancel a child whose trade closed without it: freqtrade does not look at it again.

        What it filled after that is found as a position that freqtrade does not know of.
        """
        seen = self._host.cancel(attempt.order_id, attempt.pair)
        if seen.is_open:
            return
        self._alert(f"{attempt.pair}: order {attempt.order_id} outlived its trade; cancelled.")
        self._book.disputed.add(attempt.pair)
        state = seen_as(seen.quantity, seen.filled, is_open=False)
        self._book.book(attempt, state, now, filled=seen.filled, average_price=seen.price)

    def _close(self, attempt: Attempt, state: ChildState, row: Order, now: int) -> None:
        filled = float(row.safe_filled)
        if not filled:
            self._book.book(attempt, state, now)
            return
        fills = self._fills(attempt, filled, float(row.safe_price), now)
        if fills is None:
            return
        total = sum(fill.quantity for fill in fills)
        value = sum(fill.quantity * fill.price for fill in fills)
        self._ended_since.pop(attempt.id, None)
        average = value / total if total else float(row.safe_price)
        self._filled(replace(attempt, filled=filled, average_price=average), now)
        self._book.book(
            attempt,
            state,
            now,
            filled=filled,
            average_price=average,
            fee_quote=sum(fill.fee_quote for fill in fills),
            maker_quantity=sum(fill.quantity for fill in fills if fill.is_maker),
        )

    def _fills(
        self, attempt: Attempt, filled: float, price: float, now: int
    ) -> Sequence[Fill] | None:
        """Return the fills of an ended child; None while the exchange has not all of them.

        A dry-run has none: a child that rested is taken for a maker then.
        """
        if self._host.dry_run:
            return [self._imagined(attempt, filled, price, now)]
        fills = self._host.fills(attempt)
        if sum(fill.quantity for fill in fills) >= filled * (1 - 1e-6):
            return fills
        since = self._ended_since.setdefault(attempt.id, now)
        return fills if now - since >= FILLS_AWAITED_MS else None

    def _imagined(self, attempt: Attempt, filled: float, price: float, now: int) -> Fill:
        buying = buys(attempt.side, attempt.kind)
        rested = bool(attempt.price) and (
            attempt.price < attempt.mid if buying else attempt.price > attempt.mid
        )
        cost = self._host.fee(attempt.pair, is_maker=rested) * filled * price
        return Fill(price, filled, now, cost, is_maker=rested)


def _rows(order_ids: list[str]) -> dict[tuple[str, str], Order]:
    """Freqtrade's orders with these ids, by pair and id."""
    if not order_ids:
        return {}
    query = select(Order).where(Order.order_id.in_(order_ids))
    return {(row.ft_pair, str(row.order_id)): row for row in Order.session.scalars(query)}
