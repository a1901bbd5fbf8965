"""The trend score on closed hours."""

from __future__ import annotations

import numpy as np
import pytest
from bars.synthetic import random_bars
from market.columns import STRONG_UP, computed, constant

from hydra_ft.bars.candles import part
from hydra_ft.features.registry import selected
from hydra_ft.market.trend import NEEDS, direction, is_trending, trend_score

X30 = {
    **STRONG_UP,
    "close": 100.0,
    "ema_20": 100 / 1.006,
    "ema_50": 100 / 1.012,
    "sma_200": 98.0,
    "higher_high_30": 0.0,
    "higher_low_30": 0.0,
}


def score(values: dict[str, float]) -> float:
    return float(trend_score(constant(values))[0])


def test_a_stack_with_distance_and_no_structure_is_an_uptrend() -> None:
    """X30."""
    assert score(X30) == pytest.approx(0.7)
    assert is_trending(np.array([0.7]))[0] == 1
    assert direction(np.array([0.7]))[0] == 1


def test_a_stack_alone_is_neutral() -> None:
    """X30, second half: 0.3 is not above 0.3."""
    alone = {**X30, "ema_20": 99.9, "ema_50": 99.8}
    assert score(alone) == pytest.approx(0.3)
    assert direction(np.array([score(alone)]))[0] == 0


def test_exactly_half_is_directed_and_not_yet_trending() -> None:
    assert is_trending(np.array([0.5, -0.5, 0.50001, -0.50001])).tolist() == [0, 0, 1, -1]


def test_a_full_downtrend_scores_minus_one() -> None:
    down = {
        "close": 100.0,
        "ema_20": 101.0,
        "ema_50": 102.0,
        "sma_200": 103.0,
        "higher_high_30": 0.0,
        "higher_low_30": 0.0,
        "lower_high_30": 1.0,
        "lower_low_30": 1.0,
    }
    assert score(down) == pytest.approx(-1.0)


def test_half_a_structure_does_not_count() -> None:
    assert score({**X30, "higher_high_30": 1.0}) == pytest.approx(0.7)
    assert score({**X30, "higher_high_30": 1.0, "higher_low_30": 1.0}) == pytest.approx(1.0)


def test_a_missing_average_makes_the_score_unknown() -> None:
    assert np.isnan(score({**X30, "sma_200": np.nan}))


def test_the_score_is_prefix_and_start_invariant() -> None:
    """F-A21: the original froze once its buffer was full."""
    bars = random_bars(330, seed=8)
    whole = trend_score(computed(bars))
    full = max(made.lookback for made in selected(NEEDS))
    assert np.isnan(whole[:full]).all()
    for row in (full, 280, 329):
        early = trend_score(computed(part(bars, 0, row + 1)))
        alone = trend_score(computed(part(bars, row - full, row + 1)))
        assert early[-1] == alone[-1] == whole[row]
    assert len(set(np.round(whole[full:], 3))) > 3
