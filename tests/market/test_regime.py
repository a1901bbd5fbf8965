"""The regime: scores, reachability of all states, persistence, invariance."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from bars.synthetic import random_bars
from market.columns import STRONG_UP, computed, constant

from hydra_ft.bars.candles import part
from hydra_ft.market import scores
from hydra_ft.market.regime import (
    RegimeRules,
    lookback,
    persisted,
    proposals,
    regime_columns,
)
from hydra_ft.types import Bars, Regime

RULES = RegimeRules()
NO_CHOP = {"efficiency_24": 0.5, "choppiness_14": 40.0}


def steady(values: dict[str, float]) -> tuple[Regime, float]:
    """Regime and confidence after these values have stood for long enough."""
    n = RULES.window_bars + 2
    found = regime_columns(constant({**STRONG_UP, **values}, n), RULES)
    return Regime(int(found.regime[-1])), float(found.confidence[-1])


def test_a_full_trend_is_up_with_confidence_of_nine_tenths() -> None:
    """X21."""
    raw = scores.trend_score(constant(STRONG_UP))
    assert raw.score[0] == 1.0
    assert raw.direction[0] == 1
    assert steady({}) == (Regime.UP, pytest.approx(0.90))


def test_a_full_trend_downward_is_the_mirror() -> None:
    mirror = {
        "ema_20": 101.0,
        "ema_50": 102.0,
        "change_4": -0.016,
        "higher_high_30": 0.0,
        "higher_low_30": 0.0,
        "lower_high_30": 1.0,
        "lower_low_30": 1.0,
    }
    assert steady(mirror) == (Regime.DOWN, pytest.approx(0.90))


X22 = {
    "higher_high_30": 0.0,
    "higher_low_30": 0.0,
    "change_4": 0.0035,
    "ema_20": 99.0,
    "ema_50": 101.0,
}


def test_a_drift_without_structure_is_no_trend() -> None:
    """X22, F-A15: it scores 0.40 as in the original, which called it UP at 0.66."""
    assert scores.trend_score(constant({**STRONG_UP, **X22})).score[0] == pytest.approx(0.40)
    assert steady(X22)[0] not in {Regime.UP, Regime.DOWN}


def test_a_half_structure_alone_is_no_trend() -> None:
    """F-A15: half a structure passed the original's 0.25 on its own."""
    half = {**X22, "higher_high_30": 1.0, "change_4": 0.0}
    assert scores.trend_score(constant({**STRONG_UP, **half})).score[0] == pytest.approx(0.45)
    assert steady(half)[0] not in {Regime.UP, Regime.DOWN}


def test_contradicting_half_structures_have_no_direction() -> None:
    both = {**STRONG_UP, **X22, "higher_high_30": 1.0, "lower_low_30": 1.0, "change_4": 0.0}
    found = scores.trend_score(constant(both))
    assert found.direction[0] == 0
    assert found.score[0] == pytest.approx(0.25)


def test_trend_scores_are_smoothed_over_three_bars() -> None:
    """X25."""
    assert scores.smoothed(np.array([0.1, 0.2, 0.6]))[-1] == pytest.approx(0.38)
    assert np.isnan(scores.smoothed(np.array([0.1, 0.2, 0.6]))[:2]).all()


def test_choppy_is_reachable_by_score() -> None:
    """F-A14: in the original its own score could not reach its threshold."""
    regime, confidence = steady({"efficiency_24": 0.02, "choppiness_14": 65.0})
    assert (regime, confidence) == (Regime.CHOPPY, pytest.approx(0.90))


def test_a_narrow_quiet_market_is_ranging() -> None:
    quiet = {
        **X22,
        "change_4": 0.001,
        "vol_expansion_20": 0.55,
        "high_4": 100.4,
        "low_4": 99.4,
    }
    assert steady(quiet) == (Regime.RANGING, pytest.approx(0.90))


def test_an_undecided_market_is_choppy_at_one_half() -> None:
    assert steady(X22) == (Regime.CHOPPY, 0.5)


