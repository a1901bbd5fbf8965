"""Trend, range and chop scores of closed bars: how much each regime has going for it.

All functions take a mapping from feature name to an array of shape (n,) (plus ``close``)
and give arrays of shape (n,) in 0..1. A NaN among the inputs gives NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from annotated_types import Ge, Le
from typing_extensions import Doc

from hydra_ft.bars.tolerance import exceeds, falls_below, reaches
from hydra_ft.features.rolling import ratio as ratio_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hydra_ft.types import BoolArray, FloatArray

TREND_NEEDS = (
    "higher_high_30",
    "higher_low_30",
    "lower_high_30",
    "lower_low_30",
    "change_4",
    "ema_20",
    "ema_50",
    "vol_expansion_20",
)
RANGE_NEEDS = ("vol_expansion_20", "high_4", "low_4", "atr_14", "change_4")
CHOP_NEEDS = ("efficiency_24", "choppiness_14")
FLIPS = "delta_flip_share_24"
"""Share of sign changes of the trade delta; a term of the chop score when trades are fed."""


@dataclass(frozen=True, slots=True)
class ChopRules:
    """Ramps and weights of the chop score.

    The ramps run between quantiles of the hourly bars of 16 USDT pairs on Binance futures,
    2023-07-04 to 2023-08-17 (set binance_2023q3, 12,139 bars): efficiency_24 has P20 0.059
    and P60 0.196, choppiness_14 has P50 50.4 and P80 58.5. Flips are counted on one coin only,
    two weeks of SOL on OKX (345 hours from 2026-05-31): delta_flip_share_24 has P50 0.478 and
    P80 0.609, near the half that chance gives; it goes by 1/23 (docs/calibration.md).
    """

    efficiency_full: Annotated[
        float, Ge(0), Le(1), Doc("at this efficiency ratio or below the term is 1")
    ] = 0.06
    efficiency_none: Annotated[
        float, Ge(0), Le(1), Doc("at this efficiency ratio or above the term is 0")
    ] = 0.20
    choppiness_none: Annotated[
        float, Ge(0), Le(100), Doc("at this choppiness index or below the term is 0")
    ] = 50.0
    choppiness_full: Annotated[
        float, Ge(0), Le(100), Doc("at this choppiness index or above the term is 1")
    ] = 58.5
    flips_none: Annotated[
        float, Ge(0), Le(1), Doc("at this share of delta flips or below the term is 0")
    ] = 0.48
    flips_full: Annotated[
        float, Ge(0), Le(1), Doc("at this share of delta flips or above the term is 1")
    ] = 0.60
    efficiency_weight: Annotated[float, Ge(0), Le(1), Doc("weight of the efficiency term")] = 0.4
    choppiness_weight: Annotated[float, Ge(0), Le(1), Doc("weight of the choppiness term")] = 0.4
    flips_weight: Annotated[
        float, Ge(0), Le(1), Doc("weight of the flip term, when trades are fed")
    ] = 0.2


@dataclass(frozen=True, slots=True)
class TrendScore:
    """Trend score in 0..1 and its direction: +1, -1, or 0 where no component has one."""

    score: FloatArray
    direction: FloatArray


def _known(columns: Mapping[str, FloatArray], needs: tuple[str, ...]) -> BoolArray:
    known: BoolArray = np.isfinite(columns[needs[0]])
    for name in needs[1:]:
        known &= np.isfinite(columns[name])
    return known


def first_of(
    cases: Sequence[BoolArray], values: Sequence[FloatArray | float], default: float
) -> FloatArray:
    """Value of the first case that holds, elementwise; as ``np.select``, and several times faster.

    ``cases`` have shape (n,), ``values`` that or none.
    """
    found: FloatArray | float = default
    for case, value in zip(reversed(cases), reversed(values), strict=True):
        found = np.where(case, value, found)
    return np.asarray(found)


def structure(columns: Mapping[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Structure component and direction: 0.4 for both flags of a side, 0.2 for one.

    A full structure wins over a half one. One flag on either side is a contradiction and
    counts as nothing; the original let the long side win.
    """
    bulls = columns["higher_high_30"] + columns["higher_low_30"]
    bears = columns["lower_high_30"] + columns["lower_low_30"]
    direction = np.sign(bulls - bears)
    return 0.2 * np.where(direction > 0, bulls, bears) * np.abs(direction), direction


def momentum(change: FloatArray) -> FloatArray:
    """Component of the 4-bar change: above 1.5 % 0.3, 0.8 % 0.2, 0.3 % 0.15."""
    size = np.abs(change)
    steps = [exceeds(size, 0.015), exceeds(size, 0.008), exceeds(size, 0.003)]
    return first_of(steps, [0.3, 0.2, 0.15], 0.0)


