"""Bias, trend and regime at their edges: ties, caps, signs, and one component alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from market.columns import STRONG_UP, constant

from hydra_ft.market import scores
from hydra_ft.market.bias import (
    BiasRules,
    bias_columns,
    describe,
    liquidation_part,
    open_interest_part,
    trend_part,
)
from hydra_ft.market.regime import RegimeRules, persisted, regime_columns
from hydra_ft.market.scores import ChopRules
from hydra_ft.market.trend import direction, is_trending, trend_score
from hydra_ft.types import Bias, Feed, Regime

FLAT = {
    **STRONG_UP,
    **dict.fromkeys(("higher_high_30", "higher_low_30", "lower_high_30", "lower_low_30"), 0.0),
}


# --- bias ------------------------------------------------------------------------------


def part_of(near: float, far: float) -> float:
    return float(trend_part(np.array([near]), np.array([far]))[0])


@pytest.mark.parametrize("sign", [1, -1])
def test_either_half_of_the_price_trend_is_capped_at_one_half(sign: int) -> None:
    assert part_of(0.02 * sign, 0.0) == 0.5 * sign
    assert part_of(0.0, 0.04 * sign) == 0.5 * sign
    assert part_of(0.02 * sign, -0.04 * sign) == 0.0
    assert part_of(0.02 * sign, 0.04 * sign) == 1.0 * sign


def test_no_liquidations_in_balance_say_nothing_and_unknown_ones_are_unknown() -> None:
    found = liquidation_part(np.array([0.0, 0.4, -0.4, np.nan]))
    assert found[:3].tolist() == [0, 0, 0]
    assert np.isnan(found[3])


@pytest.mark.parametrize("held", [-0.03, 0.0, 0.03])
@pytest.mark.parametrize("price", [-0.02, 0.0, 0.02])
def test_every_cell_of_open_interest_and_price(held: float, price: float) -> None:
    """X27's component; a fall of the price with steady open interest says nothing."""
    expected = {(1, -1): -0.4, (1, 1): 0.2, (-1, 1): 0.4, (-1, -1): -0.4}
    found = open_interest_part(np.array([held]), np.array([price]))[0]
    assert found == expected.get((int(np.sign(held)), int(np.sign(price))), 0.0)


def test_one_crowded_feed_alone_blocks_a_side_and_less_does_not() -> None:
    """F-A18: |z| of 1.25 by its weight of 0.35 is a score of 0.175, half strength, as measured."""
    feeds = (Feed.CANDLES, Feed.FUNDING, Feed.OPEN_INTEREST, Feed.LIQUIDATIONS)
    columns = {
        "change_4": np.zeros(2),
        "change_24": np.zeros(2),
        "open_interest_change_24": np.zeros(2),
        "liquidation_imbalance_48": np.zeros(2),
        "funding_z_168": np.array([1.25, 1.24]),
    }
    found = bias_columns(columns, BiasRules(), feeds)
    assert found.score.tolist() == pytest.approx([-0.175, -0.1736])
    assert (found.strength >= 0.5 - 1e-9).tolist() == [True, False]
    assert found.bias.tolist() == [-1, -1]
    assert found.bias.dtype == np.int64
    fewer = bias_columns(columns, BiasRules(), (Feed.CANDLES, Feed.FUNDING))
    assert fewer.strength[1] == pytest.approx(0.1736 / 0.55 / 0.35)


@pytest.mark.parametrize(
    ("z", "text"),
    [
        (0.99, "bias long; funding is ordinary (z +1.0)"),
        (1.0, "bias long; longs are crowded (funding z +1.0), which is bearish"),
        (-1.0, "bias long; shorts are crowded (funding z -1.0), which is bullish"),
        (0.6, "bias long; funding is ordinary (z +0.6)"),
    ],
)
def test_the_whole_sentence_about_the_crowd(z: float, text: str) -> None:
    """F-A19."""
    assert describe(Bias.LONG, z) == text


