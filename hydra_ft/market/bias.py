"""Directional bias of the higher timeframe, and the hard gate on it (A4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from typing_extensions import Doc

from hydra_ft.bars.tolerance import TOLERANCE, exceeds, falls_below, reaches
from hydra_ft.types import Bias, Feed, Side

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from hydra_ft.types import BoolArray, FloatArray, IntArray

Z_SIGNIFICANT, Z_EXTREME, Z_DANGEROUS = 1.0, 1.5, 2.0
"""Funding z from which a crowd is significant, extreme, dangerous: shared by all signals."""

LIQUIDATION = "liquidation_imbalance_48"
"""(long - short) / (long + short) notional liquidated in 4 hours, on base bars of 5m."""

FLOW_NEAR, FLOW_FAR = (0.02, 7.0), (0.017, 15.0)
"""From which size on takers count, and how much: of 4 and of 24 hours."""

NEEDS: Mapping[Feed, tuple[str, ...]] = {
    Feed.CANDLES: ("change_4", "change_24"),
    Feed.FUNDING: ("funding_z_168",),
    Feed.OPEN_INTEREST: ("open_interest_change_24",),
    Feed.TRADES: ("trade_imbalance_4", "trade_imbalance_24"),
}


@dataclass(frozen=True, slots=True)
class BiasRules:
    """Weights and thresholds of the bias; weights of feeds that are not listed are dropped.

    F-A18 doubts that half strength (a score of 0.175, one part alone) is the right place
    to block. Measured (docs/calibration.md), it stands near the median of |score| and full
    strength at its P75, and the gate removes a share of the bars on which a signal fires that
    lies within the 20 to 30 % that the audit expects. Closing a position takes the full
    strength, so that a wobble around the gate closes nothing.
    """

    funding_weight: Annotated[float, Ge(0), Le(1), Doc("weight of the funding crowd")] = 0.35
    liquidation_weight: Annotated[float, Ge(0), Le(1), Doc("weight of liquidations")] = 0.25
    open_interest_weight: Annotated[float, Ge(0), Le(1), Doc("weight of open interest")] = 0.20
    trend_weight: Annotated[float, Gt(0), Le(1), Doc("weight of the price trend")] = 0.20
    flow_weight: Annotated[float, Ge(0), Le(1), Doc("weight of what takers trade")] = 0.20
    neutral_below: Annotated[
        float, Ge(0), Le(1), Doc("a score beyond this, either way, is a bias")
    ] = 0.08
    full_strength: Annotated[float, Gt(0), Le(1), Doc("score at which the strength is 1")] = 0.35
    block_from: Annotated[
        float, Gt(0), Le(1), Doc("strength from which the bias blocks the other side")
    ] = 0.5
    exit_from: Annotated[
        float, Gt(0), Le(1), Doc("strength from which the bias closes the other side")
    ] = 1.0
    hard: Annotated[bool, Doc("whether the bias blocks at all")] = True


@dataclass(frozen=True, slots=True)
class BiasColumns:
    """Bias of each bar, shape (n,): -1, 0, +1; score and strength NaN where inputs are.

    ``stale`` marks those bars: the gate blocks there.
    """

    bias: IntArray
    score: FloatArray
    strength: FloatArray
    stale: BoolArray


def funding_part(z: FloatArray) -> FloatArray:
    """Against the crowd: 0 for |z| < 0.5, else -sign(z) min(1, 0.4 |z|).

    A high z means that longs pay, a crowded long side, and so speaks for SHORT.
    """
    size = np.abs(z)
    part = -np.sign(z) * np.minimum(1.0, 0.4 * size)
    return np.where(falls_below(size, 0.5), 0.0, part)


def liquidation_part(imbalance: FloatArray) -> FloatArray:
    """Liquidated longs speak for SHORT: beyond 0.6 -0.6, beyond 0.4 -0.3, mirrored."""
    size = np.abs(imbalance)
    part = np.select([exceeds(size, 0.6), exceeds(size, 0.4)], [0.6, 0.3], 0.0)
    return np.where(np.isnan(imbalance), np.nan, -np.sign(imbalance) * part)


def open_interest_part(held: FloatArray, price: FloatArray) -> FloatArray:
    """Changes over 24 h: positions opened into a fall, closed into a rise, and so on.

    Beyond 2 % of open interest and 1 % of price: rising and down -0.4, rising and up +0.2,
    falling and up +0.4, falling and down -0.4; else 0.
    """
    rising, falling = exceeds(held, 0.02), falls_below(held, -0.02)
    up, down = exceeds(price, 0.01), falls_below(price, -0.01)
    cases = [rising & down, rising & up, falling & up, falling & down]
    part = np.select(cases, [-0.4, 0.2, 0.4, -0.4], 0.0)
    return np.where(np.isfinite(held + price), part, np.nan)


def trend_part(change_4: FloatArray, change_24: FloatArray) -> FloatArray:
    """Sum of sign min(0.5, 50 |d4|) beyond 0.2 %, plus sign min(0.5, 25 |d24|) beyond 0.5 %."""
    near = np.clip(50 * change_4, -0.5, 0.5) * exceeds(np.abs(change_4), 0.002)
    far = np.clip(25 * change_24, -0.5, 0.5) * exceeds(np.abs(change_24), 0.005)
    return np.clip(near + far, -1.0, 1.0)


def flow_part(imbalance_4: FloatArray, imbalance_24: FloatArray) -> FloatArray:
    """Sum of sign min(0.5, 7 |i4|) beyond 2 %, plus sign min(0.5, 15 |i24|) beyond 1.7 %.

    Takers of 4 and of 24 hours, shaped as the trend of the price: each begins at P25 of its
    size and is full at P75, on two weeks of one coin (docs/calibration.md).
    """
    total = np.zeros(imbalance_4.shape)
    for values, (least, slope) in ((imbalance_4, FLOW_NEAR), (imbalance_24, FLOW_FAR)):
        total += np.clip(slope * values, -0.5, 0.5) * exceeds(np.abs(values), least)
    return np.clip(total, -1.0, 1.0)


def bias_features(feeds: Collection[Feed]) -> tuple[str, ...]:
    """Features of the market timeframe that the bias takes in, with these feeds."""
    return tuple(name for feed, names in NEEDS.items() if feed in feeds for name in names)


def _parts(
    columns: Mapping[str, FloatArray], rules: BiasRules, feeds: Collection[Feed]
) -> list[tuple[float, FloatArray]]:
    parts = [(rules.trend_weight, trend_part(columns["change_4"], columns["change_24"]))]
    if Feed.FUNDING in feeds:
        parts.append((rules.funding_weight, funding_part(columns["funding_z_168"])))
    if Feed.OPEN_INTEREST in feeds:
        held = open_interest_part(columns["open_interest_change_24"], columns["change_24"])
        parts.append((rules.open_interest_weight, held))
    if Feed.LIQUIDATIONS in feeds:
        parts.append((rules.liquidation_weight, liquidation_part(columns[LIQUIDATION])))
    if Feed.TRADES in feeds:
        parts.append((rules.flow_weight, flow_part(*(columns[n] for n in NEEDS[Feed.TRADES]))))
    return parts


def bias_columns(
    columns: Mapping[str, FloatArray], rules: BiasRules, feeds: Collection[Feed]
) -> BiasColumns:
    """Bias of each closed bar: the weighted mean S of the parts whose feed is listed.

    LONG beyond +neutral_below, SHORT beyond -neutral_below; strength min(1, |S| / full),
    0 where neutral. A NaN in any part makes the bar stale.
    """
    parts = _parts(columns, rules, feeds)
    weight = sum(w for w, _ in parts)
    score = np.sum([w * part for w, part in parts], axis=0) / weight
    known = np.isfinite(score)
    bias = exceeds(score, rules.neutral_below).astype(np.int64)
    bias -= falls_below(score, -rules.neutral_below)
    strength = np.where(bias == 0, 0.0, np.minimum(1.0, np.abs(score) / rules.full_strength))
    return BiasColumns(bias, score, np.where(known, strength, np.nan), ~known)


def bias_allows(
    bias: IntArray, strength: FloatArray, side: Side, threshold: float = 0.5, *, hard: bool = True
) -> BoolArray:
    """Whether the bias lets a side trade, elementwise (truth table T1).

    NEUTRAL and the own side pass; the other side passes only with a strength below the
    threshold. NaN strength (stale or missing inputs) blocks. A gate that is not hard
    passes everything.
    """
    if not hard:
        return np.ones(np.shape(bias), dtype=np.bool_)
    against = np.asarray(bias) == side.opposite.sign
    allowed: BoolArray = np.isfinite(strength) & ~(against & reaches(strength, threshold))
    return allowed


def describe(bias: Bias, z: float) -> str:
    """Say in words what the funding crowd does to the bias.

    The audited system swapped the labels here (F-A19): a high z is crowded longs, which
    is bearish.
    """
    if abs(z) < Z_SIGNIFICANT - TOLERANCE:
        return f"bias {bias.name.lower()}; funding is ordinary (z {z:+.1f})"
    crowd, leaning = ("longs", "bearish") if z > 0 else ("shorts", "bullish")
    return f"bias {bias.name.lower()}; {crowd} are crowded (funding z {z:+.1f}), which is {leaning}"
