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
DECIDED = decide(FRAMES, HEAD, LIGHT)


def codes(decisions: Decisions) -> list[str]:
    return [CODES[code] for code in decisions.code]


def test_evaluations_are_passes_plus_first_reasons() -> None:
    """P6."""
    counts = DECIDED.counts()
    assert sum(counts.values()) == len(DECIDED) == len(FRAMES["5m"])
    assert counts["ok"] == int((DECIDED.side != 0).sum())


RANGED = decide(FRAMES, RANGES, LIGHT)
REMOVES_ONE = ("regime_not_allowed:", "extended", "signal_error:", "bias_gate", "outranked")


def test_the_first_code_is_the_first_step_that_stopped_the_bar() -> None:
    """F5: a step that took one candidate and left another is listed, and is not the reason."""
    blocked = np.flatnonzero(DECIDED.code)
    for row in blocked:
        codes, first = DECIDED.verdict(int(row)).codes, CODES[DECIDED.code[row]]
        assert first in codes
        assert all(code.startswith(REMOVES_ONE) for code in codes[: codes.index(first)])
    assert not DECIDED.failing[:, INDEX["ok"]].any()


def test_the_regime_is_the_reason_only_where_it_leaves_no_signal() -> None:
    """T3: HEAD has no signal for a range, and all of its signals for a trend."""
    first = np.array([CODES[code] for code in RANGED.code])
    ranging = RANGED.regime == int(Regime.RANGING)
    forbidden = np.char.startswith(first, "regime_not_allowed:")
    assert forbidden.any()
    assert ranging[forbidden].all()
    quiet = first == "no_signal"
    assert quiet.any()
    assert not ranging[quiet].any()


def test_trades_come_out_on_both_sides_and_carry_their_numbers() -> None:
    enters = DECIDED.code == 0
    assert {-1, 1} <= set(DECIDED.side[enters])
    assert (DECIDED.signal[enters] >= 0).all()
    assert (DECIDED.stop[enters] > 0).all()
    assert (DECIDED.target[enters] > DECIDED.stop[enters]).all()
    assert (DECIDED.confidence[enters] >= 0.5).all()
    assert (DECIDED.max_hold_s[enters] > 0).all()


def test_bars_without_entry_carry_nothing() -> None:
    blocked = DECIDED.code != 0
    assert (DECIDED.side[blocked] == 0).all()
    assert (DECIDED.signal[blocked] == -1).all()
    assert (DECIDED.max_hold_s[blocked] == 0).all()
    assert np.isnan(DECIDED.stop[blocked]).all()


def test_entries_are_never_choppy_nor_against_regime_nor_strong_bias() -> None:
    """F6: bias, CHOPPY and side gates really gate."""
    long, short = DECIDED.side == 1, DECIDED.side == -1
    assert (DECIDED.regime[long] == Regime.UP).all()
    assert (DECIDED.regime[short] == Regime.DOWN).all()
    strong = DECIDED.bias_strength >= 0.5
    assert not (long & strong & (DECIDED.bias == Bias.SHORT)).any()
    assert not (short & strong & (DECIDED.bias == Bias.LONG)).any()
    assert not (DECIDED.exit_long & long).any()
    assert not (DECIDED.exit_short & short).any()


def test_a_soft_bias_lets_more_through_than_a_hard_one() -> None:
    """0-01: the gate has an effect, and it is not total."""
    soft = decide(FRAMES, replace(HEAD, bias=BiasRules(hard=False)), LIGHT)
    assert "bias_gate" not in soft.counts()
    assert "bias_gate" in DECIDED.counts()
    assert 0 < DECIDED.counts()["ok"] < soft.counts()["ok"]


def test_a_verdict_is_one_row() -> None:
    row = int(np.flatnonzero(DECIDED.code == INDEX["no_signal"])[0])
    verdict = DECIDED.verdict(row)
    assert not verdict.allowed
    assert verdict.code == "no_signal"
    assert verdict.codes[0] == "no_signal"
    entry = DECIDED.verdict(int(np.flatnonzero(DECIDED.code == 0)[0]))
    assert entry.allowed
    assert entry.code == "ok"


def test_an_entry_and_its_context_are_one_row() -> None:
    row = int(np.flatnonzero(DECIDED.side == -1)[0])
    entry, context = DECIDED.entry(row), DECIDED.context(row)
    assert entry is not None
    assert entry.side is Side.SHORT
    assert entry.name == HEAD.signals[DECIDED.signal[row]].name
    assert entry.target > entry.stop > 0
    assert context.regime is Regime.DOWN
    assert context.trend == DECIDED.trend[row]
    long = DECIDED.entry(int(np.flatnonzero(DECIDED.side == 1)[0]))
    assert long is not None
    assert long.side is Side.LONG
    assert DECIDED.entry(0) is None


def test_a_bias_that_only_blocks_does_not_close() -> None:
    """Between blocking (0.5) and closing (1.0) a position is left alone."""
    mild = (DECIDED.bias == Bias.SHORT) & (DECIDED.bias_strength >= 0.5)
    mild &= (DECIDED.bias_strength < 0.99) & (DECIDED.regime != Regime.DOWN)
    assert mild.any()
    assert not DECIDED.exit_long[mild].any()


def test_light_says_that_a_feed_is_dropped_in_the_open() -> None:
    assert DECIDED.light
    assert not decide(FRAMES, HEAD, FULL).light
    assert "funding_z_168_1h" not in decide(FRAMES, HEAD, BARE).columns


def test_what_is_plotted_is_what_gates() -> None:
    """A10: the very same column objects."""
    state = evaluated(FRAMES, HEAD, LIGHT)
    for key, column in state.features.items():
        assert state.columns[key] is column
    assert set(DECIDED.columns) == set(state.features)


def test_a_head_whose_entries_would_carry_their_own_exit_is_refused() -> None:
    with pytest.raises(DeclarationError, match=r"exit_from must not be below block_from"):
        replace(HEAD, bias=replace(HEAD.bias, block_from=0.9, exit_from=0.3))


def test_a_regime_that_could_never_be_confirmed_is_refused() -> None:
    with pytest.raises(DeclarationError, match=r"window_bars must exceed confirm_bars"):
        replace(HEAD, regime=replace(HEAD.regime, confirm_bars=12, window_bars=12))
