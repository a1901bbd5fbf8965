"""Of positions that are closed in parts: nothing leaves twice, and each part goes once."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from hydra_ft.adapter.exits.stances import PARTIAL
from hydra_ft.cli.drill.audit.timeline import ZERO, booked_ids, by_pair
from hydra_ft.cli.drill.facts import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hydra_ft.cli.drill.facts import Facts
    from hydra_ft.types.books import BookedOrder

LADDER_SHARE = Decimal("0.8")
"""What the two steps of a ladder take together; the last part runs."""


def left_twice(facts: Facts) -> Iterator[Violation]:
    """No trade of freqtrade's has sold more than it bought, or the other way round.

    Where freqtrade looks for what is missing it books the order that a stop became beside the
    stop: those two are one.
    """
    stops = {pair: booked_ids(events) for pair, events in by_pair(facts.events).items()}
    for trade, orders in _of_trades(facts.books.orders).items():
        known_as = stops.get(orders[0].pair, {})
        known = {order.order_id for order in orders}
        once = [o for o in orders if _other_name(o.order_id, known_as) not in known]
        entered, left, _ = _sums(once)
        pair = orders[0].pair
        if left > entered + facts.steps[pair] / 2:
            text = f"trade {trade} entered {entered} and left {left}"
            yield Violation("left_twice", pair, 0, text)


def parts_taken_twice(facts: Facts) -> Iterator[Violation]:
    """Partial exits take their shares of a position once, whatever was lost or restarted.

    A part that closes the trade is none: what would have been left was below the minimum.
    """
    if not facts.ladder:
        return
    for trade, orders in _of_trades(facts.books.orders).items():
        entered, left, parts = _sums(orders)
        pair = orders[0].pair
        step = facts.steps[pair]
        is_whole = left >= entered - step / 2 and orders[-1].tag.startswith(PARTIAL)
        if parts > entered * LADDER_SHARE + step and not is_whole:
            text = f"trade {trade} entered {entered}, and partial exits took {parts} of it"
            yield Violation("part_taken_twice", pair, 0, text)


def _other_name(order_id: str, known_as: Mapping[int, str]) -> str:
    """Id of the stop that became an order, '' where none did."""
    name = known_as.get(int(order_id), order_id) if order_id.isdigit() else order_id
    return name if name != order_id else ""


def _of_trades(orders: Sequence[BookedOrder]) -> dict[int, list[BookedOrder]]:
    found: dict[int, list[BookedOrder]] = {}
    for order in orders:
        if order.trade:
            found.setdefault(order.trade, []).append(order)
    return found


def _sums(orders: Sequence[BookedOrder]) -> tuple[Decimal, Decimal, Decimal]:
    """What was entered, what has left, and what of that went in parts.

    The first order of a trade is an entry; a stop has a side of its own.
    """
    entry = orders[0].side
    entered = left = parts = ZERO
    for order in orders:
        filled = Decimal(str(order.filled))
        if order.side == entry:
            entered += filled
        else:
            left += filled
            parts += filled if order.tag.startswith(PARTIAL) else ZERO
    return entered, left, parts
