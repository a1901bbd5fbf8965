"""Values against TA-Lib and against plain textbook code."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import mean, pstdev, stdev
from typing import TYPE_CHECKING

import numpy as np
import pytest
import talib
from bars.synthetic import HOUR, random_bars

from hydra_ft.bars.candles import bars_from
from hydra_ft.features.funding import MIN_RECORDS
from hydra_ft.features.registry import FEATURES
from hydra_ft.features.structure import swing_highs

if TYPE_CHECKING:
    from hydra_ft.types import Bars, FloatArray

BARS = random_bars(700, seed=5)
H, L, C, V = BARS.high, BARS.low, BARS.close, BARS.volume
LAST = len(BARS) - 1


def value(name: str, bars: Bars = BARS) -> FloatArray:
    return FEATURES[name](bars)


def closes(*prices: float) -> Bars:
    """Bars that only have closes."""
    array = np.array(prices)
    n = len(array)
    return bars_from(HOUR * np.arange(n), HOUR, (array, array, array, array), np.ones(n))


@pytest.mark.parametrize(
    ("name", "oracle", "tolerance"),
    [
        ("ema_20", talib.EMA(C, 20), 3.3e-4 * 0.5 * C.mean()),
        ("ema_50", talib.EMA(C, 50), 3.3e-4 * 0.5 * C.mean()),
        ("atr_14", talib.ATR(H, L, C, 14), 2.5e-4 * 5),
        ("natr_14", talib.NATR(H, L, C, 14) / 100, 2.5e-4 * 0.05),
        ("rsi_14", talib.RSI(C, 14), 0.1),
        ("plus_di_14", talib.PLUS_DI(H, L, C, 14), 0.1),
        ("minus_di_14", talib.MINUS_DI(H, L, C, 14), 0.1),
        ("adx_14", talib.ADX(H, L, C, 14), 0.2),
        ("sma_200", talib.SMA(C, 200), 1e-9 * 200),
        ("change_24", talib.ROCP(C, 24), 1e-12),
    ],
)
def test_finite_averages_agree_with_talib_once_it_has_settled(
    name: str, oracle: FloatArray, tolerance: float
) -> None:
    """The weight beyond 4 spans is 3.3e-4, beyond 8 Wilder periods 2.5e-4."""
    settled = slice(500, None)
    assert np.abs(value(name)[settled] - oracle[settled]).max() <= tolerance


def test_exponential_weights_are_renormalised() -> None:
    q = 1 - 2 / 21
    weights = [q**age for age in range(80)]
    expected = sum(w * C[LAST - age] for age, w in enumerate(weights)) / sum(weights)
    assert value("ema_20")[LAST] == pytest.approx(expected, rel=1e-12)


def true_ranges(n: int) -> list[float]:
    rows = range(LAST - n + 1, LAST + 1)
    return [max(H[i] - L[i], abs(H[i] - C[i - 1]), abs(L[i] - C[i - 1])) for i in rows]


def test_mean_ranges_and_their_ratio() -> None:
    five, twenty = mean(true_ranges(5)), mean(true_ranges(20))
    assert value("atr_5")[LAST] == pytest.approx(five)
    assert value("atr_20")[LAST] == pytest.approx(twenty)
    assert value("vol_expansion_20")[LAST] == pytest.approx(five / twenty)


def test_volatility_estimators_follow_their_papers() -> None:
    rows = range(LAST - 23, LAST + 1)
    returns = [math.log(C[i] / C[i - 1]) for i in rows]
    parkinson = mean(math.log(H[i] / L[i]) ** 2 for i in rows) / (4 * math.log(2))
    klass = mean(
        0.5 * math.log(H[i] / L[i]) ** 2
        - (2 * math.log(2) - 1) * math.log(C[i] / BARS.open[i]) ** 2
        for i in rows
    )
    assert value("realised_vol_24")[LAST] == pytest.approx(stdev(returns))
    assert value("parkinson_24")[LAST] == pytest.approx(math.sqrt(parkinson))
    assert value("garman_klass_24")[LAST] == pytest.approx(math.sqrt(klass))


def test_efficiency_and_choppiness_follow_their_books() -> None:
    path = sum(abs(C[i] - C[i - 1]) for i in range(LAST - 23, LAST + 1))
    reach = max(H[LAST - 13 : LAST + 1]) - min(L[LAST - 13 : LAST + 1])
    choppiness = 100 * math.log10(sum(true_ranges(14)) / reach) / math.log10(14)
    assert value("efficiency_24")[LAST] == pytest.approx(abs(C[LAST] - C[LAST - 24]) / path)
    assert value("choppiness_14")[LAST] == pytest.approx(choppiness)


def test_a_market_that_stands_still_has_values_and_no_warning() -> None:
    flat = closes(*[5.0] * 300)
    assert value("rsi_14", flat)[-1] == 50
    assert value("adx_14", flat)[-1] == 0
    assert value("efficiency_24", flat)[-1] == 0
    assert value("choppiness_14", flat)[-1] == 100
    assert np.isnan(value("vol_expansion_20", flat)[-1])


def test_a_straight_line_has_full_efficiency_and_rsi() -> None:
    line = closes(*np.arange(100.0, 300.0))
    assert value("efficiency_24", line)[-1] == pytest.approx(1)
    assert value("rsi_14", line)[-1] == pytest.approx(100)


def test_change_reaches_back_the_full_number_of_bars() -> None:
    """X20, F-A11: the original reached back one bar too few."""
    bars = closes(100, 101, 102, 103, 104)
    assert value("change_4", bars)[-1] == pytest.approx(0.04)
    assert value("change_1", bars)[-1] == pytest.approx(104 / 103 - 1)
    assert value("change_1", bars)[-1] == pytest.approx(0.009709, abs=1e-6)


def test_extremes_include_the_bar_itself_and_no_more_than_the_window() -> None:
    assert value("high_4")[LAST] == H[-4:].max()
    assert value("low_24")[LAST] == L[-24:].min()


def test_rolling_vwap_and_bands_follow_their_formula() -> None:
    """4-03: the sum runs over 24 bars, not from the first bar loaded."""
    typical = (H + L + C)[-24:] / 3
    centre = np.average(typical, weights=V[-24:])
    sigma = math.sqrt(np.average((typical - centre) ** 2, weights=V[-24:]))
    assert value("vwap_24")[LAST] == pytest.approx(centre)
    assert value("vwap_upper_24")[LAST] == pytest.approx(centre + 2 * sigma)
    assert value("vwap_lower_24")[LAST] == pytest.approx(centre - 2 * sigma)
    assert value("vwap_distance_24")[LAST] == pytest.approx(C[LAST] / centre - 1)


def test_vwap_of_no_volume_is_unknown() -> None:
    quiet = replace(BARS, volume=np.zeros(len(BARS)))
    assert np.isnan(value("vwap_24", quiet)).all()


# --- swings --------------------------------------------------------------------------


def highs(*tops: float) -> Bars:
    array = np.array(tops, dtype=np.float64)
    n = len(array)
    low = np.full(n, 0.5)
    return bars_from(HOUR * np.arange(n), HOUR, (low, array, low, low), np.ones(n))


def test_a_swing_is_known_three_bars_later_and_not_before() -> None:
    """A5: flags are shifted by the bars that confirm them."""
    hill = [1, 2, 3, 4, 3, 2, 1]
    higher = [1, 2, 3, 5, 3, 2, 1]
    flags = value("higher_high_30", highs(*[1] * 20, *hill, *higher))
    peak = 20 + 7 + 3
    assert flags[peak + 2] == 0
    assert flags[peak + 3] == 1


def test_a_flat_top_counts_once() -> None:
    top = np.array([1, 1, 1, 2, 2, 2, 1, 1, 1, 1], dtype=np.float64)
    assert list(np.flatnonzero(swing_highs(top))) == [3]


def test_two_falling_tops_are_a_lower_high() -> None:
    bars = highs(*[1] * 18, 1, 2, 3, 5, 3, 2, 1, 2, 3, 4, 3, 2, 1)
    assert value("lower_high_30", bars)[-1] == 1
    assert value("higher_high_30", bars)[-1] == 0


def test_swings_agree_with_a_plain_search() -> None:
    found = value("higher_low_30")

    def plain(t: int) -> float:
        lows = [
            L[s]
            for s in range(t - 26, t - 2)
            if L[s] < min(L[s - 3 : s]) and L[s] <= min(L[s + 1 : s + 4])
        ]
        return float(len(lows) > 1 and lows[-1] > lows[-2])

    assert [plain(t) for t in range(60, 400)] == list(found[60:400])


# --- funding and open interest ----------------------------------------------------------


def settled(rates: list[float], every: int = 8) -> Bars:
    """Hourly bars with one rate every so many bars, the last in the last bar."""
    n = max(400, every * len(rates))
    bars = random_bars(n)
    column = np.full(n, np.nan)
    column[n - 1 - every * np.arange(len(rates))] = rates[::-1]
    return replace(bars, funding_rate=column)


def test_funding_z_of_one_extreme_among_equals_is_the_bound() -> None:
    """X18: 20 equal rates and a high one give sqrt(20)."""
    z = value("funding_z_168", settled([0.0001] * 20 + [0.0005]))
    assert z[-1] == pytest.approx(math.sqrt(20))


def test_funding_z_of_equal_rates_is_zero() -> None:
    """X18, second half: no deviation, no crowd."""
    assert value("funding_z_168", settled([0.0001] * 21))[-1] == 0


def test_funding_z_of_a_pinned_rate_that_moves_a_hair_is_zero() -> None:
    """A2: z explodes when rates are constant, so the deviation itself is gated."""
    assert value("funding_z_168", settled([0.0001] * 20 + [0.000101]))[-1] == 0


def test_funding_z_counts_settlements_and_not_polls() -> None:
    """F-A2: only settled records enter, each once, whatever the venue's interval."""
    rates = list(np.random.default_rng(2).normal(0.0001, 0.0002, 42))
    z = value("funding_z_168", settled(rates, every=4))
    assert z[-1] == pytest.approx((rates[-1] - mean(rates)) / pstdev(rates))


