"""How much the price moves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.features import rolling
from hydra_ft.features.registry import feature, shared
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from hydra_ft.types import Bars, FloatArray

_WILDER = "Wilder, New Concepts in Technical Trading Systems, 1978"
RANK_BARS = 120
_CANDLES = (Feed.CANDLES,)


@shared
def log_returns(bars: Bars) -> FloatArray:
    """ln(close / close[-1]) of each bar, shape (n,)."""
    return np.log(rolling.ratio(bars.close, rolling.shifted(bars.close, 1)))


@shared
def log_ranges_squared(bars: Bars) -> FloatArray:
    """ln(high / low)^2 of each bar, shape (n,)."""
    return np.log(bars.high / bars.low) ** 2


@feature(
    feeds=_CANDLES,
    formula="max(high - low, |high - close[-1]|, |low - close[-1]|)",
    reference=_WILDER,
    lookback=1,
    units="quote",
    low=0.0,
    panel="volatility",
)
@shared
def true_range(bars: Bars) -> FloatArray:
    """Range of the bar including the gap from the last close."""
    before = rolling.shifted(bars.close, 1)
    gap = np.maximum(np.abs(bars.high - before), np.abs(bars.low - before))
    return np.maximum(bars.high - bars.low, gap)


@feature(
    feeds=_CANDLES,
    formula="mean(true_range, 5)",
    reference="Hydra V3 alpha_state",
    lookback=5,
    units="quote",
    low=0.0,
    panel="volatility",
)
def atr_5(bars: Bars) -> FloatArray:
    """Arithmetic mean of the last 5 true ranges."""
    return rolling.mean(true_range(bars), 5)


@feature(
    feeds=_CANDLES,
    formula="mean(true_range, 20)",
    reference="Hydra V3 alpha_state",
    lookback=20,
    units="quote",
    low=0.0,
    panel="volatility",
)
def atr_20(bars: Bars) -> FloatArray:
    """Arithmetic mean of the last 20 true ranges."""
    return rolling.mean(true_range(bars), 20)


@feature(
    feeds=_CANDLES,
    formula="wilder_mean(true_range, 14), cut to the last 112 bars",
    reference=_WILDER,
    lookback=112,
    units="quote",
    low=0.0,
    panel="volatility",
)
@shared
def atr_14(bars: Bars) -> FloatArray:
    """Wilder's average true range, cut to 8 periods."""
    return rolling.wilder(true_range(bars), 14)


@feature(
    feeds=_CANDLES,
    formula="atr_14 / close",
    reference=_WILDER,
    lookback=112,
    units="ratio",
    low=0.0,
    panel="volatility_ratio",
)
def natr_14(bars: Bars) -> FloatArray:
    """Average true range as a share of the price."""
    return rolling.ratio(atr_14(bars), bars.close)


@feature(
    feeds=_CANDLES,
    formula="atr_5 / atr_20",
    reference="Hydra V3 alpha_state",
    lookback=20,
    units="ratio",
    low=0.0,
    high=4.0 + 1e-9,
    panel="vol_expansion",
)
def vol_expansion_20(bars: Bars) -> FloatArray:
    """Recent range against its longer mean; NaN where nothing moved for 20 bars."""
    return rolling.ratio(atr_5(bars), atr_20(bars))


@feature(
    feeds=_CANDLES,
    formula="std(ln(close / close[-1]), 24, n - 1)",
    reference="Hull, Options, Futures and Other Derivatives, ch. 15",
    lookback=24,
    units="per bar",
    low=0.0,
    panel="volatility_ratio",
)
def realised_vol_24(bars: Bars) -> FloatArray:
    """Close-to-close volatility of log returns, per bar (not annualised)."""
    return rolling.deviation(log_returns(bars), 24)


