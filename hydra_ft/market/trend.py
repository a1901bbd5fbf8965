"""Direction score of the trend on closed bars (A5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.tolerance import exceeds, falls_below

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra_ft.types import FloatArray, IntArray

NEEDS = (
    "ema_20",
    "ema_50",
    "sma_200",
    "higher_high_30",
    "higher_low_30",
    "lower_high_30",
    "lower_low_30",
)
DIRECTED_ABOVE = 0.3
TRENDING_ABOVE = 0.5


def _signed(up: object, down: object) -> FloatArray:
    return np.asarray(up, dtype=np.float64) - np.asarray(down, dtype=np.float64)


def trend_score(columns: Mapping[str, FloatArray]) -> FloatArray:
    """Score in [-1, 1], shape (n,), NaN where an input is.

    EMA20 > EMA50 > SMA200 +-0.3; close beyond EMA20 by 0.5 % +-0.2; beyond EMA50 by 1 %
    +-0.2; higher highs and higher lows +0.3, lower highs and lower lows -0.3. The 200
    average is arithmetic, so that its lookback is 200 bars and no more.
    """
    close, fast, slow = columns["close"], columns["ema_20"], columns["ema_50"]
    base = columns["sma_200"]
    stacked = _signed((fast > slow) & (slow > base), (fast < slow) & (slow < base))
    near, far = close / fast - 1, close / slow - 1
    bulls = columns["higher_high_30"] + columns["higher_low_30"]
    bears = columns["lower_high_30"] + columns["lower_low_30"]
    score = (
        0.3 * stacked
        + 0.2 * _signed(exceeds(near, 0.005), falls_below(near, -0.005))
        + 0.2 * _signed(exceeds(far, 0.01), falls_below(far, -0.01))
        + 0.3 * _signed(bulls == 2, bears == 2)
    )
    known = np.all([np.isfinite(columns[name]) for name in NEEDS], axis=0)
    return np.where(known, score, np.nan)


def direction(score: FloatArray) -> IntArray:
    """+1 above 0.3, -1 below -0.3, else 0, elementwise."""
    up, down = exceeds(score, DIRECTED_ABOVE), falls_below(score, -DIRECTED_ABOVE)
    return up.astype(np.int64) - down


def is_trending(score: FloatArray) -> IntArray:
    """+1 above 0.5 (uptrend), -1 below -0.5 (downtrend), else 0, elementwise."""
    up, down = exceeds(score, TRENDING_ABOVE), falls_below(score, -TRENDING_ABOVE)
    return up.astype(np.int64) - down
