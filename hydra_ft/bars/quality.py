"""What can be wrong with bars that are well formed: gaps, invented bars, old feeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from hydra_ft.types import Bars, BoolArray, FloatArray, IntArray


def is_synthetic(bars: Bars) -> BoolArray:
    """Bars without a trade, shape (n,): no volume, and open = high = low = close.

    That is how freqtrade fills a hole in the candles.
    """
    flat = (bars.high == bars.low) & (bars.open == bars.close)
    synthetic: BoolArray = (bars.volume == 0) & flat
    return synthetic


def last_rows(present: BoolArray) -> IntArray:
    """Row of the last True at or before each row, shape (n,); -1 where there was none."""
    rows = np.where(present, np.arange(present.size), -1)
    return np.maximum.accumulate(rows).astype(np.int64) if rows.size else rows.astype(np.int64)


def event_age(at: IntArray, rows: IntArray, stamps: IntArray) -> FloatArray:
    """Milliseconds from the event in ``stamps[rows]`` until ``at``; NaN where the row is -1.

    ``at`` and ``rows`` have shape (n,), ``stamps`` any length.
    """
    if stamps.shape[0] == 0:
        return np.full(at.shape, np.nan)
    return np.where(rows >= 0, (at - stamps[rows]).astype(np.float64), np.nan)


def lags(coarse_close: IntArray, rows: IntArray, step_ms: int, base_close: IntArray) -> BoolArray:
    """Base bars at which a coarser frame is behind, shape (n,).

    At ``base_close`` the coarse bar that ends at the last multiple of ``step_ms`` must be
    there. False where the frame has not begun (that is warm-up, not lag).
    """
    if coarse_close.shape[0] == 0:
        return np.zeros(base_close.shape, dtype=np.bool_)
    expected = base_close // step_ms * step_ms
    return (rows >= 0) & (coarse_close[rows] < expected)
