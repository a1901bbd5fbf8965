"""The journal of one symbol, walked through: what was held and what worked at each event."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from hydra_ft.cli.symbols import pair_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from loopback_exchange import Event

ZERO = Decimal(0)


@dataclass(slots=True)
class State:
    """What an account had in one symbol: signed position, and working orders by id.

    ``placed`` are the ids of all orders that were ever there. Algo orders stand apart.
    """

    position: Decimal = ZERO
    orders: dict[int, Event] = field(default_factory=dict)
    stops: dict[int, Event] = field(default_factory=dict)
    placed: set[str] = field(default_factory=set)

    def entering(self, sign: int) -> Decimal:
        """Quantity that working orders may still add to a position on a side."""
        return sum(
            (
                order.quantity - order.filled
                for order in self.orders.values()
                if not order.reduce_only and order.is_buy == (sign > 0)
            ),
            ZERO,
        )

    def apply(self, event: Event) -> None:
        """Take one event in."""
        self.position = event.position
        book = self.stops if event.is_algo else self.orders
        if event.what == "ended":
            book.pop(event.order_id, None)
        else:
            book[event.order_id] = event
        if not event.is_algo:
            self.placed.add(str(event.order_id))


def walk(events: Iterable[Event]) -> Iterator[tuple[Event, Decimal, State]]:
    """Yield each event of one symbol, the position before it, and the state after it."""
    state = State()
    for event in events:
        before = state.position
        state.apply(event)
        yield event, before, state


def booked_ids(events: Iterable[Event]) -> dict[int, str]:
    """Id under which freqtrade books each order: that of the stop, for what a stop became."""
    stops: dict[str, int] = {}
    known_as: dict[int, str] = {}
    for event in events:
        if event.is_algo:
            stops[event.client_id] = event.order_id
        elif event.order_id not in known_as:
            stop = stops.get(event.client_id, event.order_id) if event.reduce_only else None
            known_as[event.order_id] = str(stop or event.order_id)
    return known_as


def by_pair(events: Iterable[Event]) -> dict[str, list[Event]]:
    """Events of each pair, in their order."""
    found: dict[str, list[Event]] = {}
    for event in events:
        found.setdefault(pair_of(event.symbol), []).append(event)
    return found
