"""Confirmed swings: whether the market makes higher or lower turning points.

A bar is a swing high when no high of the 3 bars before it reaches its own and no high of
the 3 bars after it exceeds it (so a flat top counts once), mirrored for lows. It is known
only 3 bars later: the flags here use swings that are confirmed by the bar they stand on.
Both swings must lie within the last 30 bars, the confirming ones included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.features import rolling
from hydra_ft.features.registry import feature
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra_ft.features.registry import Compute
    from hydra_ft.types import Bars, BoolArray, FloatArray, IntArray

WING = 3
WINDOW = 30


def swing_highs(values: FloatArray) -> BoolArray:
    """Rows that are swing highs of ``values``, shape (n,); known ``WING`` rows later."""
    n = values.shape[0]
    found = np.zeros(n, dtype=np.bool_)
    if n < 2 * WING + 1:
        return found
    before = rolling.highest(values, WING)[WING - 1 : n - WING - 1]
    after = rolling.highest(values, WING)[2 * WING :]
    middle = values[WING : n - WING]
    found[WING : n - WING] = (middle > before) & (middle >= after)
    return found


def last_two(values: FloatArray, swings: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Values of the last and the previous confirmed swing within the window, shape (n,).

    NaN where there is none.
    """
    n = values.shape[0]
    at = np.flatnonzero(swings)
    rows = np.arange(n)
    count = np.searchsorted(at, rows - WING, side="right")
    # The wing before a swing must lie within the window too.
    oldest = rows - (WINDOW - 1) + WING
    return _nth(values, at, count - 1, oldest), _nth(values, at, count - 2, oldest)


def _nth(values: FloatArray, at: IntArray, number: IntArray, oldest: IntArray) -> FloatArray:
    """Value of the swing with that number in ``at``, NaN if there is none or it is too old."""
    if at.size == 0:
        return np.full(number.shape, np.nan)
    row = at[np.maximum(number, 0)]
    return np.where((number >= 0) & (row >= oldest), values[row], np.nan)


def _flag(claim: BoolArray) -> FloatArray:
    out = claim.astype(np.float64)
    out[: WINDOW - 1] = np.nan
    return out


def _declared(claim: str) -> Callable[[Compute], Compute]:
    return feature(
        feeds=(Feed.CANDLES,),
        formula=f"{claim}, swings of 3 bars each side within 30 bars, known 3 bars later",
        reference="Dow theory; Hydra V3 trend analyser",
        lookback=WINDOW - 1,
        units="flag",
        low=0.0,
        high=1.0,
        panel="structure",
    )


@_declared("last swing high > previous swing high")
def higher_high_30(bars: Bars) -> FloatArray:
    """1 where the last swing high is above the one before, else 0."""
    last, previous = last_two(bars.high, swing_highs(bars.high))
    return _flag(last > previous)


@_declared("last swing high < previous swing high")
def lower_high_30(bars: Bars) -> FloatArray:
    """1 where the last swing high is below the one before, else 0."""
    last, previous = last_two(bars.high, swing_highs(bars.high))
    return _flag(last < previous)


@_declared("last swing low > previous swing low")
def higher_low_30(bars: Bars) -> FloatArray:
    """1 where the last swing low is above the one before, else 0."""
    last, previous = last_two(bars.low, swing_highs(-bars.low))
    return _flag(last > previous)


@_declared("last swing low < previous swing low")
def lower_low_30(bars: Bars) -> FloatArray:
    """1 where the last swing low is below the one before, else 0."""
    last, previous = last_two(bars.low, swing_highs(-bars.low))
    return _flag(last < previous)
