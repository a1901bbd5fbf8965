"""A breaker opens on failures, lets a few try after its pause, and never on a gain.

Audit items 0-13, 4-11 and F-E7.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hydra_ft.declared import leaves
from hydra_ft.execution.breaker import (
    Breaker,
    BreakerPolicy,
    BreakerState,
    Outcome,
    admits,
    advanced,
    half_opened,
    is_slipped,
    let_through,
    opened,
    reason,
    record,
)

START = 1_700_000_000_000
POLICY = BreakerPolicy()
FAILURES = [outcome for outcome in Outcome if outcome is not Outcome.SUCCESS]


def later(seconds: float) -> int:
    return START + int(seconds * 1000)


def after(*outcomes: Outcome, every_s: float = 1.0, policy: BreakerPolicy = POLICY) -> Breaker:
    """A new breaker after these outcomes, the first one at the start."""
    breaker = Breaker()
    for count, outcome in enumerate(outcomes):
        breaker = record(breaker, outcome, later(count * every_s), policy)
    return breaker


@pytest.mark.parametrize("outcome", FAILURES)
def test_the_tenth_failure_opens_it_and_the_ninth_does_not(outcome: Outcome) -> None:
    nine, ten = after(*[outcome] * 9), after(*[outcome] * 10)
    assert nine.state is BreakerState.CLOSED
    assert admits(nine, later(9), POLICY)
    assert (ten.state, ten.since) == (BreakerState.OPEN, later(9))
    assert not admits(ten, later(9), POLICY)


def test_successes_between_failures_do_not_hide_them() -> None:
    mixed = after(*[Outcome.REJECTED, Outcome.SUCCESS] * 10)
    assert mixed.state is BreakerState.OPEN


def test_failures_are_forgotten_after_the_window() -> None:
    assert after(*[Outcome.REJECTED] * 100, every_s=33.4).state is BreakerState.CLOSED
    assert after(*[Outcome.REJECTED] * 10, every_s=33.3).state is BreakerState.OPEN


def test_it_pauses_for_its_time_and_then_tries() -> None:
    breaker = opened(START)
    assert not admits(breaker, later(59.999), POLICY)
    assert advanced(breaker, later(59.999), POLICY) is breaker
    assert admits(breaker, later(60), POLICY)
    assert advanced(breaker, later(60), POLICY).state is BreakerState.HALF_OPEN


def test_five_entries_are_let_through_and_no_sixth() -> None:
    breaker = opened(START)
    for _ in range(5):
        assert admits(breaker, later(61), POLICY)
        breaker = let_through(breaker, later(61), POLICY)
    assert not admits(breaker, later(61), POLICY)


def test_probes_that_never_had_an_outcome_are_replaced_after_another_pause() -> None:
    breaker = half_opened(START)
    for _ in range(5):
        breaker = let_through(breaker, START, POLICY)
    assert not admits(breaker, later(59), POLICY)
    assert admits(breaker, later(60), POLICY)


def test_two_successes_close_it_and_its_failures_are_forgotten() -> None:
    once = record(opened(START), Outcome.SUCCESS, later(61), POLICY)
    twice = record(once, Outcome.SUCCESS, later(62), POLICY)
    assert once.state is BreakerState.HALF_OPEN
    assert twice == Breaker(since=later(62))


@pytest.mark.parametrize("outcome", FAILURES)
def test_any_failure_after_the_pause_opens_it_again(outcome: Outcome) -> None:
    once = record(opened(START), Outcome.SUCCESS, later(61), POLICY)
    again = record(once, outcome, later(62), POLICY)
    assert (again.state, again.since) == (BreakerState.OPEN, later(62))
    assert "failed again after the pause (1 " in reason(again, POLICY)


def test_an_answer_to_an_order_sent_before_neither_closes_nor_extends_it() -> None:
    breaker = opened(START)
    for outcome in Outcome:
        assert record(breaker, outcome, later(30), POLICY) is breaker


def test_switched_off_it_never_opens() -> None:
    off = replace(POLICY, enabled=False)
    breaker = after(*[Outcome.TIMED_OUT] * 50, policy=off)
    assert breaker == Breaker()
    assert admits(opened(START), START, off)


def test_the_reason_counts_the_failures_by_kind() -> None:
    breaker = after(*[Outcome.TIMED_OUT] * 4, *[Outcome.REJECTED] * 6)
    assert reason(breaker, POLICY) == (
        "hydra breaker: 10 failures in 300 s (6 rejected, 4 timed out)"
    )


@pytest.mark.parametrize(
    ("side_sign", "fill_price", "slipped"),
    [
        (1, 100.51, True),
        (1, 100.50, False),
        (1, 95.0, False),
        (-1, 99.49, True),
        (-1, 99.50, False),
        (-1, 105.0, False),
    ],
)
def test_only_a_fill_that_is_worse_counts_as_slipped(
    side_sign: int, fill_price: float, slipped: bool
) -> None:
    """F-E7, X82: five per cent in our favour trips nothing, 51 bps against us does."""
    assert is_slipped(side_sign, 100.0, fill_price, POLICY) is slipped


@given(st.sampled_from([1, -1]), st.floats(1e-6, 1e6), st.floats(0, 0.99))
def test_no_gain_of_any_size_is_slippage(side_sign: int, price: float, gain: float) -> None:
    better = price * (1 - side_sign * gain)
    strict = replace(POLICY, max_slippage_bps=0.0)
    assert not is_slipped(side_sign, price, better, strict)


def test_without_a_price_nothing_is_claimed_of_slippage() -> None:
    for expected, filled in ((0.0, 100.0), (100.0, 0.0), (float("nan"), 100.0)):
        assert not is_slipped(1, expected, filled, POLICY)


@pytest.mark.parametrize(
    ("name", "value"),
    [("failures", 0), ("window_s", 0.5), ("open_s", 1e9), ("max_slippage_bps", -1.0)],
)
def test_a_value_out_of_bounds_is_named(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"expected {name} from .* was {value}"):
        replace(POLICY, **{name: value})


def test_every_setting_says_what_it_means_and_takes() -> None:
    found = {leaf.path: leaf for leaf in leaves(BreakerPolicy, "breaker")}
    assert found["breaker.failures"].allowed == "a whole number from 1 to 1000"
    assert all(leaf.meaning for leaf in found.values())


class AnyLife(RuleBasedStateMachine):
    """Any order of outcomes, entries and waiting, against what is always promised."""

    def __init__(self) -> None:
        super().__init__()
        self.policy = BreakerPolicy(failures=3, window_s=20, open_s=10, probes=2, successes=2)
        self.breaker, self.now = Breaker(), START
        self.failed: list[int] = []

    @rule(seconds=st.integers(0, 15))
    def wait(self, seconds: int) -> None:
        self.now += seconds * 1000

    @rule(outcome=st.sampled_from(Outcome))
    def learn(self, outcome: Outcome) -> None:
        before = advanced(self.breaker, self.now, self.policy)
        self.breaker = record(self.breaker, outcome, self.now, self.policy)
        if outcome is Outcome.SUCCESS:
            assert self.breaker.state is not BreakerState.OPEN or before.state is BreakerState.OPEN
            return
        self.failed.append(self.now)
        if before.state is BreakerState.HALF_OPEN:
            assert self.breaker.state is BreakerState.OPEN
        elif before.state is BreakerState.CLOSED and self.breaker.state is BreakerState.OPEN:
            recent = [at for at in self.failed if at > self.now - 20_000]
            assert len(recent) >= 3

    @precondition(lambda self: admits(self.breaker, self.now, self.policy))
    @rule()
    def enter(self) -> None:
        self.breaker = let_through(self.breaker, self.now, self.policy)
        assert self.breaker.let_through <= self.policy.probes

    @invariant()
    def time_alone_always_lets_an_entry_through(self) -> None:
        assert admits(self.breaker, self.now + 10_000, self.policy)

    @invariant()
    def asking_twice_changes_nothing(self) -> None:
        once = advanced(self.breaker, self.now, self.policy)
        assert advanced(once, self.now, self.policy) == once

    @invariant()
    def it_remembers_no_more_than_it_needs(self) -> None:
        assert len(self.breaker.failures) <= self.policy.failures


TestAnyLife = AnyLife.TestCase
