"""What may never be: more than the target, two children at once, an exit that overshoots."""

from __future__ import annotations

from decimal import Decimal
from heapq import merge
from itertools import pairwise
from typing import TYPE_CHECKING

from hydra_ft.adapter.exits.stances import PARTIAL
from hydra_ft.cli.drill.audit.timeline import ZERO, State, booked_ids, by_pair, walk
from hydra_ft.cli.drill.facts import Violation
from hydra_ft.types import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hydra_ft.cli.drill.facts import Facts
    from hydra_ft.types import Attempt, ParentOrder
    from loopback_exchange import Event

NOISE = Decimal("1e-9")
"""Share by which a price that went through a double may be off."""


def overfills(facts: Facts) -> Iterator[Violation]:
    """Position and working entries never exceed the target by more than one step.

    The target is that of the entry parent that was decided last on the pair. An attempt
    whose outcome is unknown, and which is not on the exchange yet, counts as sent. It is
    looked at after each event of the exchange and whenever a child is about to be sent.
    """
    for pair, events in by_pair(facts.events).items():
        parents = [p for p in facts.parents if p.pair == pair and p.kind is Kind.ENTRY]
        attempts = [a for a in facts.attempts if a.pair == pair and a.kind is Kind.ENTRY]
        yield from _Watch(parents, attempts, facts.steps[pair]).over(pair, events)


class _Watch:
    """Exposure of one pair as time goes by."""

    def __init__(
        self, parents: Sequence[ParentOrder], attempts: Sequence[Attempt], step: Decimal
    ) -> None:
        self._parents = sorted(parents, key=lambda parent: parent.decided_at)
        self._attempts = attempts
        self._step = step

    def over(self, pair: str, events: Sequence[Event]) -> Iterator[Violation]:
        """Yield the first moment of each parent at which the exposure was beyond its target."""
        state, seen = State(), set[str]()
        sent = ((attempt.sent_at, 1, None) for attempt in self._attempts)
        happened = ((event.at, 0, event) for event in events)
        for at, _, event in merge(happened, sent, key=lambda moment: moment[:2]):
            if event is not None:
                state.apply(event)
            parent = self._parent_at(at)
            sign = parent.side.sign if parent else (1 if state.position >= 0 else -1)
            unknown = self._unknown(at, state)
            exposure = sign * state.position + state.entering(sign) + unknown
            target = Decimal(str(parent.quantity)) if parent else ZERO
            key = parent.key if parent else ""
            if exposure > target + self._step and key not in seen:
                seen.add(key)
                text = (
                    f"held {state.position}, working {state.entering(sign)}, of unknown outcome "
                    f"{unknown}: {exposure} for a target of {target}, one step is {self._step}"
                )
                yield Violation("overfill", pair, at, text, key)

    def _parent_at(self, at: int) -> ParentOrder | None:
        decided = [parent for parent in self._parents if parent.decided_at <= at]
        return decided[-1] if decided else None

    def _unknown(self, at: int, state: State) -> Decimal:
        return sum(
            (
                Decimal(str(attempt.quantity))
                for attempt in self._attempts
                if attempt.sent_at <= at
                and (not attempt.known_at or at < attempt.known_at)
                and attempt.order_id not in state.placed
            ),
            ZERO,
        )


def hasty_children(facts: Facts) -> Iterator[Violation]:
    """No child of a parent is sent while an earlier child of it is unknown."""
    for key, children in _of_parents(facts.attempts).items():
        for earlier, later in pairwise(sorted(children, key=lambda attempt: attempt.id)):
            if not earlier.known_at or later.sent_at < earlier.known_at:
                known = f"known at {earlier.known_at}" if earlier.known_at else "never known"
                text = (
                    f"attempt {later.id} was sent at {later.sent_at}, while the outcome of "
                    f"attempt {earlier.id}, sent at {earlier.sent_at}, was {known}"
                )
                yield Violation("child_while_unknown", later.pair, later.sent_at, text, key)


def _of_parents(attempts: Sequence[Attempt]) -> dict[str, list[Attempt]]:
    found: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        found.setdefault(attempt.parent_key, []).append(attempt)
    return found


