"""How candidates are removed one by one, and what is kept of the best that was not taken."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bars.synthetic import random_frames
from decisions.heads import HEAD, LIGHT, RANGES, evaluated
from decisions.test_selection import always

from hydra_ft.decisions import select
from hydra_ft.decisions.pipeline import Decisions, decide
from hydra_ft.decisions.reasons import CODES, INDEX
from hydra_ft.market.regime import RegimeRules
from hydra_ft.signals import adx_expansion
from hydra_ft.signals.registry import Columns, MarketColumns, SignalColumns
from hydra_ft.types import Bias, EntryState, Regime

FRAMES = random_frames(40, seed=12, volatility=0.0009)
N = len(FRAMES["5m"])
EMPTY = replace(HEAD, signals=())
ORDERS = pytest.mark.parametrize("reverse", [False, True], ids=["as listed", "reversed"])


def decided_with(*signals: object, reverse: bool = False, rules: object = HEAD) -> Decisions:
    made = tuple(reversed(signals)) if reverse else signals
    return decide(FRAMES, replace(rules, signals=made), LIGHT)  # type: ignore[type-var]


def first_codes(found: Decisions) -> np.ndarray:
    return np.array([CODES[code] for code in found.code])


@ORDERS
def test_one_signal_that_the_regime_permits_is_enough(reverse: bool) -> None:
    """T3: the first reason is the regime only where no signal at all is permitted."""
    trend = always("adx_expansion", long=True, confidence=0.6)
    quiet = replace(always("range_fade", long=True, confidence=0.6), regimes=(Regime.RANGING,))
    found = decided_with(trend, quiet, reverse=reverse, rules=RANGES)
    codes = first_codes(found)
    assert not np.char.startswith(codes, "regime_not_allowed").any()
    ranging = (found.code == 0) & (found.regime == Regime.RANGING)
    assert ranging.any()
    assert found.failing[ranging, INDEX["regime_not_allowed:adx_expansion"]].all()
    assert not found.failing[ranging, INDEX["regime_not_allowed:range_fade"]].any()


@ORDERS
def test_one_signal_that_does_not_follow_the_trend_is_enough_while_extended(reverse: bool) -> None:
    follower = replace(always("trend_pullback", long=True, confidence=0.6), trend_following=True)
    other = always("adx_expansion", long=True, confidence=0.6)
    found = decided_with(follower, other, reverse=reverse)
    assert "extended" not in found.counts()
    taken = (found.code == 0) & (found.entry_state == EntryState.EXTENDED)
    assert taken.any()
    assert found.failing[taken, INDEX["extended"]].all()


def test_extended_is_said_where_it_removed_a_permitted_signal_and_nowhere_else() -> None:
    follower = replace(always("trend_pullback", long=True, confidence=0.6), trend_following=True)
    found = decided_with(follower, rules=RANGES)
    away = found.entry_state == EntryState.EXTENDED
    permitted = np.isin(found.regime, [int(Regime.UP), int(Regime.DOWN)])
    said = found.failing[:, INDEX["extended"]]
    np.testing.assert_array_equal(said, away & permitted)
    assert (away & ~permitted).any()
    assert (permitted & ~away).any()


@ORDERS
def test_one_signal_that_could_be_computed_is_enough(reverse: bool) -> None:
    def fail(*_: object) -> SignalColumns:
        raise ValueError("x")

    broken = replace(adx_expansion, detect=fail)
    fine = always("trend_pullback", long=True, confidence=0.6)
    found = decided_with(broken, fine, reverse=reverse)
    assert not np.char.startswith(first_codes(found), "signal_error").any()
    alone = decided_with(broken)
    assert alone.counts()["signal_error:adx_expansion"] > 0
    assert "no_signal" not in alone.counts()


def test_a_signal_never_fires_where_it_may_not_or_where_a_number_is_unknown() -> None:
    def silent(columns: Columns, market: MarketColumns, rules: object) -> SignalColumns:
        n = columns["close_5m"].shape[0]
        fires = np.arange(n) % 2 == 0
        trust, stop = np.full(n, 0.6), np.full(n, 0.01)
        target = np.full(n, 0.04)
        for which, values in enumerate((trust, stop, target)):
            values[np.arange(n) % 7 == which] = np.nan
        return SignalColumns(fires, ~fires, (trust, trust), (stop, stop), (target, target))

    made = replace(adx_expansion, needs=("close_5m",), detect=silent)
    state = evaluated(FRAMES, replace(HEAD, signals=(made,)), LIGHT)
    found = select.candidates(state, select.entry_state(state)).found
    permitted, known = select.permitted(state, made), np.arange(N) % 7 > 2
    assert 0 < permitted.sum() < N
    for row, wanted in enumerate((np.arange(N) % 2 == 0, np.arange(N) % 2 == 1)):
        np.testing.assert_array_equal(found.fires[row], wanted & permitted & known)
    assert found.sign.tolist() == [1, -1]


@pytest.mark.parametrize("side", [0, 1])
def test_a_detector_with_one_side_that_is_no_boolean_is_disabled(side: int) -> None:
    def detect(columns: Columns, market: MarketColumns, rules: object) -> SignalColumns:
        one, yes = np.ones(N), np.ones(N, dtype=bool)
        sides = [yes, yes]
        sides[side] = np.ones(N, dtype=np.int64)
        return SignalColumns(*sides, (one, one), (one, one), (one, one))

    found = decided_with(replace(adx_expansion, needs=("close_5m",), detect=detect))
    assert found.errors == {"adx_expansion": "expected long and short to be boolean arrays"}


def test_a_head_without_signals_says_that_nothing_is_permitted_or_fires() -> None:
    found = decide(FRAMES, EMPTY, LIGHT)
    assert "ok" not in found.counts()
    assert found.counts()["no_signal"] > 0
    for choice in (found.candidate,):
        assert (choice.signal == -1).all()
        assert (choice.side == 0).all()
        assert np.isnan(choice.confidence).all()
        assert choice.signal.dtype == choice.side.dtype == np.int64
    state = evaluated(FRAMES, EMPTY, LIGHT)
    none = select.candidates(state, select.entry_state(state)).found
    for values in (none.number, none.sign):
        assert values.shape == (0,)
        assert values.dtype == np.int64
    for values in (none.fires, none.confidence, none.stop, none.target):
        assert values.shape == (0, N)


@pytest.mark.parametrize("block_from", [0.3, 0.9])
def test_the_bias_blocks_from_the_strength_of_the_rules(block_from: float) -> None:
    bias = replace(HEAD.bias, block_from=block_from)
    made = always("adx_expansion", long=True, confidence=0.6)
    found = decided_with(made, rules=replace(HEAD, bias=bias))
    removed = found.failing[:, INDEX["bias_gate"]]
    fires = np.isin(found.regime, [int(Regime.UP), int(Regime.DOWN)])
    against = (found.bias == Bias.SHORT) & (found.bias_strength >= block_from - 1e-9)
    unknown = np.isnan(found.bias_strength)
    np.testing.assert_array_equal(removed, fires & (against | unknown))
    assert ((found.bias == Bias.SHORT) & (found.bias_strength < block_from)).any()
    assert against.any()


def test_the_bias_revives_nothing_that_did_not_fire() -> None:
    """A candidate passes the bias only where it fires: silence on a bar stays silence."""

    def rare(columns: Columns, market: MarketColumns, rules: object) -> SignalColumns:
        fires = np.arange(N) % 50 == 0
        trust, stop, target = np.full(N, 0.6), np.full(N, 0.01), np.full(N, 0.04)
        return SignalColumns(fires, fires, (trust, trust), (stop, stop), (target, target))

    found = decided_with(replace(adx_expansion, needs=("close_5m",), detect=rare))
    entered = np.flatnonzero(found.code == 0)
    assert entered.size
    assert (entered % 50 == 0).all()
    silent = found.code == INDEX["no_signal"]
    assert not found.failing[silent, INDEX["bias_gate"]].any()


def test_the_candidate_of_a_bar_is_what_passes_the_bias_else_what_it_blocks() -> None:
    long = always("trend_pullback", long=True, confidence=0.9)
    short = always("adx_expansion", long=False, confidence=0.6)
    both, alone = decided_with(long, short), decided_with(long)
    fires = np.isin(both.regime, [int(Regime.UP), int(Regime.DOWN)])
    blocked = fires & both.failing[:, INDEX["bias_gate"]] & np.isfinite(both.bias_strength)
    against_long = blocked & (both.bias == Bias.SHORT)
    against_short = blocked & (both.bias == Bias.LONG)
    assert against_long.any()
    assert against_short.any()
    assert (both.candidate.signal[against_long] == 1).all()
    assert (both.candidate.side[against_long] == -1).all()
    assert (both.candidate.signal[against_short] == 0).all()
    assert (alone.candidate.signal[against_long] == 0).all()
    assert (alone.candidate.confidence[against_long] == 0.9).all()
    assert (alone.signal[against_long] == -1).all()
    np.testing.assert_array_equal(alone.candidate.signal == -1, ~fires)
    assert (alone.candidate.side[~fires] == 0).all()


def test_what_passes_the_bias_is_the_candidate_although_something_surer_is_blocked() -> None:
    """The head's first signal too, whose number is 0."""
    weak = always("trend_pullback", long=True, confidence=0.6)
    sure = always("adx_expansion", long=False, confidence=0.9)
    found = decided_with(weak, sure)
    taken = (found.code == 0) & found.failing[:, INDEX["bias_gate"]] & (found.bias == Bias.LONG)
    assert taken.any()
    assert (found.candidate.signal[taken] == 0).all()
    assert (found.candidate.confidence[taken] == 0.6).all()


