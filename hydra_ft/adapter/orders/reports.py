"""What people are told of a parent: when it starts, and when it is over, once each.

Freqtrade's own messages about every cancelled and every new order are off in the shipped
configuration; these two take their place. The summary also goes into the custom data of
the trade, where freqtrade's REST interface and ``/list_custom_data`` show it.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, replace
from math import isfinite
from typing import TYPE_CHECKING, Any

from hydra_ft.adapter.trades import trade_for
from hydra_ft.execution.cost import execution_cost
from hydra_ft.types import Attempt, Fill, ParentOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hydra_ft.adapter.orders.parents import ParentBook
    from hydra_ft.types import ExecutionCost

logger = logging.getLogger(__name__)

_UNMARKED = str.maketrans("_*`[", "   (")


class Reports:
    """Two messages and one summary for each parent, and a word to the ledger."""

    def __init__(
        self,
        book: ParentBook,
        say: Callable[[str], None],
        ended: Callable[[ParentOrder, float], None],
    ) -> None:
        self._book = book
        self._say = say
        self._ended = ended

    def placed(self, parent: ParentOrder, attempt: Attempt) -> None:
        """Say that the first child of a parent works."""
        at = f"{attempt.price:g}" if attempt.price else "market"
        why = _plain(parent.reason) or "no tag"
        self._say(f"{_name(parent)}: working {attempt.quantity:g} at {at} ({why})")

    def tell_ended(self, now: int) -> None:
        """Report every parent that is over and whose children are all booked."""
        busy = {a.parent_key for a in (*self._book.attempts(), *self._book.working())}
        for parent in self._book.unreported():
            if parent.key not in busy:
                self._report(parent, now)

    def _report(self, parent: ParentOrder, now: int) -> None:
        children = self._book.children(parent)
        fills = fills_of(children)
        cost = execution_cost(parent, fills, now)
        told = self._book.put(replace(parent, reported_at=now))
        self._ended(told, sum(fill.quantity for fill in fills))
        if parent.children or fills:
            self._say(_ending(told, fills, cost))
        trade = trade_for(parent)
        if trade is not None:
            trade.set_custom_data(f"hydra_{parent.kind.value}", _summary(told, fills, cost))


def fills_of(children: Sequence[Attempt]) -> list[Fill]:
    """Fills of a parent's children, the maker's part and the taker's part of each."""
    fills = []
    for child in children:
        for quantity, is_maker in (
            (child.maker_quantity, True),
            (child.filled - child.maker_quantity, False),
        ):
            if quantity > 0:
                share = child.fee_quote * quantity / child.filled
                at = child.done_at or child.known_at
                fills.append(Fill(child.average_price, quantity, at, share, is_maker))
    return fills


def _name(parent: ParentOrder) -> str:
    return f"{parent.pair} {parent.side.value} {parent.kind.value}"


def _ending(parent: ParentOrder, fills: Sequence[Fill], cost: ExecutionCost) -> str:
    filled = sum(fill.quantity for fill in fills)
    took = (
        f"{filled:g} of {parent.quantity:g} at {_average(fills):g}" if filled else "nothing filled"
    )
    requotes = f"{parent.requotes} requote{'' if parent.requotes == 1 else 's'}"
    costs = f", cost {cost.total_bps:.1f} bps" if filled else ""
    ending = _plain(parent.end_reason)
    return f"{_name(parent)}: {ending}, {took}, {requotes}, {cost.seconds:.0f} s{costs}"


def _plain(text: str) -> str:
    """Words without marks: Telegram reads Markdown, and refuses a text with a single ``_``."""
    return text.translate(_UNMARKED)


def _average(fills: Sequence[Fill]) -> float:
    quantity = sum(fill.quantity for fill in fills)
    return sum(fill.price * fill.quantity for fill in fills) / quantity if quantity else 0.0


def _summary(parent: ParentOrder, fills: Sequence[Fill], cost: ExecutionCost) -> dict[str, Any]:
    """Plain JSON values: freqtrade stores them as text."""
    costs = {k: round(v, 6) if isfinite(v) else None for k, v in asdict(cost).items()}
    return {
        "key": parent.key,
        "end_reason": parent.end_reason,
        "target": parent.quantity,
        "filled": sum(fill.quantity for fill in fills),
        "average_price": _average(fills),
        "decision_price": parent.decision_price,
        "arrival_price": parent.arrival_price,
        **costs,
    }
