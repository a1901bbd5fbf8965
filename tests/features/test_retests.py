"""A level that was broken is tested within 6 hours, holds, or is given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.synthetic import MINUTE, random_bars

from hydra_ft.bars.candles import bars_from
from hydra_ft.features.registry import FEATURES
from hydra_ft.features.retests import BREAK, EDGE, LOOKBACK, MEMORY

if TYPE_CHECKING:
    from hydra_ft.types import Bars, FloatArray

STEP = 5 * MINUTE
QUIET = 130
"""Bars at 100 before anything happens: more than any feature here looks back."""


def walk(*closes: float, down: bool = False) -> Bars:
    """5m bars at 100, then the closes; each opens at the last close and has no wicks.

    ``down`` turns the walk over: 100.5 becomes 99.5.
    """
    close = np.r_[np.full(QUIET, 100.0), closes]
    close = 200 - close if down else close
    opened = np.r_[close[0], close[:-1]]
    high, low = np.maximum(opened, close), np.minimum(opened, close)
    return bars_from(STEP * np.arange(close.size), STEP, (opened, high, low, close), close * 0 + 1)


def last(bars: Bars, side: str = "above") -> tuple[float, float]:
    """Gap and hold at the last bar."""
    gap = FEATURES[f"retest_gap_{side}_72"](bars)[-1]
    return float(gap), float(FEATURES[f"retest_hold_{side}_72"](bars)[-1])


NONE = (1.0, 0.0)
# Broken at 100.5, up to 101, back to 100.1, and two closes above.
RETEST = (100.5, 101.0, 100.1, 100.3, 100.4)


def test_gap_and_hold_after_a_break_that_was_tested() -> None:
    """A6: break by 0.3 %, test within 0.3 %, two bars held; the level is that before the break."""
    assert last(walk(*RETEST)) == pytest.approx((0.001, 0.003))
    assert last(walk(*RETEST, down=True), "below") == pytest.approx((0.001, 0.003))


def test_a_break_of_one_side_is_none_of_the_other() -> None:
    assert last(walk(*RETEST), "below") == NONE
    assert last(walk(*RETEST, down=True), "above") == NONE


def test_a_test_pierces_the_level_without_losing_it() -> None:
    """The close at 99.8 is within 0.3 % of the level."""
    assert last(walk(100.5, 101.0, 99.8, 100.2, 100.2)) == pytest.approx((-0.002, 0.002))
    pierced = walk(100.5, 101.0, 99.8, 100.2, 100.2, down=True)
    assert last(pierced, "below") == pytest.approx((-0.002, 0.002))


def test_a_level_is_lost_by_a_close_back_through_it() -> None:
    assert last(walk(100.5, 101.0, 99.71, 100.2, 100.2)) != NONE
    assert last(walk(100.5, 101.0, 99.69, 100.2, 100.2)) == NONE
    assert last(walk(100.5, 101.0, 99.69, 100.2, 100.2, down=True), "below") == NONE


def test_a_close_a_little_beyond_the_level_breaks_nothing() -> None:
    assert last(walk(100.31, 100.31, 100.2, 100.2, 100.2)) != NONE
    assert last(walk(100.29, 100.29, 100.2, 100.2, 100.2)) == NONE


def test_the_test_comes_after_the_break() -> None:
    """Two bars after the break, the breaking bar itself is no test."""
    assert last(walk(100.5, 100.6, 100.6)) == NONE
    assert last(walk(100.5, 100.2, 100.2, 100.2)) == pytest.approx((0.002, 0.002))


def test_a_break_counts_for_six_hours_of_bars() -> None:
    """Counted by bars, not by calls: F-A21 killed this counter in the original."""

    def aged(bars_since: int) -> Bars:
        # It drifts up without a new high of 4 hours by 0.3 % in one close.
        return walk(100.5, *[100.5] * (bars_since - 3), 100.1, 100.3, 100.3)

    assert MEMORY * 5 == 6 * 60
    assert last(aged(MEMORY)) == pytest.approx((0.001, 0.003))
    assert last(aged(MEMORY + 1)) == NONE


def test_the_next_break_moves_the_level() -> None:
    twice = (100.5, 101.0, 102.0, *[101.5] * EDGE, 102.5, 102.2, 102.1, 102.3, 102.4)
    gap, hold = last(walk(*twice))
    assert gap == pytest.approx(102.1 / 102.0 - 1)
    assert hold == pytest.approx(102.3 / 102.0 - 1)


def plain(bars: Bars, t: int, sign: int) -> tuple[float, float]:
    """The same for one bar, as one would do it by hand."""
    near, far = (bars.low, bars.high) if sign > 0 else (bars.high, bars.low)

    def edge(s: int) -> float:
        window = far[s - EDGE : s]
        return float(window.max() if sign > 0 else window.min())

    def beyond(s: int) -> bool:
        return sign * (bars.close[s] / edge(s) - 1) > BREAK

    for s in range(t, t - MEMORY - 1, -1):
        if beyond(s) and not beyond(s - 1):
            level = edge(s)
            back = sign * (1 - bars.close[s : t + 1] / level)
            if (back > BREAK).any() or t - s <= 2:
                return NONE
            held = min(sign * (close / level - 1) for close in bars.close[t - 1 : t + 1])
            return sign * (near[t - 2] / level - 1), held
    return NONE


@pytest.mark.parametrize(("side", "sign"), [("above", 1), ("below", -1)])
def test_retests_agree_with_a_plain_search(side: str, sign: int) -> None:
    bars = random_bars(1800, STEP, seed=3, volatility=0.0015)
    gap: FloatArray = FEATURES[f"retest_gap_{side}_72"](bars)
    hold: FloatArray = FEATURES[f"retest_hold_{side}_72"](bars)
    rows = range(LOOKBACK, 1800)
    expected = np.array([plain(bars, t, sign) for t in rows])
    assert 50 < np.count_nonzero(expected[:, 0] != 1.0) < 1500
    np.testing.assert_allclose(gap[LOOKBACK:], expected[:, 0])
    np.testing.assert_allclose(hold[LOOKBACK:], expected[:, 1], atol=1e-12)
