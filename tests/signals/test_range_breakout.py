"""range_breakout: a narrow range, left for less than 20 minutes, with nothing against it."""

from __future__ import annotations

import numpy as np
import pytest
from signals.cases import DOWN, UP, market
from signals.checks import Case, check_regimes, check_sides, check_unknown

from hydra_ft.signals.range_breakout import RangeBreakoutRules, confidence, range_breakout
from hydra_ft.types import Bias, Regime

# A range of 96 .. 99 (3.1 % wide), left upwards; the margin is 0.3.
LONG = {
    "close_5m": 99.5,
    "low_4_5m": 98.8,
    "high_4_5m": 99.6,
    "prior_low_24_1h": 96.0,
    "prior_high_24_1h": 99.0,
    "prior_width_12_1h": 0.035,
    "open_interest_change_1_1h": 0.003,
    "funding_z_168_1h": 0.5,
    "liquidation_ratio_12_5m": 1.5,
    "liquidation_imbalance_12_5m": -0.8,
}
# Mirrored in 99.5, so that the distances are the same shares of the same price.
SHORT = {
    **LONG,
    "low_4_5m": 99.4,
    "high_4_5m": 100.2,
    "prior_low_24_1h": 100.0,
    "prior_high_24_1h": 103.0,
    "funding_z_168_1h": -0.5,
    "liquidation_imbalance_12_5m": 0.8,
}
CASE = Case(range_breakout, LONG, UP, SHORT, DOWN)
SILENT, FIRED = (False, False), (True, False)


def test_it_fires_on_both_sides_with_and_without_the_feeds_it_may_use() -> None:
    check_sides(CASE)
    check_unknown(CASE)


def test_a_break_against_the_regime_is_none_and_a_range_has_no_side() -> None:
    """T3, and A6: not against the regime."""
    check_regimes(CASE, {Regime.UP, Regime.RANGING})
    assert CASE.mirrored(market=market(Regime.RANGING, trend=-0.7)) == (False, True)
    assert CASE.mirrored(market=market(Regime.UP, trend=-0.7)) == SILENT


@pytest.mark.parametrize(
    "miss",
    [
        {"close_5m": 99.30},
        {"low_4_5m": 99.01},
        {"prior_width_12_1h": 0.04},
        {"open_interest_change_1_1h": 0.0019},
        {"open_interest_change_1_1h": np.nan},
        {"funding_z_168_1h": 1.5},
        {"funding_z_168_1h": np.nan},
        {"liquidation_ratio_12_5m": 0.99},
        {"liquidation_ratio_12_5m": np.nan},
        {"liquidation_imbalance_12_5m": 0.51},
        {"liquidation_imbalance_12_5m": np.nan},
    ],
)
def test_it_misses_each_of_its_conditions(miss: dict[str, float]) -> None:
    assert CASE.on(**miss) == SILENT


@pytest.mark.parametrize(
    "near",
    [
        {"close_5m": 99.31},
        {"low_4_5m": 99.0},
        {"prior_width_12_1h": 0.0399},
        {"open_interest_change_1_1h": 0.002},
        {"funding_z_168_1h": 1.49},
        {"liquidation_ratio_12_5m": 1.0},
        {"liquidation_imbalance_12_5m": 0.5},
    ],
)
def test_it_fires_right_inside_each_of_its_thresholds(near: dict[str, float]) -> None:
    assert CASE.on(**near) == FIRED


@pytest.mark.parametrize(
    "miss",
    [
        {"close_5m": 99.70},
        {"high_4_5m": 99.99},
        {"funding_z_168_1h": -1.5},
        {"liquidation_imbalance_12_5m": -0.51},
    ],
)
def test_the_short_misses_its_own_conditions(miss: dict[str, float]) -> None:
    assert CASE.mirrored(**miss) == SILENT


def test_a_range_that_is_left_by_width_alone_is_left_at_its_edge() -> None:
    """A6: the original waited until the range had grown to 4 %."""
    thin = {"prior_low_24_1h": 98.0, "prior_width_12_1h": 0.011}
    assert CASE.on(**thin, close_5m=99.11) == FIRED
    assert CASE.on(**thin, close_5m=99.09) == SILENT


def test_a_trend_of_the_other_side_forbids_it() -> None:
    """Conflicting evidence gives no signal; a trend of 0.5 is not one yet."""
    assert CASE.on(market=market(trend=-0.50)) == FIRED
    assert CASE.on(market=market(trend=-0.51)) == SILENT
    assert CASE.on(market=market(trend=np.nan)) == SILENT


def test_stop_is_half_the_way_to_the_far_edge_within_its_bounds() -> None:
    wide = (99.5 - 96.0) / 99.5 / 2
    assert wide > 0.012
    assert CASE.distances()[0] == pytest.approx(0.012)
    assert CASE.distances(prior_low_24_1h=97.5)[0] == pytest.approx(2.0 / 99.5 / 2)
    assert CASE.distances(prior_low_24_1h=98.9)[0] == pytest.approx(0.008)


def test_target_is_one_and_a_half_ranges_between_2_r_and_3_percent() -> None:
    assert CASE.distances()[1] == pytest.approx(0.03)
    assert CASE.distances(prior_low_24_1h=97.5)[1] == pytest.approx(1.5 * 1.5 / 99.5)
    assert CASE.distances(prior_low_24_1h=98.9)[1] == pytest.approx(0.016)


def test_parts_of_the_confidence_add_up_to_its_cap() -> None:
    yes, no = np.array([True]), np.array([False])
    assert confidence(no, no, no)[0] == pytest.approx(0.60)
    assert confidence(yes, no, no)[0] == pytest.approx(0.70)
    assert confidence(no, yes, no)[0] == pytest.approx(0.65)
    assert confidence(no, no, yes)[0] == pytest.approx(0.65)
    assert confidence(yes, yes, yes)[0] == 0.80


def test_confidence_reads_twice_what_is_asked_of_the_feeds() -> None:
    plain = market(trend=0.5, bias=Bias.NEUTRAL)
    assert CASE.trust(plain) == pytest.approx(0.60)
    assert CASE.trust() == pytest.approx(0.65)
    assert CASE.trust(plain, liquidation_ratio_12_5m=2.0) == pytest.approx(0.60)
    assert CASE.trust(plain, liquidation_ratio_12_5m=2.01) == pytest.approx(0.70)
    assert CASE.trust(plain, open_interest_change_1_1h=0.004) == pytest.approx(0.60)
    assert CASE.trust(plain, open_interest_change_1_1h=0.0041) == pytest.approx(0.65)


def test_hold_and_cooldowns() -> None:
    """A6: at most 24 h; 3 h, 4 h on the other side (from the merged CompressionBreakout)."""
    assert range_breakout.max_hold_s == 24 * 3600
    assert (range_breakout.cooldown_s, range_breakout.flip_s) == (3 * 3600, 4 * 3600)
    assert RangeBreakoutRules().reward == 2.0
