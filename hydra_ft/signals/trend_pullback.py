"""Enter a trend where it pauses at its average."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from typing_extensions import Doc

from hydra_ft.bars.tolerance import exceeds, within
from hydra_ft.signals import conditions
from hydra_ft.signals.registry import TRENDS, Columns, MarketColumns, SignalColumns, signal
from hydra_ft.types import BoolArray, Feed, FloatArray, Side


@dataclass(frozen=True, slots=True)
class TrendPullbackRules:
    """Thresholds of ``trend_pullback``; ratios of the price."""

    min_strength: Annotated[
        float, Ge(0.3), Le(1), Doc("least strength of the 1h trend on the side")
    ] = 0.5
    rsi_low: Annotated[float, Ge(0), Le(50), Doc("RSI must be above")] = 35.0
    rsi_high: Annotated[float, Ge(50), Le(100), Doc("RSI must be below")] = 65.0
    swing_factor: Annotated[float, Gt(0), Le(3), Doc("stop as a multiple of the 4 h swing")] = 1.1
    stop_low: Annotated[float, Gt(0), Le(0.2), Doc("nearest stop")] = 0.010
    stop_high: Annotated[float, Gt(0), Le(0.2), Doc("furthest stop")] = 0.018
    reward: Annotated[float, Gt(0), Le(10), Doc("target as a multiple of the stop")] = 2.0


def confidence(strength: FloatArray, aligned: BoolArray, sure: BoolArray) -> FloatArray:
    """0.55 + min(0.15, 0.2 strength) + 0.10 bias aligned + 0.05 regime sure, 0.80 at most."""
    raw = 0.55 + np.minimum(0.15, 0.2 * strength) + 0.10 * aligned + 0.05 * sure
    capped: FloatArray = np.minimum(0.80, raw)
    return capped


def stop_of(swing: FloatArray, rules: TrendPullbackRules) -> FloatArray:
    """Stop from the swing of the last 4 hours, within its bounds."""
    return np.clip(rules.swing_factor * swing, rules.stop_low, rules.stop_high)


def _fires(
    columns: Columns, market: MarketColumns, side: Side, rules: TrendPullbackRules
) -> BoolArray:
    return (
        conditions.regime_is(market, side)
        & conditions.trending(market, side, rules.min_strength)
        & within(columns["rsi_14_1h"], rules.rsi_low, rules.rsi_high)
        & conditions.pulled_back(columns)
        & conditions.structured(columns, side)
        & ~conditions.broken(columns, side, "4h")
    )


@signal(
    feeds=(Feed.CANDLES,),
    needs=(
        "close_5m",
        "ema_20_1h",
        "natr_14_1h",
        "rsi_14_1h",
        *conditions.STRUCTURE,
        *conditions.SWING,
        "higher_high_30_4h",
        "higher_low_30_4h",
        "lower_high_30_4h",
        "lower_low_30_4h",
    ),
    regimes=TRENDS,
    trend_following=True,
    max_hold_s=24 * 3600,
    rules=TrendPullbackRules(),
)
def trend_pullback(
    columns: Columns, market: MarketColumns, rules: TrendPullbackRules
) -> SignalColumns:
    """Regime and trend of one side, price back at the 1h EMA20, structure intact.

    All of: regime of the side; trend strength >= 0.5 on the side; RSI strictly within
    35..65; |close / EMA20 - 1| below 0.5 ATR (0.3 % .. 0.8 %); HH or HL (LH or LL) on 1h;
    the 4h structure not fully against the side. Stop 1.1 swings of 4 h within 1.0 % ..
    1.8 %, target 2 R. Reference: Hydra V3 TrendPullback, with EMATrendContinuation.
    """
    strength = np.minimum(1.0, np.abs(market.trend))
    sure = exceeds(market.regime_confidence, 0.7)
    fired, trust, stop = [], [], []
    for side in conditions.SIDES:
        fired.append(_fires(columns, market, side, rules))
        trust.append(confidence(strength, market.bias == side.sign, sure))
        stop.append(stop_of(conditions.swing(columns, side), rules))
    return SignalColumns(
        long=fired[0],
        short=fired[1],
        confidence=(trust[0], trust[1]),
        stop=(stop[0], stop[1]),
        target=(rules.reward * stop[0], rules.reward * stop[1]),
    )
