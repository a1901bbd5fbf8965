"""When entries pause: a circuit breaker as a pure fold over the outcomes of orders.

::

    CLOSED --(failures within window_s)--> OPEN --(after open_s)--> HALF_OPEN
      ^                                     ^                          |
      |                                     +------(any failure)-------+
      +--------------------(successes)---------------------------------+

Nygard, *Release It!*, chapter 5. It knows entries only: an exit is never asked for leave.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated

from annotated_types import Ge, Le
from typing_extensions import Doc

from hydra_ft.execution.bounds import check_bounds

REASON = "hydra breaker"
"""How every reason begins, so that a lock can be told to be ours."""

_NOISE_BPS = 1e-6
"""Of the division; no price on an exchange is this fine."""


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a breaker opens, for how long, and what closes it again.

    Raises
    ------
    PolicyError
        When a number is out of its bounds.
    """

    enabled: Annotated[bool, Doc("false: no number of failures pauses entries")] = True
    failures: Annotated[
        int, Ge(1), Le(1000), Doc("failed orders within window_s that open the breaker")
    ] = 10
    window_s: Annotated[float, Ge(1), Le(86_400), Doc("a failure is forgotten after this time")] = (
        300.0
    )
    open_s: Annotated[
        float, Ge(1), Le(86_400), Doc("least pause of entries; freqtrade ends it with a candle")
    ] = 60.0
    probes: Annotated[
        int, Ge(1), Le(100), Doc("entries let through per open_s after the pause")
    ] = 5
    successes: Annotated[
        int, Ge(1), Le(100), Doc("orders that must succeed after the pause to close the breaker")
    ] = 2
    max_slippage_bps: Annotated[
        float, Ge(0), Le(1000), Doc("a fill worse than its expected price by more is a failure")
    ] = 50.0

    def __post_init__(self) -> None:
        check_bounds(self)


class Outcome(StrEnum):
    """What became of an order, as far as a breaker cares.

    ``UNFUNDED`` is a rejection for want of margin. A post-only order that would have taken
    liquidity has no outcome here: it is the ordinary weather of a passive chase.
    """

    SUCCESS = "success"
    REJECTED = "rejected"
    TIMED_OUT = "timed_out"
    SLIPPED = "slipped"
    UNFUNDED = "unfunded"


class BreakerState(StrEnum):
    """Closed: entries go. Open: none. Half open: a few go, to see whether they succeed."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed order: when (UTC ms), how, and of which pair."""

    at: int
    outcome: Outcome
    pair: str = ""


@dataclass(frozen=True, slots=True)
class Breaker:
    """Where a breaker stands, since when (UTC ms), and which failures it remembers.

    Of an open breaker these are the failures that opened it. ``let_through`` and
    ``succeeded`` count entries and successes while it is half open.
    """

    state: BreakerState = BreakerState.CLOSED
    since: int = 0
    failures: tuple[Failure, ...] = ()
    let_through: int = 0
    succeeded: int = 0


def record(
    breaker: Breaker, outcome: Outcome, now: int, policy: BreakerPolicy, pair: str = ""
) -> Breaker:
    """Return the breaker after an order had an outcome at ``now`` (UTC ms)."""
    breaker = advanced(breaker, now, policy)
    # An answer that comes while it is open is to an order sent before: it says nothing new.
    if not policy.enabled or breaker.state is BreakerState.OPEN:
        return breaker
    if outcome is Outcome.SUCCESS:
        return _after_success(breaker, now, policy)
    failures = (*breaker.failures, Failure(now, outcome, pair))
    if breaker.state is BreakerState.HALF_OPEN or len(failures) >= policy.failures:
        return Breaker(BreakerState.OPEN, now, failures)
    return replace(breaker, failures=failures)


def _after_success(breaker: Breaker, now: int, policy: BreakerPolicy) -> Breaker:
    if breaker.state is BreakerState.CLOSED:
        return breaker
    breaker = replace(breaker, succeeded=breaker.succeeded + 1)
    return Breaker(since=now) if breaker.succeeded >= policy.successes else breaker


def advanced(breaker: Breaker, now: int, policy: BreakerPolicy) -> Breaker:
    """Return the breaker as time alone makes it.

    Probes whose outcome never came (they rested, and were cancelled) must not keep it half
    open for ever: every ``open_s`` there are new ones.
    """
    waited = now - breaker.since >= policy.open_s * 1e3
    if breaker.state is BreakerState.OPEN:
        return half_opened(now) if waited else breaker
    if breaker.state is BreakerState.HALF_OPEN:
        spent = breaker.let_through >= policy.probes
        return replace(breaker, since=now, let_through=0) if spent and waited else breaker
    oldest = now - policy.window_s * 1e3
    return replace(breaker, failures=tuple(f for f in breaker.failures if f.at > oldest))


def half_opened(now: int) -> Breaker:
    """Return a breaker whose pause is over, by its time or because somebody lifted it."""
    return Breaker(BreakerState.HALF_OPEN, now)


def opened(since: int) -> Breaker:
    """Return a breaker that opened at a time (UTC ms), of which no more is known."""
    return Breaker(BreakerState.OPEN, since)


def admits(breaker: Breaker, now: int, policy: BreakerPolicy) -> bool:
    """Whether an entry may go at ``now`` (UTC ms)."""
    breaker = advanced(breaker, now, policy)
    if not policy.enabled or breaker.state is BreakerState.CLOSED:
        return True
    return breaker.state is BreakerState.HALF_OPEN and breaker.let_through < policy.probes


def let_through(breaker: Breaker, now: int, policy: BreakerPolicy) -> Breaker:
    """Return the breaker after an entry has gone."""
    breaker = advanced(breaker, now, policy)
    if breaker.state is not BreakerState.HALF_OPEN:
        return breaker
    return replace(breaker, let_through=breaker.let_through + 1)


def is_slipped(
    side_sign: int, expected_price: float, fill_price: float, policy: BreakerPolicy
) -> bool:
    """Whether a fill was worse than expected by more than the policy bears.

    ``side_sign`` is that of the order, +1 for a buy and -1 for a sell. A better price is
    never a failure (F-E7), and where no price is known nothing is claimed.
    """
    if expected_price <= 0 or fill_price <= 0:
        return False
    adverse_bps = side_sign * (fill_price - expected_price) / expected_price * 1e4
    return adverse_bps > policy.max_slippage_bps + _NOISE_BPS


def reason(breaker: Breaker, policy: BreakerPolicy) -> str:
    """Say why a breaker is open, in the words of its lock."""
    counts = Counter(failure.outcome.value.replace("_", " ") for failure in breaker.failures)
    kinds = ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
    count = len(breaker.failures)
    if count < policy.failures:
        return f"{REASON}: failed again after the pause ({kinds})"
    noun = "failure" if count == 1 else "failures"
    return f"{REASON}: {count} {noun} in {policy.window_s:g} s ({kinds})"
