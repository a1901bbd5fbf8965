"""The bias and its hard gate, both directions of every cell."""

from __future__ import annotations

import numpy as np
import pytest
from bars.synthetic import random_bars
from market.columns import computed

from hydra_ft.bars.candles import part
from hydra_ft.features.registry import selected
from hydra_ft.market.bias import (
    LIQUIDATION,
    NEEDS,
    BiasRules,
    bias_allows,
    bias_columns,
    describe,
    flow_part,
    funding_part,
    liquidation_part,
    open_interest_part,
    trend_part,
)
from hydra_ft.types import Bias, Feed, Side

RULES = BiasRules()
ALL = (Feed.CANDLES, Feed.FUNDING, Feed.OPEN_INTEREST, Feed.LIQUIDATIONS)
X27 = {
    "funding_z_168": 2.0,
    LIQUIDATION: 0.65,
    "open_interest_change_24": 0.03,
    "change_4": -0.006,
    "change_24": -0.015,
}


def one(values: dict[str, float], feeds: tuple[Feed, ...] = ALL) -> tuple[Bias, float, float]:
    columns = {name: np.array([value]) for name, value in values.items()}
    found = bias_columns(columns, RULES, feeds)
    return Bias(int(found.bias[0])), float(found.score[0]), float(found.strength[0])


CELLS = [
    # bias, strength, hard, long passes, short passes
    (Bias.NEUTRAL, 0.0, True, True, True),
    (Bias.LONG, 0.49, True, True, True),
    (Bias.LONG, 0.50, True, True, False),
    (Bias.SHORT, 0.49, True, True, True),
    (Bias.SHORT, 0.50, True, False, True),
    (Bias.SHORT, 1.00, False, True, True),
    (Bias.NEUTRAL, np.nan, True, False, False),
]


@pytest.mark.parametrize(("bias", "strength", "hard", "long", "short"), CELLS)
def test_every_cell_of_the_bias_gate(
    bias: Bias, strength: float, hard: bool, long: bool, short: bool
) -> None:
    """0-01, 0-29, T1: the gate blocks, and it lets pass; the original returned None always."""
    biases, strengths = np.array([int(bias)]), np.array([strength])
    for side, passes in ((Side.LONG, long), (Side.SHORT, short)):
        assert bias_allows(biases, strengths, side, 0.5, hard=hard)[0] == passes


def test_the_gate_compares_with_a_tolerance_and_strictly() -> None:
    """T2, X29: 0.4857 passes; 0.5 blocks, also when rounding has taken a hair off it."""
    strengths = np.array([0.17 / 0.35, 0.5, 0.5 - 1e-12, 0.5 - 1e-6])
    allowed = bias_allows(np.full(4, 1), strengths, Side.SHORT)
    assert list(allowed) == [True, False, False, True]


def test_all_parts_against_make_a_full_short_bias() -> None:
    """X27."""
    bias, score, strength = one(X27)
    assert score == pytest.approx(-0.645)
    assert (bias, strength) == (Bias.SHORT, 1.0)
    assert not bias_allows(np.array([-1]), np.array([strength]), Side.LONG)[0]
    assert bias_allows(np.array([-1]), np.array([strength]), Side.SHORT)[0]


def test_parts_of_x27_one_by_one() -> None:
    """X27: -0.28 - 0.15 - 0.08 - 0.135."""
    arrays = {name: np.array([value]) for name, value in X27.items()}
    parts = [
        0.35 * funding_part(arrays["funding_z_168"]),
        0.25 * liquidation_part(arrays[LIQUIDATION]),
        0.20 * open_interest_part(arrays["open_interest_change_24"], arrays["change_24"]),
        0.20 * trend_part(arrays["change_4"], arrays["change_24"]),
    ]
    assert [round(float(p[0]), 6) for p in parts] == [-0.28, -0.15, -0.08, -0.135]


@pytest.mark.parametrize(
    ("z", "part_"), [(0.49, 0.0), (0.5, -0.2), (2.5, -1.0), (-0.5, 0.2), (-9.0, 1.0)]
)
def test_funding_speaks_against_the_crowd(z: float, part_: float) -> None:
    """X29."""
    assert funding_part(np.array([z]))[0] == pytest.approx(part_)


@pytest.mark.parametrize(
    ("imbalance", "part_"), [(0.5, -0.3), (0.61, -0.6), (0.4, 0.0), (-0.41, 0.3), (-0.7, 0.6)]
)
def test_liquidated_longs_speak_for_short(imbalance: float, part_: float) -> None:
    """X14, F-A7: the side is that of the liquidated position."""
    assert liquidation_part(np.array([imbalance]))[0] == pytest.approx(part_)


@pytest.mark.parametrize(
    ("held", "price", "part_"),
    [
        (0.03, -0.02, -0.4),
        (0.03, 0.02, 0.2),
        (-0.03, 0.02, 0.4),
        (-0.03, -0.02, -0.4),
        (0.03, 0.01, 0.0),
        (0.03, 0.0, 0.0),
        (0.03, -0.01, 0.0),
        (-0.03, -0.011, -0.4),
        (-0.02, 0.02, 0.0),
        (0.02, 0.02, 0.0),
    ],
)
def test_open_interest_reads_with_the_price(held: float, price: float, part_: float) -> None:
    assert open_interest_part(np.array([held]), np.array([price]))[0] == part_


@pytest.mark.parametrize(
    ("near", "far", "part_"),
    [
        (0.002, 0.005, 0.0),
        (0.0021, 0.0, 0.105),
        (0.0, 0.0051, 0.1275),
        (0.03, 0.0, 0.5),
        (0.0, -0.05, -0.5),
        (0.03, 0.05, 1.0),
        (-0.006, -0.015, -0.675),
        (0.03, -0.05, 0.0),
    ],
)
def test_the_price_trend_counts_beyond_its_dead_zones_and_is_capped(
    near: float, far: float, part_: float
) -> None:
    assert trend_part(np.array([near]), np.array([far]))[0] == pytest.approx(part_)


