"""With ``stoploss_on_exchange``: no position without its stop for longer than two loops."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from hydra_ft.cli.drill.audit.timeline import ZERO, booked_ids, by_pair
from hydra_ft.cli.drill.facts import Violation, overlap_ms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hydra_ft.cli.drill.facts import Facts, Loop, Span
    from hydra_ft.types.books import BookedOrder
    from loopback_exchange import Event

LOOPS = 2


def bare_positions(facts: Facts) -> Iterator[Violation]:
    """Within two successful loops of each fill, in or out, that freqtrade could see, a stop rests.

    It has the size of what freqtrade holds then, to a step. Freqtrade sees a fill when the
    order that it belongs to has ended. A position that is gone by then needs none. A
    loop is successful when it came to its end, and the exchange was there all the time.
    What freqtrade found on the exchange later, it did not see: a lost entry and the order
    that takes it back. A lost exit counts from its end, as there is nothing left then.
    """
    if not facts.stops:
        return
    loops = [one for one in facts.loops if _is_whole(one, facts.both_up)]
    for pair, events in by_pair(facts.events).items():
        known = _known(facts.books.orders, pair, events)
        moments = _moments(events, known)
        adopted = {o.order_id for o in facts.books.orders if o.pair == pair and o.is_adopted}
        for first in _seen(events, known - adopted):
            at = events[first].at
            until = _second_loop_after(loops, at)
            window = [moment for moment in moments[first:] if moment[0] <= until]
            if window and not _is_covered(window, facts.steps[pair]):
                _, booked, resting = window[-1]
                text = (
                    f"after {LOOPS} loops, at {until}, stops for {resting} rest on the exchange "
                    f"for a position of {booked}"
                )
                yield Violation("bare_position", pair, at, text)


_Moment = tuple[int, Decimal, Decimal]
"""Time (UTC ms), what freqtrade could have booked (signed), what all resting stops cover."""


def _known(orders: Sequence[BookedOrder], pair: str, events: Sequence[Event]) -> set[str]:
    """Ids of the orders that changed what freqtrade held at the time, or made it nothing.

    What was adopted at market takes back an entry that was adopted as well; where the trade has
    none it is an exit in an emergency, whose answer was lost.
    """
    exits = {str(event.order_id) for event in events if event.reduce_only and event.price}
    takes = {str(event.order_id) for event in events if event.reduce_only}
    own = [order for order in orders if order.pair == pair]
    mended = {o.trade for o in own if o.is_adopted and o.filled and o.order_id not in takes}
    return {
        order.order_id
        for order in own
        if not order.is_adopted
        or order.order_id in exits
        or (order.order_id in takes and order.trade and order.trade not in mended)
    }


def _moments(events: Sequence[Event], known: set[str]) -> list[_Moment]:
    """What could be booked and what was covered, from each event on."""
    booked, stops, found = ZERO, dict[int, Decimal](), list[_Moment]()
    names = booked_ids(events)
    for event in events:
        if event.is_algo:
            stops[event.order_id] = ZERO if event.what == "ended" else event.quantity
        elif event.what == "ended" and {names[event.order_id], str(event.order_id)} & known:
            booked += event.filled if event.is_buy else -event.filled
        found.append((event.at, booked, sum(stops.values(), ZERO)))
    return found


def _seen(events: Sequence[Event], known: set[str]) -> Iterator[int]:
    """Place in the journal at which each order that filled had ended, and left something."""
    for number, event in enumerate(events):
        fills = event.what == "ended" and not event.is_algo and event.filled
        if fills and event.position and str(event.order_id) in known:
            yield number


def _is_whole(loop: Loop, both_up: Sequence[Span]) -> bool:
    return overlap_ms(both_up, loop.began, loop.ended) == loop.ended - loop.began


def _second_loop_after(loops: Sequence[Loop], at: int) -> int:
    """End of the second loop that began at or after a time; 0 if there was none."""
    ends = [loop.ended for loop in loops if loop.began >= at][:LOOPS]
    return ends[-1] if len(ends) == LOOPS else 0


def _is_covered(window: Sequence[_Moment], step: Decimal) -> bool:
    """Whether at some moment nothing was held, or all of it was covered."""
    return any(not booked or abs(abs(booked) - resting) <= step for _, booked, resting in window)
