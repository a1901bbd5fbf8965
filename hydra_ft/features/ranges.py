"""Ranges that were known before the bar that leaves them, and how long their edges have stood.

The audited system let the bar that breaks out into the range that it breaks, so that on
candles no price was ever above it. Here a range ends one bar earlier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import bottleneck
import numpy as np

from hydra_ft.features import rolling
from hydra_ft.features.registry import feature
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from hydra_ft.types import Bars, FloatArray

_CANDLES = (Feed.CANDLES,)
_REFERENCE = "Hydra V3 CompressedRangeBreakout, whose range held the bar that broke it"
WINDOW = 24
MEMORY = 12


@feature(
    feeds=_CANDLES,
    formula="max(high[-1 .. -24])",
    reference=_REFERENCE,
    lookback=WINDOW,
    units="quote",
    low=0.0,
    panel="main",
)
def prior_high_24(bars: Bars) -> FloatArray:
    """Highest high of the 24 bars before this one."""
    return rolling.shifted(rolling.highest(bars.high, WINDOW), 1)


@feature(
    feeds=_CANDLES,
    formula="min(low[-1 .. -24])",
    reference=_REFERENCE,
    lookback=WINDOW,
    units="quote",
    low=0.0,
    panel="main",
)
def prior_low_24(bars: Bars) -> FloatArray:
    """Lowest low of the 24 bars before this one."""
    return rolling.shifted(rolling.lowest(bars.low, WINDOW), 1)


@feature(
    feeds=_CANDLES,
    formula="max(w[-1 .. -12]), w = 2 (max(high, 24) - min(low, 24)) / (max(high, 24) + "
    "min(low, 24))",
    reference=_REFERENCE,
    lookback=WINDOW + MEMORY - 1,
    units="ratio",
    low=0.0,
    high=2.0,
    panel="range_width",
)
def prior_width_12(bars: Bars) -> FloatArray:
    """Widest range of 24 bars, as a share of its middle, at the 12 bars before this one."""
    high, low = rolling.highest(bars.high, WINDOW), rolling.lowest(bars.low, WINDOW)
    width = 2 * rolling.ratio(high - low, high + low)
    return rolling.shifted(rolling.highest(width, MEMORY), 1)


def _age(values: FloatArray) -> FloatArray:
    """Bars since the greatest of the last 24 was first reached, shape (n,)."""
    n = values.shape[0]
    if n < WINDOW:
        return rolling.empty_like(values)
    # Of equal values bottleneck takes the last: so it is asked from the other end.
    backwards = bottleneck.move_argmax(values[::-1], WINDOW)[::-1]
    return rolling.warmed(WINDOW - 1 - backwards[: n - WINDOW + 1], n)


@feature(
    feeds=_CANDLES,
    formula="min(bars since max(high, 24), bars since min(low, 24)), each since it was first "
    "reached",
    reference="elementary",
    lookback=WINDOW - 1,
    units="bars",
    low=0.0,
    high=WINDOW - 1.0,
    panel="edge_age",
)
def edge_age_24(bars: Bars) -> FloatArray:
    """For how many bars both edges of the 24-bar range have stood."""
    return np.minimum(_age(bars.high), _age(-bars.low))
