"""Levels at which one side had far more than the other, from the footprint beside the bars.

By volume, and by adjacency of prices: what takers bought at a price against what they sold one
bin lower, and the other way round (``bars.footprint``). Everything is NaN where trades are not
carried or a bar is not whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.features import rolling
from hydra_ft.features.registry import feature
from hydra_ft.features.volatility import atr_14
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from hydra_ft.features.registry import Compute
    from hydra_ft.types import Bars, FloatArray

_FEEDS = (Feed.TRADES,)
_SOURCE = "Steidlmayer's footprint; Freqtrade's own counts trades and calls gaps adjacent"
HOUR = 12
STACK_BARS = 48
ATR_BARS = 112


def _column(bars: Bars, name: str) -> FloatArray:
    if bars.footprint is None:
        return rolling.empty_like(bars.close)
    found: FloatArray = getattr(bars.footprint, name)
    return found


def _share(side: str, opposed: str) -> Compute:
    """Declare the share of the levels of a bar that are out of balance to a side."""

    def compute(bars: Bars) -> FloatArray:
        levels = _column(bars, "levels")
        found = rolling.ratio(_column(bars, f"{side}_levels"), levels)
        return np.where(levels == 0, 0.0, found)

    compute.__name__ = compute.__qualname__ = f"{side}_imbalance_share"
    compute.__doc__ = f"Share of the prices of a bar at which takers had far more to {side}."
    return feature(
        feeds=_FEEDS,
        formula=f"levels with {side} > 3 {opposed} one bin away / levels that traded; levels of "
        "less than a quarter of the mean volume of a level do not count",
        reference=_SOURCE,
        lookback=0,
        units="ratio",
        low=0.0,
        high=1.0,
        panel="imbalanced_levels",
    )(compute)


buy_imbalance_share = _share("buy", "sell")
sell_imbalance_share = _share("sell", "buy")


@feature(
    feeds=_FEEDS,
    formula="(B - S) / (B + S) of the imbalanced levels over 12 bars; 0 where there are none",
    reference=_SOURCE,
    lookback=HOUR - 1,
    units="ratio",
    low=-1.0,
    high=1.0,
    panel="level_balance",
)
def level_balance_12(bars: Bars) -> FloatArray:
    """Which side was out of balance at more prices: +1 only buyers, -1 only sellers."""
    bought, sold = (rolling.total(_column(bars, f"{s}_levels"), HOUR) for s in ("buy", "sell"))
    both = bought + sold
    return np.where(both == 0, 0.0, rolling.ratio(bought - sold, both))


def _stacks(side: str) -> Compute:
    """Declare the number of stacks of a side over an hour of 5m bars."""

    def compute(bars: Bars) -> FloatArray:
        return rolling.total(_column(bars, f"{side}_stacks"), HOUR)

    compute.__name__ = compute.__qualname__ = f"{side}_stacks_{HOUR}"
    compute.__doc__ = f"How often three or more adjacent prices were out of balance to a {side}."
    return feature(
        feeds=_FEEDS,
        formula=f"runs of 3 or more adjacent {side}-imbalanced levels, summed over {HOUR} bars",
        reference=_SOURCE,
        lookback=HOUR - 1,
        units="stacks",
        low=0.0,
        panel="stacks",
    )(compute)


buy_stacks_12 = _stacks("buy")
sell_stacks_12 = _stacks("sell")


def nearest(prices: FloatArray, close: FloatArray, window: int) -> FloatArray:
    """Of the prices of the last ``window`` rows the one nearest to the close, shape (n,).

    Of two as near the newer one; NaN where there is none.
    """
    held = rolling.windows(prices, window)[:, ::-1]
    apart = np.abs(held - close[close.shape[0] - held.shape[0] :, None])
    if not held.shape[0]:
        return rolling.empty_like(close)
    at = np.argmin(np.where(np.isnan(apart), np.inf, apart), axis=1)
    return rolling.warmed(held[np.arange(at.size), at], close.shape[0])


def _distance(side: str) -> Compute:
    """Declare how far the nearest stack of a side is."""

    def compute(bars: Bars) -> FloatArray:
        level = nearest(_column(bars, f"{side}_stack"), bars.close, STACK_BARS)
        # A bar of which trades are missing may have had one.
        gap = np.isnan(rolling.total(_column(bars, "levels"), STACK_BARS))
        return np.where(gap, np.nan, rolling.ratio(bars.close - level, atr_14(bars)))

    compute.__name__ = compute.__qualname__ = f"{side}_stack_distance_{STACK_BARS}"
    compute.__doc__ = f"How far the price is above (below: negative) the nearest {side} stack."
    return feature(
        feeds=_FEEDS,
        formula=f"(close - middle of the nearest of the longest {side} stacks of {STACK_BARS} "
        "bars) / atr_14; NaN where there was none",
        reference=_SOURCE,
        lookback=ATR_BARS,
        units="atr",
        panel="stack_distance",
    )(compute)


buy_stack_distance_48 = _distance("buy")
sell_stack_distance_48 = _distance("sell")
