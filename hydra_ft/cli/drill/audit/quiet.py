"""A quiet point: nothing is sent, nothing fails, and all books must say the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from hydra_ft.cli.drill.facts import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hydra_ft.types import Attempt, ParentOrder
    from hydra_ft.types.books import Books


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What exchange, freqtrade and Hydra say at one moment (UTC ms), by pair.

    ``positions`` are those of the exchange, ``filled`` the signed sums of all its fills, and
    ``working`` the ids of the orders that rest there, ``stops`` those of the algo orders.
    ``guarded`` is what those rest for, None where stops do not rest on the exchange.
    """

    at: int
    positions: Mapping[str, Decimal]
    filled: Mapping[str, Decimal]
    working: Mapping[str, frozenset[str]]
    books: Books
    parents: Sequence[ParentOrder]
    attempts: Sequence[Attempt]
    steps: Mapping[str, Decimal]
    stops: Mapping[str, frozenset[str]] = field(default_factory=dict)
    guarded: Mapping[str, Decimal] | None = None


def unsettled(now: Snapshot) -> list[Violation]:
    """Return everything that is not settled, or is not the same everywhere."""
    return [*_open(now), *_positions(now), *_orders(now), *_stops(now)]


def _open(now: Snapshot) -> Iterator[Violation]:
    for parent in now.parents:
        text = f"parent still open after {(now.at - parent.decided_at) / 1e3:.0f} s"
        yield Violation("not_quiet", parent.pair, now.at, text, parent.key)
    for attempt in now.attempts:
        text = f"attempt {attempt.id} is {attempt.state}, its outcome is not known"
        yield Violation("not_quiet", attempt.pair, now.at, text, attempt.parent_key)


def _positions(now: Snapshot) -> Iterator[Violation]:
    for pair in sorted({*now.positions, *now.filled, *now.books.held}):
        held, sum_ = now.positions.get(pair, Decimal(0)), now.filled.get(pair, Decimal(0))
        booked = Decimal(str(now.books.held.get(pair, 0.0)))
        half = now.steps[pair] / 2
        if abs(held - sum_) >= half or abs(held - booked) >= half:
            text = f"the exchange holds {held}, its fills sum to {sum_}, freqtrade has {booked}"
            yield Violation("books_differ", pair, now.at, text)


def _orders(now: Snapshot) -> Iterator[Violation]:
    for pair in sorted(now.working):
        known = now.books.open_ids(pair)
        if orphans := sorted(now.working[pair] - known):
            text = f"orders {orphans} rest on the exchange; freqtrade does not know them"
            yield Violation("ownerless_order", pair, now.at, text)
    for pair in sorted(now.stops):
        if orphans := sorted(now.stops[pair] - now.books.open_ids(pair, stops=True)):
            text = f"stops {orphans} rest on the exchange; no open trade of freqtrade's has them"
            yield Violation("ownerless_stop", pair, now.at, text)
    for pair in sorted({order.pair for order in now.books.orders}):
        if ghosts := sorted(now.books.open_ids(pair) - now.working.get(pair, frozenset())):
            text = f"freqtrade holds orders {ghosts} for open; the exchange has ended them"
            yield Violation("ownerless_order", pair, now.at, text)


def _stops(now: Snapshot) -> Iterator[Violation]:
    """With stops on the exchange: they rest for exactly what is held."""
    if now.guarded is None:
        return
    for pair in sorted({*now.positions, *now.guarded}):
        held, rests = abs(now.positions.get(pair, Decimal(0))), now.guarded.get(pair, Decimal(0))
        if abs(held - rests) >= now.steps[pair] / 2:
            text = f"stops rest on the exchange for {rests}, the position is {held}"
            yield Violation("stop_of_another_size", pair, now.at, text)