# --- trend -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fast", "slow", "base", "points"),
    [
        (99.9, 99.8, 99.7, 0.3),
        (100.1, 100.2, 100.3, -0.3),
        (99.9, 99.8, 99.85, 0.0),
        (99.9, 99.95, 99.8, 0.0),
        (100.1, 100.05, 100.3, 0.0),
        (100.1, 100.2, 100.15, 0.0),
        (99.9, 99.9, 99.7, 0.0),
        (99.9, 99.8, 99.8, 0.0),
        (100.1, 100.1, 100.3, 0.0),
        (100.1, 100.2, 100.2, 0.0),
    ],
)
def test_the_stack_counts_only_when_all_three_stand_in_order(
    fast: float, slow: float, base: float, points: float
) -> None:
    """X30: EMA20 > EMA50 > SMA200 is 0.3; any tie or one pair out of order is nothing."""
    columns = constant({**FLAT, "ema_20": fast, "ema_50": slow, "sma_200": base})
    assert trend_score(columns)[0] == pytest.approx(points)


def test_direction_and_trend_have_a_sign_and_are_whole_numbers() -> None:
    score = np.array([-1.0, -0.31, -0.3, 0.0, 0.3, 0.31, 1.0])
    assert direction(score).tolist() == [-1, -1, 0, 0, 0, 1, 1]
    assert is_trending(score).tolist() == [-1, 0, 0, 0, 0, 0, 1]
    assert direction(score).dtype == is_trending(score).dtype == np.int64


# --- scores ----------------------------------------------------------------------------

UNDECIDED = {**FLAT, "ema_20": 99.0, "ema_50": 101.0}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"change_4": 0.004}, 1),
        ({"change_4": -0.004}, -1),
        ({"change_4": 0.002}, 0),
        ({"change_4": 0.002, "ema_20": 101.0, "ema_50": 102.0}, -1),
        ({"change_4": 0.004, "ema_20": 101.0, "ema_50": 102.0}, 1),
        ({"change_4": -0.002, "ema_50": 98.0}, 1),
        ({"change_4": -0.02, "higher_high_30": 1.0}, 1),
        ({"change_4": 0.02, "lower_low_30": 1.0}, -1),
    ],
)
def test_the_direction_is_that_of_the_first_component_that_has_one(
    values: dict[str, float], expected: int
) -> None:
    """A3: structure, then the move of 4 h, then the averages."""
    found = scores.trend_score(constant({**UNDECIDED, **values}))
    assert found.direction[0] == expected


@pytest.mark.parametrize(
    ("marks", "points"),
    [
        *(((1, 1, 0, 0), 0.4), ((1, 0, 0, 0), 0.2), ((0, 1, 0, 0), 0.2), ((0, 0, 1, 0), 0.2)),
        *(((0, 0, 1, 1), 0.4), ((1, 1, 1, 0), 0.4), ((1, 0, 0, 1), 0.0), ((1, 1, 1, 1), 0.0)),
    ],
)
def test_structure_counts_for_the_side_that_has_more_of_it(
    marks: tuple[int, ...], points: float
) -> None:
    """F6: structures that contradict each other fully can stand together here; they cancel."""
    names = ("higher_high_30", "higher_low_30", "lower_high_30", "lower_low_30")
    columns = constant({**UNDECIDED, "change_4": 0.0, **dict(zip(names, marks, strict=True))})
    # EMA20 < close < EMA50 gives 0.1, a volatility ratio of 1 gives 0.15.
    assert scores.trend_score(columns).score[0] == pytest.approx(points + 0.25)


@pytest.mark.parametrize("name", scores.TREND_NEEDS)
def test_the_trend_score_is_unknown_without_any_one_of_its_columns(name: str) -> None:
    assert np.isnan(scores.trend_score(constant({**STRONG_UP, name: np.nan})).score[0])


@pytest.mark.parametrize("name", scores.RANGE_NEEDS)
def test_the_range_score_is_unknown_without_any_one_of_its_columns(name: str) -> None:
    assert np.isnan(scores.range_score(constant({**STRONG_UP, name: np.nan}))[0])


