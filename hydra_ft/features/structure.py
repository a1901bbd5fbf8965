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
from hydra_ft.features.registry import feature, shared
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
    highest = rolling.highest(values, WING)
    middle = values[WING : n - WING]
    before, after = highest[WING - 1 : n - WING - 1], highest[2 * WING :]
    found[WING : n - WING] = (middle > before) & (middle >= after)
    return found


def last_two(values: FloatArray, swings: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Values of the last and the previous confirmed swing within the window, shape (n,).

    NaN where there is none.
    """
    n = values.shape[0]
    if n <= WING:
        return rolling.empty_like(values), rolling.empty_like(values)
    count = np.zeros(n, dtype=np.int64)
    np.cumsum(swings[:-WING], out=count[WING:])
    # Two rows that were never: the swings before the first and before the second.
    at = np.concatenate(([-1, -1], np.flatnonzero(swings)))
    # The wing before a swing must lie within the window too.
    oldest = np.maximum(np.arange(n) - (WINDOW - 1) + WING, 0)
    return _recent(values, at[count + 1], oldest), _recent(values, at[count], oldest)


def _recent(values: FloatArray, rows: IntArray, oldest: IntArray) -> FloatArray:
    """Values at the rows, NaN where a row is older than the oldest that counts."""
    return np.where(rows >= oldest, values[rows], np.nan)


@shared
def _highs(bars: Bars) -> tuple[FloatArray, FloatArray]:
    return last_two(bars.high, swing_highs(bars.high))


@shared
def _lows(bars: Bars) -> tuple[FloatArray, FloatArray]:
    return last_two(bars.low, swing_highs(-bars.low))


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
    last, previous = _highs(bars)
    return _flag(last > previous)


@_declared("last swing high < previous swing high")
def lower_high_30(bars: Bars) -> FloatArray:
    """1 where the last swing high is below the one before, else 0."""
    last, previous = _highs(bars)
    return _flag(last < previous)


@_declared("last swing low > previous swing low")
def higher_low_30(bars: Bars) -> FloatArray:
    """1 where the last swing low is above the one before, else 0."""
    last, previous = _lows(bars)
    return _flag(last > previous)


@_declared("last swing low < previous swing low")
def lower_low_30(bars: Bars) -> FloatArray:
    """1 where the last swing low is below the one before, else 0."""
    last, previous = _lows(bars)
    return _flag(last < previous)
