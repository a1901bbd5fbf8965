"""The chase: one pure function from what is known to what to do with the working order.

A passive child rests at the own touch, an aggressive one takes the far touch; both stay
within ``max_chase_bps`` of the arrival price. The caller cancels and places orders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra_ft.execution.ticks import ceil_ticks, floor_ticks, to_price
from hydra_ft.types import (
    Abandon,
    ChaseAction,
    Cross,
    Keep,
    Kind,
    ParentOrder,
    Quote,
    Requote,
    Side,
    WorkingOrder,
)

if TYPE_CHECKING:
    from hydra_ft.execution.policy import ChasePolicy

CROSSING_GRACE_MS = 30_000
"""Time that a child which crosses at the deadline is given to fill."""


def buys(side: Side, kind: Kind) -> bool:
    """Whether an order of this kind on this side is a buy order."""
    return (side is Side.LONG) == (kind is Kind.ENTRY)


def is_sane(quote: Quote, policy: ChasePolicy, now: int) -> bool:
    """Whether a quote has two sides, is uncrossed and fresh."""
    fresh = now - quote.at <= policy.max_quote_age_s * 1e3
    return fresh and 0 < quote.best_bid < quote.best_ask


def is_usable(quote: Quote, policy: ChasePolicy, now: int) -> bool:
    """Whether a decision that can wait may rest on this quote: sane, and narrow."""
    if not is_sane(quote, policy, now):
        return False
    return 1e4 * (quote.best_ask - quote.best_bid) / quote.mid <= policy.max_spread_bps


def may_act(parent: ParentOrder, quote: Quote, policy: ChasePolicy, now: int) -> bool:
    """Whether a child of the parent may be priced on this quote.

    A wide spread is waited out, but not by an exit that is urgent or has waited long
    enough: a stop that holds its breath in a crash is no stop.
    """
    presses = parent.kind is Kind.EXIT and (parent.urgent or is_late(parent, policy, now))
    return is_sane(quote, policy, now) if presses else is_usable(quote, policy, now)


def _cap_ticks(parent: ParentOrder, quote: Quote, policy: ChasePolicy) -> int:
    """Last tick that is still within ``max_chase_bps`` of the arrival price."""
    room = parent.arrival_price * policy.max_chase_bps / 1e4
    if buys(parent.side, parent.kind):
        return floor_ticks(parent.arrival_price + room, quote.tick_size)
    return ceil_ticks(parent.arrival_price - room, quote.tick_size)


def passive_price(parent: ParentOrder, quote: Quote, policy: ChasePolicy) -> float:
    """Own touch plus the offset, at least one tick off the far side, within the cap.

    Buys are rounded down to the tick and sells up, away from the far side.
    """
    tick = quote.tick_size
    cap = _cap_ticks(parent, quote, policy)
    if buys(parent.side, parent.kind):
        wanted = floor_ticks(quote.best_bid, tick) + policy.offset_ticks
        return to_price(min(wanted, ceil_ticks(quote.best_ask, tick) - 1, cap), tick)
    wanted = ceil_ticks(quote.best_ask, tick) - policy.offset_ticks
    return to_price(max(wanted, floor_ticks(quote.best_bid, tick) + 1, cap), tick)


def crossing_price(parent: ParentOrder, quote: Quote, policy: ChasePolicy) -> float:
    """Limit price that takes the far touch.

    An entry stops at its cap. An exit past its deadline takes the far touch wherever it
    is, and an urgent one (a stop) may go ``max_chase_bps`` beyond it: the position has to
    go, and where the market stood at the decision no longer matters.
    """
    tick = quote.tick_size
    beyond = policy.max_chase_bps / 1e4 if parent.urgent and parent.kind is Kind.EXIT else 0.0
    if buys(parent.side, parent.kind):
        far = max(
            ceil_ticks(quote.best_ask, tick), floor_ticks(quote.best_ask * (1 + beyond), tick)
        )
        cap = far if parent.kind is Kind.EXIT else _cap_ticks(parent, quote, policy)
        return to_price(min(far, cap), tick)
    far = min(floor_ticks(quote.best_bid, tick), ceil_ticks(quote.best_bid * (1 - beyond), tick))
    cap = far if parent.kind is Kind.EXIT else _cap_ticks(parent, quote, policy)
    return to_price(max(far, cap), tick)


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
    """Whether the next child of the parent has to take liquidity."""
    return parent.urgent or (policy.on_deadline == "cross" and is_overdue(parent, policy, now))


def next_price(parent: ParentOrder, quote: Quote, policy: ChasePolicy, now: int) -> float:
    """Price of the next child of the parent."""
    if must_cross(parent, policy, now):
        return crossing_price(parent, quote, policy)
    return passive_price(parent, quote, policy)


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
    choose = _cross if crosses else _requote
    return choose(parent, working, quote, policy, now)


def _requote(
    parent: ParentOrder, working: WorkingOrder, quote: Quote, policy: ChasePolicy, now: int
) -> ChaseAction:
    """Follow the touch, in the rhythm and within the caps of the policy."""
    rests = (
        now - parent.last_quoted_at < policy.min_requote_interval_s * 1e3
        or parent.requotes >= policy.max_requotes
        or _alone_at_touch(parent, working, quote)
    )
    wanted = passive_price(parent, quote, policy)
    apart = _ticks_apart(wanted, working.price, quote.tick_size)
    return Keep() if rests or apart < policy.requote_threshold_ticks else Requote(wanted)


def _cross(
    parent: ParentOrder, working: WorkingOrder, quote: Quote, policy: ChasePolicy, now: int
) -> ChaseAction:
    """Cross now; a child that already crosses is left the time of one interval to fill."""
    price = crossing_price(parent, quote, policy)
    if not parent.urgent and parent.kind is Kind.ENTRY and not _reaches(parent, price, quote):
        return Abandon("deadline_beyond_cap")
    waited = now - working.placed_at >= policy.min_requote_interval_s * 1e3
    if _reaches(parent, working.price, quote) and not waited:
        return Keep()
    if _ticks_apart(price, working.price, quote.tick_size) < 1:
        return Keep()
    return Cross(price)


def _reaches(parent: ParentOrder, price: float, quote: Quote) -> bool:
    """Whether a limit at ``price`` would trade against the far touch."""
    if buys(parent.side, parent.kind):
        return _ticks(price, quote) >= ceil_ticks(quote.best_ask, quote.tick_size)
    return _ticks(price, quote) <= floor_ticks(quote.best_bid, quote.tick_size)


def _ticks(price: float, quote: Quote) -> int:
    return round(price / quote.tick_size)


def _ticks_apart(first: float, second: float, tick_size: float) -> int:
    return abs(round(first / tick_size) - round(second / tick_size))


def _alone_at_touch(parent: ParentOrder, working: WorkingOrder, quote: Quote) -> bool:
    """Whether the touch is our own child alone: with an offset it would chase itself."""
    touch, size = (
        (quote.best_bid, quote.bid_size)
        if buys(parent.side, parent.kind)
        else (quote.best_ask, quote.ask_size)
    )
    at_touch = _ticks(touch, quote) == _ticks(working.price, quote)
    return at_touch and size <= working.remaining * (1 + 1e-9)
