"""Ranges end before the bar that leaves them; their edges have an age."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.synthetic import HOUR, random_bars

from hydra_ft.bars.candles import bars_from
from hydra_ft.features.registry import FEATURES

if TYPE_CHECKING:
    from hydra_ft.types import Bars, FloatArray

BARS = random_bars(300, seed=8)
COARSE = replace(BARS, high=np.ceil(BARS.high), low=np.floor(BARS.low))
"""Prices in whole numbers, so that an edge is often reached more than once."""


def value(name: str, bars: Bars) -> FloatArray:
    return FEATURES[name](bars)


def between(lows: list[float], highs: list[float]) -> Bars:
    low, high = np.array(lows), np.array(highs)
    middle = (low + high) / 2
    time = HOUR * np.arange(low.size)
    return bars_from(time, HOUR, (middle, high, low, middle), np.ones(low.size))


def test_the_bar_that_breaks_a_range_is_not_part_of_it() -> None:
    """A6: the bounds held the current high, so that no price was ever above them."""
    bars = between([99.0] * 25, [101.0] * 24 + [120.0])
    assert value("prior_high_24", bars)[-1] == 101.0
    assert bars.close[-1] > 101.0
    fall = between([99.0] * 24 + [80.0], [101.0] * 25)
    assert value("prior_low_24", fall)[-1] == 99.0


def test_prior_edges_and_width_agree_with_a_plain_search() -> None:
    high, low = BARS.high, BARS.low

    def width(t: int) -> float:
        top, bottom = high[t - 23 : t + 1].max(), low[t - 23 : t + 1].min()
        return (top - bottom) / ((top + bottom) / 2)

    for t in range(35, 300):
        assert value("prior_high_24", BARS)[t] == high[t - 24 : t].max()
        assert value("prior_low_24", BARS)[t] == low[t - 24 : t].min()
        widest = max(width(s) for s in range(t - 12, t))
        assert value("prior_width_12", BARS)[t] == pytest.approx(widest)


def test_a_range_was_narrow_for_12_bars_and_not_for_11() -> None:
    """4 % for 12 h: one wide bar is out of sight after 24 + 12 bars and no sooner."""
    bars = between([100.0] + [102.0] * 60, [105.0] + [103.0] * 60)
    width = value("prior_width_12", bars)
    assert width[35] == pytest.approx(5 / 102.5)
    assert width[36] == pytest.approx(1 / 102.5)


def test_age_of_the_edges_agrees_with_a_plain_search() -> None:
    for bars in (BARS, COARSE):
        age = value("edge_age_24", bars)
        for t in range(23, 300):
            high, low = bars.high[t - 23 : t + 1], bars.low[t - 23 : t + 1]
            first = max(list(high).index(high.max()), list(low).index(low.min()))
            assert age[t] == 23 - first


def test_an_edge_that_is_only_touched_again_keeps_its_age() -> None:
    lows, highs = [99.0] * 30, [101.0] * 30
    lows[10], highs[12] = 98.0, 102.0
    lows[20] = 98.0
    assert value("edge_age_24", between(lows, highs))[-1] == 29 - 12
    lows[20] = 97.99
    assert value("edge_age_24", between(lows, highs))[-1] == 29 - 20
