"""Sums over windows are those of the window alone, and what features share is computed once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.synthetic import random_bars
from numpy.lib.stride_tricks import sliding_window_view

from hydra_ft.bars.candles import part
from hydra_ft.features import rolling
from hydra_ft.features.registry import shared
from hydra_ft.features.trend import adx_14, directional_movement
from hydra_ft.features.volatility import atr_14, true_range

if TYPE_CHECKING:
    from hydra_ft.types import Bars, FloatArray

VALUES = np.random.default_rng(11).normal(100, 3, 300)


@pytest.mark.parametrize("window", [1, 2, 3, 7, 8, 24, 112, 200, 299, 300])
@pytest.mark.parametrize("decay", [1.0, 0.9, 13 / 14])
def test_a_sum_is_that_of_every_value_in_its_window(window: int, decay: float) -> None:
    weights = decay ** np.arange(window)
    expected = sliding_window_view(VALUES, window)[:, ::-1] @ weights
    if decay == 1:
        found = rolling.total(VALUES, window)
    else:
        found = rolling.decayed(VALUES, decay, window) * weights.sum()
    assert np.isnan(found[: window - 1]).all()
    np.testing.assert_allclose(found[window - 1 :], expected, rtol=1e-13)


@pytest.mark.parametrize("window", [24, 112, 200])
def test_a_sum_is_the_same_to_the_last_digit_wherever_the_data_begins(window: int) -> None:
    for start in (1, 2, 3, 50, 300 - window):
        whole = rolling.total(VALUES, window)[start + window - 1 :]
        assert np.array_equal(rolling.total(VALUES[start:], window)[window - 1 :], whole)
        faded = rolling.decayed(VALUES, 0.95, window)[start + window - 1 :]
        assert np.array_equal(rolling.decayed(VALUES[start:], 0.95, window)[window - 1 :], faded)


def test_a_value_that_is_not_known_spoils_the_windows_that_hold_it_and_no_other() -> None:
    values = VALUES.copy()
    values[100] = np.nan
    unknown = np.flatnonzero(np.isnan(rolling.mean(values, 24)))
    assert list(unknown) == [*range(23), *range(100, 124)]


def test_what_is_shared_is_computed_once_for_the_same_bars() -> None:
    seen: list[Bars] = []

    @shared
    def closes(bars: Bars) -> FloatArray:
        seen.append(bars)
        return bars.close.copy()

    bars, others = random_bars(50), random_bars(50)
    assert closes(bars) is closes(bars)
    assert len(seen) == 1
    closes(others)
    assert closes(bars) is not closes(others)
    # Equal arrays do not make equal bars: only the very same object is known again.
    closes(part(bars, None, None))
    assert len(seen) == 5


def test_what_is_shared_cannot_be_written_to() -> None:
    bars = random_bars(300)
    for values in (true_range(bars), atr_14(bars), adx_14(bars), *directional_movement(bars)):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 1.0


def test_threads_that_share_never_get_the_values_of_other_bars() -> None:
    sources = [random_bars(40, seed=seed) for seed in range(4)]
    expected = [true_range(bars).copy() for bars in sources]
    wrong: list[int] = []

    def read(number: int) -> None:
        for turn in range(400):
            which = (number + turn) % len(sources)
            if not np.array_equal(true_range(sources[which]), expected[which], equal_nan=True):
                wrong.append(which)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
