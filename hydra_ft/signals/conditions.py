"""Conditions that several signals share, each on arrays of shape (n,)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.tolerance import TOLERANCE, reaches
from hydra_ft.types import Regime, Side

if TYPE_CHECKING:
    from hydra_ft.signals.registry import Columns, MarketColumns
    from hydra_ft.types import BoolArray, FloatArray

STRUCTURE = (
    "higher_high_30_1h",
    "higher_low_30_1h",
    "lower_high_30_1h",
    "lower_low_30_1h",
)
SWING = ("low_4_1h", "high_4_1h")
SIDES = (Side.LONG, Side.SHORT)


def regime_is(market: MarketColumns, side: Side) -> BoolArray:
    """Whether the regime is the trend of that side."""
    wanted = Regime.UP if side is Side.LONG else Regime.DOWN
    known = np.isfinite(market.regime_confidence)
    matches: BoolArray = (market.regime == int(wanted)) & known
    return matches


def regime_fits(market: MarketColumns, side: Side) -> BoolArray:
    """Whether the regime is the trend of that side, or RANGING, which has none."""
    ranging = (market.regime == int(Regime.RANGING)) & np.isfinite(market.regime_confidence)
    fits: BoolArray = regime_is(market, side) | ranging
    return fits


def structured(columns: Columns, side: Side) -> BoolArray:
    """Higher high or higher low for a long; lower high or lower low for a short (1h)."""
    shape = "higher" if side is Side.LONG else "lower"
    high, low = columns[f"{shape}_high_30_1h"], columns[f"{shape}_low_30_1h"]
    either: BoolArray = (high == 1) | (low == 1)
    return either


def broken(columns: Columns, side: Side, timeframe: str) -> BoolArray:
    """Both a high and a low against the side: its structure on the timeframe is broken."""
    shape = "lower" if side is Side.LONG else "higher"
    high, low = columns[f"{shape}_high_30_{timeframe}"], columns[f"{shape}_low_30_{timeframe}"]
    fully: BoolArray = (high == 1) & (low == 1)
    return fully


def pullback_band(atr_share: FloatArray) -> FloatArray:
    """Widest distance from EMA20 that is a pullback: 0.5 ATR, within 0.3 % .. 0.8 % (X41)."""
    return np.clip(0.5 * atr_share, 0.003, 0.008)


def stands_within(price: FloatArray, average: FloatArray, band: FloatArray) -> BoolArray:
    """Whether the price stands nearer to its average than ``band``, as a ratio of it."""
    return np.abs(price / average - 1) < band - TOLERANCE


def pulled_back(columns: Columns) -> BoolArray:
    """Whether the price stands within the pullback band around the 1h EMA20."""
    band = pullback_band(columns["natr_14_1h"])
    return stands_within(columns["close_5m"], columns["ema_20_1h"], band)


def extended(price: FloatArray, average: FloatArray, limit: float) -> BoolArray:
    """Whether the price has run further than ``limit`` from its average (X41)."""
    return np.abs(price / average - 1) > limit + TOLERANCE


def swing(columns: Columns, side: Side) -> FloatArray:
    """Distance to the extreme of the last 4 closed hours on the stop's side, of the price."""
    price = columns["close_5m"]
    if side is Side.LONG:
        return (price - columns["low_4_1h"]) / price
    return (columns["high_4_1h"] - price) / price


def trending(market: MarketColumns, side: Side, least: float) -> BoolArray:
    """Trend score on that side with at least that strength."""
    return reaches(market.trend * side.sign, least)
