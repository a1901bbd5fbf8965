"""Join the price as it leaves a range that has been narrow for long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from typing_extensions import Doc

from hydra_ft.bars.tolerance import exceeds, falls_below, reaches
from hydra_ft.market.bias import Z_EXTREME
from hydra_ft.market.trend import TRENDING_ABOVE
from hydra_ft.signals import conditions, witnesses
from hydra_ft.signals.registry import TRENDS, Columns, MarketColumns, SignalColumns, signal
from hydra_ft.types import BoolArray, Feed, FloatArray, Regime, Side

HELD = "open_interest_change_1_1h"


@dataclass(frozen=True, slots=True)
class RangeBreakoutRules:
    """Thresholds of ``range_breakout``; ratios of the price unless said otherwise."""

    max_width: Annotated[
        float, Gt(0), Le(0.5), Doc("the range of 24 h stayed narrower for 12 h")
    ] = 0.04
    beyond: Annotated[
        float, Ge(0), Le(1), Doc("how far beyond the edge, as a share of the range")
    ] = 0.10
    min_held_rise: Annotated[
        float, Ge(-1), Le(1), Doc("least rise of open interest in 1 h, where it is fed")
    ] = 0.002
    min_liquidated: Annotated[
        float, Ge(0), Le(100), Doc("least multiple of the usual liquidations, where fed")
    ] = 1.0
    max_imbalance: Annotated[
        float, Ge(0), Le(1), Doc("balance of liquidations above which the own side is hit")
    ] = 0.5
    max_z_against: Annotated[
        float, Gt(0), Le(5), Doc("funding z from which a crowded own side forbids it")
    ] = Z_EXTREME
    stop_factor: Annotated[
        float, Gt(0), Le(1), Doc("stop as a share of the distance to the far edge")
    ] = 0.5
    stop_low: Annotated[float, Gt(0), Le(0.2), Doc("nearest stop")] = 0.008
    stop_high: Annotated[float, Gt(0), Le(0.2), Doc("furthest stop")] = 0.012
    target_factor: Annotated[float, Gt(0), Le(10), Doc("target as a multiple of the range")] = 1.5
    reward: Annotated[float, Gt(0), Le(10), Doc("nearest target, as a multiple of the stop")] = 2.0
    target_high: Annotated[float, Gt(0), Le(0.5), Doc("furthest target")] = 0.03


def confidence(liquidated: BoolArray, joined: BoolArray, trend: BoolArray) -> FloatArray:
    """0.60 + 0.10 liquidations + 0.05 open interest + 0.05 trend of the side, 0.80 at most.

    The first two stand for more than twice what is asked of them.
    """
    raw = 0.60 + 0.10 * liquidated + 0.05 * joined + 0.05 * trend
    capped: FloatArray = np.minimum(0.80, raw)
    return capped


def distances(
    price: FloatArray, low: FloatArray, high: FloatArray, side: Side, rules: RangeBreakoutRules
) -> tuple[FloatArray, FloatArray]:
    """Stop and target of a side as ratios of the price.

    Half the way to the far edge, and 1.5 ranges but no less than 2 R, each within bounds.
    """
    far = low if side is Side.LONG else high
    stop = np.clip(
        rules.stop_factor * side.sign * (price - far) / price, rules.stop_low, rules.stop_high
    )
    wanted = rules.target_factor * (high - low) / price
    return stop, np.minimum(np.maximum(wanted, rules.reward * stop), rules.target_high)


def _leaves(columns: Columns, side: Side, rules: RangeBreakoutRules) -> BoolArray:
    """The close stands beyond the edge, and the price was still inside 4 base bars ago."""
    low, high = columns["prior_low_24_1h"], columns["prior_high_24_1h"]
    margin = rules.beyond * (high - low)
    if side is Side.LONG:
        return exceeds(columns["close_5m"] - high - margin, 0.0) & (columns["low_4_5m"] <= high)
    return exceeds(low - margin - columns["close_5m"], 0.0) & (columns["high_4_5m"] >= low)


def _supported(columns: Columns, side: Side, rules: RangeBreakoutRules) -> BoolArray:
    """Every feed that is listed speaks for the break, or at least not against it."""
    supported = witnesses.uncrowded(columns, side, rules.max_z_against)
    supported &= witnesses.own_side_spared(columns, side, rules.max_imbalance)
    if HELD in columns:
        supported &= reaches(columns[HELD], rules.min_held_rise)
    if witnesses.RATIO in columns:
        supported &= reaches(columns[witnesses.RATIO], rules.min_liquidated)
    return supported


def _fires(
    columns: Columns, market: MarketColumns, side: Side, rules: RangeBreakoutRules
) -> BoolArray:
    return (
        conditions.regime_fits(market, side)
        & reaches(market.trend * side.sign, -TRENDING_ABOVE)
        & falls_below(columns["prior_width_12_1h"], rules.max_width)
        & _leaves(columns, side, rules)
        & _supported(columns, side, rules)
    )


def _trust(
    columns: Columns, market: MarketColumns, side: Side, rules: RangeBreakoutRules
) -> FloatArray:
    none = np.zeros(columns["close_5m"].shape)
    return confidence(
        exceeds(columns.get(witnesses.RATIO, none), 2 * rules.min_liquidated),
        exceeds(columns.get(HELD, none), 2 * max(rules.min_held_rise, 0.0)),
        exceeds(market.trend * side.sign, TRENDING_ABOVE),
    )


@signal(
    feeds=(Feed.CANDLES,),
    needs=(
        "close_5m",
        "low_4_5m",
        "high_4_5m",
        "prior_low_24_1h",
        "prior_high_24_1h",
        "prior_width_12_1h",
    ),
    uses=(HELD, witnesses.FUNDING_Z, *witnesses.LIQUIDATIONS),
    regimes=(*TRENDS, Regime.RANGING),
    trend_following=False,
    max_hold_s=24 * 3600,
    rules=RangeBreakoutRules(),
    cooldown_s=3 * 3600,
    flip_s=4 * 3600,
)
def range_breakout(
    columns: Columns, market: MarketColumns, rules: RangeBreakoutRules
) -> SignalColumns:
    """The price closes beyond the edge of a range of 24 h that was below 4 % for 12 h.

    The range ends one hour before the last closed one, so that it does not hold the break.
    All of: regime of the side or RANGING; trend not of the other side; the close beyond
    the edge by a tenth of the range, and the price still inside within the last 4 base
    bars. Where fed: open interest up by 0.2 % in 1 h, liquidations at least as usual and
    not mostly those of the own side, funding z not 1.5 towards the own side. Stop half
    the way to the far edge within 0.8 % .. 1.2 %, target 1.5 ranges, at least 2 R and at
    most 3 %. Reference: Hydra V3 CompressedRangeBreakout and CompressionBreakout.
    """
    price = columns["close_5m"]
    low, high = columns["prior_low_24_1h"], columns["prior_high_24_1h"]
    found = [distances(price, low, high, side, rules) for side in conditions.SIDES]
    trust = [_trust(columns, market, side, rules) for side in conditions.SIDES]
    return SignalColumns(
        long=_fires(columns, market, Side.LONG, rules),
        short=_fires(columns, market, Side.SHORT, rules),
        confidence=(trust[0], trust[1]),
        stop=(found[0][0], found[1][0]),
        target=(found[0][1], found[1][1]),
    )
