"""Sums over windows: against plain sums, and the same from every beginning."""

from __future__ import annotations

import numpy as np
import pytest

from hydra_ft.features import rolling


@pytest.mark.parametrize("window", [1, 2, 3, 24, 31, 32, 33, 112, 200])
@pytest.mark.parametrize("decay", [1.0, 0.9])
def test_a_sum_is_that_of_its_window(window: int, decay: float) -> None:
    values = np.random.default_rng(4).normal(size=250)
    weights = decay ** np.arange(window)[::-1]
    found = rolling.decayed(values, decay, window)
    assert np.isnan(found[: window - 1]).all()
    for row in range(window - 1, 250):
        part = values[row - window + 1 : row + 1]
        assert found[row] == pytest.approx((weights * part).sum() / weights.sum(), abs=1e-13)


def test_a_sum_is_the_same_to_the_last_digit_wherever_the_data_begin() -> None:
    values = 1e6 * np.random.default_rng(5).random(300)
    whole = rolling.total(values, 97)
    for begin in (1, 2, 3, 64, 150):
        part = rolling.total(values[begin:], 97)
        assert np.array_equal(part[96:], whole[begin + 96 :])


def test_an_unknown_value_is_unknown_in_its_windows_and_in_no_others() -> None:
    values = np.arange(50.0)
    values[20] = np.nan
    found = rolling.total(values, 7)
    assert np.isnan(found[20:27]).all()
    assert np.isfinite(found[6:20]).all()
    assert np.isfinite(found[27:]).all()


def test_values_that_are_not_next_to_each_other_in_memory_are_summed_too() -> None:
    values = np.arange(60.0)
    assert np.array_equal(
        rolling.total(values[::3], 5), rolling.total(values[::3].copy(), 5), equal_nan=True
    )
