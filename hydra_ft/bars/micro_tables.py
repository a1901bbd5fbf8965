"""Stoikov's microprice at the close of bars, by the table of the period before each.

A table of the past only: that of the hour (UTC) before the one in which the sample lies, if
that hour was covered whole and the mid moved often enough in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.coverage import begun
from hydra_ft.bars.microprice import fitted, microprice
from hydra_ft.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hydra_ft.bars.microprice import MicropriceTable
    from hydra_ft.types import BookSamples, FloatArray, IntArray

    Tables = Callable[[int], MicropriceTable | None]
    """Table of the period that begins at a time (UTC ms), None where it has none."""


def micro_offsets(
    samples: BookSamples, rows: IntArray, tables: Tables, table_ms: int
) -> FloatArray:
    """How far the microprice stands above the mid at some samples, bps, shape (k,).

    ``rows`` are their numbers, -1 for none; NaN there and where there is no table.
    """
    found = np.full(rows.shape, np.nan)
    if not len(samples):
        return found
    periods = np.where(rows >= 0, samples.time[rows] // table_ms, -1)
    for period in np.unique(periods[periods >= 0]):
        table = tables((int(period) - 1) * table_ms)
        if table is not None:
            chosen = periods == period
            found[chosen] = _offset(table, samples, rows[chosen])
    return found


def period_table(
    samples: BookSamples, stretches: Sequence[tuple[int, int]], start: int, ms: int, tick: float
) -> MicropriceTable | None:
    """Table of one period; None where it is not whole or too quiet."""
    if begun(stretches, np.array([start]), np.array([start + ms]))[0] < 0:
        return None
    first, stop = np.searchsorted(samples.time, (start, start + ms))
    try:
        return fitted(*_best(samples, slice(int(first), int(stop))), tick=tick)
    except DataError:
        return None


def _offset(table: MicropriceTable, samples: BookSamples, rows: IntArray) -> FloatArray:
    best = _best(samples, rows)
    mid = (best[0] + best[2]) / 2
    return 1e4 * (microprice(table, *best) - mid) / mid


def _best(
    samples: BookSamples, rows: IntArray | slice
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Best bid, its size, best ask, its size."""
    return (
        samples.bid[rows, 0],
        samples.bid_quantity[rows, 0],
        samples.ask[rows, 0],
        samples.ask_quantity[rows, 0],
    )
