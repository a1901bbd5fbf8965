"""What must come about: every outcome is found out, every parent ends, every fill is booked."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from hydra_ft.cli.drill.audit.timeline import ZERO, booked_ids, by_pair
from hydra_ft.cli.drill.facts import Violation, overlap_ms
from hydra_ft.execution.lifecycle import End
from hydra_ft.types import ChildState, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hydra_ft.cli.drill.facts import Facts
    from loopback_exchange import Event

RESOLVED_WITHIN_MS = 60_000
"""Of the time during which bot and exchange are both there."""


def slow_outcomes(facts: Facts) -> Iterator[Violation]:
    """Every outcome is known within a minute of the time that both sides were up."""
    for attempt in facts.attempts:
        if not attempt.known_at:
            text = f"attempt {attempt.id} is {attempt.state} at the end"
            yield Violation(
                "outcome_never_known", attempt.pair, attempt.sent_at, text, attempt.parent_key
            )
            continue
        took = overlap_ms(facts.both_up, attempt.sent_at, attempt.known_at)
        if took > RESOLVED_WITHIN_MS:
            text = f"attempt {attempt.id} was of unknown outcome for {took / 1e3:.1f} s"
            yield Violation(
                "outcome_known_late", attempt.pair, attempt.sent_at, text, attempt.parent_key
            )


def unnamed_parents(facts: Facts) -> Iterator[Violation]:
    """Every parent has ended, once, for a reason that has a name."""
    names = {end.value for end in End}
    for parent in facts.parents:
        if not parent.ended_at:
            text = f"still open at the end, with child {parent.child or 'none'}"
            yield Violation("parent_never_ended", parent.pair, parent.decided_at, text, parent.key)
        elif parent.end_reason not in names:
            text = f"ended as {parent.end_reason!r}, which is no named ending"
            yield Violation("unnamed_ending", parent.pair, parent.ended_at, text, parent.key)


def lost_fills(facts: Facts) -> Iterator[Violation]:
    """Every fill is in a trade of freqtrade's, or was a lost one that was taken back."""
    booked = {(order.pair, order.order_id): order.filled for order in facts.books.orders}
    lost = {
        (attempt.pair, attempt.order_id): attempt.kind
        for attempt in facts.attempts
        if attempt.state is ChildState.LOST_FILLED
    }
    for pair, events in by_pair(facts.events).items():
        owed = ZERO
        half = facts.steps[pair] / 2
        known_as = booked_ids(events)
        for order in _filled_orders(events):
            name = (pair, known_as[order.order_id])
            if name not in booked:  # a stop that freqtrade lost: what it became was adopted
                name = (pair, str(order.order_id))
            if name in booked:
                if abs(Decimal(str(booked[name])) - order.filled) >= half:
                    text = f"order {order.order_id} filled {order.filled}, booked {booked[name]}"
                    yield Violation("lost_fill", pair, order.at, text)
            elif name in lost:
                owed += order.filled if lost[name] is Kind.ENTRY else ZERO
            elif order.reduce_only and owed >= order.filled:
                owed -= order.filled
            else:
                text = f"order {order.order_id} filled {order.filled}; nobody knows of it"
                yield Violation("lost_fill", pair, order.at, text)


def _filled_orders(events: list[Event]) -> list[Event]:
    """Last fill of every order that filled at all, in the order of the first ones."""
    last: dict[int, Event] = {}
    for event in events:
        if event.what == "filled" and not event.is_algo:
            last[event.order_id] = event
    return list(last.values())