def test_the_flip_term_is_in_only_where_trades_are_fed() -> None:
    base = constant({"efficiency_24": 0.02, "choppiness_14": 65.0})
    assert scores.chop_score(base, RULES.chop)[0] == pytest.approx(1.0)
    calm = {**base, scores.FLIPS: np.array([0.4])}
    assert scores.chop_score(calm, RULES.chop)[0] == pytest.approx(0.8)


LATTICE = {
    "higher_high_30": (0.0, 1.0),
    "higher_low_30": (0.0, 1.0),
    "lower_high_30": (0.0, 1.0),
    "lower_low_30": (0.0, 1.0),
    "change_4": (-0.02, -0.009, -0.004, 0.0, 0.004, 0.009, 0.02),
    "ema_20": (99.0, 100.0, 101.0),
    "ema_50": (98.0, 100.0, 102.0),
    "vol_expansion_20": (0.4, 0.55, 0.75, 0.9, 1.0, 2.6, 3.1),
    "high_4": (100.5, 100.8, 101.2, 103.0),
    "efficiency_24": (0.02, 0.13, 0.5),
    "choppiness_14": (40.0, 54.0, 65.0),
}


def test_the_whole_lattice_of_scores_reaches_all_four_states_and_obeys_the_order() -> None:
    """0-15, P2: every combination of component levels, and each state is among the outcomes."""
    grid = np.array(list(product(*LATTICE.values()))).T
    columns = dict(zip(LATTICE, grid, strict=True))
    n = grid.shape[1]
    columns |= {name: np.full(n, STRONG_UP[name]) for name in ("close", "atr_14")}
    columns["low_4"] = np.full(n, 99.5)
    trend, chop = scores.trend_score(columns), scores.chop_score(columns, RULES.chop)
    ranging = scores.range_score(columns)
    regime, confidence = proposals(trend.score, trend.direction, ranging, chop, RULES)
    assert set(regime) == {int(state) for state in Regime}
    for score in (trend.score, chop, ranging):
        assert score.min() >= 0
        assert score.max() <= 1 + 1e-9
    choppy = chop > 0.7 + 1e-9
    up = ~choppy & (trend.score > 0.6 + 1e-9) & (trend.direction > 0)
    assert (regime[choppy] == Regime.CHOPPY).all()
    assert (regime[up] == Regime.UP).all()
    assert ((regime == Regime.UP) == up).all()
    assert confidence.min() >= 0.5
    assert confidence.max() <= 0.9 + 1e-9


def test_the_lattice_is_symmetric_in_direction() -> None:
    """Mirroring the market mirrors the regime; the original tested LONG first."""
    random = np.random.default_rng(4)
    n = 2000
    columns = {name: random.choice(levels, n) for name, levels in LATTICE.items()}
    columns |= {"close": np.full(n, 100.0), "atr_14": np.ones(n), "low_4": np.full(n, 99.5)}
    mirror = {
        **columns,
        "change_4": -columns["change_4"],
        "ema_20": 200 - columns["ema_20"],
        "ema_50": 200 - columns["ema_50"],
        "higher_high_30": columns["lower_low_30"],
        "higher_low_30": columns["lower_high_30"],
        "lower_high_30": columns["higher_low_30"],
        "lower_low_30": columns["higher_high_30"],
    }
    here, there = scores.trend_score(columns), scores.trend_score(mirror)
    np.testing.assert_allclose(here.score, there.score)
    np.testing.assert_array_equal(here.direction, -there.direction)


# --- persistence -----------------------------------------------------------------------


def plain_fold(proposed: list[int], rules: RegimeRules) -> int:
    """The same fold in plain Python over one window."""
    state, age, candidate, votes = int(Regime.CHOPPY), 10**6, int(Regime.CHOPPY), 0
    for wanted in proposed:
        age += 1
        if wanted == state or age < rules.min_age_bars:
            candidate, votes = state, 0
            continue
        votes = votes + 1 if wanted == candidate else 1
        candidate = wanted
        if votes >= rules.confirm_bars:
            state, age, votes = wanted, 0, 0
    return state


