"""Kept bars as the longer ones that they make up, to the last lot what a fold would give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.flow_tables import COUNTED, footprint_of
from hydra_ft.errors import DataError
from hydra_ft.types.flow import NO_ID, FlowBars, Footprint

if TYPE_CHECKING:
    from hydra_ft.types import BoolArray, IntArray

_SUMS = (
    "buy_lots", "sell_lots", "notional", "count", "buy_count", "missing_ids", "duplicates",
    "late", "disordered", "uncovered_ms",
)  # fmt: skip
_FAR = np.int64(1 << 62)


def whole_bars(bars: FlowBars, step_ms: int) -> slice:
    """Rows of the bars that make up whole ones of ``step_ms``.

    Raises DataError for a length that is no multiple of that of the bars.
    """
    if step_ms < bars.step_ms or step_ms % bars.step_ms:
        raise DataError(f"step_ms: expected a multiple of {bars.step_ms}, was {step_ms}")
    parts = step_ms // bars.step_ms
    first = int(-bars.time[0] % step_ms) // bars.step_ms if len(bars) else 0
    return slice(first, first + max(0, len(bars) - first) // parts * parts)


def coarser(bars: FlowBars, step_ms: int) -> FlowBars:
    """Sum bars up to longer ones; those at both ends that are not whole are left out."""
    rows = whole_bars(bars, step_ms)
    parts = step_ms // bars.step_ms
    table = {n: getattr(bars, n)[rows].reshape(-1, parts) for n in COUNTED}
    traded = table["count"] > 0
    some = traded.any(axis=1)
    carried = table["close_ticks"][:, 0]
    delta = table["buy_lots"] - table["sell_lots"]
    before = np.cumsum(delta, axis=1) - delta
    found: dict[str, IntArray] = {n: table[n].sum(axis=1) for n in _SUMS}
    found["open_ticks"] = np.where(
        some, table["open_ticks"][np.arange(len(some)), traded.argmax(axis=1)], carried
    )
    found["close_ticks"] = table["close_ticks"][:, -1].copy()
    found["high_ticks"] = np.where(some, _most(table["high_ticks"], traded), carried)
    found["low_ticks"] = np.where(some, -_most(-table["low_ticks"], traded), carried)
    found["max_delta_lots"] = np.where(some, _most(before + table["max_delta_lots"], traded), 0)
    found["min_delta_lots"] = np.where(some, -_most(-before - table["min_delta_lots"], traded), 0)
    named = traded & (table["first_id"] != NO_ID)
    known = named.any(axis=1)
    found["first_id"] = np.where(known, -_most(-table["first_id"], named), NO_ID)
    found["last_id"] = np.where(known, _most(table["last_id"], named), NO_ID)
    time = bars.time[rows][::parts].copy()
    return FlowBars(grid=bars.grid, step_ms=step_ms, time=time, **found)


def coarser_footprint(footprint: Footprint, bars: FlowBars, step_ms: int) -> Footprint:
    """Sum the footprint of ``bars`` up to that of the longer ones which ``coarser`` gives."""
    rows = whole_bars(bars, step_ms)
    parts = step_ms // bars.step_ms
    offsets = footprint.offsets[rows.start : rows.stop + 1]
    bar = np.repeat(np.arange(rows.stop - rows.start), np.diff(offsets)) // parts
    cells = slice(int(offsets[0]), int(offsets[-1]))
    columns = (bar, footprint.bin[cells], footprint.buy[cells], footprint.sell[cells])
    numbers = np.arange((rows.stop - rows.start) // parts)
    return footprint_of(np.stack(columns).astype(np.int64), numbers, footprint.grid)


def _most(values: IntArray, where: BoolArray) -> IntArray:
    """Highest value of each row among those that count."""
    highest: IntArray = np.where(where, values, -_FAR).max(axis=1, initial=-_FAR)
    return highest
