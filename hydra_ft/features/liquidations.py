"""Forced closures: how much, of which side, and against the pair's own usual.

The side is that of the position: a liquidated long is sold out, so on most venues its
order says SELL (F-A7). The windows are in bars and meant for 5m bars: 12 are an hour, 48
are four. A window with a bar that the feed did not cover is NaN, and so is everything when
the feed is not carried: a gap must not look like calm. Only the usual may do without two of its
16 hours: it is told by the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.features import rolling
from hydra_ft.features.registry import feature
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from hydra_ft.features.registry import Compute
    from hydra_ft.types import Bars, FloatArray

_FEEDS = (Feed.LIQUIDATIONS,)
HOUR = 12
BASELINE_HOURS = 16
BASELINE_DECAY = 0.9
LEAST_HOURS = 14
"""Hours of the baseline that must be known: a gap of minutes lies in one of them, or in two."""
# A pair on which next to nothing was liquidated for hours has no usual of its own: one
# small position would be a large multiple of it. Liquidations are typically 1e-3 of the
# turnover, so this floor only takes the place of a baseline that is hardly there.
FLOOR_SHARE = 1e-4


def _sides(bars: Bars) -> tuple[FloatArray, FloatArray]:
    """Notional of longs and of shorts per bar, NaN where it is not known."""
    if bars.long_liquidated is None or bars.short_liquidated is None:
        unknown = rolling.empty_like(bars.close)
        return unknown, unknown
    return bars.long_liquidated, bars.short_liquidated


def _total(window: int) -> Compute:
    """Declare what was liquidated over a number of bars."""

    def compute(bars: Bars) -> FloatArray:
        longs, shorts = _sides(bars)
        return rolling.total(longs + shorts, window)

    compute.__name__ = compute.__qualname__ = f"liquidation_total_{window}"
    compute.__doc__ = f"Notional of all positions liquidated in the last {window} bars."
    return feature(
        feeds=_FEEDS,
        formula=f"sum(long_liquidated + short_liquidated, {window})",
        reference="Hydra V3 alpha_state",
        lookback=window - 1,
        units="quote",
        low=0.0,
        panel="liquidations",
    )(compute)


liquidation_total_12 = _total(HOUR)
liquidation_total_48 = _total(4 * HOUR)
liquidation_total_96 = _total(8 * HOUR)
liquidation_total_24 = _total(24)


def _imbalance(window: int) -> Compute:
    """Declare the balance of the liquidated sides over a number of bars."""

    def compute(bars: Bars) -> FloatArray:
        longs, shorts = (rolling.total(side, window) for side in _sides(bars))
        both = longs + shorts
        return np.where(both == 0, 0.0, rolling.ratio(longs - shorts, both))

    compute.__name__ = compute.__qualname__ = f"liquidation_imbalance_{window}"
    compute.__doc__ = "Which side was liquidated: +1 only longs, -1 only shorts, 0 none or both."
    return feature(
        feeds=_FEEDS,
        formula=f"(L - S) / (L + S) of the sums over {window} bars, by side of the position; "
        "0 where both are 0",
        reference="Hydra V3 liquidations; F-A7",
        lookback=window - 1,
        units="ratio",
        low=-1.0,
        high=1.0,
        panel="liquidation_imbalance",
    )(compute)


liquidation_imbalance_12 = _imbalance(12)
liquidation_imbalance_48 = _imbalance(48)


def usual_total(bars: Bars) -> FloatArray:
    """The pair's own usual of one hour, shape (n,), quote; it ends before the last hour.

    Mean of the 16 hourly totals before the last hour, of which 14 must be known, weights
    0.9**age, and no less than 1e-4 of the mean hourly turnover of those hours. F-A13: the
    audited system let the hour in question into its own baseline, so that "5 times" was 9 times.
    """
    hourly = liquidation_total_12(bars)
    known = np.isfinite(hourly)
    # Before the first full hour nothing is known, not even that something is missing.
    counted = np.where(known, 1.0, 0.0)
    counted[: HOUR - 1] = np.nan
    told = np.where(known, hourly, 0.0)
    usual, mass, hours = (np.zeros(len(bars)) for _ in range(3))
    for age in range(BASELINE_HOURS):
        weight, bars_ago = BASELINE_DECAY**age, HOUR * (age + 1)
        there = rolling.shifted(counted, bars_ago)
        usual += weight * rolling.shifted(told, bars_ago)
        mass += weight * there
        hours += there
    usual = np.where(hours >= LEAST_HOURS, rolling.ratio(usual, mass), np.nan)
    turnover = rolling.total(bars.close * bars.volume, HOUR * BASELINE_HOURS) / BASELINE_HOURS
    return np.maximum(usual, FLOOR_SHARE * rolling.shifted(turnover, HOUR))


@feature(
    feeds=_FEEDS,
    formula="liquidation_total_12 / max(usual, 1e-4 turnover per hour); usual = sum(0.9^k "
    "liquidation_total_12[-12 (k + 1)]) / sum(0.9^k), k < 16, over the known of these hours, 14 at "
    "least; 0 where nothing was traded",
    reference="F-A8, F-A13; Hydra V3 alpha_state, there with the hour itself in its baseline",
    lookback=HOUR * (BASELINE_HOURS + 1) - 1,
    units="multiple",
    low=0.0,
    panel="liquidation_ratio",
)
def liquidation_ratio_12(bars: Bars) -> FloatArray:
    """What was liquidated in the last 12 bars as a multiple of the pair's own usual."""
    usual = usual_total(bars)
    ratio = rolling.ratio(liquidation_total_12(bars), usual)
    return np.where(usual == 0, 0.0, ratio)
