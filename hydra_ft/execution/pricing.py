"""Where a child is quoted: between its peg and the far touch, within the caps.

Buys are rounded down to the tick and sells up, away from the far side, before anything is
compared.
"""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import TYPE_CHECKING

from hydra_ft.execution.ticks import ceil_ticks, floor_ticks, to_price
from hydra_ft.types import Kind, ParentOrder, Quote, Side, WorkingOrder

if TYPE_CHECKING:
    from hydra_ft.execution.policy import ChasePolicy


def buys(side: Side, kind: Kind) -> bool:
    """Whether an order of this kind on this side is a buy order."""
    return (side is Side.LONG) == (kind is Kind.ENTRY)


def is_buy(parent: ParentOrder) -> bool:
    """Whether the children of a parent are buy orders."""
    return buys(parent.side, parent.kind)


def owns_touch(parent: ParentOrder, working: WorkingOrder, quote: Quote) -> bool:
    """Whether our own child is the whole touch of its side."""
    buy = is_buy(parent)
    touch, size = (quote.best_bid, quote.bid_size) if buy else (quote.best_ask, quote.ask_size)
    at_touch = not ticks_apart(touch, working.price, quote.tick_size)
    return at_touch and size <= working.remaining * (1 + 1e-9)


def without_own(quote: Quote, parent: ParentOrder, working: WorkingOrder) -> Quote:
    """Return the quote as it would be without our own child, which must not chase itself.

    Where the child is the whole touch the next level takes its place; where that is not
    known the touch stays, with size 0.
    """
    buy, owns = is_buy(parent), owns_touch(parent, working, quote)
    if owns and buy and quote.next_bid:
        return replace(quote, best_bid=quote.next_bid, bid_size=quote.next_bid_size)
    if owns and not buy and quote.next_ask:
        return replace(quote, best_ask=quote.next_ask, ask_size=quote.next_ask_size)
    if ticks_apart(quote.best_bid if buy else quote.best_ask, working.price, quote.tick_size):
        return quote
    if buy:
        return replace(quote, bid_size=max(0.0, quote.bid_size - working.remaining))
    return replace(quote, ask_size=max(0.0, quote.ask_size - working.remaining))


def urgency(parent: ParentOrder, quote: Quote, policy: ChasePolicy, now: int) -> float:
    """How far from the peg (0) to the far touch (1) the quote has to go by now.

    ``quote`` is without our own child. A move of the market between two requotes counts
    against the spread: m / (m + s), with m the typical move in bps and s the spread.
    """
    elapsed = (now - parent.decided_at) / (policy.deadline_s * 1e3)
    adverse = max(0.0, quote.imbalance if is_buy(parent) else -quote.imbalance)
    move = quote.volatility_bps * sqrt(policy.min_requote_interval_s)
    speed = move / (move + quote.spread_bps) if move else 0.0
    total = (
        policy.urgency_time * elapsed
        + policy.urgency_imbalance * adverse
        + policy.urgency_volatility * speed
    )
    return min(1.0, max(0.0, total))


def passive_price(parent: ParentOrder, quote: Quote, policy: ChasePolicy, now: int) -> float:
    """Peg moved by urgency and offset, at least one tick off the far touch, within the cap."""
    tick, buy = quote.tick_size, is_buy(parent)
    own, far = (quote.best_bid, quote.best_ask) if buy else (quote.best_ask, quote.best_bid)
    pegs = {"own": own, "micro": quote.microprice, "mid": quote.mid, "far": far}
    peg = pegs[policy.peg]
    price = peg + urgency(parent, quote, policy, now) * (far - peg)
    cap = _cap_ticks(parent, quote, policy)
    if buy:
        wanted = floor_ticks(price, tick) + policy.offset_ticks
        return to_price(min(wanted, ceil_ticks(far, tick) - 1, cap), tick)
    wanted = ceil_ticks(price, tick) - policy.offset_ticks
    return to_price(max(wanted, floor_ticks(far, tick) + 1, cap), tick)


def crossing_price(parent: ParentOrder, quote: Quote, policy: ChasePolicy) -> float:
    """Limit price that takes the far touch, and ``max_slippage_bps`` beyond it.

    An entry stops at its cap. An exit takes the far touch wherever it is, and an urgent
    one (a stop) may go ``max_chase_bps`` beyond it: the position has to go, and where the
    market stood at the decision no longer matters.
    """
    tick, leaves = quote.tick_size, parent.kind is Kind.EXIT
    beyond = policy.max_chase_bps if leaves and parent.urgent else policy.max_slippage_bps
    if is_buy(parent):
        touch = ceil_ticks(quote.best_ask, tick)
        far = max(touch, floor_ticks(quote.best_ask * (1 + beyond / 1e4), tick))
        return to_price(far if leaves else min(far, _cap_ticks(parent, quote, policy)), tick)
    touch = floor_ticks(quote.best_bid, tick)
    far = min(touch, ceil_ticks(quote.best_bid * (1 - beyond / 1e4), tick))
    return to_price(far if leaves else max(far, _cap_ticks(parent, quote, policy)), tick)


def _cap_ticks(parent: ParentOrder, quote: Quote, policy: ChasePolicy) -> int:
    """Last tick that is still within ``max_chase_bps`` of the arrival price."""
    if not parent.arrival_price:
        # A market order sent without a quote has none: there is nothing to measure from.
        return 2**62 if is_buy(parent) else 0
    room = parent.arrival_price * policy.max_chase_bps / 1e4
    if is_buy(parent):
        return floor_ticks(parent.arrival_price + room, quote.tick_size)
    return ceil_ticks(parent.arrival_price - room, quote.tick_size)


def reaches(parent: ParentOrder, price: float, quote: Quote) -> bool:
    """Whether a limit at ``price`` would trade against the far touch."""
    ticks = round(price / quote.tick_size)
    if is_buy(parent):
        return ticks >= ceil_ticks(quote.best_ask, quote.tick_size)
    return ticks <= floor_ticks(quote.best_bid, quote.tick_size)


def retreats(parent: ParentOrder, wanted: float, working: WorkingOrder) -> bool:
    """Whether a price is further from the far touch than the working one."""
    return wanted < working.price if is_buy(parent) else wanted > working.price


def ticks_apart(first: float, second: float, tick_size: float) -> int:
    """Distance of two prices in whole ticks."""
    return abs(round(first / tick_size) - round(second / tick_size))
