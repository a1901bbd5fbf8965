"""Every registered feature passes the battery; planted bad ones do not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.synthetic import random_bars

import hydra_ft.features  # noqa: F401  (fills the registry)
from hydra_ft.features import battery
from hydra_ft.features.registry import FEATURES, Feature
from hydra_ft.types import Bars, Feed, FloatArray

if TYPE_CHECKING:
    from collections.abc import Callable

BARS = random_bars(420, seed=3)


@pytest.mark.parametrize("name", sorted(FEATURES))
def test_feature_is_sound(name: str) -> None:
    """P1, 4-03, 4-15: prefix and start invariance, range, warm-up, dtype, input untouched."""
    assert battery.faults(FEATURES[name], BARS) == []


@pytest.mark.parametrize("name", sorted(FEATURES))
def test_feature_is_declared_in_full(name: str) -> None:
    made = FEATURES[name]
    assert made.name == name
    assert made.compute.__doc__
    for text in (made.formula, made.reference, made.units, made.panel, made.family):
        assert text.strip()


@pytest.mark.parametrize("name", sorted(FEATURES))
def test_feature_of_no_or_few_bars_is_all_nan(name: str) -> None:
    made = FEATURES[name]
    for n in {0, min(1, made.lookback), made.lookback}:
        values = made(random_bars(n))
        assert values.shape == (n,)
        assert np.isnan(values).all()


def _planted(compute: Callable[[Bars], FloatArray], lookback: int, **bounds: float) -> Feature:
    limits = {"low": -np.inf, "high": np.inf, **bounds}
    return Feature(
        name="planted",
        family="planted",
        compute=compute,
        feeds=(Feed.CANDLES,),
        formula="x",
        reference="x",
        lookback=lookback,
        units="x",
        panel="x",
        **limits,
    )


def _centred_mean(bars: Bars) -> FloatArray:
    out = np.full(len(bars), np.nan)
    if len(bars) < 9:
        return out
    out[4:-4] = np.convolve(bars.close, np.ones(9) / 9, mode="valid")
    out[-4:] = bars.close[-4:]
    return out


def _full_sample_z(bars: Bars) -> FloatArray:
    return (bars.close - bars.close.mean()) / bars.close.std()


def _cumulative_vwap(bars: Bars) -> FloatArray:
    return np.cumsum(bars.close * bars.volume) / np.cumsum(bars.volume)


def test_a_centred_mean_is_caught_reading_the_future() -> None:
    """F-C17: a centred window sees bars that have not closed."""
    faults = battery.faults(_planted(_centred_mean, 4), BARS)
    assert any(text.startswith("prefix") for text in faults)


def test_a_full_sample_z_score_is_caught_reading_the_future() -> None:
    faults = battery.faults(_planted(_full_sample_z, 0), BARS)
    assert any(text.startswith("prefix") for text in faults)


def test_a_cumulative_vwap_is_caught_by_its_start_and_not_by_its_future() -> None:
    """4-03: it is causal; its real fault is that it depends on the first bar loaded."""
    faults = battery.faults(_planted(_cumulative_vwap, 20), BARS)
    assert any(text.startswith("start") for text in faults)
    assert not any(text.startswith("prefix") for text in faults)


def _running_mean(bars: Bars) -> FloatArray:
    through = np.concatenate(([0.0], np.cumsum(bars.close)))
    out = np.full(len(bars), np.nan)
    out[9:] = (through[10:] - through[:-10]) / 10
    return out


def test_a_mean_of_running_sums_is_caught_by_its_last_digits_unless_it_says_so() -> None:
    """A value that was computed a bar ago must be what it is on the bars of now."""
    made = _planted(_running_mean, 9)
    assert all(text.startswith("start") for text in battery.faults(made, BARS))
    assert battery.faults(made, BARS)
    assert battery.faults(replace(made, drifts=True), BARS) == []


def _next_delta(bars: Bars) -> FloatArray:
    assert bars.flow is not None
    delta = bars.flow.buy_volume - bars.flow.sell_volume
    return np.append(delta[1:], delta[-1:])


def _whole_mean_depth(bars: Bars) -> FloatArray:
    assert bars.book is not None
    return bars.book.depth / bars.book.depth.mean()


def _cumulative_delta(bars: Bars) -> FloatArray:
    assert bars.flow is not None
    return np.cumsum(bars.flow.buy_volume - bars.flow.sell_volume)


def _flow_since_the_start(bars: Bars) -> FloatArray:
    assert bars.book is not None
    return np.cumsum(bars.book.order_flow)


@pytest.mark.parametrize("compute", [_next_delta, _whole_mean_depth])
def test_a_leak_through_the_columns_of_a_feed_is_caught(
    compute: Callable[[Bars], FloatArray],
) -> None:
    """What lies beside the bars is cut with them."""
    faults = battery.faults(_planted(compute, 1), BARS)
    assert any(text.startswith("prefix") for text in faults)


@pytest.mark.parametrize("compute", [_cumulative_delta, _flow_since_the_start])
def test_a_sum_since_the_start_of_a_feed_is_caught_by_its_start(
    compute: Callable[[Bars], FloatArray],
) -> None:
    """A CVD since the first bar that was loaded says something else on every machine."""
    faults = battery.faults(_planted(compute, 20), BARS)
    assert any(text.startswith("start") for text in faults)
    assert not any(text.startswith("prefix") for text in faults)


def test_a_feature_that_changes_a_column_of_a_feed_is_caught() -> None:
    def spoil(bars: Bars) -> FloatArray:
        assert bars.forced is not None
        bars.forced.cascade[0] = 5
        return bars.close.copy()

    faults = battery.faults(_planted(spoil, 0), random_bars(50))
    assert "input: forced.cascade was changed" in faults


def test_a_feature_that_changes_its_input_is_caught() -> None:
    def spoil(bars: Bars) -> FloatArray:
        bars.close[0] += 1
        return bars.close.copy()

    assert any("input" in text for text in battery.faults(_planted(spoil, 0), random_bars(50)))


def test_a_value_out_of_range_or_too_early_or_missing_is_caught() -> None:
    def early(bars: Bars) -> FloatArray:
        return bars.close.copy()

    def missing(bars: Bars) -> FloatArray:
        out = bars.close.copy()
        out[10:11] = np.nan
        return out

    assert any("range" in t for t in battery.faults(_planted(early, 0, high=1.0), BARS))
    assert any("a value before" in t for t in battery.faults(_planted(early, 3), BARS))
    assert any("NaN in 1" in t for t in battery.faults(_planted(missing, 0), BARS))
    single = _planted(lambda bars: bars.close.astype(np.float32), 0)
    assert any("float64" in text for text in battery.value_faults(single, BARS))
