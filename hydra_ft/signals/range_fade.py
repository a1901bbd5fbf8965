"""Trade from the edge of a range that stands back towards its middle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from typing_extensions import Doc

from hydra_ft.bars.tolerance import exceeds, falls_below, reaches
from hydra_ft.market.bias import Z_SIGNIFICANT
from hydra_ft.market.trend import TRENDING_ABOVE
from hydra_ft.signals import conditions, witnesses
from hydra_ft.signals.registry import Columns, MarketColumns, SignalColumns, signal
from hydra_ft.types import BoolArray, Feed, FloatArray, Regime, Side

HELD = "open_interest_change_1_1h"


@dataclass(frozen=True, slots=True)
class RangeFadeRules:
    """Thresholds of ``range_fade``; ratios of the price unless said otherwise."""

    min_edge_age_h: Annotated[
        float, Ge(1), Le(20), Doc("hours for which both edges of the range have stood")
    ] = 6.0
    edge_share: Annotated[
        float, Gt(0), Le(0.4), Doc("how far from the edge, as a share of the range")
    ] = 0.15
    max_vol_expansion: Annotated[
        float, Gt(0), Le(4), Doc("volatility ratio above which nothing fires")
    ] = 1.5
    max_held_rise: Annotated[
        float, Ge(0), Le(1), Doc("rise of open interest in 1 h from which a break is near")
    ] = 0.002
    max_z_against: Annotated[
        float, Gt(0), Le(5), Doc("funding z from which a crowded own side forbids it")
    ] = Z_SIGNIFICANT
    cascade_above: Annotated[
        float, Gt(0), Le(100), Doc("multiple of the usual liquidations that forbids it")
    ] = 5.0
    atr_factor: Annotated[
        float, Gt(0), Le(5), Doc("stop beyond the edge, as a multiple of the 1h ATR")
    ] = 0.5
    stop_low: Annotated[float, Gt(0), Le(0.2), Doc("nearest stop")] = 0.006
    stop_high: Annotated[
        float, Gt(0), Le(0.2), Doc("furthest stop; nothing fires where it needs to be further")
    ] = 0.015
    target_share: Annotated[
        float, Gt(0), Le(1), Doc("where the target is, as a share of the range from its edge")
    ] = 0.5
    min_reward: Annotated[
        float, Gt(0), Le(10), Doc("target, as a multiple of the stop, below which nothing fires")
    ] = 1.5


def confidence(old: BoolArray, aligned: BoolArray, crowded: BoolArray) -> FloatArray:
    """0.55 + 0.10 range twice as old + 0.05 bias aligned + 0.05 others crowded, 0.75 at most."""
    raw = 0.55 + 0.10 * old + 0.05 * aligned + 0.05 * crowded
    capped: FloatArray = np.minimum(0.75, raw)
    return capped


def from_edge(columns: Columns, side: Side) -> FloatArray:
    """Distance from the edge on the side's back, as a share of the range; negative beyond."""
    low, high = columns["low_24_1h"], columns["high_24_1h"]
    price = columns["close_5m"]
    gone = price - low if side is Side.LONG else high - price
    return gone / (high - low)


def distances(
    columns: Columns, side: Side, rules: RangeFadeRules
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Stop and target as ratios of the price, and whether both are where they need to be.

    The stop stands beyond the edge by a share of the ATR. Where that is too far, or too far
    for what there is to win on the way to the middle, it is not moved: there is no trade.
    """
    price, share = columns["close_5m"], from_edge(columns, side)
    width = (columns["high_24_1h"] - columns["low_24_1h"]) / price
    needed = share * width + rules.atr_factor * columns["atr_14_1h"] / price
    stop = np.maximum(needed, rules.stop_low)
    target = (rules.target_share - share) * width
    usable = ~exceeds(needed, rules.stop_high) & reaches(target, rules.min_reward * stop)
    return stop, target, usable


def _quiet(columns: Columns, side: Side, rules: RangeFadeRules) -> BoolArray:
    """Nothing says that the range is about to break."""
    quiet = ~exceeds(columns["vol_expansion_20_1h"], rules.max_vol_expansion)
    quiet &= witnesses.uncrowded(columns, side, rules.max_z_against)
    quiet &= witnesses.no_cascade(columns, rules.cascade_above)
    if HELD in columns:
        quiet &= falls_below(columns[HELD], rules.max_held_rise)
    return quiet


def _fires(columns: Columns, market: MarketColumns, side: Side, rules: RangeFadeRules) -> BoolArray:
    share = from_edge(columns, side)
    turned = (columns["close_5m"] - columns["open_5m"]) * side.sign
    fires: BoolArray = (
        (market.regime == int(Regime.RANGING))
        & np.isfinite(market.regime_confidence)
        & reaches(market.trend * side.sign, -TRENDING_ABOVE)
        & reaches(columns["edge_age_24_1h"], rules.min_edge_age_h)
        & reaches(share, 0.0)
        & ~exceeds(share, rules.edge_share)
        & exceeds(turned, 0.0)
        & _quiet(columns, side, rules)
    )
    return fires


@signal(
    feeds=(Feed.CANDLES,),
    needs=(
        "open_5m",
        "close_5m",
        "low_24_1h",
        "high_24_1h",
        "edge_age_24_1h",
        "atr_14_1h",
        "vol_expansion_20_1h",
    ),
    uses=(HELD, witnesses.FUNDING_Z, witnesses.RATIO),
    regimes=(Regime.RANGING,),
    trend_following=False,
    max_hold_s=12 * 3600,
    rules=RangeFadeRules(),
    cooldown_s=2 * 3600,
)
def range_fade(columns: Columns, market: MarketColumns, rules: RangeFadeRules) -> SignalColumns:
    """At the edge of a range of 24 h whose edges have stood for 6 hours: back to its middle.

    All of: RANGING; trend not of the other side; the close inside the range and within 15 %
    of it from the edge; the base bar closed away from the edge; volatility ratio at
    most 1.5. Where fed: open interest not up by 0.2 % in 1 h (that speaks for a break),
    funding z not 1 towards the own side, no cascade of liquidations. Stop half an ATR
    beyond the edge, at least 0.6 %, no signal where that is over 1.5 %; target the middle
    of the range, no signal where that is below 1.5 R. New here: in the audited system
    RANGING admitted a breakout and nothing else.
    """
    fired, trust, stops, targets = [], [], [], []
    old = reaches(columns["edge_age_24_1h"], 2 * rules.min_edge_age_h)
    for side in conditions.SIDES:
        stop, target, usable = distances(columns, side, rules)
        crowded = witnesses.others_crowded(columns, side, Z_SIGNIFICANT)
        fired.append(_fires(columns, market, side, rules) & usable)
        trust.append(confidence(old, market.bias == side.sign, crowded))
        stops.append(stop)
        targets.append(target)
    return SignalColumns(
        long=fired[0],
        short=fired[1],
        confidence=(trust[0], trust[1]),
        stop=(stops[0], stops[1]),
        target=(targets[0], targets[1]),
    )
