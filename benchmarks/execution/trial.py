"""One parent, one method: executed to the time limit, then completed at market."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from benchmarks.execution.desk import PLACE_MS, Desk
from benchmarks.execution.methods import DROPPED
from benchmarks.execution.venue import Venue
from hydra_ft.execution.chase import CROSSING_GRACE_MS
from hydra_ft.execution.cost import execution_cost

if TYPE_CHECKING:
    from benchmarks.execution.methods import Method
    from benchmarks.execution.windows import Window
    from hydra_ft.types import ExecutionCost, Fill
    from loopback_exchange.market import MarketSource

LOOP_MS = 1_000
HORIZONS_S = (1, 5, 30)
"""Times after a passive fill at which the mid is looked at again."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a method made of a window.

    ``cost`` has what was missing at the time limit as opportunity, ``completed`` has it taken
    at market there. ``edges`` holds, for each passive fill, what it earned against the mid
    before it and what the mid then moved against it after each horizon, in bps.
    """

    method: str
    window: int
    market: str
    is_with_trend: bool
    is_dropped: bool
    cost: ExecutionCost
    completed: ExecutionCost
    edges: tuple[tuple[float, ...], ...]


def run(market: MarketSource, window: Window, number: int, method: Method) -> Trial:
    """Execute window ``number`` by a method, on an account of its own."""
    venue = Venue(market, window.symbol)
    try:
        desk = Desk(venue, window)
        limit = window.decided_at + int(method.limit_s * 1e3)
        until = _loop(desk, window, method, limit)
        return _judged(desk, window, number, method, until)
    finally:
        venue.close()


def _loop(desk: Desk, window: Window, method: Method, limit: int) -> int:
    """Take steps until the parent is done or its time is over, and say when that was."""
    at = window.decided_at + window.late_ms
    while at < limit + CROSSING_GRACE_MS + LOOP_MS:
        desk.venue.advance(at)
        if not desk.missing or not desk.parent.is_open:
            break
        if at >= limit and not method.is_chase:
            break
        method.step(desk, at)
        at += LOOP_MS
    if desk.parent.is_open:
        desk.end("filled" if not desk.missing else "deadline", max(at, limit))
    return max(limit, desk.parent.ended_at)


def _judged(desk: Desk, window: Window, number: int, method: Method, until: int) -> Trial:
    venue = desk.venue
    # What a loop began before the end arrives a moment after it.
    venue.advance(until + PLACE_MS)
    ended = replace(desk.parent, ended_at=until, end_price=venue.mid(until + PLACE_MS))
    fills = venue.fills()
    cost = execution_cost(ended, fills, until)
    if desk.missing:
        desk.place(0.0, until + PLACE_MS)
    every = venue.fills()
    completed = execution_cost(
        replace(ended, ended_at=until + 2 * PLACE_MS), every, until + 2 * PLACE_MS
    )
    return Trial(
        method=method.name,
        window=number,
        market=window.market,
        is_with_trend=window.is_with_trend,
        is_dropped=desk.parent.end_reason == DROPPED,
        cost=cost,
        completed=replace(completed, requotes=cost.requotes),
        edges=tuple(_edge(desk, fill) for fill in fills if fill.is_maker),
    )


def _edge(desk: Desk, fill: Fill) -> tuple[float, ...]:
    """What a passive fill earned against the mid just before, and the drift against it."""
    sign, venue = desk.parent.side.sign, desk.venue
    before = venue.mid(fill.at - 1)
    later = (venue.mid(fill.at + horizon * 1000) for horizon in HORIZONS_S)
    earned = sign * (before - fill.price)
    return tuple(1e4 * x / before for x in (earned, *(sign * (before - mid) for mid in later)))
