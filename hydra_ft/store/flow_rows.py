"""Flow bars as rows of the database, and back: one grid, one bar an interval, gaps marked."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from hydra_ft.bars.flow_tables import COUNTED
from hydra_ft.store.flow_grids import MOST_DECIMALS
from hydra_ft.types.flow import NO_ID, UNKNOWN, FlowBars, TradeGrid

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from hydra_ft.types import IntArray

PRICES = ("open_ticks", "high_ticks", "low_ticks", "close_ticks")
LOTS = ("buy_lots", "sell_lots", "max_delta_lots", "min_delta_lots")
COLUMNS = ("time", "grid", *COUNTED)
"""Columns that are read, in this order."""


def rows_of(bars: FlowBars, market: int, grid: int) -> list[dict[str, Any]]:
    """Flow bars as rows."""
    columns = [getattr(bars, name).tolist() for name in ("time", *COUNTED)]
    head = {"market": market, "step_ms": bars.step_ms, "grid": grid}
    names = ("time", *COUNTED)
    return [head | dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def bars_of(
    table: IntArray, grid: TradeGrid, step_ms: int, count: int, stop: int | None = None
) -> FlowBars:
    """Flow bars from the columns ``COLUMNS`` of rows, shape (n, columns), oldest first.

    The rows are in ``grid`` (``in_grid``). There is one bar for each interval from the first
    row until ``stop`` (the end of the last row without it), of which the last ``count`` are
    given: where there was no row it is empty, at the price before, and uncovered.
    """
    begin, end = int(table[0, 0]), int(table[-1, 0]) + step_ms
    last = max(end, begin if stop is None else stop // step_ms * step_ms)
    time = np.arange(max(begin, last - count * step_ms), last, step_ms)
    held = np.searchsorted(table[:, 0], time, side="right") - 1
    absent = table[held, 0] != time
    columns = dict(zip(COUNTED, table[held, 2:].T, strict=True))
    return FlowBars(grid=grid, step_ms=step_ms, time=time, **_marked(columns, absent, step_ms))


def _marked(columns: dict[str, IntArray], absent: Any, step_ms: int) -> dict[str, IntArray]:
    """Columns in which intervals without a row, which copy the one before, are uncovered."""
    close = columns["close_ticks"]
    unknown: dict[str, Any] = dict.fromkeys(columns, 0)
    unknown |= dict.fromkeys(PRICES, close) | {"first_id": NO_ID, "last_id": NO_ID}
    unknown["uncovered_ms"] = step_ms
    return {
        name: np.ascontiguousarray(np.where(absent, unknown[name], values))
        for name, values in columns.items()
    }


def in_grid(table: IntArray, grids: Mapping[int, TradeGrid], grid: TradeGrid) -> IntArray:
    """Rows in the steps of a grid, from after the last that cannot be told in it exactly."""
    if all(grids[number] == grid for number in np.unique(table[:, 1]).tolist()):
        return table
    table = table.copy()
    for number in np.unique(table[:, 1]).tolist():
        rows = np.flatnonzero(table[:, 1] == number)
        factors = in_steps_of(grid, grids[number])
        if factors is None:
            table[: rows[-1] + 1, 1] = UNKNOWN
        else:
            _rescale(table, rows, *factors)
    kept: IntArray = table[np.flatnonzero(table[:, 1] == UNKNOWN).max(initial=-1) + 1 :]
    return kept


def common_grid(grids: Collection[TradeGrid]) -> TradeGrid:
    """Coarsest steps in which all of some grids can be told; of one grid it is that grid."""
    first, *others = grids
    if not others:
        return first
    tick_size = reduce(_common_step, (grid.tick_size for grid in others), first.tick_size)
    lot_size = reduce(_common_step, (grid.lot_size for grid in others), first.lot_size)
    return TradeGrid(tick_size, lot_size)


def _common_step(one: float, other: float) -> float:
    a, b = (
        Fraction(repr(float(step))).limit_denominator(10**MOST_DECIMALS) for step in (one, other)
    )
    return math.gcd(a.numerator * b.denominator, b.numerator * a.denominator) / (
        a.denominator * b.denominator
    )


def _rescale(table: IntArray, rows: IntArray, ticks: int, lots: int) -> None:
    places = {name: i for i, name in enumerate(COLUMNS)}
    for name in PRICES:
        known = rows[table[rows, places[name]] != UNKNOWN]
        table[known, places[name]] *= ticks
    for name in LOTS:
        table[rows, places[name]] *= lots
    table[rows, places["notional"]] *= ticks * lots


def in_steps_of(grid: TradeGrid, other: TradeGrid) -> tuple[int, int] | None:
    """Ticks and lots of ``grid`` in one of another; None where those are not whole."""
    ticks, lots = whole(other.tick_size, grid.tick_size), whole(other.lot_size, grid.lot_size)
    return (ticks, lots) if ticks and lots else None


def whole(coarse: float, fine: float) -> int:
    """How many times a step goes into a coarser one, 0 where that is not a whole number."""
    times = coarse / fine
    near = round(times)
    return near if near and abs(times - near) < 1e-9 * near else 0


def table_of(rows: Sequence[Any]) -> IntArray:
    """Rows of whole numbers as an array, shape (n, columns)."""
    return np.array([tuple(row) for row in rows], dtype=np.int64)
