"""Flow beside the prices, as columns: what traded, where that was to value, and how lopsided.

Counts of ticks and lots become floats here, and whatever is not whole becomes NaN here, once:
no feature can take a bar of which trades are missing for a quiet one.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from hydra_ft.bars.candles import taken
from hydra_ft.bars.footprint_columns import footprint_columns
from hydra_ft.bars.value_columns import value_columns
from hydra_ft.errors import DataError
from hydra_ft.types.flow_columns import FlowColumns, FootprintColumns, ValueColumns

if TYPE_CHECKING:
    from hydra_ft.types import Bars, IntArray
    from hydra_ft.types.flow import Flow, FlowBars

Columns = TypeVar("Columns", FlowColumns, ValueColumns, FootprintColumns)


def with_flow(bars: Bars, flow: Flow) -> Bars:
    """Bars with the columns of flow bars of the same times; NaN where there is no flow bar.

    Raises DataError when the lengths of the bars differ.
    """
    if bars.step_ms != flow.bars.step_ms:
        raise DataError(f"step_ms: expected {bars.step_ms} like bars, was {flow.bars.step_ms}")
    rows = _rows(bars.time, flow.bars.time)
    columns = _taken(flow_columns(flow.bars), rows)
    columns.covered[rows < 0] = 0.0
    return replace(
        bars,
        flow=columns,
        value=_taken(value_columns(flow), rows),
        footprint=_taken(footprint_columns(flow), rows),
    )


def flow_columns(bars: FlowBars) -> FlowColumns:
    """What traded in each flow bar, shape (n,) each; NaN where a bar is not whole.

    Nothing is covered of a bar that only a later one tells to be in a hole.
    """
    whole = bars.whole
    covered = 1.0 - bars.uncovered_ms / bars.step_ms
    is_told = (bars.uncovered_ms > 0) | (bars.missing_ids > 0)
    named = {
        "buy_volume": bars.buy_volume,
        "sell_volume": bars.sell_volume,
        "count": bars.count,
        "max_delta": bars.max_delta,
        "min_delta": bars.min_delta,
        "vwap": bars.vwap,
        "empty": bars.empty,
    }
    return FlowColumns(
        **{name: np.where(whole, values, np.nan) for name, values in named.items()},
        covered=np.where(whole | is_told, covered, 0.0),
        missing=bars.missing_ids.astype(np.float64),
    )


def _rows(times: IntArray, flow_times: IntArray) -> IntArray:
    """Row of the flow bar of each time, -1 where there is none."""
    if not flow_times.size:
        return np.full(times.shape, -1, dtype=np.int64)
    rows = np.minimum(np.searchsorted(flow_times, times), flow_times.size - 1)
    return np.where(flow_times[rows] == times, rows, -1).astype(np.int64)


def _taken(columns: Columns, rows: IntArray) -> Columns:
    return type(columns)(**{f.name: taken(getattr(columns, f.name), rows) for f in fields(columns)})
