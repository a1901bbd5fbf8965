"""A level that was broken, came to be tested from the other side, and held.

The level is the highest high of the 48 bars before the breaking bar (4 hours of 5m bars),
so that it is known when it is broken. The break is the first close beyond it by 0.3 %. It
counts for 72 bars (6 hours), until the next break, or until a close back through the level
by 0.3 %. Mirrored for lows. Bars are counted by their place, so that the features of a bar
do not depend on how often they are computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.quality import last_rows
from hydra_ft.bars.tolerance import exceeds
from hydra_ft.features import rolling
from hydra_ft.features.registry import feature, shared
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra_ft.features.registry import Compute
    from hydra_ft.types import Bars, FloatArray

EDGE = 48
MEMORY = 72
BREAK = 0.003
HELD = 2
"""Bars that must close beyond the level after the one that tested it."""
LOOKBACK = MEMORY + EDGE + 1
NO_GAP, NO_HOLD = 1.0, 0.0
"""Where there is no level to test: a test that is far away, and nothing held."""


def broken_level(edge: FloatArray, close: FloatArray, sign: int) -> tuple[FloatArray, FloatArray]:
    """Level of the break that is in force at each bar, and bars since it, shape (n,) each.

    ``edge`` is the level that each bar could break, in the direction of ``sign``. NaN where
    no break is in force.
    """
    n = close.shape[0]
    beyond = exceeds(sign * (close / edge - 1), BREAK)
    first = beyond.copy()
    first[1:] &= ~beyond[:-1]
    # Whether the first bar with an edge is the first beyond it cannot be known.
    first[: EDGE + 1] = False
    rows = np.arange(n)
    at = last_rows(first)
    level = np.where(at >= 0, edge[at], np.nan) if n else edge
    lost = last_rows(exceeds(sign * (1 - close / level), BREAK))
    in_force = (at >= 0) & (rows - at <= MEMORY) & (lost < at)
    return np.where(in_force, level, np.nan), np.where(in_force, rows - at, np.nan)


def _retest(
    bars: Bars, edge: FloatArray, near: FloatArray, sign: int
) -> tuple[FloatArray, FloatArray]:
    """Gap of the test and hold after it, as ratios of the level, in the direction of the break."""
    level, age = broken_level(edge, bars.close, sign)
    tested = age > HELD
    gap = sign * (rolling.shifted(near, HELD) / level - 1)
    closest = rolling.lowest(sign * bars.close, HELD)
    hold = closest / level - sign
    known = np.arange(len(bars)) >= LOOKBACK
    gap = np.where(known, np.where(tested, gap, NO_GAP), np.nan)
    return gap, np.where(known, np.where(tested, hold, NO_HOLD), np.nan)


@shared
def _above(bars: Bars) -> tuple[FloatArray, FloatArray]:
    edge = rolling.shifted(rolling.highest(bars.high, EDGE), 1)
    return _retest(bars, edge, bars.low, 1)


@shared
def _below(bars: Bars) -> tuple[FloatArray, FloatArray]:
    edge = rolling.shifted(rolling.lowest(bars.low, EDGE), 1)
    return _retest(bars, edge, bars.high, -1)


def _declared(formula: str) -> Callable[[Compute], Compute]:
    return feature(
        feeds=(Feed.CANDLES,),
        formula=formula,
        reference="Hydra V3 StructureBreakRetest, whose level held the breaking bar",
        lookback=LOOKBACK,
        units="ratio",
        panel="retest",
    )


@_declared("low[-2] / level - 1; 1 without a level, or with one that was not broken by then")
def retest_gap_above_72(bars: Bars) -> FloatArray:
    """How near the low of two bars ago came to the high that was broken, from above."""
    return _above(bars)[0]


@_declared("min(close, close[-1]) / level - 1; 0 without a level that was broken 3 bars ago")
def retest_hold_above_72(bars: Bars) -> FloatArray:
    """How far the last two closes stand above the high that was broken."""
    return _above(bars)[1]


@_declared("1 - high[-2] / level; 1 without a level, or with one that was not broken by then")
def retest_gap_below_72(bars: Bars) -> FloatArray:
    """How near the high of two bars ago came to the low that was broken, from below."""
    return _below(bars)[0]


@_declared("1 - max(close, close[-1]) / level; 0 without a level that was broken 3 bars ago")
def retest_hold_below_72(bars: Bars) -> FloatArray:
    """How far the last two closes stand below the low that was broken."""
    return _below(bars)[1]
