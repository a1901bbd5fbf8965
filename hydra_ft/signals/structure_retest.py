"""Enter where a broken level was tested again and held."""

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


@dataclass(frozen=True, slots=True)
class StructureRetestRules:
    """Thresholds of ``structure_retest``; ratios of the price unless said otherwise."""

    max_gap: Annotated[
        float, Gt(0), Le(0.05), Doc("furthest from the level, on either side, that tests it")
    ] = 0.003
    min_hold: Annotated[
        float, Ge(0), Le(0.05), Doc("both closes after the test are beyond the level by")
    ] = 0.0015
    max_vol_expansion: Annotated[
        float, Gt(0), Le(4), Doc("volatility ratio above which nothing fires")
    ] = 2.5
    max_z_against: Annotated[
        float, Gt(0), Le(5), Doc("funding z from which a crowded own side forbids it")
    ] = Z_EXTREME
    cascade_above: Annotated[
        float, Gt(0), Le(100), Doc("multiple of the usual liquidations that forbids it")
    ] = 5.0
    stop: Annotated[float, Gt(0), Le(0.2), Doc("stop")] = 0.008
    reward: Annotated[float, Gt(0), Le(10), Doc("target as a multiple of the stop")] = 1.8


def confidence(liquidated: BoolArray, crowded: BoolArray) -> FloatArray:
    """0.58 + 0.08 others liquidated + 0.05 others crowded, 0.75 at most."""
    raw = 0.58 + 0.08 * liquidated + 0.05 * crowded
    capped: FloatArray = np.minimum(0.75, raw)
    return capped


def _fires(
    columns: Columns, market: MarketColumns, side: Side, rules: StructureRetestRules
) -> BoolArray:
    where, other = ("above", "below") if side is Side.LONG else ("below", "above")
    gap, hold = columns[f"retest_gap_{where}_72_5m"], columns[f"retest_hold_{where}_72_5m"]
    fires: BoolArray = (
        conditions.regime_is(market, side)
        & ~exceeds(np.abs(gap), rules.max_gap)
        & reaches(hold, rules.min_hold)
        & ~exceeds(columns[f"retest_hold_{other}_72_5m"], 0.0)
        & ~exceeds(columns["vol_expansion_20_1h"], rules.max_vol_expansion)
        & witnesses.uncrowded(columns, side, rules.max_z_against)
        & witnesses.no_cascade(columns, rules.cascade_above)
    )
    return fires


def _trust(columns: Columns, side: Side) -> FloatArray:
    return confidence(
        witnesses.others_liquidated(columns, side, 1.0),
        witnesses.others_crowded(columns, side, Z_SIGNIFICANT),
    )


@signal(
    feeds=(Feed.CANDLES,),
    needs=(
        "close_5m",
        "retest_gap_above_72_5m",
        "retest_hold_above_72_5m",
        "retest_gap_below_72_5m",
        "retest_hold_below_72_5m",
        "vol_expansion_20_1h",
    ),
    uses=(witnesses.FUNDING_Z, *witnesses.LIQUIDATIONS),
    regimes=TRENDS,
    trend_following=False,
    max_hold_s=12 * 3600,
    rules=StructureRetestRules(),
    cooldown_s=2 * 3600,
    flip_s=4 * 3600,
)
def structure_retest(
    columns: Columns, market: MarketColumns, rules: StructureRetestRules
) -> SignalColumns:
    """The 4-hour high (low) was broken by 0.3 %, tested within 6 hours, and held.

    All of: regime of the side; two bars ago the price came within 0.3 % of the level; both
    closes since stand beyond it by 0.15 %; volatility ratio at most 2.5. Where fed: funding
    z not 1.5 towards the own side, no cascade of liquidations. The level is that of the 4
    hours before the break, and is given up when the price closes back through it by 0.3 %.
    While the price also holds beyond a level broken on the other side there is no signal.
    Stop 0.8 %, target 1.8 R. Reference: Hydra V3
    StructureBreakRetest, which was surer of a long when longs were liquidated.
    """
    stop = np.full(columns["close_5m"].shape, rules.stop)
    return SignalColumns(
        long=_fires(columns, market, Side.LONG, rules),
        short=_fires(columns, market, Side.SHORT, rules),
        confidence=(_trust(columns, Side.LONG), _trust(columns, Side.SHORT)),
        stop=(stop, stop),
        target=(rules.reward * stop, rules.reward * stop),
    )
