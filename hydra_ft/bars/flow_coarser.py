"""Flow bars summed to coarser ones: sub-bars to bars, minutes to hours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hydra_ft.bars.flow_closing import close_rows
from hydra_ft.bars.flow_rows import (
    CLOSE_ID,
    CLOSE_TIME,
    COLUMNS,
    FIRST_ID,
    LAST_ID,
    OPEN_ID,
    OPEN_TIME,
    UNCOVERED,
)
from hydra_ft.bars.flow_tables import COUNTED, flow_bars_of, footprint_of, refuse_torn
from hydra_ft.errors import DataError
from hydra_ft.types.flow import UNKNOWN, FlowBars, Footprint


def coarser_bars(bars: FlowBars, step_ms: int) -> FlowBars:
    """Sum flow bars to bars of ``step_ms``, on multiples of it since the epoch.

    The same as folding the trades into those bars; what of the first bar is not there is
    uncovered, and a last bar that is not complete is left out. Raises DataError where
    ``step_ms`` is not a multiple of the bars' own, or the bars do not follow each other.
    """
    if step_ms % bars.step_ms:
        raise DataError(f"step_ms: expected a multiple of {bars.step_ms}, was {step_ms}")
    refuse_torn(bars.time, bars.step_ms)
    subs = step_ms // bars.step_ms
    first = int(bars.time[0]) // bars.step_ms if len(bars) else 0
    begin, end = first // subs, (first + len(bars)) // subs
    coarse = np.zeros((end - begin, COLUMNS), dtype=np.int64)
    state = np.zeros((1, COLUMNS), dtype=np.int64)
    state[0, UNCOVERED] = first * bars.step_ms - begin * step_ms
    # A first bar without trades still knows the price that was carried into it.
    carried = int(bars.open_ticks[0]) if len(bars) else UNKNOWN
    close_rows(_rows(bars), state, coarse, first, subs, carried)
    return flow_bars_of(coarse, np.arange(begin, end) * step_ms, step_ms, bars.grid)


def coarser_footprint(footprint: Footprint, bars: FlowBars, step_ms: int) -> Footprint:
    """Sum the footprint of flow bars to that of their ``coarser_bars``."""
    coarse = coarser_bars(bars, step_ms)
    bar = np.repeat(bars.time // step_ms, np.diff(footprint.offsets))
    cells = np.stack([bar, footprint.bin, footprint.buy, footprint.sell])
    numbers = coarse.time // step_ms
    inside = cells[:, bar <= (numbers[-1] if numbers.size else -1)]
    return replace(footprint_of(inside, numbers, footprint.grid), grid=footprint.grid)


def _rows(bars: FlowBars) -> np.ndarray:
    """Flow bars as rows of the fold; each opens and closes at its own time."""
    rows = np.zeros((len(bars), COLUMNS), dtype=np.int64)
    for column, name in enumerate(COUNTED):
        rows[:, column] = getattr(bars, name)
    rows[:, OPEN_TIME] = rows[:, CLOSE_TIME] = bars.time
    rows[:, OPEN_ID], rows[:, CLOSE_ID] = rows[:, FIRST_ID], rows[:, LAST_ID]
    return rows
