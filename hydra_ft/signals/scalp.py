"""Buy a bar of 10 seconds that is quiet and narrow, in a market that is lively and does not fall.

The criteria are those of ``features/scalper.py``, read as numbers so that their thresholds may
be moved. The original defined no exits (F-B6): stop, target and time stop are multiples of
the bars that fired. ``scalp_1m`` is the same rule on minutes, and another signal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from typing_extensions import Doc

from hydra_ft.bars.tolerance import exceeds, reaches
from hydra_ft.features import scalper
from hydra_ft.features.registry import FEATURES, column_key
from hydra_ft.signals.registry import Columns, MarketColumns, SignalColumns, signal
from hydra_ft.types import BoolArray, Feed, FloatArray, Regime

if TYPE_CHECKING:
    from hydra_ft.types import Bars

READ = ("volume_rank_20", "range_rank_30", "natr_mean_20", "change_50")
"""What the criteria look at, in the order of ``features.scalper.RULES``."""
PRIOR = tuple(f"prior_{name}" for name in READ)
"""The same of the bar before."""
FINE = "10s"
TTL_BARS = 2
"""Bars for which a signal counts from the close of its own bar on."""
HOLD_BARS = 30
"""Bars after which a position is left."""
REGIMES = (Regime.UP, Regime.RANGING)


@dataclass(frozen=True, slots=True)
class ScalpRules:
    """Thresholds of the scalper; ratios of the price unless said otherwise."""

    max_volume_rank: Annotated[
        float, Ge(0), Le(1), Doc("percentile of the 20 bars before up to which volume is low")
    ] = scalper.SHARE
    max_range_rank: Annotated[
        float, Ge(0), Le(1), Doc("percentile of the 30 bars before up to which a bar is narrow")
    ] = scalper.SHARE
    min_natr: Annotated[float, Gt(0), Le(0.1), Doc("the mean range of 20 bars must exceed")] = (
        scalper.MIN_NATR
    )
    min_growth: Annotated[
        float, Ge(-0.1), Le(0.1), Doc("least change of the price over 50 bars")
    ] = scalper.MIN_GROWTH
    stop_factor: Annotated[
        float, Gt(0), Le(10), Doc("stop as a multiple of the mean range of 20 bars")
    ] = 1.0
    stop_low: Annotated[float, Gt(0), Le(0.2), Doc("nearest stop")] = 0.004
    stop_high: Annotated[float, Gt(0), Le(0.2), Doc("furthest stop")] = 0.03
    reward: Annotated[float, Gt(0), Le(10), Doc("target as a multiple of the stop")] = 1.5


def criteria(numbers: tuple[FloatArray, ...], rules: ScalpRules) -> tuple[BoolArray, ...]:
    """Whether each criterion holds at each bar; what is not known never does (F-B4).

    ``numbers`` are the columns of ``READ``; the criteria come in the order of
    ``features.scalper.RULES``.
    """
    volume_rank, range_rank, natr, growth = numbers
    known = np.isfinite(sum(numbers))
    return (
        known & ~exceeds(volume_rank, rules.max_volume_rank),
        known & ~exceeds(range_rank, rules.max_range_rank),
        known & exceeds(natr, rules.min_natr),
        known & reaches(growth, rules.min_growth),
    )


def flags(bars: Bars, rules: ScalpRules) -> dict[str, FloatArray]:
    """Each criterion by its name on these bars, and all four (``signal``): 1, 0, or NaN.

    They are NaN where any number is not known, so that all shares are of the same bars.
    """
    numbers = tuple(FEATURES[name](bars) for name in READ)
    known = np.isfinite(sum(numbers))
    held = criteria(numbers, rules)
    named = dict(zip(scalper.rule_names(bars.step_ms), held, strict=True))
    named["signal"] = np.logical_and.reduce(held)
    return {name: np.where(known, values, np.nan) for name, values in named.items()}


def keys(names: tuple[str, ...], timeframe: str) -> tuple[str, ...]:
    """Column keys of features on a timeframe."""
    return tuple(column_key(name, timeframe) for name in names)


def holds(columns: Columns, names: tuple[str, ...], rules: ScalpRules) -> BoolArray:
    """Whether all four criteria hold in the columns of these keys, shape (n,)."""
    found: BoolArray = np.logical_and.reduce(
        criteria(tuple(columns[name] for name in names), rules)
    )
    return found


def long_entry(
    fires: BoolArray, natr: FloatArray, market: MarketColumns, rules: ScalpRules
) -> SignalColumns:
    """Long where it fires: ``stop_factor`` mean ranges to the stop, ``reward`` stops to the target.

    Confidence 0.55 + 0.20 of that of the regime.
    """
    trust = 0.55 + 0.20 * market.regime_confidence
    stop = np.clip(rules.stop_factor * natr, rules.stop_low, rules.stop_high)
    target = rules.reward * stop
    return SignalColumns(
        long=fires,
        short=np.zeros(fires.shape, dtype=np.bool_),
        confidence=(trust, trust),
        stop=(stop, stop),
        target=(target, target),
    )


_NEWEST, _BEFORE = keys(READ, FINE), keys(PRIOR, FINE)


@signal(
    feeds=(Feed.CANDLES, Feed.TRADES),
    needs=(*_NEWEST, *_BEFORE),
    regimes=REGIMES,
    trend_following=False,
    max_hold_s=HOLD_BARS * 10,
    rules=ScalpRules(),
)
def scalp(columns: Columns, market: MarketColumns, rules: ScalpRules) -> SignalColumns:
    """One of the last two bars of 10 seconds is quiet and narrow in a lively market.

    All of, at a bar of 10 seconds: something traded, but no more than the 5 % percentile of the
    20 bars before; high less low no more than that of the 30 bars before; the mean true range
    of 20 bars above 0.6 % of the price; the price at most 0.1 % below that of 50 bars before.
    Longs only. A signal lives for two bars, and counts at a base bar whose close comes before it
    has passed. Stop one mean range of 20 bars of 10 seconds, target 1.5 of them, time
    stop 30 bars. Reference: Bybit 10-second scalper, with percentiles of the bars before
    (F-B3), failing closed (F-B4), with exits (F-B6).
    """
    now, before = holds(columns, _NEWEST, rules), holds(columns, _BEFORE, rules)
    natr = np.where(now, columns[column_key("natr_mean_20", FINE)], columns[_BEFORE[2]])
    return long_entry(now | before, natr, market, rules)
