"""What a drill amounted to, in numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from hydra_ft.adapter.exits.stances import PARTIAL
from hydra_ft.types import ChildState, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra_ft.cli.drill.facts import Facts
    from hydra_ft.types import Attempt
    from loopback_exchange import Strike

_DOUBTED = (
    ChildState.UNKNOWN,
    ChildState.NOT_SENT,
    ChildState.LOST_CANCELLED,
    ChildState.LOST_FILLED,
)
"""States that only an order whose answer did not come can have."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of a whole drill; times in seconds."""

    entries: int
    exits: int
    children: int
    rejected: int
    requotes: int
    fills: int
    part_fills: int
    faults: dict[str, int]
    unknown: dict[str, int]
    unknown_max_s: float
    unknown_median_s: float
    ends: dict[str, int]
    parts: int = 0
    stops: int = 0
    stops_hit: int = 0

    @property
    def orders(self) -> int:
        """Parents that ended."""
        return self.entries + self.exits


def figures(facts: Facts, strikes: Sequence[Strike]) -> Figures:
    """Count what was recorded."""
    ended = [parent for parent in facts.parents if not parent.is_open]
    parts = [o for o in facts.books.orders if o.tag.startswith(PARTIAL) and o.filled]
    hit = [o for o in facts.books.orders if o.side == "stoploss" and o.filled]
    fills = [e for e in facts.events if e.what == "filled" and not e.is_algo]
    doubtful = [attempt for attempt in facts.attempts if attempt.state in _DOUBTED]
    took = [_took_s(attempt) for attempt in doubtful if attempt.known_at] or [0.0]
    return Figures(
        entries=sum(parent.kind is Kind.ENTRY for parent in ended),
        exits=sum(parent.kind is Kind.EXIT for parent in ended),
        children=len(facts.attempts),
        rejected=sum(attempt.state is ChildState.REJECTED for attempt in facts.attempts),
        requotes=sum(parent.requotes for parent in ended),
        fills=len(fills),
        part_fills=sum(event.filled < event.quantity for event in fills),
        faults=dict(Counter(str(strike.kind) for strike in strikes).most_common()),
        unknown=dict(Counter(str(attempt.state) for attempt in doubtful).most_common()),
        unknown_max_s=max(took),
        unknown_median_s=median(took),
        parts=len(parts),
        stops=sum(event.is_algo and event.what == "placed" for event in facts.events),
        stops_hit=len(hit),
        ends=dict(Counter(parent.end_reason for parent in ended).most_common()),
    )


def _took_s(attempt: Attempt) -> float:
    return (attempt.known_at - attempt.sent_at) / 1e3
