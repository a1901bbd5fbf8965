"""Trade against a large move whose crowd pays and whose swings already fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from typing_extensions import Doc

from hydra_ft.bars.tolerance import exceeds, falls_below, reaches
from hydra_ft.market.bias import Z_DANGEROUS, Z_EXTREME
from hydra_ft.signals import conditions
from hydra_ft.signals.registry import TRENDS, Columns, MarketColumns, SignalColumns, signal
from hydra_ft.types import BoolArray, Feed, FloatArray, Side

OPEN_INTEREST = "open_interest_change_24_1h"
VERY_HIGH, VERY_LOW = 80.0, 20.0
FALLING = -0.02


@dataclass(frozen=True, slots=True)
class TrendExhaustionRules:
    """Thresholds of ``trend_exhaustion``; ratios of the price unless said otherwise."""

    min_change: Annotated[float, Gt(0), Le(1), Doc("the change of 48 h must exceed")] = 0.05
    rsi_high: Annotated[float, Ge(50), Le(100), Doc("RSI an up move must have reached")] = 75.0
    rsi_low: Annotated[float, Ge(0), Le(50), Doc("RSI a down move must have reached")] = 25.0
    min_z: Annotated[
        float, Gt(0), Le(5), Doc("funding z that the crowd of the move must reach (sigma)")
    ] = Z_EXTREME
    max_beyond: Annotated[
        float, Ge(0), Le(0.1), Doc("furthest the price may still stand beyond the EMA20")
    ] = 0.005
    swing_factor: Annotated[float, Gt(0), Le(3), Doc("stop as a multiple of the 4 h swing")] = 1.2
    stop_low: Annotated[float, Gt(0), Le(0.2), Doc("nearest stop")] = 0.015
    stop_high: Annotated[float, Gt(0), Le(0.2), Doc("furthest stop")] = 0.025
    reward: Annotated[float, Gt(0), Le(10), Doc("target as a multiple of the stop")] = 2.0
    retrace: Annotated[
        float, Gt(0), Le(1), Doc("share of the move that the target takes if that is further")
    ] = 0.38
    retrace_up_to: Annotated[
        float, Gt(0), Le(0.2), Doc("target beyond which that share is not followed")
    ] = 0.04
    max_retrace: Annotated[
        float, Gt(0), Le(1), Doc("share of the move that the target never exceeds")
    ] = 0.50
    min_reward: Annotated[
        float, Gt(0), Le(10), Doc("target, as a multiple of the stop, below which nothing fires")
    ] = 1.5


def confidence(extreme: BoolArray, crowded: BoolArray, leaving: BoolArray) -> FloatArray:
    """0.55 + 0.05 RSI beyond 80 (20) + 0.05 |z| > 2 + 0.05 open interest down by over 2 %.

    Never above 0.75, which the three cannot reach.
    """
    raw: FloatArray = 0.55 + 0.05 * extreme + 0.05 * crowded + 0.05 * leaving
    capped: FloatArray = np.minimum(0.75, raw)
    return capped


def target_of(stop: FloatArray, change: FloatArray, rules: TrendExhaustionRules) -> FloatArray:
    """max(2 R, min(4 %, 0.38 |move|)), but no more than half of the move (X37)."""
    move = np.abs(change)
    wanted = np.maximum(rules.reward * stop, np.minimum(rules.retrace_up_to, rules.retrace * move))
    return np.minimum(wanted, rules.max_retrace * move)


def _was_extreme(columns: Columns, side: Side, rules: TrendExhaustionRules) -> BoolArray:
    """Whether the move that the side is against had an extreme RSI within the last 12 hours."""
    if side is Side.SHORT:
        return reaches(columns["rsi_high_12_1h"], rules.rsi_high)
    return ~exceeds(columns["rsi_low_12_1h"], rules.rsi_low)


def _was_very_extreme(columns: Columns, side: Side) -> BoolArray:
    if side is Side.SHORT:
        return exceeds(columns["rsi_high_12_1h"], VERY_HIGH)
    return falls_below(columns["rsi_low_12_1h"], VERY_LOW)


def _fails(columns: Columns, side: Side) -> BoolArray:
    """A lower high on 4h after an up move, a higher low after a down move."""
    failing: BoolArray = (
        columns["lower_high_30_4h" if side is Side.SHORT else "higher_low_30_4h"] == 1
    )
    return failing


def _nobody_joins(columns: Columns) -> BoolArray:
    """Open interest no higher than a day ago; True where the feed is not listed."""
    if OPEN_INTEREST not in columns:
        return np.ones(columns["close_5m"].shape, dtype=np.bool_)
    held = columns[OPEN_INTEREST]
    return np.isfinite(held) & ~exceeds(held, 0.0)


def _fires(
    columns: Columns, market: MarketColumns, side: Side, rules: TrendExhaustionRules
) -> BoolArray:
    # +1 while the move, its crowd and its distance are looked at from the short side.
    against = side.opposite.sign
    beyond = (columns["close_5m"] / columns["ema_20_1h"] - 1) * against
    fires: BoolArray = (
        np.isfinite(market.regime_confidence)
        & exceeds(columns["change_48_1h"] * against, rules.min_change)
        & _was_extreme(columns, side, rules)
        & reaches(columns["funding_z_168_1h"] * against, rules.min_z)
        & (np.sign(columns["funding_last_24_1h"]) == against)
        & _fails(columns, side)
        & _nobody_joins(columns)
        & ~exceeds(beyond, rules.max_beyond)
    )
    return fires


@signal(
    feeds=(Feed.CANDLES, Feed.FUNDING),
    needs=(
        "close_5m",
        "ema_20_1h",
        "change_48_1h",
        "rsi_high_12_1h",
        "rsi_low_12_1h",
        "funding_z_168_1h",
        "funding_last_24_1h",
        "lower_high_30_4h",
        "higher_low_30_4h",
        *conditions.SWING,
    ),
    uses=(OPEN_INTEREST,),
    regimes=TRENDS,
    trend_following=False,
    max_hold_s=48 * 3600,
    rules=TrendExhaustionRules(),
    cooldown_s=12 * 3600,
)
def trend_exhaustion(
    columns: Columns, market: MarketColumns, rules: TrendExhaustionRules
) -> SignalColumns:
    """Short after a rise (long after a fall) that has gone far and goes on no more.

    All of: the change of 48 h beyond 5 %; RSI at 75 or above (25 or below) within the last
    12 hours; funding z of 1.5 or more on the side of the move, which really pays; a lower
    high (higher low) on 4h; the price at most 0.5 % beyond EMA20 in the move's direction;
    where open interest is listed, no more of it than a day ago. Without that feed the
    other witnesses decide: open interest can speak against the signal and make it surer,
    it is not what makes it. Stop 1.2 swings of 4 h within 1.5 % .. 2.5 %; target 2 R or
    38 % of the move (4 % at most), never more than half of the move, and no signal below
    1.5 R. One extreme stays in sight for 12 hours, and so long is the cooldown. Reference:
    Hydra V3 TrendExhaustionReversal, whose RSI had to be extreme and the price back at its
    average in the same bar.
    """
    z, change = np.abs(columns["funding_z_168_1h"]), columns["change_48_1h"]
    crowded = exceeds(z, Z_DANGEROUS)
    held = columns.get(OPEN_INTEREST)
    leaving = np.zeros(z.shape, np.bool_) if held is None else falls_below(held, FALLING)
    fired, trust, stops, targets = [], [], [], []
    for side in conditions.SIDES:
        stop = np.clip(
            rules.swing_factor * conditions.swing(columns, side), rules.stop_low, rules.stop_high
        )
        target = target_of(stop, change, rules)
        worth = reaches(target, rules.min_reward * stop)
        fired.append(_fires(columns, market, side, rules) & worth)
        trust.append(confidence(_was_very_extreme(columns, side), crowded, leaving))
        stops.append(stop)
        targets.append(target)
    return SignalColumns(
        long=fired[0],
        short=fired[1],
        confidence=(trust[0], trust[1]),
        stop=(stops[0], stops[1]),
        target=(targets[0], targets[1]),
    )
