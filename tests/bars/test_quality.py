"""Gaps, invented bars and old feeds are seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from bars.synthetic import HOUR, random_bars

from hydra_ft.bars.candles import close_time
from hydra_ft.bars.quality import event_age, is_synthetic, lags, last_rows
from hydra_ft.bars.tolerance import exceeds, falls_below, reaches, within


def test_only_a_flat_bar_without_volume_is_synthetic() -> None:
    """1-01: a forward-filled bar must never look like a quiet market."""
    bars = random_bars(10)
    volume, arrays = bars.volume.copy(), {}
    volume[[3, 5]] = 0.0
    for name in ("open", "high", "low", "close"):
        arrays[name] = getattr(bars, name).copy()
        arrays[name][[3, 4]] = 100.0
    found = is_synthetic(replace(bars, volume=volume, **arrays))
    assert list(np.flatnonzero(found)) == [3]


def test_age_counts_from_the_last_event_and_is_unknown_before_the_first() -> None:
    bars = random_bars(5)
    rows = last_rows(np.array([False, True, False, False, True]))
    ages = event_age(close_time(bars), rows, bars.time)
    assert np.isnan(ages[0])
    assert list(ages[1:] / HOUR) == [1, 2, 3, 1]


def test_a_frame_lags_when_a_bar_that_must_have_closed_is_not_there() -> None:
    close = np.array([HOUR, 2 * HOUR])
    at = np.array([HOUR // 2, HOUR, 2 * HOUR, 3 * HOUR - 1, 3 * HOUR])
    rows = np.array([-1, 0, 1, 1, 1])
    assert list(lags(close, rows, HOUR, at)) == [False, False, False, False, True]


def test_empty_inputs_give_empty_answers() -> None:
    none = np.empty(0, dtype=np.int64)
    assert last_rows(none.astype(bool)).size == 0
    assert np.isnan(event_age(np.array([5]), np.array([-1]), none)).all()
    assert not lags(none, np.array([-1]), HOUR, np.array([HOUR])).any()


def test_comparisons_forgive_binary_rounding_and_nothing_more() -> None:
    value = np.array([0.1 + 0.2, 0.3 + 1e-8, 0.3 - 1e-8, np.nan])
    assert list(exceeds(value, 0.3)) == [False, True, False, False]
    assert list(reaches(value, 0.3)) == [True, True, False, False]
    assert list(falls_below(value, 0.3)) == [False, False, True, False]
    assert list(within(value, 0.2, 0.3)) == [False, False, True, False]
