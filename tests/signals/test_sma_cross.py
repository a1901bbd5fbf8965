"""sma_cross: declared and listed by no head."""

from __future__ import annotations

import numpy as np
import pytest
from signals.cases import DOWN, STRUCTURE_UP, UP, market
from signals.checks import Case, check_regimes, check_sides, check_unknown

from hydra_ft.signals.sma_cross import confidence, sma_cross
from hydra_ft.types import Regime

LONG = {
    "close_5m": 100.0,
    "sma_cross_100_1h": 1.0,
    "change_1_1h": 0.004,
    "vol_expansion_20_1h": 1.0,
    "atr_14_1h": 1.25,
    "open_interest_change_4_1h": 0.0,
    "funding_z_168_1h": 0.0,
    "liquidation_ratio_12_5m": 0.5,
    **{key: value for key, value in STRUCTURE_UP.items() if key.endswith("_1h")},
}
SHORT = {
    **LONG,
    "sma_cross_100_1h": -1.0,
    "change_1_1h": -0.004,
    "higher_high_30_1h": 0.0,
    "lower_low_30_1h": 1.0,
}
CASE = Case(sma_cross, LONG, UP, SHORT, DOWN)
SILENT, FIRED = (False, False), (True, False)
UNSURE = market(confidence=0.7)


def test_it_fires_on_both_sides_with_and_without_the_feeds_it_may_use() -> None:
    check_sides(CASE)
    check_unknown(CASE)
    check_regimes(CASE, {Regime.UP})


@pytest.mark.parametrize(
    "miss",
    [
        {"sma_cross_100_1h": 0.0},
        {"sma_cross_100_1h": -1.0},
        {"vol_expansion_20_1h": 3.01},
        {"change_1_1h": 0.0251},
        {"change_1_1h": -0.0251},
        {"funding_z_168_1h": 1.5},
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
        {"vol_expansion_20_1h": 3.0},
        {"change_1_1h": 0.025},
        {"change_1_1h": -0.025},
        {"funding_z_168_1h": 1.49},
        {"liquidation_ratio_12_5m": 5.0},
        {"higher_high_30_1h": 0.0},
        {"open_interest_change_4_1h": np.nan},
    ],
)
def test_it_fires_right_inside_each_of_its_thresholds(near: dict[str, float]) -> None:
    assert CASE.on(**near) == FIRED


def test_the_short_reads_the_crowd_of_its_own_side() -> None:
    assert CASE.mirrored(funding_z_168_1h=-1.5) == SILENT
    assert CASE.mirrored(funding_z_168_1h=1.5) == (False, True)


def test_stop_is_bounded_and_the_target_grows_with_the_confidence() -> None:
    assert CASE.distances(atr_14_1h=0.5)[0] == pytest.approx(0.012)
    assert CASE.distances(atr_14_1h=5.0)[0] == pytest.approx(0.020)
    assert CASE.distances() == pytest.approx((0.015, 0.015 * 2.5))
    assert CASE.trust() == pytest.approx(0.70)
    assert CASE.trust(higher_high_30_1h=0.0) == pytest.approx(0.65)
    assert CASE.distances(higher_high_30_1h=0.0) == pytest.approx((0.015, 0.015 * 2.0))


def test_parts_of_the_confidence_add_up_to_its_cap() -> None:
    yes, no = np.array([True]), np.array([False])
    none, one = np.array([0.0]), np.array([1.0])
    assert confidence(no, no, none, no, no)[0] == pytest.approx(0.55)
    assert confidence(yes, no, none, no, no)[0] == pytest.approx(0.65)
    assert confidence(no, yes, none, no, no)[0] == pytest.approx(0.63)
    assert confidence(no, no, one, no, no)[0] == pytest.approx(0.60)
    assert confidence(no, no, -one, no, no)[0] == pytest.approx(0.50)
    assert confidence(no, no, none, yes, no)[0] == pytest.approx(0.60)
    assert confidence(no, no, none, no, yes)[0] == pytest.approx(0.60)
    assert confidence(yes, yes, one, yes, yes)[0] == 0.75


@pytest.mark.parametrize(
    ("change", "trust"),
    [
        ({}, 0.60),
        ({"open_interest_change_4_1h": 0.003}, 0.65),
        ({"open_interest_change_4_1h": -0.003}, 0.55),
        ({"open_interest_change_4_1h": 0.0029}, 0.60),
        ({"funding_z_168_1h": -1.0}, 0.68),
        ({"vol_expansion_20_1h": 1.2}, 0.65),
        ({"vol_expansion_20_1h": 2.0}, 0.65),
        ({"vol_expansion_20_1h": 2.01}, 0.60),
    ],
)
def test_confidence_reads_each_of_its_columns(change: dict[str, float], trust: float) -> None:
    assert CASE.trust(UNSURE, **change) == pytest.approx(trust)


def test_hold_and_cooldowns() -> None:
    """A6: at most 24 h; a day, two on the other side."""
    assert sma_cross.max_hold_s == 24 * 3600
    assert (sma_cross.cooldown_s, sma_cross.flip_s) == (24 * 3600, 48 * 3600)
