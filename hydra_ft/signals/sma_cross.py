"""The plain crossing of two averages; declared, and in no head until somebody lists it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from typing_extensions import Doc

from hydra_ft.bars.tolerance import exceeds, reaches
from hydra_ft.market.bias import Z_EXTREME, Z_SIGNIFICANT
from hydra_ft.signals import conditions, witnesses
from hydra_ft.signals.registry import TRENDS, Columns, MarketColumns, SignalColumns, signal
from hydra_ft.types import BoolArray, Feed, FloatArray, Side

HELD = "open_interest_change_4_1h"
SURE_REGIME = 0.7


@dataclass(frozen=True, slots=True)
class SmaCrossRules:
    """Thresholds of ``sma_cross``; ratios of the price unless said otherwise."""

    max_vol_expansion: Annotated[
        float, Gt(0), Le(4), Doc("volatility ratio above which nothing fires")
    ] = 3.0
    max_change: Annotated[
        float, Gt(0), Le(0.5), Doc("change of 1 h, either way, above which nothing fires")
    ] = 0.025
    max_z_against: Annotated[
        float, Gt(0), Le(5), Doc("funding z from which a crowded own side forbids it")
    ] = Z_EXTREME
    cascade_above: Annotated[
        float, Gt(0), Le(100), Doc("multiple of the usual liquidations that forbids it")
    ] = 5.0
    held_change: Annotated[
        float, Ge(0), Le(1), Doc("change of open interest in 4 h that adds or takes trust")
    ] = 0.003
    atr_factor: Annotated[float, Gt(0), Le(5), Doc("stop as a multiple of the 1h ATR")] = 1.2
    stop_low: Annotated[float, Gt(0), Le(0.2), Doc("nearest stop")] = 0.012
    stop_high: Annotated[float, Gt(0), Le(0.2), Doc("furthest stop")] = 0.020
    reward: Annotated[float, Gt(0), Le(10), Doc("target as a multiple of the stop")] = 2.0
    reward_sure: Annotated[
        float, Gt(0), Le(10), Doc("the same where the confidence is above sure_above")
    ] = 2.5
    sure_above: Annotated[
        float, Ge(0), Le(1), Doc("confidence above which the target is reward_sure")
    ] = 0.65


def confidence(
    sure: BoolArray, crowded: BoolArray, held: FloatArray, shape: BoolArray, lively: BoolArray
) -> FloatArray:
    """0.55 + 0.10 + 0.08 + 0.05 held + 0.05 + 0.05, 0.75 at most.

    For a sure regime, others crowded, open interest (``held`` is +1 rising, -1 falling, 0),
    structure of the side, and a volatility ratio of 1.2 .. 2.
    """
    raw = 0.55 + 0.10 * sure + 0.08 * crowded + 0.05 * held + 0.05 * shape + 0.05 * lively
    capped: FloatArray = np.minimum(0.75, raw)
    return capped


def _held(columns: Columns, rules: SmaCrossRules) -> FloatArray:
    """+1 where open interest rises, -1 where it falls, 0 between and where it is not fed."""
    change = columns.get(HELD, np.zeros(columns["close_5m"].shape))
    rising, falling = reaches(change, rules.held_change), reaches(-change, rules.held_change)
    return rising.astype(np.float64) - falling


def _trust(columns: Columns, market: MarketColumns, side: Side, rules: SmaCrossRules) -> FloatArray:
    ratio = columns["vol_expansion_20_1h"]
    return confidence(
        exceeds(market.regime_confidence, SURE_REGIME),
        witnesses.others_crowded(columns, side, Z_SIGNIFICANT),
        _held(columns, rules),
        conditions.structured(columns, side),
        reaches(ratio, 1.2) & ~exceeds(ratio, 2.0),
    )


def _fires(columns: Columns, market: MarketColumns, side: Side, rules: SmaCrossRules) -> BoolArray:
    fires: BoolArray = (
        conditions.regime_is(market, side)
        & (columns["sma_cross_100_1h"] == side.sign)
        & ~exceeds(columns["vol_expansion_20_1h"], rules.max_vol_expansion)
        & ~exceeds(np.abs(columns["change_1_1h"]), rules.max_change)
        & witnesses.uncrowded(columns, side, rules.max_z_against)
        & witnesses.no_cascade(columns, rules.cascade_above)
    )
    return fires


@signal(
    feeds=(Feed.CANDLES,),
    needs=(
        "close_5m",
        "sma_cross_100_1h",
        "change_1_1h",
        "vol_expansion_20_1h",
        "atr_14_1h",
        *conditions.STRUCTURE,
    ),
    uses=(HELD, witnesses.FUNDING_Z, witnesses.RATIO),
    regimes=TRENDS,
    trend_following=False,
    max_hold_s=24 * 3600,
    rules=SmaCrossRules(),
    cooldown_s=24 * 3600,
    flip_s=48 * 3600,
)
def sma_cross(columns: Columns, market: MarketColumns, rules: SmaCrossRules) -> SignalColumns:
    """SMA10 crossed SMA100 at the last closed hour, in the direction of the regime.

    Further: volatility ratio at most 3; the last hour moved by at most 2.5 %. Where fed:
    funding z not 1.5 towards the own side, no cascade of liquidations. Stop 1.2 ATR within
    1.2 % .. 2.0 %, target 2 R, or 2.5 R above a confidence of 0.65. Reference: Hydra V3
    SMACrossover.
    """
    stop = np.clip(
        rules.atr_factor * columns["atr_14_1h"] / columns["close_5m"],
        rules.stop_low,
        rules.stop_high,
    )
    trust = [_trust(columns, market, side, rules) for side in conditions.SIDES]
    targets = [
        np.where(exceeds(sure, rules.sure_above), rules.reward_sure, rules.reward) * stop
        for sure in trust
    ]
    return SignalColumns(
        long=_fires(columns, market, Side.LONG, rules),
        short=_fires(columns, market, Side.SHORT, rules),
        confidence=(trust[0], trust[1]),
        stop=(stop, stop),
        target=(targets[0], targets[1]),
    )
