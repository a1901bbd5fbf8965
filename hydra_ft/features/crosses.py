"""Bars at which one average overtakes another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.features.averages import sma_10, sma_100
from hydra_ft.features.registry import feature
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from hydra_ft.types import Bars, FloatArray


@feature(
    feeds=(Feed.CANDLES,),
    formula="+1: sma_10 > sma_100 and sma_10[-1] <= sma_100[-1]; -1: mirrored; else 0",
    reference="Brock, Lakonishok and LeBaron, Journal of Finance 47, 1992",
    lookback=100,
    units="sign",
    low=-1.0,
    high=1.0,
    panel="cross",
)
def sma_cross_100(bars: Bars) -> FloatArray:
    """+1 at the bar whose close takes SMA10 above SMA100, -1 below it, else 0."""
    gap = sma_10(bars) - sma_100(bars)
    now, before = gap[1:], gap[:-1]
    cross = np.full(gap.shape, np.nan)
    cross[1:] = ((now > 0) & (before <= 0)).astype(np.float64) - ((now < 0) & (before >= 0))
    cross[:100] = np.nan
    return cross
