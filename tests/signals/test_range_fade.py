"""range_fade: the only signal of a RANGING market that does not wait for its end."""

from __future__ import annotations

import numpy as np
import pytest
from signals.cases import market
from signals.checks import Case, check_regimes, check_sides, check_unknown

from hydra_ft.signals.range_fade import confidence, range_fade
from hydra_ft.types import Bias, Regime

# A range of 4 from 99.6: the price stands a tenth of it from the lower edge.
LONG = {
    "open_5m": 99.9,
    "close_5m": 100.0,
    "low_24_1h": 99.6,
    "high_24_1h": 103.6,
    "edge_age_24_1h": 8.0,
    "atr_14_1h": 0.6,
    "vol_expansion_20_1h": 0.8,
    "open_interest_change_1_1h": 0.0,
    "funding_z_168_1h": 0.0,
    "liquidation_ratio_12_5m": 0.5,
}
SHORT = {**LONG, "open_5m": 100.1, "low_24_1h": 96.4, "high_24_1h": 100.4}
QUIET = market(Regime.RANGING, trend=0.0, bias=Bias.NEUTRAL)
CASE = Case(range_fade, LONG, QUIET, SHORT, QUIET)
SILENT, FIRED = (False, False), (True, False)


def test_it_fires_on_both_sides_with_and_without_the_feeds_it_may_use() -> None:
    check_sides(CASE)
    check_unknown(CASE)


def test_it_trades_in_ranges_only() -> None:
    """T3: RANGING had nothing but the breakout."""
    check_regimes(CASE, {Regime.RANGING})
    assert range_fade.regimes == (Regime.RANGING,)


@pytest.mark.parametrize(
    "miss",
    [
        {"open_5m": 100.0},
        {"open_5m": 100.1},
        {"low_24_1h": 100.01},
        {"low_24_1h": 99.36, "high_24_1h": 103.36, "atr_14_1h": 0.2},
        {"edge_age_24_1h": 5.0},
        {"vol_expansion_20_1h": 1.51},
        {"open_interest_change_1_1h": 0.002},
        {"open_interest_change_1_1h": np.nan},
        {"funding_z_168_1h": 1.0},
        {"funding_z_168_1h": np.nan},
        {"liquidation_ratio_12_5m": 5.01},
        {"liquidation_ratio_12_5m": np.nan},
    ],
)
def test_it_misses_each_of_its_conditions(miss: dict[str, float]) -> None:
    assert CASE.on(**miss) == SILENT


@pytest.mark.parametrize(
    "near",
    [
        {"open_5m": 99.99},
        {"low_24_1h": 100.0},
        {"low_24_1h": 99.4, "high_24_1h": 103.4},
        {"edge_age_24_1h": 6.0},
        {"vol_expansion_20_1h": 1.5},
        {"open_interest_change_1_1h": 0.0019},
        {"funding_z_168_1h": 0.99},
        {"liquidation_ratio_12_5m": 5.0},
    ],
)
def test_it_fires_right_inside_each_of_its_thresholds(near: dict[str, float]) -> None:
    assert CASE.on(**near) == FIRED


@pytest.mark.parametrize(
    "miss",
    [
        {"open_5m": 100.0},
        {"high_24_1h": 99.99},
        {"high_24_1h": 100.64, "low_24_1h": 96.64, "atr_14_1h": 0.2},
        {"funding_z_168_1h": -1.0},
    ],
)
def test_the_short_misses_its_own_conditions(miss: dict[str, float]) -> None:
    assert CASE.mirrored(**miss) == SILENT


def test_an_edge_is_not_faded_against_a_trend() -> None:
    """Conflicting evidence gives no signal."""
    assert CASE.on(market=market(Regime.RANGING, trend=-0.50)) == FIRED
    assert CASE.on(market=market(Regime.RANGING, trend=-0.51)) == SILENT
    assert CASE.on(market=market(Regime.RANGING, trend=np.nan)) == SILENT
    assert CASE.mirrored(market=market(Regime.RANGING, trend=0.51)) == SILENT


def test_stop_stands_half_an_atr_beyond_the_edge() -> None:
    assert CASE.distances()[0] == pytest.approx(0.004 + 0.003)
    assert CASE.distances(atr_14_1h=0.2)[0] == pytest.approx(0.006)


def test_a_stop_that_would_be_too_far_is_not_moved_into_the_range() -> None:
    wide = {"high_24_1h": 113.6}
    assert CASE.on(**wide, atr_14_1h=2.2) == FIRED
    assert CASE.on(**wide, atr_14_1h=2.21) == SILENT


def test_target_is_the_middle_of_the_range() -> None:
    stop, target = CASE.distances()
    assert target == pytest.approx(101.6 / 100 - 1)
    assert target / stop == pytest.approx(0.016 / 0.007)


def test_a_range_too_narrow_to_be_worth_it_is_left_alone() -> None:
    """Below 1.5 R: with a stop of 0.6 % the middle must be 0.9 % away."""
    calm = {"low_24_1h": 99.9, "atr_14_1h": 0.2}
    assert CASE.on(**calm, high_24_1h=101.9) == FIRED
    assert CASE.on(**calm, high_24_1h=101.89) == SILENT


def test_parts_of_the_confidence_add_up_to_its_cap() -> None:
    yes, no = np.array([True]), np.array([False])
    assert confidence(no, no, no)[0] == pytest.approx(0.55)
    assert confidence(yes, no, no)[0] == pytest.approx(0.65)
    assert confidence(no, yes, no)[0] == pytest.approx(0.60)
    assert confidence(no, no, yes)[0] == pytest.approx(0.60)
    assert confidence(yes, yes, yes)[0] == pytest.approx(0.75)


def test_confidence_reads_age_bias_and_crowd() -> None:
    aligned = market(Regime.RANGING, trend=0.0, bias=Bias.LONG)
    assert CASE.trust() == pytest.approx(0.55)
    assert CASE.trust(edge_age_24_1h=12.0) == pytest.approx(0.65)
    assert CASE.trust(aligned) == pytest.approx(0.60)
    assert CASE.trust(funding_z_168_1h=-1.0) == pytest.approx(0.60)


def test_hold_and_cooldown() -> None:
    assert range_fade.max_hold_s == 12 * 3600
    assert (range_fade.cooldown_s, range_fade.flip_s) == (2 * 3600, 0)