def test_funding_z_needs_ten_records() -> None:
    assert MIN_RECORDS == 10
    short = settled([0.0001, 0.0009] * 5)
    assert np.isfinite(value("funding_z_168", short)[-1])
    assert np.isnan(value("funding_z_168", settled([0.0001, 0.0009] * 4))[-1])


def test_funding_of_a_day_sums_what_was_settled_in_it() -> None:
    """F-A2: by settlement time, so 4 h and 8 h venues are both right."""
    assert value("funding_sum_24", settled([0.0009, 0.0001, 0.0002, 0.0003]))[-1] == pytest.approx(
        0.0006
    )
    assert value("funding_sum_24", settled([0.0001] * 12, every=4))[-1] == pytest.approx(0.0006)
    assert value("funding_last_24", settled([0.0001, 0.0004]))[-1] == 0.0004


def test_the_settlement_interval_is_read_from_the_records() -> None:
    assert value("funding_interval_48", settled([0.0001] * 9))[-1] == 8
    assert value("funding_interval_48", settled([0.0001] * 9, every=4))[-1] == 4


def test_open_interest_bridges_one_missing_value_and_not_two() -> None:
    held = np.linspace(100.0, 200.0, 100)
    held[50] = held[60] = held[61] = np.nan
    bars = replace(random_bars(100), open_interest=held)
    change = value("open_interest_change_1", bars)
    assert change[50] == pytest.approx(0)
    assert np.isfinite(change[60])
    assert np.isnan(change[61])
    assert value("open_interest_change_4", bars)[40] == pytest.approx(held[40] / held[36] - 1)


@pytest.mark.parametrize(
    "name", [n for n in FEATURES if n.startswith(("funding", "open_interest"))]
)
def test_a_feed_that_is_not_carried_gives_nan(name: str) -> None:
    bare = replace(BARS, funding_rate=None, open_interest=None)
    assert np.isnan(value(name, bare)).all()
