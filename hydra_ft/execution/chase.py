"""The chase: one pure function from what is known to what to do with the working order.

A passive child rests between its peg and the far touch, an aggressive one takes the far
touch; both stay within ``max_chase_bps`` of the arrival price. The caller cancels and
places orders. Where a child is priced says ``pricing.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra_ft.execution.pricing import (
    crossing_price,
    owns_touch,
    passive_price,
    reaches,
    retreats,
    ticks_apart,
    urgency,
    without_own,
)
from hydra_ft.types import (
    Abandon,
    ChaseAction,
    Cross,
    Keep,
    Kind,
    ParentOrder,
    Quote,
    Requote,
    WorkingOrder,
)

if TYPE_CHECKING:
    from hydra_ft.execution.policy import ChasePolicy


CROSSING_GRACE_MS = 30_000
"""Time that a child which crosses at the deadline is given to fill."""
URGENT_INTERVAL_MS = 1_000
LONGEST_SPACING_MS = 30_000
LONGEST_URGENT_SPACING_MS = 5_000
"""A stop that is rejected comes back soon, however often it was rejected."""


def is_sane(quote: Quote, policy: ChasePolicy, now: int) -> bool:
    """Whether a quote has two sides, is uncrossed and fresh."""
    fresh = now - quote.at <= policy.max_quote_age_s * 1e3
    return fresh and 0 < quote.best_bid < quote.best_ask


def is_usable(quote: Quote, policy: ChasePolicy, now: int) -> bool:
    """Whether a decision that can wait may rest on this quote: sane, and narrow."""
    return is_sane(quote, policy, now) and quote.spread_bps <= policy.max_spread_bps


def may_act(parent: ParentOrder, quote: Quote, policy: ChasePolicy, now: int) -> bool:
    """Whether a child of the parent may be priced on this quote.

    A wide spread is waited out, but not by an exit that is urgent or has waited long
    enough: a stop that holds its breath in a crash is no stop.
    """
    presses = parent.kind is Kind.EXIT and (parent.urgent or is_late(parent, policy, now))
    return is_sane(quote, policy, now) if presses else is_usable(quote, policy, now)


def is_overdue(parent: ParentOrder, policy: ChasePolicy, now: int) -> bool:
    """Whether the deadline of the parent has come."""
    return now - parent.decided_at >= policy.deadline_s * 1e3


def is_late(parent: ParentOrder, policy: ChasePolicy, now: int) -> bool:
    """Whether the time to cross at the deadline is over too."""
    return is_overdue(parent, policy, now - CROSSING_GRACE_MS)


def is_over(parent: ParentOrder, policy: ChasePolicy, now: int) -> bool:
    """Whether an entry has no time left, the time to cross included."""
    crosses = must_cross(parent, policy, now)
    return is_late(parent, policy, now) if crosses else is_overdue(parent, policy, now)


def must_cross(parent: ParentOrder, policy: ChasePolicy, now: int) -> bool:
    """Whether the next child of the parent has to take liquidity, whatever the book says."""
    return parent.urgent or (policy.on_deadline == "cross" and is_overdue(parent, policy, now))


def wants_to_cross(parent: ParentOrder, quote: Quote, policy: ChasePolicy, now: int) -> bool:
    """Whether urgency has brought the quote all the way to the far touch."""
    if policy.post_only:
        return False
    return policy.peg == "far" or urgency(parent, quote, policy, now) >= 1


def next_child_at(parent: ParentOrder, policy: ChasePolicy) -> int:
    """Earliest time (UTC ms) of the next child: the rhythm, doubled from the 2nd rejection on."""
    interval = URGENT_INTERVAL_MS if parent.urgent else int(policy.min_requote_interval_s * 1e3)
    longest = LONGEST_URGENT_SPACING_MS if parent.urgent else LONGEST_SPACING_MS
    spacing = interval << min(max(0, parent.rejections - 1), 10)
    return parent.last_quoted_at + min(spacing, max(longest, interval))


def next_price(parent: ParentOrder, quote: Quote, policy: ChasePolicy, now: int) -> float:
    """Price of the next child of the parent."""
    if must_cross(parent, policy, now) or wants_to_cross(parent, quote, policy, now):
        return crossing_price(parent, quote, policy)
    return passive_price(parent, quote, policy, now)


def decide(
    parent: ParentOrder, working: WorkingOrder, quote: Quote | None, policy: ChasePolicy, now: int
) -> ChaseAction:
    """Say what becomes of the working order of a parent at time ``now`` (UTC ms).

    Order of the rules: an ended parent takes its child with it; the deadline; nothing
    without a quote to act on; what must cross crosses; rhythm and caps; then the price.
    """
    if not parent.is_open:
        return Abandon(parent.end_reason)
    crosses = must_cross(parent, policy, now)
    ends = parent.kind is Kind.ENTRY or not crosses
    if ends and is_over(parent, policy, now):
        return Abandon("deadline")
    if quote is None or not may_act(parent, quote, policy, now):
        return Keep()
    if crosses:
        return _cross(parent, working, quote, policy, now)
    return _follow(parent, working, quote, policy, now)


def _follow(
    parent: ParentOrder, working: WorkingOrder, quote: Quote, policy: ChasePolicy, now: int
) -> ChaseAction:
    """Follow peg and urgency, in the rhythm and within the caps of the policy.

    A child that is the whole touch is not taken back: it would give up its place in the
    queue for a price that nobody may come to. Where no level behind it is known there is
    nothing to follow.
    """
    if now < next_child_at(parent, policy) or parent.requotes >= policy.max_requotes:
        return Keep()
    others = without_own(quote, parent, working)
    price = crossing_price(parent, others, policy)
    if wants_to_cross(parent, others, policy, now) and reaches(parent, price, others):
        return _unless_close(working, others, Cross(price), 1)
    wanted = passive_price(parent, others, policy, now)
    is_alone = others.best_bid == quote.best_bid and others.best_ask == quote.best_ask
    if owns_touch(parent, working, quote) and (is_alone or retreats(parent, wanted, working)):
        return Keep()
    return _unless_close(working, others, Requote(wanted), policy.requote_threshold_ticks)


def _cross(
    parent: ParentOrder, working: WorkingOrder, quote: Quote, policy: ChasePolicy, now: int
) -> ChaseAction:
    """Cross now; a child that already crosses is left the time of one interval to fill."""
    price = crossing_price(parent, quote, policy)
    if not parent.urgent and parent.kind is Kind.ENTRY and not reaches(parent, price, quote):
        return Abandon("deadline_beyond_cap")
    waited = now - working.placed_at >= policy.min_requote_interval_s * 1e3
    if reaches(parent, working.price, quote) and not waited:
        return Keep()
    return _unless_close(working, quote, Cross(price), 1)


def _unless_close(
    working: WorkingOrder, quote: Quote, action: Requote | Cross, threshold_ticks: int
) -> ChaseAction:
    """Return the action, unless its price is nearer to the working one than a threshold."""
    apart = ticks_apart(action.price, working.price, quote.tick_size)
    return Keep() if apart < threshold_ticks else action
