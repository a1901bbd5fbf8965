"""Direction and strength of the movement.

RSI and ADX use Wilder's mean cut to 8 periods (see ``rolling``): they agree with the
recursive originals of TA-Lib to about 0.1 points once those have settled.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.features import rolling
from hydra_ft.features.registry import feature, shared
from hydra_ft.features.volatility import atr_14, true_range
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from hydra_ft.types import Bars, FloatArray

_WILDER = "Wilder, New Concepts in Technical Trading Systems, 1978"
_CANDLES = (Feed.CANDLES,)
_PERIOD = 14
_ADX_LOOKBACK = 2 * rolling.WILDER_PERIODS * _PERIOD - 1


@feature(
    feeds=_CANDLES,
    formula="100 * up / (up + down), wilder means of the gains and losses of 112 bars",
    reference=_WILDER,
    lookback=rolling.WILDER_PERIODS * _PERIOD,
    units="points",
    low=0.0,
    high=100.0 + 1e-9,
    panel="rsi",
)
@shared
def rsi_14(bars: Bars) -> FloatArray:
    """Relative strength index; 50 where the price did not move at all."""
    moves = bars.close - rolling.shifted(bars.close, 1)
    up = rolling.wilder(np.maximum(moves, 0.0), _PERIOD)
    both = rolling.wilder(np.abs(moves), _PERIOD)
    return np.where(both == 0, 50.0, 100 * rolling.ratio(up, both))


@shared
def directional_movement(bars: Bars) -> tuple[FloatArray, FloatArray]:
    """Wilder's +DM and -DM, shape (n,) each; NaN in the first row."""
    up = bars.high - rolling.shifted(bars.high, 1)
    down = rolling.shifted(bars.low, 1) - bars.low
    plus = np.where((up > down) & (up > 0), up, 0.0)
    minus = np.where((down > up) & (down > 0), down, 0.0)
    plus[:1] = minus[:1] = np.nan
    return plus, minus


def _indicator(movement: FloatArray, bars: Bars) -> FloatArray:
    ranges = atr_14(bars)
    share = 100 * rolling.ratio(rolling.wilder(movement, _PERIOD), ranges)
    return np.where(ranges == 0, 0.0, share)


@feature(
    feeds=_CANDLES,
    formula="100 * wilder_mean(+DM, 14) / wilder_mean(true_range, 14), 112 bars",
    reference=_WILDER,
    lookback=rolling.WILDER_PERIODS * _PERIOD,
    units="points",
    low=0.0,
    high=100.0 + 1e-9,
    panel="adx",
)
@shared
def plus_di_14(bars: Bars) -> FloatArray:
    """Upward directional indicator; 0 where nothing moved."""
    return _indicator(directional_movement(bars)[0], bars)


@feature(
    feeds=_CANDLES,
    formula="100 * wilder_mean(-DM, 14) / wilder_mean(true_range, 14), 112 bars",
    reference=_WILDER,
    lookback=rolling.WILDER_PERIODS * _PERIOD,
    units="points",
    low=0.0,
    high=100.0 + 1e-9,
    panel="adx",
)
@shared
def minus_di_14(bars: Bars) -> FloatArray:
    """Downward directional indicator; 0 where nothing moved."""
    return _indicator(directional_movement(bars)[1], bars)


@feature(
    feeds=_CANDLES,
    formula="wilder_mean(100 |+DI - -DI| / (+DI + -DI), 14), 112 bars of 112 bars each",
    reference=_WILDER,
    lookback=_ADX_LOOKBACK,
    units="points",
    low=0.0,
    high=100.0 + 1e-9,
    panel="adx",
)
@shared
def adx_14(bars: Bars) -> FloatArray:
    """Average directional index; a bar without direction counts as 0."""
    plus, minus = plus_di_14(bars), minus_di_14(bars)
    both = plus + minus
    index = np.where(both == 0, 0.0, 100 * rolling.ratio(np.abs(plus - minus), both))
    return rolling.wilder(index, _PERIOD)


@feature(
    feeds=_CANDLES,
    formula="min(adx_14[-1 .. -4])",
    reference="Hydra V3 ADXExpansionMomentum",
    lookback=_ADX_LOOKBACK + 4,
    units="points",
    low=0.0,
    high=100.0 + 1e-9,
    panel="adx",
)
def adx_prior_low_4(bars: Bars) -> FloatArray:
    """Least ADX of the 4 bars before this one: where an expansion starts from."""
    return rolling.shifted(rolling.lowest(adx_14(bars), 4), 1)


@feature(
    feeds=_CANDLES,
    formula="|close - close[-24]| / sum(|close - close[-1]|, 24)",
    reference="Kaufman, Smarter Trading, 1995",
    lookback=24,
    units="ratio",
    low=0.0,
    high=1.0 + 1e-9,
    panel="chop",
)
def efficiency_24(bars: Bars) -> FloatArray:
    """Efficiency ratio: net movement as a share of all movement; 0 where nothing moved."""
    net = np.abs(bars.close - rolling.shifted(bars.close, 24))
    path = rolling.total(np.abs(bars.close - rolling.shifted(bars.close, 1)), 24)
    return np.where(path == 0, 0.0, rolling.ratio(net, path))


@feature(
    feeds=_CANDLES,
    formula="100 log10(sum(true_range, 14) / (max(high, 14) - min(low, 14))) / log10(14), "
    "within 0..100",
    reference="Dreiss, the Choppiness Index, 1993",
    lookback=14,
    units="points",
    low=0.0,
    high=100.0,
    panel="chop",
)
def choppiness_14(bars: Bars) -> FloatArray:
    """Choppiness index; 100 where the range is 0 (no progress at all)."""
    ranges = rolling.total(true_range(bars), _PERIOD)
    reach = rolling.highest(bars.high, _PERIOD) - rolling.lowest(bars.low, _PERIOD)
    points = 100 * np.log10(rolling.ratio(ranges, reach)) / math.log10(_PERIOD)
    known = np.isfinite(ranges)
    # A gap before the first bar of the window can lift the ratio above 14.
    return np.where(known & (reach == 0), 100.0, np.clip(points, 0.0, 100.0))
