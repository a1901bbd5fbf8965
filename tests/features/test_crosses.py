"""The crossing of two averages, at the bar whose close makes it."""

from __future__ import annotations

import numpy as np
import pytest
import talib
from bars.synthetic import HOUR, random_bars

from hydra_ft.bars.candles import bars_from
from hydra_ft.features.registry import FEATURES


def test_a_cross_is_where_the_sign_of_the_gap_changes() -> None:
    bars = random_bars(2000, seed=9)
    found = FEATURES["sma_cross_100"](bars)
    side = np.sign(talib.SMA(bars.close, 10) - talib.SMA(bars.close, 100))
    changed = np.flatnonzero(np.diff(side[99:]) != 0) + 100
    assert changed.size > 10
    np.testing.assert_array_equal(np.flatnonzero(np.nan_to_num(found)), changed)
    np.testing.assert_array_equal(found[changed], side[changed])


@pytest.mark.parametrize("side", [1, -1])
def test_a_market_that_wakes_up_crosses_once_each_way(side: int) -> None:
    """From averages that are equal, which is neither side."""
    close = 100.0 + side * np.r_[np.zeros(150), np.ones(20), -np.ones(30)]
    time = HOUR * np.arange(close.size)
    bars = bars_from(time, HOUR, (close, close, close, close), np.ones(close.size))
    found = FEATURES["sma_cross_100"](bars)
    assert np.flatnonzero(found == side).tolist() == [150]
    assert np.count_nonzero(found == -side) == 1