@pytest.mark.parametrize(
    ("score", "strength"), [(0.17, 0.4857), (0.175, 0.5), (0.35, 1.0), (0.9, 1.0)]
)
def test_strength_is_the_score_against_035(score: float, strength: float) -> None:
    """X29, through the whole function: funding only, scaled to give the score."""
    rules = BiasRules(funding_weight=1.0, trend_weight=1e-12)
    columns = {
        "funding_z_168": np.array([-score / 0.4 if score >= 0.2 else 0.0]),
        "change_4": np.zeros(1),
        "change_24": np.zeros(1),
    }
    if score >= 0.2:
        found = bias_columns(columns, rules, (Feed.CANDLES, Feed.FUNDING))
    else:
        columns["change_4"] = np.array([score / 50])
        found = bias_columns(columns, RULES, (Feed.CANDLES,))
    assert found.strength[0] == pytest.approx(strength, abs=1e-4)
    assert found.bias[0] == Bias.LONG


def test_a_small_score_is_neutral_with_strength_zero() -> None:
    low = {"change_4": 0.0021, "change_24": 0.0}
    bias, score, strength = one({**low, "funding_z_168": 0.0}, (Feed.CANDLES, Feed.FUNDING))
    assert 0 < score < 0.08
    assert (bias, strength) == (Bias.NEUTRAL, 0.0)


def test_feeds_that_are_not_listed_leave_their_weight_to_the_others() -> None:
    """Architecture, feeds are declared: dropped in the open, weights renormalised."""
    _, score, _ = one(X27, (Feed.CANDLES, Feed.FUNDING))
    assert score == pytest.approx((-0.28 - 0.135) / (0.35 + 0.20))


@pytest.mark.parametrize("name", list(X27))
def test_a_missing_input_of_a_listed_feed_is_stale_and_blocks(name: str) -> None:
    """T1, last row: the original let it pass."""
    columns = {key: np.array([np.nan if key == name else value]) for key, value in X27.items()}
    found = bias_columns(columns, RULES, ALL)
    assert found.stale[0]
    assert np.isnan(found.strength[0])
    for side in Side:
        assert not bias_allows(found.bias, found.strength, side)[0]


def test_words_name_the_right_crowd() -> None:
    """F-A19: a high z is crowded longs, and that is bearish."""
    assert "longs are crowded" in describe(Bias.SHORT, 2.0)
    assert "bearish" in describe(Bias.SHORT, 2.0)
    assert "shorts are crowded" in describe(Bias.LONG, -2.0)
    assert "bullish" in describe(Bias.LONG, -2.0)
    assert "ordinary" in describe(Bias.NEUTRAL, 0.3)


def test_the_bias_is_prefix_and_start_invariant() -> None:
    bars = random_bars(400, seed=8)
    feeds = (Feed.CANDLES, Feed.FUNDING, Feed.OPEN_INTEREST)
    whole = bias_columns(computed(bars), RULES, feeds)
    full = max(f.lookback for feed in feeds for f in selected(NEEDS[feed]))
    for row in (full, 250, 399):
        early = bias_columns(computed(part(bars, 0, row + 1)), RULES, feeds)
        alone = bias_columns(computed(part(bars, row - full, row + 1)), RULES, feeds)
        for found in (early, alone):
            assert found.bias[-1] == whole.bias[row]
            assert found.score[-1] == pytest.approx(whole.score[row], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("near", "far", "expected"),
    [
        (0.0, 0.0, 0.0),
        (0.02, 0.017, 0.0),
        (0.03, 0.0, 0.21),
        (-0.03, 0.0, -0.21),
        (0.0, 0.02, 0.30),
        (0.09, 0.05, 1.0),
        (-0.09, -0.05, -1.0),
        (0.09, -0.05, 0.0),
        (0.09, 0.01, 0.5),
        (np.nan, 0.05, np.nan),
        (0.05, np.nan, np.nan),
    ],
)
def test_takers_of_four_hours_and_a_day_speak_for_their_side(
    near: float, far: float, expected: float
) -> None:
    """F-A18: each from a dead zone to a half, as the trend of the price; a gap is not balance."""
    found = flow_part(np.array([near]), np.array([far]))
    np.testing.assert_allclose(found, [expected], atol=1e-12)


TAKERS = {"trade_imbalance_4": 0.09, "trade_imbalance_24": 0.05}


def test_the_part_of_takers_is_in_where_trades_are_listed_and_the_rest_keeps_its_weights() -> None:
    """X27: -0.645 of all but takers; with buyers at 0.20 the five parts share a weight of 1.2."""
    without = one({**X27, **TAKERS})
    listed = one({**X27, **TAKERS}, (*ALL, Feed.TRADES))
    assert without[1] == pytest.approx(-0.645)
    assert listed[1] == pytest.approx((-0.645 + 0.20) / 1.20)
    bare = one({**X27, **TAKERS}, (Feed.CANDLES, Feed.TRADES))
    assert bare[1] == pytest.approx((0.20 * one(X27, (Feed.CANDLES,))[1] + 0.20) / 0.40)


def test_takers_that_are_not_known_make_the_bias_stale() -> None:
    """T1: stale inputs block both sides."""
    for name in TAKERS:
        _, score, strength = one({**X27, **TAKERS, name: np.nan}, (*ALL, Feed.TRADES))
        assert np.isnan(score)
        assert np.isnan(strength)