@pytest.mark.parametrize(
    "rules", [RULES, RegimeRules(confirm_bars=3, min_age_bars=5, window_bars=16)]
)
def test_the_vectorised_fold_equals_the_plain_one(rules: RegimeRules) -> None:
    random = np.random.default_rng(6)
    proposed = np.repeat(random.integers(0, 4, 150), random.integers(1, 5, 150))
    regime, _ = persisted(proposed, np.full(proposed.size, 0.6), rules)
    width = rules.window_bars
    for t in range(width - 1, proposed.size):
        assert regime[t] == plain_fold(list(proposed[t - width + 1 : t + 1]), rules)


def fold(tail: list[Regime]) -> Regime:
    proposed = np.array([Regime.CHOPPY] * (RULES.window_bars - len(tail)) + tail)
    regime, _ = persisted(proposed, np.full(proposed.size, 0.6), RULES)
    return Regime(int(regime[-1]))


def test_a_switch_takes_two_equal_proposals_in_a_row() -> None:
    """0-15, F-A16: bars are counted, not calls."""
    up, down, choppy = Regime.UP, Regime.DOWN, Regime.CHOPPY
    assert fold([up]) is choppy
    assert fold([up, up]) is up
    assert fold([up, down]) is choppy
    assert fold([up, choppy, up]) is choppy
    assert fold([up, down, down]) is down


def test_a_regime_lasts_two_bars_before_votes_against_it_count() -> None:
    up, down = Regime.UP, Regime.DOWN
    assert fold([up, up, down, down]) is up
    assert fold([up, up, down, down, down]) is down


def test_a_regime_keeps_its_confidence_while_a_switch_is_not_confirmed() -> None:
    proposed = np.array([Regime.UP] * RULES.window_bars + [Regime.DOWN])
    confidence = np.r_[np.full(RULES.window_bars, 0.8), 0.7]
    regime, held = persisted(proposed, confidence, RULES)
    assert regime[-1] == Regime.UP
    assert held[-1] == 0.8


# --- invariance ------------------------------------------------------------------------

BARS = random_bars(520, seed=9)


def regime_of(bars: Bars) -> tuple[np.ndarray, np.ndarray]:
    found = regime_columns(computed(bars), RULES)
    return found.regime, found.confidence


def test_the_regime_is_unknown_exactly_until_its_lookback_is_full() -> None:
    """1-05, 1-06: unknown is CHOPPY without confidence, and blocks."""
    regime, confidence = regime_of(BARS)
    full = lookback(RULES)
    assert full <= 250
    assert np.isnan(confidence[:full]).all()
    assert (regime[:full] == Regime.CHOPPY).all()
    assert np.isfinite(confidence[full:]).all()


def test_the_regime_of_a_bar_does_not_see_the_future() -> None:
    regime, confidence = regime_of(BARS)
    for cut in (300, 301, 400, 519):
        early = regime_of(part(BARS, 0, cut))
        np.testing.assert_array_equal(early[0], regime[:cut])
        np.testing.assert_allclose(early[1], confidence[:cut], rtol=1e-9)


def test_the_regime_of_a_bar_does_not_depend_on_where_the_data_begins() -> None:
    regime, confidence = regime_of(BARS)
    full = lookback(RULES)
    for row in range(full, len(BARS), 37):
        alone = regime_of(part(BARS, row - full, row + 1))
        assert alone[0][-1] == regime[row]
        assert alone[1][-1] == pytest.approx(confidence[row], rel=1e-9)


def test_real_movement_visits_several_states() -> None:
    regime, _ = regime_of(random_bars(3000, seed=2))
    assert {Regime.UP, Regime.DOWN, Regime.CHOPPY} <= {Regime(int(r)) for r in regime[300:]}
