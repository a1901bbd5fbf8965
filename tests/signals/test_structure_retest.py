"""structure_retest: broken, tested again, held for two bars."""

from __future__ import annotations

import numpy as np
import pytest
from signals.cases import DOWN, UP, market
from signals.checks import Case, check_regimes, check_sides, check_unknown

from hydra_ft.signals.structure_retest import confidence, structure_retest
from hydra_ft.types import Bias, Regime

ABOVE = {"retest_gap_above_72_5m": 0.001, "retest_hold_above_72_5m": 0.002}
BELOW = {"retest_gap_below_72_5m": 0.001, "retest_hold_below_72_5m": 0.002}
NONE_ABOVE = {"retest_gap_above_72_5m": 1.0, "retest_hold_above_72_5m": 0.0}
NONE_BELOW = {"retest_gap_below_72_5m": 1.0, "retest_hold_below_72_5m": 0.0}
LONG = {
    "close_5m": 100.0,
    "vol_expansion_20_1h": 1.0,
    "funding_z_168_1h": 0.0,
    "liquidation_ratio_12_5m": 0.5,
    "liquidation_imbalance_12_5m": 0.0,
    **ABOVE,
    **NONE_BELOW,
}
SHORT = {**LONG, **NONE_ABOVE, **BELOW}
CASE = Case(structure_retest, LONG, UP, SHORT, DOWN)
SILENT, FIRED = (False, False), (True, False)


def test_it_fires_on_both_sides_with_and_without_the_feeds_it_may_use() -> None:
    check_sides(CASE)
    check_unknown(CASE)
    check_regimes(CASE, {Regime.UP})


@pytest.mark.parametrize(
    "miss",
    [
        {"retest_gap_above_72_5m": 0.0031},
        {"retest_gap_above_72_5m": -0.0031},
        {"retest_hold_above_72_5m": 0.0014},
        {"vol_expansion_20_1h": 2.51},
        {"funding_z_168_1h": 1.5},
        {"funding_z_168_1h": np.nan},
        {"liquidation_ratio_12_5m": 5.01},
        {"liquidation_ratio_12_5m": np.nan},
        NONE_ABOVE,
    ],
)
def test_it_misses_each_of_its_conditions(miss: dict[str, float]) -> None:
    assert CASE.on(**miss) == SILENT


@pytest.mark.parametrize(
    "near",
    [
        {"retest_gap_above_72_5m": 0.003},
        {"retest_gap_above_72_5m": -0.003},
        {"retest_hold_above_72_5m": 0.0015},
        {"vol_expansion_20_1h": 2.5},
        {"funding_z_168_1h": 1.49},
        {"liquidation_ratio_12_5m": 5.0},
    ],
)
def test_it_fires_right_inside_each_of_its_thresholds(near: dict[str, float]) -> None:
    assert CASE.on(**near) == FIRED


@pytest.mark.parametrize(
    "miss",
    [{"retest_gap_below_72_5m": 0.0031}, {"retest_hold_below_72_5m": 0.0014}, NONE_BELOW],
)
def test_the_short_misses_its_own_conditions(miss: dict[str, float]) -> None:
    assert CASE.mirrored(**miss) == SILENT
    assert CASE.mirrored(funding_z_168_1h=-1.5) == SILENT
    assert CASE.mirrored(funding_z_168_1h=1.5) == (False, True)


def test_levels_broken_on_both_sides_are_no_signal() -> None:
    """Conflicting evidence: a pullback that broke a low on its way to the broken high."""
    assert CASE.on(retest_hold_below_72_5m=0.0001) == SILENT
    assert CASE.mirrored(retest_hold_above_72_5m=0.0001) == SILENT


def test_stop_and_target_are_the_same_for_every_trade() -> None:
    """X38: stop 0.8 %, target 1.44 %, reward to risk 1.8 always."""
    for price in (1.0, 100.0, 50_000.0):
        stop, target = CASE.distances(close_5m=price)
        assert stop == pytest.approx(0.008)
        assert target == pytest.approx(0.0144)
        assert target / stop == pytest.approx(1.8)


def test_a_long_is_surer_when_shorts_were_liquidated_and_not_when_longs_were() -> None:
    """A6: the original had the sign the other way round."""
    many = {"liquidation_ratio_12_5m": 1.1}
    assert CASE.trust(**many, liquidation_imbalance_12_5m=-0.4) == pytest.approx(0.66)
    assert CASE.trust(**many, liquidation_imbalance_12_5m=0.4) == pytest.approx(0.58)
    assert CASE.trust(**many, liquidation_imbalance_12_5m=0.0) == pytest.approx(0.58)
    few = {"liquidation_ratio_12_5m": 1.0}
    assert CASE.trust(**few, liquidation_imbalance_12_5m=-0.4) == pytest.approx(0.58)


def test_a_long_is_surer_when_shorts_crowd() -> None:
    assert CASE.trust(funding_z_168_1h=-1.0) == pytest.approx(0.63)
    assert CASE.trust(funding_z_168_1h=-0.99) == pytest.approx(0.58)
    assert CASE.bare().trust(market(bias=Bias.NEUTRAL)) == pytest.approx(0.58)


def test_confidence_stays_below_its_cap() -> None:
    yes, no = np.array([True]), np.array([False])
    assert confidence(no, no)[0] == pytest.approx(0.58)
    assert confidence(yes, yes)[0] == pytest.approx(0.71)
    assert confidence(yes, yes)[0] <= 0.75


def test_hold_and_cooldowns() -> None:
    """A6: at most 12 h; 2 h, 4 h on the other side."""
    assert structure_retest.max_hold_s == 12 * 3600
    assert (structure_retest.cooldown_s, structure_retest.flip_s) == (2 * 3600, 4 * 3600)
