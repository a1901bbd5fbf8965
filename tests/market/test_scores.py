"""Each step of each score, on both sides of its threshold."""

from __future__ import annotations

import numpy as np
import pytest
from market.columns import STRONG_UP, constant

from hydra_ft.market import scores
from hydra_ft.market.regime import RegimeRules, proposals
from hydra_ft.types import FloatArray, Regime

RULES = RegimeRules()
WIDE = {"vol_expansion_20": 1.0, "high_4": 102.0, "low_4": 98.0, "change_4": 0.016}


def array(*values: float) -> FloatArray:
    return np.array(values)


def test_momentum_steps() -> None:
    change = array(0.003, 0.0031, 0.008, 0.0081, 0.015, 0.0151, -0.0151)
    assert scores.momentum(change).tolist() == [0.0, 0.15, 0.15, 0.2, 0.2, 0.3, 0.3]


def test_calm_steps() -> None:
    ratio = array(0.0, 0.49, 0.5, 0.69, 0.7, 2.5, 2.51, 3.0, 3.01)
    expected = [0.0, 0.05, 0.10, 0.10, 0.15, 0.15, 0.10, 0.10, 0.05]
    assert scores.calm(ratio).tolist() == expected


@pytest.mark.parametrize(
    ("fast", "slow", "points", "side"),
    [
        (99.0, 98.0, 0.2, 1),
        (101.0, 102.0, 0.2, -1),
        (99.0, 101.0, 0.1, 0),
        (101.0, 99.0, 0.1, 0),
        (100.0, 99.0, 0.1, 0),
        (99.0, 100.0, 0.1, 0),
        (100.0, 100.0, 0.0, 0),
        (99.0, 99.0, 0.1, 0),
        (101.0, 101.0, 0.1, 0),
    ],
)
def test_stack_of_averages(fast: float, slow: float, points: float, side: int) -> None:
    found = scores.stack(constant({"close": 100.0, "ema_20": fast, "ema_50": slow}))
    assert (found[0][0], found[1][0]) == (points, side)


@pytest.mark.parametrize(
    ("change", "points"),
    [
        ({}, 0.0),
        ({"vol_expansion_20": 0.99}, 0.1),
        ({"vol_expansion_20": 0.79}, 0.25),
        ({"vol_expansion_20": 0.8}, 0.1),
        ({"vol_expansion_20": 0.59}, 0.4),
        ({"vol_expansion_20": 0.6}, 0.25),
        ({"high_4": 99.99}, 0.1),
        ({"high_4": 100.0}, 0.0),
        ({"high_4": 99.49}, 0.2),
        ({"high_4": 99.5}, 0.1),
        ({"high_4": 99.19}, 0.3),
        ({"high_4": 99.2}, 0.2),
        ({"change_4": 0.0099}, 0.1),
        ({"change_4": 0.01}, 0.0),
        ({"change_4": -0.0069}, 0.2),
        ({"change_4": 0.007}, 0.1),
        ({"change_4": 0.0029}, 0.3),
        ({"change_4": 0.003}, 0.2),
    ],
)
def test_range_steps(change: dict[str, float], points: float) -> None:
    columns = constant({**STRONG_UP, **WIDE, **change})
    assert scores.range_score(columns)[0] == pytest.approx(points)


def test_ramps_run_straight_and_stay_flat_outside() -> None:
    values = array(0.0, 0.06, 0.13, 0.20, 0.5)
    assert scores.ramp(values, 0.20, 0.06) == pytest.approx([1, 1, 0.5, 0, 0])
    assert scores.ramp(array(49, 50, 54.25, 58.5, 70), 50, 58.5) == pytest.approx([0, 0, 0.5, 1, 1])
    assert scores.ramp(array(0.4, 0.5), 0.5, 0.5).tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("trend", "direction", "ranging", "chop", "expected", "trust"),
    [
        (0.9, 1.0, 0.9, 0.71, Regime.CHOPPY, 0.784),
        (0.9, 1.0, 0.9, 0.70, Regime.UP, 0.86),
        (0.9, -1.0, 0.9, 0.0, Regime.DOWN, 0.86),
        (0.9, 0.0, 0.9, 0.0, Regime.RANGING, 0.86),
        (0.61, 1.0, 0.9, 0.0, Regime.UP, 0.744),
        (0.60, 1.0, 0.61, 0.0, Regime.RANGING, 0.744),
        (0.60, 1.0, 0.60, 0.0, Regime.CHOPPY, 0.5),
    ],
)
def test_the_order_of_the_decision(
    trend: float, direction: float, ranging: float, chop: float, expected: Regime, trust: float
) -> None:
    """A3: chop, then trend with a direction, then range, else CHOPPY."""
    given = (array(trend), array(direction), array(ranging), array(chop))
    regime, confidence = proposals(*given, RULES)
    assert regime[0] == expected
    assert confidence[0] == pytest.approx(trust)


@pytest.mark.parametrize("missing", range(4))
def test_an_unknown_score_is_no_proposal(missing: int) -> None:
    given = [array(0.9), array(1.0), array(0.1), array(0.1)]
    given[missing] = array(np.nan)
    regime, confidence = proposals(*given, RULES)
    if missing == 1:
        assert regime[0] == Regime.CHOPPY
    else:
        assert np.isnan(confidence[0])
