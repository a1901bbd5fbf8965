"""What was recorded of a drill, as plain values: the audit reads nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hydra_ft.types.books import Books
from loopback_exchange import Event

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hydra_ft.types import Attempt, ParentOrder

_AMOUNTS = ("price", "quantity", "filled", "position", "fill_price")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, UTC ms; ``until`` is not part of it."""

    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Loop:
    """One loop of the bot that came to its end (UTC ms)."""

    began: int
    ended: int


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the audit of a whole drill needs.

    ``steps`` is the quantity step by pair. ``both_up`` are the spans during which bot and
    exchange were there, ``stops`` says whether stops rest on the exchange, ``ladder`` whether
    positions are closed in parts.
    """

    events: Sequence[Event]
    parents: Sequence[ParentOrder]
    attempts: Sequence[Attempt]
    steps: Mapping[str, Decimal]
    books: Books = field(default_factory=Books)
    loops: Sequence[Loop] = ()
    both_up: Sequence[Span] = ()
    stops: bool = False
    ladder: bool = False


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that did not hold: which, for whom, when (UTC ms), and what was seen."""

    rule: str
    pair: str
    at: int
    text: str
    parent: str = ""


def overlap_ms(spans: Iterable[Span], since: int, until: int) -> int:
    """Time within [since, until) that the spans cover; the spans do not overlap."""
    return sum(max(0, min(s.until, until) - max(s.since, since)) for s in spans)


def without(spans: Iterable[Span], holes: Sequence[Span]) -> list[Span]:
    """Return what is left of the spans when the holes are cut out of them."""
    left = list(spans)
    for hole in holes:
        cut = []
        for span in left:
            parts = (
                Span(span.since, min(span.until, hole.since)),
                Span(max(span.since, hole.until), span.until),
            )
            cut += [part for part in parts if part.since < part.until]
        left = cut
    return left


def to_record(event: Event) -> dict[str, Any]:
    """Return an event as JSON values; amounts become text."""
    return {
        name: str(value) if isinstance(value, Decimal) else value
        for name, value in event._asdict().items()
    }


def to_event(record: Mapping[str, Any]) -> Event:
    """Read an event back."""
    amounts = {name: Decimal(record[name]) for name in _AMOUNTS}
    return Event(**{**record, **amounts})