@feature(
    feeds=_CANDLES,
    formula="sqrt(sum(ln(high / low)^2, 24) / (4 * 24 * ln 2))",
    reference="Parkinson, Journal of Business 53, 1980",
    lookback=23,
    units="per bar",
    low=0.0,
    panel="volatility_ratio",
)
def parkinson_24(bars: Bars) -> FloatArray:
    """Volatility from the range of the bars, per bar."""
    return np.sqrt(rolling.mean(log_ranges_squared(bars), 24) / (4 * math.log(2)))


@feature(
    feeds=_CANDLES,
    formula="sqrt(mean(ln(high / low)^2 / 2 - (2 ln 2 - 1) ln(close / open)^2, 24))",
    reference="Garman and Klass, Journal of Business 53, 1980",
    lookback=23,
    units="per bar",
    low=0.0,
    panel="volatility_ratio",
)
def garman_klass_24(bars: Bars) -> FloatArray:
    """Volatility from range and body of the bars, per bar."""
    ranges = log_ranges_squared(bars) / 2
    bodies = (2 * math.log(2) - 1) * np.log(bars.close / bars.open) ** 2
    return np.sqrt(rolling.mean(ranges - bodies, 24))


@shared
def _rogers_satchell(bars: Bars) -> FloatArray:
    """Mean variance of the last 24 bars by Rogers and Satchell, per bar; rounding aside >= 0."""
    up = np.log(bars.high / bars.close) * np.log(bars.high / bars.open)
    down = np.log(bars.low / bars.close) * np.log(bars.low / bars.open)
    return rolling.mean(up + down, 24)


@feature(
    feeds=_CANDLES,
    formula="sqrt(mean(ln(high / close) ln(high / open) + ln(low / close) ln(low / open), 24))",
    reference="Rogers and Satchell, Annals of Applied Probability 1, 1991",
    lookback=23,
    units="per bar",
    low=0.0,
    panel="volatility_ratio",
)
def rogers_satchell_24(bars: Bars) -> FloatArray:
    """Volatility from the range of the bars whatever their drift, per bar."""
    return np.sqrt(_rogers_satchell(bars))


_OPENING_SHARE = 0.34 / (1.34 + (24 + 1) / (24 - 1))


@feature(
    feeds=_CANDLES,
    formula="sqrt(var(ln(open / close[-1])) + k var(ln(close / open)) + (1 - k) "
    "rogers_satchell_24^2), var of 24, n - 1; k = 0.34 / (1.34 + 25 / 23)",
    reference="Yang and Zhang, Journal of Business 73, 2000",
    lookback=24,
    units="per bar",
    low=0.0,
    panel="volatility_ratio",
)
def yang_zhang_24(bars: Bars) -> FloatArray:
    """Volatility from gaps, bodies and ranges, per bar; there are hardly gaps around the clock."""
    gaps = rolling.variance(np.log(bars.open / rolling.shifted(bars.close, 1)), 24)
    bodies = rolling.variance(np.log(bars.close / bars.open), 24)
    ranges = _rogers_satchell(bars)
    return np.sqrt(gaps + _OPENING_SHARE * bodies + (1 - _OPENING_SHARE) * ranges)


@feature(
    feeds=_CANDLES,
    formula="share of the 120 values of natr_14 before that are below it, those equal by half",
    reference="Hydra V3 structure, vol_rank; there over 1,500 values of 250 ms returns",
    lookback=RANK_BARS + 112,
    units="ratio",
    low=0.0,
    high=1.0,
    panel="volatility_rank",
)
def volatility_rank_120(bars: Bars) -> FloatArray:
    """Where the range of a bar stands among those before: calm below 0.3, lively above 0.7."""
    found = natr_14(bars)
    held = rolling.windows(found, RANK_BARS + 1)
    before, last = held[:, :-1], held[:, -1:]
    rank = ((before < last) + 0.5 * (before == last)).mean(axis=-1)
    return rolling.warmed(np.where(np.isnan(held.sum(axis=-1)), np.nan, rank), len(bars))
