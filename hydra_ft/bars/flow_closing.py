"""Rows are appended to each other: runs of trades to sub-bars, sub-bars to bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra_ft.bars.compiled import INT, INTS_2D, inlined, kernel
from hydra_ft.bars.flow_rows import (
    BUY,
    BUY_COUNT,
    CLOSE,
    CLOSE_ID,
    CLOSE_TIME,
    COLUMNS,
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
    """Append what some trades came to (as a row of its own) to a row."""
    if row[COUNT] == 0:
        for column in range(MISSING):
            row[column] = part[column]
        for column in range(OPEN_TIME, COLUMNS):
            row[column] = part[column]
        return
    delta = row[BUY] - row[SELL]
    row[MAX_DELTA] = max(row[MAX_DELTA], delta + part[MAX_DELTA])
    row[MIN_DELTA] = min(row[MIN_DELTA], delta + part[MIN_DELTA])
    row[HIGH] = max(row[HIGH], part[HIGH])
    row[LOW] = min(row[LOW], part[LOW])
    for column in (BUY, SELL, NOTIONAL, COUNT, BUY_COUNT):
        row[column] += part[column]
    row[FIRST_ID] = min(row[FIRST_ID], part[FIRST_ID])
    row[LAST_ID] = max(row[LAST_ID], part[LAST_ID])
    if (part[OPEN_TIME], part[OPEN_ID]) < (row[OPEN_TIME], row[OPEN_ID]):
        for column in (OPEN, OPEN_TIME, OPEN_ID):
            row[column] = part[column]
    if (part[CLOSE_TIME], part[CLOSE_ID]) >= (row[CLOSE_TIME], row[CLOSE_ID]):
        for column in (CLOSE, CLOSE_TIME, CLOSE_ID):
            row[column] = part[column]


@inlined
def _carried(row: IntArray, price: int) -> None:
    """Give a row without trades the last price, and no ids."""
    row[OPEN], row[HIGH], row[LOW], row[CLOSE] = price, price, price, price
    row[FIRST_ID], row[LAST_ID] = -1, -1


@kernel(INTS_2D, INTS_2D, INTS_2D, INT, INT, INT)
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
            bar[0, column] += row[column]
        if row[COUNT]:
            book(bar[0], row)
            price = row[CLOSE]
        else:
            _carried(row, price)
        if (first + i + 1) % subs == 0:
            if bar[0, COUNT] == 0:
                _carried(bar[0], price)
            for column in range(COLUMNS):
                bars[closed, column], bar[0, column] = bar[0, column], 0
            closed += 1
    return price


@inlined
def _mark_hole(rows: IntArray, before: int, after: int, closing: int, sub_ms: int) -> None:
    """Take the rows between two that traded for uncovered; those two are told by their ids.

    Unless the ids were missed elsewhere, as happens where trades came out of order.
    """
    for i in range(before + 1, min(after, closing)):
        rows[i, UNCOVERED] = sub_ms
    if rows[after, MISSING] == 0:
        for i in (before, after):
            if 0 <= i < closing:
                rows[i, UNCOVERED] = max(rows[i, UNCOVERED], 1)


@kernel(INTS_2D, INT, INT, INT)
def mark_holes(rows: IntArray, closing: int, sub_ms: int, last_id: int) -> int:
    """Take rows without trades in which ids were skipped for uncovered: a hole is no calm.

    ``rows`` are all that are open, of which the first ``closing`` are about to close and are
    marked; ``last_id`` is that of the last trade before them, -1 where it is not known.
    Returns the same for the rows after them.
    """
    before, traded, closed = last_id, -1, last_id
    for i in range(rows.shape[0]):
        if rows[i, COUNT] == 0:
            continue
        begins_anew = rows[i, MISSING] > 0 and rows[i, LAST_ID] < before
        if before >= 0 and (begins_anew or rows[i, FIRST_ID] > before + 1):
            _mark_hole(rows, traded, i, closing, sub_ms)
        if i >= closing:
            break
        before = rows[i, LAST_ID] if begins_anew else max(before, rows[i, LAST_ID])
        traded, closed = i, before
    return closed