@pytest.mark.parametrize(
    ("flips", "points"), [(0.4, 0.0), (0.48, 0.0), (0.54, 0.5), (0.60, 1.0), (0.9, 1.0)]
)
def test_flips_of_the_trade_delta_raise_the_chop_score(flips: float, points: float) -> None:
    """X23, F-A14, F6: the share of flips is an input, and grows from 0 to 1 over a ramp.

    The original labelled its threshold per bar and fed it flips per minute, so that 0.60
    gave 0, 0.61 gave 0.105, and 1.1 the cap of 0.35; and its live runner fed it nothing.
    """
    calm = constant({"efficiency_24": 0.5, "choppiness_14": 40.0, scores.FLIPS: flips})
    assert scores.chop_score(calm, ChopRules())[0] == pytest.approx(0.2 * points)


@pytest.mark.parametrize(
    ("efficiency", "choppiness", "flips", "expected"),
    [
        (0.06, 58.5, 0.0, Regime.CHOPPY),
        (0.06, 54.25, 0.60, Regime.CHOPPY),
        (0.20, 58.5, 0.60, Regime.UP),
        (0.13, 54.25, 0.54, Regime.UP),
    ],
)
def test_choppy_is_reached_by_score_through_terms_that_are_all_fed(
    efficiency: float, choppiness: float, flips: float, expected: Regime
) -> None:
    """X23, F-A14: the original's sum ended at 0.65 with what it was fed, its threshold at 0.7."""
    values = {**STRONG_UP, "efficiency_24": efficiency, "choppiness_14": choppiness}
    n = RegimeRules().window_bars + 2
    found = regime_columns(constant({**values, scores.FLIPS: flips}, n), RegimeRules())
    assert found.regime[-1] == expected
    assert found.proposal[-1] == expected
    assert found.chop_score[-1] == pytest.approx(
        0.4 * (0.20 - efficiency) / 0.14 + 0.4 * (choppiness - 50) / 8.5 + 0.2 * flips / 0.60
        if flips in {0.0, 0.60}
        else 0.5
    )


# --- the fold --------------------------------------------------------------------------


@pytest.mark.parametrize("back", [0, 1, 2])
def test_a_confidence_is_as_old_as_the_last_proposal_of_the_regime_within_the_window(
    back: int,
) -> None:
    """A switch that stays unconfirmed leaves the confidence of the last agreeing bar."""
    rules = replace(RegimeRules(), window_bars=8)
    up, down = int(Regime.UP), int(Regime.DOWN)
    proposed = np.array([up] * 7 + [down, int(Regime.RANGING)][:back])
    confidence = np.linspace(0.6, 0.9, proposed.size)
    proposed, confidence = np.r_[[up] * 8, proposed], np.r_[np.full(8, 0.55), confidence]
    regime, held = persisted(proposed, confidence, rules)
    assert regime[-1] == up
    assert held[-1] == confidence[-1 - back]
    assert regime.dtype == np.int64
    assert held.dtype == np.float64


def test_the_start_of_the_fold_is_choppy_with_the_confidence_of_the_unknown() -> None:
    """Proposals that never agree leave the start: CHOPPY at 0.5, proposed by no bar."""
    rules = replace(RegimeRules(), window_bars=8)
    proposed = np.array([int(Regime.CHOPPY), *[int(Regime.UP), int(Regime.DOWN)] * 4])
    regime, held = persisted(proposed, np.full(9, 0.8), rules)
    assert regime[-1] == Regime.CHOPPY
    assert held[-1] == 0.5
    assert held[-2] == 0.8


def test_a_window_is_needed_whole() -> None:
    rules = replace(RegimeRules(), window_bars=8)
    for n in (0, 1, 7):
        regime, held = persisted(np.full(n, int(Regime.UP)), np.full(n, 0.8), rules)
        assert regime.tolist() == [int(Regime.CHOPPY)] * n
        assert regime.dtype == np.int64
        assert np.isnan(held).all()
    regime, held = persisted(np.full(8, int(Regime.UP)), np.full(8, 0.8), rules)
    assert (regime[-1], held[-1]) == (Regime.UP, 0.8)