def unnoted_orders(facts: Facts) -> Iterator[Violation]:
    """Every order on the exchange was written down as an attempt before it was sent.

    Its attempt bears its id, or counted as never sent and agrees in pair, direction, price,
    size and time: it may still have arrived. What takes back a lost fill or leaves in an
    emergency needs none: it is reduce-only and at market. Nor does a partial exit, which is
    freqtrade's own order: it is reduce-only, and booked as one, or adopted, or it came to nothing.
    """
    for pair, events in by_pair(facts.events).items():
        attempts = [attempt for attempt in facts.attempts if attempt.pair == pair]
        noted = {attempt.order_id for attempt in attempts}
        free = [attempt for attempt in attempts if not attempt.order_id]
        noted |= _parts(facts, pair, events) if facts.ladder else set()
        for event in _sent(events):
            if str(event.order_id) in noted:
                continue
            fitting = [a for a in free if _became(a, event, facts.steps[pair])]
            if fitting:
                free.remove(fitting[0])
            else:
                text = f"order {event.order_id} was sent, and no attempt was written for it"
                yield Violation("unnoted_order", pair, event.at, text)


def _parts(facts: Facts, pair: str, events: Sequence[Event]) -> set[str]:
    """Ids of the orders that may be partial exits."""
    booked = {order.order_id: order for order in facts.books.orders if order.pair == pair}
    filled = {event.order_id for event in events if event.what == "filled"}
    found = set[str]()
    for event in events:
        order = booked.get(str(event.order_id))
        if event.reduce_only and not event.is_algo:
            is_part = order is not None and (order.is_adopted or order.tag.startswith(PARTIAL))
            if is_part or (order is None and event.order_id not in filled):
                found.add(str(event.order_id))
    return found


def _sent(events: Sequence[Event]) -> Iterator[Event]:
    """Orders as they were placed, but what a stop became and what is reduce-only at market."""
    names = booked_ids(events)
    for event in events:
        if event.what == "placed" and not event.is_algo:
            of_stop = names[event.order_id] != str(event.order_id)
            if not of_stop and (event.price or not event.reduce_only):
                yield event


def _became(attempt: Attempt, order: Event, step: Decimal) -> bool:
    """Whether an attempt may have become an order; freqtrade may make it smaller."""
    is_exit = attempt.kind is Kind.EXIT
    price = Decimal(str(attempt.price))
    return (
        is_exit == order.reduce_only
        and ((attempt.side.sign > 0) != is_exit) == order.is_buy
        and attempt.sent_at <= order.at
        and abs(price - order.price) <= price * NOISE
        and order.quantity <= Decimal(str(attempt.quantity)) + step
    )


def two_at_once(facts: Facts) -> Iterator[Violation]:
    """On the exchange, no entry order of a pair is placed while another one works."""
    for pair, events in by_pair(facts.events).items():
        for event, _, state in walk(events):
            if event.what != "placed" or event.reduce_only or event.is_algo:
                continue
            others = [o for o in state.orders.values() if not o.reduce_only]
            if len(others) > 1:
                ids = sorted(order.order_id for order in others)
                yield Violation("two_at_once", pair, event.at, f"entry orders {ids} work together")


def exits_beyond_position(facts: Facts) -> Iterator[Violation]:
    """An exit takes no more than there is; nothing but an exit takes from a position."""
    for pair, events in by_pair(facts.events).items():
        for event, before, _ in walk(events):
            if event.what != "filled" or event.is_algo:
                continue
            after = event.position
            shrinks = before * after >= 0 and abs(after) < abs(before)
            grows = before * after >= 0 and abs(after) > abs(before)
            if event.reduce_only and not shrinks:
                text = f"reduce-only order {event.order_id} moved {before} to {after}"
                yield Violation("exit_beyond_position", pair, event.at, text)
            if not event.reduce_only and not grows:
                text = f"entry order {event.order_id} moved {before} to {after}"
                yield Violation("entry_against_position", pair, event.at, text)
