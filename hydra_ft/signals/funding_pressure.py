"""Go with the trend while the crowd on the other side pays for being wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from typing_extensions import Doc

from hydra_ft.bars.tolerance import exceeds, within
from hydra_ft.market.bias import Z_SIGNIFICANT
from hydra_ft.market.trend import is_trending
from hydra_ft.signals import conditions
from hydra_ft.signals.registry import TRENDS, Columns, MarketColumns, SignalColumns, signal
from hydra_ft.types import BoolArray, Feed, FloatArray, Side


@dataclass(frozen=True, slots=True)
class FundingPressureRules:
    """Thresholds of ``funding_pressure``; ratios of the price unless said otherwise."""

    min_z: Annotated[float, Gt(0), Le(5), Doc("funding z beyond which a crowd pays (sigma)")] = (
        Z_SIGNIFICANT
    )
    min_paid: Annotated[
        float, Gt(0), Le(0.05), Doc("funding of 24 h beyond which a crowd pays")
    ] = 0.001
    max_vol_expansion: Annotated[
        float, Gt(0), Le(4), Doc("volatility ratio above which nothing fires")
    ] = 2.5
    rsi_low: Annotated[float, Ge(0), Le(50), Doc("RSI must be above")] = 35.0
    rsi_high: Annotated[float, Ge(50), Le(100), Doc("RSI must be below")] = 65.0
    swing_factor: Annotated[float, Gt(0), Le(3), Doc("stop as a multiple of the 4 h swing")] = 1.2
    stop_low: Annotated[float, Gt(0), Le(0.2), Doc("nearest stop")] = 0.012
    stop_high: Annotated[float, Gt(0), Le(0.2), Doc("furthest stop")] = 0.020
    reward: Annotated[float, Gt(0), Le(10), Doc("target as a multiple of the stop")] = 2.5


def confidence(
    z: FloatArray, strength: FloatArray, pullback: BoolArray, rsi: BoolArray
) -> FloatArray:
    """0.55 + min(.15, |z|/8) + min(.10, .15 strength) + .10, .05, .05; 0.85 at most.

    The last three are for the pullback, the RSI, and both together.
    """
    raw = (
        0.55
        + np.minimum(0.15, np.abs(z) / 8)
        + np.minimum(0.10, 0.15 * strength)
        + 0.10 * pullback
        + 0.05 * rsi
        + 0.05 * (pullback & rsi)
    )
    capped: FloatArray = np.minimum(0.85, raw)
    return capped


def against_payer(
    z: FloatArray, paid: FloatArray, last: FloatArray, rules: FundingPressureRules
) -> FloatArray:
    """Side against the crowd that pays, +1, -1 or 0, elementwise.

    Two witnesses: the z of the last rate, if that rate really has the crowd pay, and what
    was paid over 24 h. Where they contradict each other there is no signal (the original
    went short).
    """
    pays = exceeds(np.abs(z), rules.min_z) & (np.sign(last) == np.sign(z))
    by_z = -np.sign(z) * pays
    by_paid = -np.sign(paid) * exceeds(np.abs(paid), rules.min_paid)
    votes = np.nan_to_num(by_z) + np.nan_to_num(by_paid)
    side: FloatArray = np.sign(votes)
    return side


def _fires(
    columns: Columns, market: MarketColumns, side: Side, rules: FundingPressureRules
) -> BoolArray:
    gap = columns["ema_20_1h"] - columns["ema_50_1h"]
    against = against_payer(
        columns["funding_z_168_1h"],
        columns["funding_sum_24_1h"],
        columns["funding_last_24_1h"],
        rules,
    )
    fires: BoolArray = (
        conditions.regime_is(market, side)
        & (against == side.sign)
        & (is_trending(market.trend) == side.sign)
        & (np.sign(gap) == side.sign)
        & conditions.structured(columns, side)
        & ~exceeds(columns["vol_expansion_20_1h"], rules.max_vol_expansion)
        & conditions.pulled_back(columns)
        & within(columns["rsi_14_1h"], rules.rsi_low, rules.rsi_high)
    )
    return fires


@signal(
    feeds=(Feed.CANDLES, Feed.FUNDING),
    needs=(
        "close_5m",
        "ema_20_1h",
        "ema_50_1h",
        "natr_14_1h",
        "rsi_14_1h",
        "vol_expansion_20_1h",
        "funding_z_168_1h",
        "funding_sum_24_1h",
        "funding_last_24_1h",
        *conditions.STRUCTURE,
        *conditions.SWING,
    ),
    regimes=TRENDS,
    trend_following=True,
    max_hold_s=36 * 3600,
    rules=FundingPressureRules(),
)
def funding_pressure(
    columns: Columns, market: MarketColumns, rules: FundingPressureRules
) -> SignalColumns:
    """A trend against the side that pays funding, entered at a pullback.

    All of: regime of the side; |z| > 1 or 24 h funding beyond 0.1 %, not contradicting
    each other, the side against the payer; an up- or downtrend of the side; EMA20 beyond
    EMA50; HH or HL (LH or LL); volatility ratio at most 2.5; pullback (0.5 ATR) and RSI
    strictly within 35..65. Stop 1.2 swings of 4 h within 1.2 % .. 2.0 %, target 2.5 R.
    Reference: Hydra V3 FundingPressureContinuation.
    """
    strength = np.minimum(1.0, np.abs(market.trend))
    pullback = conditions.pulled_back(columns)
    rsi = within(columns["rsi_14_1h"], rules.rsi_low, rules.rsi_high)
    trust = confidence(columns["funding_z_168_1h"], strength, pullback, rsi)
    stops = [
        np.clip(
            rules.swing_factor * conditions.swing(columns, side), rules.stop_low, rules.stop_high
        )
        for side in conditions.SIDES
    ]
    return SignalColumns(
        long=_fires(columns, market, Side.LONG, rules),
        short=_fires(columns, market, Side.SHORT, rules),
        confidence=(trust, trust),
        stop=(stops[0], stops[1]),
        target=(rules.reward * stops[0], rules.reward * stops[1]),
    )
