"""How dear it is to trade, estimated from candles alone.

Estimates, for pairs and times without a book: they rank pairs and hours well, and are far
off in a single bar. All are over 24 bars.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.features import rolling
from hydra_ft.features.registry import feature
from hydra_ft.features.volatility import log_ranges_squared, log_returns
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from hydra_ft.types import Bars, FloatArray

_CANDLES = (Feed.CANDLES,)
WINDOW = 24


@feature(
    feeds=_CANDLES,
    formula="1e6 mean(|close / close[-1] - 1| / (close * volume)) over the traded ones of 24 bars",
    reference="Amihud, Journal of Financial Markets 5, 2002",
    lookback=WINDOW,
    units="per million quote",
    low=0.0,
    panel="illiquidity",
)
def amihud_24(bars: Bars) -> FloatArray:
    """How far the price goes for a million of turnover; NaN where nothing was traded."""
    moved = np.abs(rolling.ratio(bars.close, rolling.shifted(bars.close, 1)) - 1)
    notional = bars.close * bars.volume
    traded = notional > 0
    # A bar without trades says nothing of what a trade moves, and is left out.
    impact = np.where(traded, moved / np.where(traded, notional, 1.0), 0 * moved)
    count = rolling.total(traded.astype(np.float64), WINDOW)
    return 1e6 * rolling.ratio(rolling.total(impact, WINDOW), count)


@feature(
    feeds=_CANDLES,
    formula="2 sqrt(max(0, -cov(r, r[-1], 24))), r = ln(close / close[-1]), n - 1",
    reference="Roll, Journal of Finance 39, 1984; 0 where the covariance is positive",
    lookback=WINDOW + 1,
    units="ratio",
    low=0.0,
    panel="spread",
)
def roll_spread_24(bars: Bars) -> FloatArray:
    """Spread from the bounce of the closes between bid and ask; 0 where they do not bounce."""
    returns = log_returns(bars)
    bounce = rolling.covariance(returns, rolling.shifted(returns, 1), WINDOW)
    return 2 * np.sqrt(np.maximum(-bounce, 0.0))


@feature(
    feeds=_CANDLES,
    formula="mean(max(0, 2 (e^a - 1) / (e^a + 1)), 24), a = (sqrt(2 b) - sqrt(b)) / c - sqrt(g / "
    "c), c = 3 - 2 sqrt(2); b: sum of ln(high / low)^2 of two bars, g: ln(high / low)^2 of both "
    "as one; a gap after the close is taken out",
    reference="Corwin and Schultz, Journal of Finance 67, 2012",
    lookback=WINDOW,
    units="ratio",
    low=0.0,
    high=2.0,
    panel="spread",
)
def corwin_schultz_24(bars: Bars) -> FloatArray:
    """Spread from how the range grows with time: that of a spread does not."""
    before = rolling.shifted(bars.close, 1)
    gap = np.maximum(bars.low - before, 0.0) + np.minimum(bars.high - before, 0.0)
    high, low = bars.high - gap, bars.low - gap
    last_high, last_low = rolling.shifted(bars.high, 1), rolling.shifted(bars.low, 1)
    single = log_ranges_squared(bars)
    both = rolling.shifted(single, 1) + np.log(high / low) ** 2
    joint = np.log(np.maximum(high, last_high) / np.minimum(low, last_low))
    scale = 3 - 2 * math.sqrt(2)
    alpha = (math.sqrt(2) - 1) * np.sqrt(both) / scale - joint / math.sqrt(scale)
    # (e^a - 1) / (e^a + 1) = tanh(a / 2)
    return rolling.mean(np.maximum(2 * np.tanh(alpha / 2), 0.0), WINDOW)
