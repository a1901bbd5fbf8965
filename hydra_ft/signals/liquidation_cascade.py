"""Go with the trend when a cascade of liquidations clears out the other side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from typing_extensions import Doc

from hydra_ft.bars.quality import last_rows
from hydra_ft.bars.tolerance import exceeds, reaches
from hydra_ft.market.trend import is_trending
from hydra_ft.signals import conditions
from hydra_ft.signals.registry import TRENDS, Columns, MarketColumns, SignalColumns, signal
from hydra_ft.types import BoolArray, Feed, FloatArray, IntArray, Side

RATIO, IMBALANCE = "liquidation_ratio_12_5m", "liquidation_imbalance_12_5m"
MAX_AGE = 9
"""Bars of 5m after its detection in which a cascade counts: 45 minutes."""
QUIET = 12
"""Bars of 5m without a cascade before the next one is another: its window of one hour."""


@dataclass(frozen=True, slots=True)
class LiquidationCascadeRules:
    """Thresholds of ``liquidation_cascade``; ratios of the price unless said otherwise."""

    min_ratio: Annotated[
        float, Gt(0), Le(100), Doc("liquidated in 1 h, as a multiple of the usual, must exceed")
    ] = 5.0
    min_imbalance: Annotated[
        float, Ge(0), Le(1), Doc("balance of the liquidated sides must exceed")
    ] = 0.5
    min_vol_expansion: Annotated[
        float, Ge(0), Le(4), Doc("volatility ratio below which nothing fires")
    ] = 1.0
    max_move: Annotated[
        float, Gt(0), Le(0.2), Doc("furthest move of the price since the detection")
    ] = 0.02
    atr_factor: Annotated[float, Gt(0), Le(5), Doc("stop as a multiple of the 1h ATR")] = 1.0
    stop_low: Annotated[float, Gt(0), Le(0.2), Doc("nearest stop")] = 0.010
    stop_high: Annotated[float, Gt(0), Le(0.2), Doc("furthest stop")] = 0.015
    reward: Annotated[float, Gt(0), Le(10), Doc("target as a multiple of the stop")] = 2.0


@dataclass(frozen=True, slots=True)
class Cascades:
    """Cascades as each bar sees them, shape (n,): running or not, and how it began.

    ``side`` is the side to trade, against the liquidated one: +1, -1, or 0 without a
    cascade; ``onset`` the row of the last detection, -1 before the first.
    """

    side: IntArray
    onset: IntArray


def cascades(ratio: FloatArray, imbalance: FloatArray, rules: LiquidationCascadeRules) -> Cascades:
    """Find cascades and the bars that detect them.

    A bar detects a cascade when it is in one and none of the 12 bars before it is: the
    hourly window keeps the same liquidations in sight for 12 bars, and a multiple that
    flickers around its threshold is one cascade.
    """
    running = exceeds(ratio, rules.min_ratio) & exceeds(np.abs(imbalance), rules.min_imbalance)
    rows = np.arange(running.shape[0])
    earlier = np.r_[-QUIET - 1, last_rows(running)[:-1]] if rows.size else rows
    earlier = np.where(earlier < 0, -QUIET - 1, earlier)
    onset = last_rows(running & (rows - earlier > QUIET))
    side = np.where(running, -np.sign(imbalance), 0.0)
    return Cascades(side.astype(np.int64), onset)


def first_each(fires: BoolArray, onset: IntArray) -> BoolArray:
    """Only the first bar that fires after each detection, shape (n,)."""
    if not fires.size:
        return fires
    so_far = np.r_[0, np.cumsum(fires)]
    earlier = so_far[:-1] - so_far[np.maximum(onset, 0)]
    first: BoolArray = fires & (earlier == 0)
    return first


def confidence(
    ratio: FloatArray, imbalance: FloatArray, rules: LiquidationCascadeRules
) -> FloatArray:
    """0.60 + min(.15, (|imbalance| - .5)/2) + min(.10, (ratio/least - 1)/10); 0.80 at most."""
    one_sided = np.minimum(0.15, (np.abs(imbalance) - 0.5) / 2)
    large = np.minimum(0.10, (ratio / rules.min_ratio - 1) / 10)
    capped: FloatArray = np.minimum(0.80, 0.60 + one_sided + large)
    return capped


def _fires(
    columns: Columns, market: MarketColumns, found: Cascades, rules: LiquidationCascadeRules
) -> BoolArray:
    """Bars at which everything holds, whichever the side, before the latch."""
    price = columns["close_5m"]
    rows = np.arange(price.shape[0])
    begun = np.maximum(found.onset, 0)
    fresh = rows - found.onset <= MAX_AGE
    moved = price / price[begun] - 1
    regime = np.select([conditions.regime_is(market, s) for s in conditions.SIDES], [1, -1], 0)
    fires: BoolArray = (
        fresh
        & (found.side != 0)
        & (found.side[begun] == found.side)
        & (regime == found.side)
        & (is_trending(market.trend) == found.side)
        & reaches(columns["vol_expansion_20_1h"], rules.min_vol_expansion)
        & ~exceeds(np.abs(moved), rules.max_move)
        & np.isfinite(columns["atr_14_1h"] + moved)
    )
    return fires


@signal(
    feeds=(Feed.CANDLES, Feed.LIQUIDATIONS),
    needs=("close_5m", "atr_14_1h", "vol_expansion_20_1h", RATIO, IMBALANCE),
    regimes=TRENDS,
    trend_following=False,
    max_hold_s=12 * 3600,
    rules=LiquidationCascadeRules(),
    memory_bars=MAX_AGE + QUIET,
)
def liquidation_cascade(
    columns: Columns, market: MarketColumns, rules: LiquidationCascadeRules
) -> SignalColumns:
    """Shorts are liquidated in an uptrend (longs in a downtrend): join the trend.

    All of: what was liquidated in an hour beyond 5 times the pair's own usual, more than
    0.5 to one side, detected at most 45 minutes ago with that side; regime and trend of
    the other side; volatility ratio at least 1; the price moved by at most 2 % since the
    detection. One signal per cascade: the first bar at which all of that holds. Stop one
    1h ATR within 1.0 % .. 1.5 %, target 2 R. Reference: Hydra V3 LiquidationCascade, whose
    thresholds were absolute (F-A8) and which armed again at once.
    """
    ratio, imbalance = columns[RATIO], columns[IMBALANCE]
    found = cascades(ratio, imbalance, rules)
    first = first_each(_fires(columns, market, found, rules), found.onset)
    trust = confidence(ratio, imbalance, rules)
    stop = np.clip(
        rules.atr_factor * columns["atr_14_1h"] / columns["close_5m"],
        rules.stop_low,
        rules.stop_high,
    )
    return SignalColumns(
        long=first & (found.side == Side.LONG.sign),
        short=first & (found.side == Side.SHORT.sign),
        confidence=(trust, trust),
        stop=(stop, stop),
        target=(rules.reward * stop, rules.reward * stop),
    )
