"""Stage A as a whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bars.synthetic import random_frames
from decisions.heads import BARE, FULL, HEAD, LIGHT, RANGES, evaluated

from hydra_ft.decisions.pipeline import Decisions, decide
from hydra_ft.decisions.reasons import CODES, INDEX
from hydra_ft.errors import DeclarationError
from hydra_ft.market.bias import BiasRules
from hydra_ft.types import Bias, Regime, Side

FRAMES = random_frames(40, seed=12, volatility=0.0009)


@pytest.fixture
def decided() -> Decisions:
    return decide(FRAMES, HEAD, LIGHT)


def codes(decisions: Decisions) -> list[str]:
    return [CODES[code] for code in decisions.code]


def test_evaluations_are_passes_plus_first_reasons(decided: Decisions) -> None:
    """P6."""
    counts = decided.counts()
    assert sum(counts.values()) == len(decided) == len(FRAMES["5m"])
    assert counts["ok"] == int((decided.side != 0).sum())


@pytest.fixture
def ranged() -> Decisions:
    return decide(FRAMES, RANGES, LIGHT)


REMOVES_ONE = ("regime_not_allowed:", "extended", "signal_error:", "bias_gate", "outranked")


def test_the_first_code_is_the_first_step_that_stopped_the_bar(decided: Decisions) -> None:
    """F5: a step that took one candidate and left another is listed, and is not the reason."""
    blocked = np.flatnonzero(decided.code)
    for row in blocked:
        codes, first = decided.verdict(int(row)).codes, CODES[decided.code[row]]
        assert first in codes
        assert all(code.startswith(REMOVES_ONE) for code in codes[: codes.index(first)])
    assert not decided.failing[:, INDEX["ok"]].any()


def test_the_regime_is_the_reason_only_where_it_leaves_no_signal(ranged: Decisions) -> None:
    """T3: HEAD has no signal for a range, and all of its signals for a trend."""
    first = np.array([CODES[code] for code in ranged.code])
    ranging = ranged.regime == int(Regime.RANGING)
    forbidden = np.char.startswith(first, "regime_not_allowed:")
    assert forbidden.any()
    assert ranging[forbidden].all()
    quiet = first == "no_signal"
    assert quiet.any()
    assert not ranging[quiet].any()


def test_trades_come_out_on_both_sides_and_carry_their_numbers(decided: Decisions) -> None:
    enters = decided.code == 0
    assert {-1, 1} <= set(decided.side[enters])
    assert (decided.signal[enters] >= 0).all()
    assert (decided.stop[enters] > 0).all()
    assert (decided.target[enters] > decided.stop[enters]).all()
    assert (decided.confidence[enters] >= 0.5).all()
    assert (decided.max_hold_s[enters] > 0).all()


def test_bars_without_entry_carry_nothing(decided: Decisions) -> None:
    blocked = decided.code != 0
    assert (decided.side[blocked] == 0).all()
    assert (decided.signal[blocked] == -1).all()
    assert (decided.max_hold_s[blocked] == 0).all()
    assert np.isnan(decided.stop[blocked]).all()


def test_entries_are_never_choppy_nor_against_regime_nor_strong_bias(decided: Decisions) -> None:
    """F6: bias, CHOPPY and side gates really gate."""
    long, short = decided.side == 1, decided.side == -1
    assert long.any()
    assert short.any()
    assert (decided.regime[long] == Regime.UP).all()
    assert (decided.regime[short] == Regime.DOWN).all()
    strong = decided.bias_strength >= 0.5
    assert (strong & (decided.bias == Bias.SHORT)).any()
    assert (strong & (decided.bias == Bias.LONG)).any()
    assert decided.exit_long.any()
    assert decided.exit_short.any()
    assert not (long & strong & (decided.bias == Bias.SHORT)).any()
    assert not (short & strong & (decided.bias == Bias.LONG)).any()
    assert not (decided.exit_long & long).any()
    assert not (decided.exit_short & short).any()


def test_a_soft_bias_lets_more_through_than_a_hard_one(decided: Decisions) -> None:
    """0-01: the gate has an effect, and it is not total."""
    soft = decide(FRAMES, replace(HEAD, bias=BiasRules(hard=False)), LIGHT)
    assert "bias_gate" not in soft.counts()
    assert "bias_gate" in decided.counts()
    assert 0 < decided.counts()["ok"] < soft.counts()["ok"]


def test_a_verdict_is_one_row(decided: Decisions) -> None:
    row = int(np.flatnonzero(decided.code == INDEX["no_signal"])[0])
    verdict = decided.verdict(row)
    assert not verdict.allowed
    assert verdict.code == "no_signal"
    assert verdict.codes[0] == "no_signal"
    entry = decided.verdict(int(np.flatnonzero(decided.code == 0)[0]))
    assert entry.allowed
    assert entry.code == "ok"


def test_an_entry_and_its_context_are_one_row(decided: Decisions) -> None:
    row = int(np.flatnonzero(decided.side == -1)[0])
    entry, context = decided.entry(row), decided.context(row)
    assert entry is not None
    assert entry.side is Side.SHORT
    assert entry.name == HEAD.signals[decided.signal[row]].name
    assert entry.target > entry.stop > 0
    assert context.regime is Regime.DOWN
    assert context.trend == decided.trend[row]
    long = decided.entry(int(np.flatnonzero(decided.side == 1)[0]))
    assert long is not None
    assert long.side is Side.LONG
    assert decided.entry(0) is None


def test_a_bias_that_only_blocks_does_not_close(decided: Decisions) -> None:
    """Between blocking (0.5) and closing (1.0) a position is left alone."""
    mild = (decided.bias == Bias.SHORT) & (decided.bias_strength >= 0.5)
    mild &= (decided.bias_strength < 0.99) & (decided.regime != Regime.DOWN)
    assert mild.any()
    assert not decided.exit_long[mild].any()


def test_light_says_that_a_feed_is_dropped_in_the_open(decided: Decisions) -> None:
    assert decided.light
    assert not decide(FRAMES, HEAD, FULL).light
    assert "funding_z_168_1h" not in decide(FRAMES, HEAD, BARE).columns


def test_what_is_plotted_is_what_gates(decided: Decisions) -> None:
    """A10: the very same column objects."""
    state = evaluated(FRAMES, HEAD, LIGHT)
    for key, column in state.features.items():
        assert state.columns[key] is column
    assert set(decided.columns) == set(state.features)


def test_a_head_whose_entries_would_carry_their_own_exit_is_refused() -> None:
    with pytest.raises(DeclarationError, match=r"exit_from must not be below block_from"):
        replace(HEAD, bias=replace(HEAD.bias, block_from=0.9, exit_from=0.3))


def test_a_regime_that_could_never_be_confirmed_is_refused() -> None:
    with pytest.raises(DeclarationError, match=r"window_bars must exceed confirm_bars"):
        replace(HEAD, regime=replace(HEAD.regime, confirm_bars=12, window_bars=12))