def test_entry_states_are_what_the_ledger_keeps() -> None:
    """X41 on a whole frame: all three states, and nothing else where the average is known."""
    found = decided_with(adx_expansion)
    away = np.abs(found.numbers["ema_distance"])
    known = np.isfinite(away)
    assert found.entry_state.dtype == np.int64
    assert set(found.entry_state) == {int(state) for state in EntryState}
    extended = found.entry_state == EntryState.EXTENDED
    np.testing.assert_array_equal(extended[known], away[known] > 0.015)
    ready = found.entry_state == EntryState.PULLBACK_READY
    assert (away[ready] <= 0.008).all()
    assert (found.entry_state[~known] == EntryState.WAITING).all()
    assert (~known).any()


def test_a_signal_that_no_bar_permits_is_not_computed_and_changes_nothing() -> None:
    """Where a range must score more than it can, there are no ranges."""
    without = replace(HEAD, regime=RegimeRules(range_above=1.0))
    asked: list[int] = []

    def counted(columns: Columns, market: MarketColumns, rules: object) -> SignalColumns:
        asked.append(len(market.regime))
        return idle.detect(columns, market, rules)

    trend = always("adx_expansion", long=True, confidence=0.6)
    idle = replace(always("range_fade", long=True, confidence=0.6), regimes=(Regime.RANGING,))
    watched = replace(idle, detect=counted)
    found = decided_with(trend, watched, rules=without)
    assert not asked
    decided_with(trend, watched, rules=RANGES)
    assert asked == [N]
    alone = decided_with(trend, rules=without)
    for field in ("code", "side", "signal", "confidence", "stop", "target"):
        np.testing.assert_array_equal(getattr(found, field), getattr(alone, field))
    blocked = found.failing[:, INDEX["regime_not_allowed:range_fade"]]
    np.testing.assert_array_equal(blocked, found.regime != Regime.CHOPPY)
