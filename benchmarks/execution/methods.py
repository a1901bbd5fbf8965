"""The ways to execute that are compared: each is one step, taken once a loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hydra_ft.execution.chase import decide, is_over, may_act, must_cross, next_child_at, next_price
from hydra_ft.execution.policy import PRESETS
from hydra_ft.types import Abandon, Keep

if TYPE_CHECKING:
    from benchmarks.execution.desk import Desk
    from hydra_ft.execution.policy import ChasePolicy

DROPPED = "rest_dropped"
Step = Callable[["Desk", int], None]
CANDLE_MS = 60_000
LIMIT_S = 120.0
"""Time limit of every method, from the decision; that of the ``balanced`` preset."""
MARKET, STATIC, CANDLE = "market order", "static limit", "once a candle"


@dataclass(frozen=True, slots=True)
class Method:
    """A way to execute: what it does in a loop, and until when (seconds from the decision).

    A chase decides itself what becomes of it at the limit; the others are just cancelled.
    """

    name: str
    step: Step
    limit_s: float = LIMIT_S
    is_chase: bool = False


def _own_touch(desk: Desk, at: int) -> float:
    quote = desk.quote(at)
    return quote.best_bid if desk.is_buy else quote.best_ask


def take_at_once(desk: Desk, at: int) -> None:
    """Send one market order."""
    if not desk.parent.children:
        desk.place(0.0, at)


def rest(desk: Desk, at: int) -> None:
    """Send one limit order to the own touch, and leave it there."""
    if not desk.parent.children:
        desk.place(_own_touch(desk, at), at)


def reprice_once_a_candle(desk: Desk, at: int) -> None:
    """Do what freqtrade does with ``adjust_order_price``: 1m candles, own touch.

    An order from before the last candle close moves to the own touch; one that has filled in
    part is cancelled, and its rest is dropped.
    """
    working = desk.working
    if working is None:
        rest(desk, at)
        return
    close = at // CANDLE_MS * CANDLE_MS
    price = _own_touch(desk, at)
    if working.placed_at >= close or abs(price - working.price) < desk.venue.tick / 2:
        return
    if working.filled:
        desk.end(DROPPED, at)
        return
    desk.cancel(at)
    if desk.filled:
        desk.end(DROPPED, at)
    else:
        desk.place(price, at)


def chase(policy: ChasePolicy) -> Step:
    """Make the step of a policy: ``decide`` says what becomes of the child, as live."""

    def step(desk: Desk, at: int) -> None:
        quote, working = desk.quote(at), desk.working
        if working is None:
            _first_or_next_child(desk, policy, at)
            return
        action = decide(desk.parent, working, quote, policy, at)
        if isinstance(action, Abandon):
            desk.end(action.reason, at)
        elif not isinstance(action, Keep) and not desk.is_rest_too_small:
            desk.cancel(at)
            desk.place(action.price, at, post_only=_is_post_only(desk, policy, at))

    return step


def _first_or_next_child(desk: Desk, policy: ChasePolicy, at: int) -> None:
    """Send a child where none works: the first, or one after a rejection."""
    parent, quote = desk.parent, desk.quote(at)
    if is_over(parent, policy, at) or parent.rejections >= policy.max_rejections:
        desk.end("deadline" if is_over(parent, policy, at) else "rejected", at)
    elif at >= next_child_at(parent, policy) and may_act(parent, quote, policy, at):
        price = next_price(parent, quote, policy, at)
        desk.place(price, at, post_only=_is_post_only(desk, policy, at))


def _is_post_only(desk: Desk, policy: ChasePolicy, at: int) -> bool:
    return policy.post_only and not must_cross(desk.parent, policy, at)


def methods() -> tuple[Method, ...]:
    """All methods: three without Hydra, each preset within the common time limit.

    A preset that ships with another deadline is run with that one too.
    """
    found = [
        Method(MARKET, take_at_once),
        Method(STATIC, rest),
        Method(CANDLE, reprice_once_a_candle),
    ]
    for name, policies in PRESETS.items():
        policy = policies.entry
        limited = replace(policy, deadline_s=LIMIT_S)
        found.append(Method(name, chase(limited), is_chase=True))
        if policy.deadline_s != LIMIT_S:
            shipped = f"{name}, {policy.deadline_s:g} s"
            found.append(Method(shipped, chase(policy), policy.deadline_s, is_chase=True))
    return tuple(found)
