"""Columns for the market layer: from bars, or from single values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.features.registry import selected
from hydra_ft.market import bias, regime, trend

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra_ft.types import Bars, FloatArray

NAMES = {*regime.NEEDS, *trend.NEEDS, *(name for names in bias.NEEDS.values() for name in names)}

# X21: higher high and higher low, +1.6 % in 4 h, price > EMA20 > EMA50, volatility ratio 1.
STRONG_UP = {
    "close": 100.0,
    "ema_20": 99.0,
    "ema_50": 98.0,
    "sma_200": 97.0,
    "higher_high_30": 1.0,
    "higher_low_30": 1.0,
    "lower_high_30": 0.0,
    "lower_low_30": 0.0,
    "change_4": 0.016,
    "change_24": 0.0,
    "vol_expansion_20": 1.0,
    "high_4": 102.0,
    "low_4": 98.0,
    "atr_14": 1.0,
    "efficiency_24": 0.5,
    "choppiness_14": 40.0,
}


def computed(bars: Bars) -> dict[str, FloatArray]:
    """The columns that regime, bias and trend need, computed on bars."""
    columns = {made.name: made(bars) for made in selected(NAMES)}
    return {**columns, "close": bars.close}


def constant(values: Mapping[str, float], n: int = 1) -> dict[str, FloatArray]:
    """Columns of n equal rows."""
    return {name: np.full(n, value) for name, value in values.items()}