def stack(columns: Mapping[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Component of the averages: 0.2 with direction where price, EMA20 and EMA50 are in order.

    Otherwise 0.1, without direction, unless the price stands on both averages.
    """
    close, fast, slow = columns["close"], columns["ema_20"], columns["ema_50"]
    up, down = (close > fast) & (fast > slow), (close < fast) & (fast < slow)
    direction = up.astype(np.float64) - down
    apart = (close != fast) | (close != slow)
    return np.where(direction != 0, 0.2, np.where(apart, 0.1, 0.0)), direction


def calm(ratio: FloatArray) -> FloatArray:
    """Component of the volatility ratio: 0.15 in 0.7..2.5, 0.10 in 0.5..3.0, 0.05 above 0."""
    inner = reaches(ratio, 0.7) & ~exceeds(ratio, 2.5)
    outer = reaches(ratio, 0.5) & ~exceeds(ratio, 3.0)
    return first_of([inner, outer, ratio > 0], [0.15, 0.10, 0.05], 0.0)


def trend_score(columns: Mapping[str, FloatArray]) -> TrendScore:
    """Sum of the four components, 1 at most; direction of the first that has one."""
    shape, side = structure(columns)
    change = columns["change_4"]
    moved = momentum(change)
    order, order_side = stack(columns)
    score = np.minimum(1.0, shape + moved + order + calm(columns["vol_expansion_20"]))
    direction = first_of(
        [side != 0, moved > 0, order_side != 0], [side, np.sign(change), order_side], 0.0
    )
    known = _known(columns, (*TREND_NEEDS, "close"))
    return TrendScore(np.where(known, score, np.nan), np.where(known, direction, np.nan))


def range_score(columns: Mapping[str, FloatArray]) -> FloatArray:
    """Quiet, narrow and going nowhere: volatility ratio, 4-bar range in ATR, 4-bar change."""
    ratio, size = columns["vol_expansion_20"], np.abs(columns["change_4"])
    span = ratio_of(columns["high_4"] - columns["low_4"], columns["atr_14"])
    quiet = [falls_below(ratio, 0.6), falls_below(ratio, 0.8), falls_below(ratio, 1.0)]
    narrow = [falls_below(span, 1.2), falls_below(span, 1.5), falls_below(span, 2.0)]
    still = [falls_below(size, 0.003), falls_below(size, 0.007), falls_below(size, 0.01)]
    score = (
        first_of(quiet, [0.4, 0.25, 0.1], 0.0)
        + first_of(narrow, [0.3, 0.2, 0.1], 0.0)
        + first_of(still, [0.3, 0.2, 0.1], 0.0)
    )
    return np.where(_known(columns, RANGE_NEEDS), score, np.nan)


def ramp(values: FloatArray, none: float, full: float) -> FloatArray:
    """Straight line from 0 at ``none`` to 1 at ``full``, flat outside; either may be larger."""
    if none == full:
        return (values >= full).astype(np.float64)
    return np.clip((values - none) / (full - none), 0.0, 1.0)


def chop_score(columns: Mapping[str, FloatArray], rules: ChopRules) -> FloatArray:
    """Weighted mean of the chop terms; the flip term is in only where its column is known.

    A bar of which flips are not known is blocked for its own sake (``data_stale:trades``). It
    does not make the two days unknown in which the regime remembers it: for them it has the
    score that it would have without trades.
    """
    wasted = ramp(columns["efficiency_24"], rules.efficiency_none, rules.efficiency_full)
    jagged = ramp(columns["choppiness_14"], rules.choppiness_none, rules.choppiness_full)
    score = rules.efficiency_weight * wasted + rules.choppiness_weight * jagged
    weight = rules.efficiency_weight + rules.choppiness_weight
    if FLIPS not in columns:
        return score / weight
    flips = columns[FLIPS]
    turning = rules.flips_weight * ramp(flips, rules.flips_none, rules.flips_full)
    told = (score + turning) / (weight + rules.flips_weight)
    return np.where(np.isnan(flips), score / weight, told)


def smoothed(values: FloatArray) -> FloatArray:
    """0.5 of the last value, 0.3 and 0.2 of the two before; NaN in the first two rows."""
    out = np.full(values.shape, np.nan)
    if values.shape[0] >= 3:
        out[2:] = 0.5 * values[2:] + 0.3 * values[1:-1] + 0.2 * values[:-2]
    return out
