"""Rows are appended to each other: runs of trades to sub-bars, sub-bars to bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra_ft.bars.compiled import INT, INTS, INTS_2D, inlined, kernel
from hydra_ft.bars.flow_rows import (
    BUY,
    BUY_COUNT,
    CLOSE,
    CLOSE_ID,
    CLOSE_TIME,
    COUNT,
    DISORDERED,
    DUPLICATES,
    FIRST_ID,
    HIGH,
    LAST_ID,
    LATE,
    LOW,
    MAX_DELTA,
    MIN_DELTA,
    MISSING,
    NOTIONAL,
    OPEN,
    OPEN_ID,
    OPEN_TIME,
    SELL,
    UNCOVERED,
)

if TYPE_CHECKING:
    from hydra_ft.types import IntArray


@inlined
def book(row: IntArray, part: IntArray) -> None:
    """Append what a run of trades came to (as a row of its own) to a row."""
    if row[COUNT] == 0:
        row[:MISSING] = part[:MISSING]
        row[OPEN_TIME:] = part[OPEN_TIME:]
        return
    delta = row[BUY] - row[SELL]
    row[MAX_DELTA] = max(row[MAX_DELTA], delta + part[MAX_DELTA])
    row[MIN_DELTA] = min(row[MIN_DELTA], delta + part[MIN_DELTA])
    row[HIGH], row[LOW] = max(row[HIGH], part[HIGH]), min(row[LOW], part[LOW])
    for column in (BUY, SELL, NOTIONAL, COUNT, BUY_COUNT):
        row[column] += part[column]
    row[FIRST_ID] = min(row[FIRST_ID], part[FIRST_ID])
    row[LAST_ID] = max(row[LAST_ID], part[LAST_ID])
    opens = (part[OPEN_TIME], part[OPEN_ID]) < (row[OPEN_TIME], row[OPEN_ID])
    if opens:
        row[OPEN], row[OPEN_TIME], row[OPEN_ID] = part[OPEN], part[OPEN_TIME], part[OPEN_ID]
    if (part[CLOSE_TIME], part[CLOSE_ID]) >= (row[CLOSE_TIME], row[CLOSE_ID]):
        row[CLOSE], row[CLOSE_TIME], row[CLOSE_ID] = part[CLOSE], part[CLOSE_TIME], part[CLOSE_ID]


@inlined
def _carried(row: IntArray, price: int) -> None:
    """Give a row without trades the last price, and no ids."""
    row[OPEN], row[HIGH], row[LOW], row[CLOSE] = price, price, price, price
    row[FIRST_ID], row[LAST_ID] = -1, -1


@kernel(INTS_2D, INTS, INTS_2D, INT, INT, INT)
def close_rows(
    rows: IntArray, bar: IntArray, bars: IntArray, first: int, subs: int, price: int
) -> int:
    """Close sub-bars: append them to the open bar, which closes with the last of its own.

    ``first`` is the number of the first sub-bar, ``subs`` how many a bar has, ``price`` the
    last price before them. Fills empty rows with the price before, and ``bars`` with the
    bars that close. Returns the last price.
    """
    closed = 0
    for i in range(rows.shape[0]):
        row = rows[i]
        for column in (MISSING, DUPLICATES, LATE, DISORDERED, UNCOVERED):
            bar[column] += row[column]
        if row[COUNT]:
            book(bar, row)
            price = row[CLOSE]
        else:
            _carried(row, price)
        if (first + i + 1) % subs == 0:
            if bar[COUNT] == 0:
                _carried(bar, price)
            bars[closed] = bar
            bar[:] = 0
            closed += 1
    return price
