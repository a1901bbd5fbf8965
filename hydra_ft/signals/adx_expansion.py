"""Join a movement as its directional strength comes up from rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from typing_extensions import Doc

from hydra_ft.bars.tolerance import exceeds, falls_below, reaches
from hydra_ft.market.bias import Z_SIGNIFICANT
from hydra_ft.signals import conditions, witnesses
from hydra_ft.signals.registry import TRENDS, Columns, MarketColumns, SignalColumns, signal
from hydra_ft.types import BoolArray, Feed, FloatArray, Side


@dataclass(frozen=True, slots=True)
class AdxExpansionRules:
    """Thresholds of ``adx_expansion``; ADX and DI in points, the rest ratios of the price."""

    adx_from: Annotated[float, Ge(0), Le(100), Doc("ADX must reach")] = 25.0
    adx_to: Annotated[float, Ge(0), Le(100), Doc("ADX must not exceed")] = 40.0
    rest_below: Annotated[
        float, Ge(0), Le(100), Doc("one of the 4 bars before had an ADX below")
    ] = 20.0
    min_di_gap: Annotated[float, Ge(0), Le(100), Doc("least gap of +DI and -DI")] = 8.0
    min_ema_gap: Annotated[float, Ge(0), Le(0.1), Doc("least gap of EMA20 and EMA50")] = 0.002
    max_vol_expansion: Annotated[
        float, Gt(0), Le(4), Doc("volatility ratio above which nothing fires")
    ] = 3.0
    max_z_against: Annotated[
        float, Gt(0), Le(5), Doc("funding z from which a crowded own side forbids it")
    ] = Z_SIGNIFICANT
    atr_factor: Annotated[float, Gt(0), Le(5), Doc("stop as a multiple of the 1h ATR")] = 1.2
    stop_low: Annotated[float, Gt(0), Le(0.2), Doc("nearest stop")] = 0.012
    stop_high: Annotated[float, Gt(0), Le(0.2), Doc("furthest stop")] = 0.020
    reward: Annotated[float, Gt(0), Le(10), Doc("target as a multiple of the stop")] = 2.0


def confidence(fresh: BoolArray, wide: BoolArray, aligned: BoolArray) -> FloatArray:
    """0.55 + 0.10 fresh + 0.08 wide DI gap + 0.05 bias aligned, 0.75 at most.

    Fresh is an ADX in the lower half of its band.

    The original's weights; what its 0.08 and 0.05 stood for is not recorded, so a DI gap
    of twice the least and an aligned bias take their place.
    """
    raw = 0.55 + 0.10 * fresh + 0.08 * wide + 0.05 * aligned
    capped: FloatArray = np.minimum(0.75, raw)
    return capped


def _fires(
    columns: Columns, market: MarketColumns, side: Side, rules: AdxExpansionRules
) -> BoolArray:
    adx = columns["adx_14_1h"]
    gap = (columns["plus_di_14_1h"] - columns["minus_di_14_1h"]) * side.sign
    averages = (columns["ema_20_1h"] / columns["ema_50_1h"] - 1) * side.sign
    fires: BoolArray = (
        conditions.regime_is(market, side)
        & reaches(adx, rules.adx_from)
        & ~exceeds(adx, rules.adx_to)
        & falls_below(columns["adx_prior_low_4_1h"], rules.rest_below)
        & reaches(gap, rules.min_di_gap)
        & reaches(averages, rules.min_ema_gap)
        & ~exceeds(columns["vol_expansion_20_1h"], rules.max_vol_expansion)
    )
    return fires & witnesses.uncrowded(columns, side, rules.max_z_against)


@signal(
    feeds=(Feed.CANDLES,),
    needs=(
        "close_5m",
        "adx_14_1h",
        "adx_prior_low_4_1h",
        "plus_di_14_1h",
        "minus_di_14_1h",
        "ema_20_1h",
        "ema_50_1h",
        "vol_expansion_20_1h",
        "atr_14_1h",
    ),
    uses=(witnesses.FUNDING_Z,),
    regimes=TRENDS,
    trend_following=False,
    max_hold_s=18 * 3600,
    rules=AdxExpansionRules(),
    cooldown_s=3 * 3600,
    flip_s=4 * 3600,
)
def adx_expansion(
    columns: Columns, market: MarketColumns, rules: AdxExpansionRules
) -> SignalColumns:
    """Wilder's ADX rises from below 20 into 25 .. 40 within 4 bars, DI gap at least 8.

    Further: regime of the side; EMA20 beyond EMA50 by 0.2 %; volatility ratio at most 3;
    no crowded own side (funding z, where fed). Stop 1.2 ATR within 1.2 % .. 2.0 %, target
    2 R. Reference: Hydra V3 ADXExpansionMomentum, whose "ADX" was a trend strength.
    """
    gap = np.abs(columns["plus_di_14_1h"] - columns["minus_di_14_1h"])
    fresh = falls_below(columns["adx_14_1h"], (rules.adx_from + rules.adx_to) / 2)
    wide = reaches(gap, 2 * rules.min_di_gap)
    stop = np.clip(
        rules.atr_factor * columns["atr_14_1h"] / columns["close_5m"],
        rules.stop_low,
        rules.stop_high,
    )
    trust = [confidence(fresh, wide, market.bias == side.sign) for side in conditions.SIDES]
    return SignalColumns(
        long=_fires(columns, market, Side.LONG, rules),
        short=_fires(columns, market, Side.SHORT, rules),
        confidence=(trust[0], trust[1]),
        stop=(stop, stop),
        target=(rules.reward * stop, rules.reward * stop),
    )
