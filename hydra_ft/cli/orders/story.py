"""One parent order with all that is known of it: its children, its events, its cost."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from hydra_ft.adapter.orders.reports import fills_of
from hydra_ft.execution.cost import execution_cost

if TYPE_CHECKING:
    from hydra_ft.store.events import Event
    from hydra_ft.types import Attempt, ExecutionCost, Fill, ParentOrder

ID_LENGTH = 8


def short_id(key: str) -> str:
    """Eight characters that stand for the key of a parent, as git's do for a commit."""
    return hashlib.sha256(key.encode()).hexdigest()[:ID_LENGTH]


@dataclass(frozen=True)
class Story:
    """A parent, its children and its events as they were read at ``now`` (UTC ms)."""

    parent: ParentOrder
    children: tuple[Attempt, ...]
    events: tuple[Event, ...]
    now: int

    @property
    def id(self) -> str:
        """Short form of the key."""
        return short_id(self.parent.key)

    @property
    def result(self) -> str:
        """Why it ended, or ``working``."""
        return "working" if self.parent.is_open else self.parent.end_reason

    @cached_property
    def fills(self) -> tuple[Fill, ...]:
        """What its children filled, the maker's and the taker's part of each."""
        return tuple(fills_of(self.children))

    @cached_property
    def filled(self) -> float:
        """Quantity filled (base units)."""
        return sum(fill.quantity for fill in self.fills)

    @property
    def average_price(self) -> float:
        """Mean price of what filled; 0 where nothing did."""
        value = sum(fill.price * fill.quantity for fill in self.fills)
        return value / self.filled if self.filled else 0.0

    @cached_property
    def cost(self) -> ExecutionCost:
        """Implementation shortfall, in parts."""
        return execution_cost(self.parent, self.fills, self.now)

    @property
    def notional_quote(self) -> float:
        """Target at the decision price: what the bps of the cost are bps of."""
        return self.parent.quantity * (self.parent.decision_price or self.parent.arrival_price)
