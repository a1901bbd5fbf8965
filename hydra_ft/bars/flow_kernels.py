"""The compiled loop of the flow bars: trades into the rows of sub-bars and a histogram.

All sums are of whole ticks and lots, so that they are exact. Trades whose ids and times follow
each other are added up by the block; whatever does not follow is looked at one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra_ft.bars.compiled import (
    INT,
    INTS,
    INTS_2D,
    READ_FLOATS,
    READ_INTS,
    READ_SIDES,
    inlined,
    kernel,
    spliced,
)
from hydra_ft.bars.flow_closing import book
from hydra_ft.bars.flow_ids import admit, is_known
from hydra_ft.bars.flow_rows import (
    CELLS,
    CLOSE_ID,
    CLOSE_TIME,
    DISORDERED,
    DONE,
    DUPLICATES,
    HIST_BAR,
    HIST_BASE,
    HIST_HIGH,
    HIST_LOW,
    LAST_ID,
    LATE,
    MAX_ID,
    MORE_BINS,
    MORE_CELLS,
    MORE_ROWS,
    MOST,
    NO_LEVEL,
    NO_SIDE,
    OFF_LOT,
    OFF_TICK,
    ON_GRID,
    ORIGIN,
    SEEN_ID,
    SEEN_TIME,
    SUB_MS,
    SUBS,
)
from hydra_ft.bars.flow_sums import add_up, following

if TYPE_CHECKING:
    from hydra_ft.types import FloatArray, IntArray
    from hydra_ft.types.flow import SideArray


@inlined
def _fault(price: float, quantity: float, side: int, scale: FloatArray) -> int:
    """Whether price, quantity and side can be those of a trade; NaN fails every comparison."""
    ticks, lots = price * scale[0], quantity * scale[1]
    if not (0.5 < ticks < MOST and abs(ticks - int(ticks + 0.5)) <= ON_GRID):
        return OFF_TICK
    if not (0.5 < lots < MOST and abs(lots - int(lots + 0.5)) <= ON_GRID):
        return OFF_LOT
    return DONE if side in (1, -1) else NO_SIDE


@inlined
def _flush(hist: IntArray, cells: IntArray, seen: IntArray) -> None:
    """Write the levels of the histogram's bar to the cells, and clear it."""
    n = seen[CELLS]
    for i in range(seen[HIST_LOW], seen[HIST_HIGH] + 1):
        if hist[2 * i] or hist[2 * i + 1]:
            cells[0, n], cells[1, n] = seen[HIST_BAR], seen[HIST_BASE] + i
            cells[2, n], cells[3, n] = hist[2 * i], hist[2 * i + 1]
            hist[2 * i], hist[2 * i + 1] = 0, 0
            n += 1
    seen[CELLS], seen[HIST_LOW], seen[HIST_HIGH] = n, NO_LEVEL, -1


@kernel(INTS, INTS_2D, INTS)
def flush(hist: IntArray, cells: IntArray, seen: IntArray) -> None:
    """Write the histogram's bar to the cells, which must have room for it."""
    _flush(hist, cells, seen)


@spliced
def _ready(
    sub: int,
    tick: int,
    clock: IntArray,
    scale: FloatArray,
    seen: IntArray,
    hist: IntArray,
    cells: IntArray,
) -> int:
    """Make the histogram fit for a trade of this sub-bar and price, or say what is missing."""
    bar, width, bin_ = sub // clock[SUBS], hist.shape[0] // 2, int((tick + 0.5) * scale[2])
    if bar != seen[HIST_BAR]:
        if seen[CELLS] + seen[HIST_HIGH] - seen[HIST_LOW] + 1 > cells.shape[1]:
            return MORE_CELLS
        _flush(hist, cells, seen)
        seen[HIST_BAR], seen[HIST_BASE] = bar, bin_ - width // 2
    if 0 <= bin_ - seen[HIST_BASE] < width:
        return DONE
    return MORE_BINS


@inlined
def _refused(known: bool, row: int, rows: IntArray) -> None:
    """Count a trade that is in no bar: in the bar of its time, or in the oldest that is open."""
    at = row if 0 <= row < rows.shape[0] else 0
    rows[at, DUPLICATES if known else LATE] += 1


@spliced
def _taken(
    k: int,
    sub: int,
    number: IntArray,
    time: IntArray,
    price: FloatArray,
    quantity: FloatArray,
    side: SideArray,
    clock: IntArray,
    scale: FloatArray,
    seen: IntArray,
    gaps: IntArray,
    rows: IntArray,
    hist: IntArray,
    stage: IntArray,
) -> int:
    """Count the trade ``k`` and those that follow it in its sub-bar; how many that were."""
    disordered = (time[k], number[k]) < (seen[SEEN_TIME], seen[SEEN_ID])
    alone = disordered or number[k] <= seen[MAX_ID]
    admit(number[k], sub, not disordered, rows, clock, seen, gaps)
    n = 1 if alone else following(k, (sub + 1) * clock[SUB_MS], number, time)
    part = stage[3]
    n = add_up(k, n, number, time, price, quantity, side, scale, seen, hist, stage, part)
    at = sub - clock[ORIGIN]
    rows[at, DISORDERED] += disordered
    if not disordered:
        seen[SEEN_TIME], seen[SEEN_ID] = part[CLOSE_TIME], part[CLOSE_ID]
    seen[MAX_ID] = max(seen[MAX_ID], part[LAST_ID])
    book(rows[at], part)
    return n


@kernel(
    INT, READ_INTS, READ_INTS, READ_FLOATS, READ_FLOATS, READ_SIDES, READ_INTS, READ_FLOATS,
    INTS, INTS_2D, INTS_2D, INTS, INTS_2D, INTS_2D,
)  # fmt: skip
def fold_trades(
    k: int,
    number: IntArray,
    time: IntArray,
    price: FloatArray,
    quantity: FloatArray,
    side: SideArray,
    clock: IntArray,
    scale: FloatArray,
    seen: IntArray,
    gaps: IntArray,
    rows: IntArray,
    hist: IntArray,
    cells: IntArray,
    stage: IntArray,
) -> tuple[int, int]:
    """Fold trades from ``k`` on into the rows; how far it came, and why it stopped there.

    ``stage`` is room to work in, shape (4, BLOCK).
    """
    while k < time.shape[0]:
        why = _fault(price[k], quantity[k], side[k], scale)
        if why:
            return k, why
        sub = time[k] // clock[SUB_MS]
        known = is_known(number[k], time[k], seen, gaps)
        if known or sub < clock[ORIGIN]:
            latest = min(sub, seen[SEEN_TIME] // clock[SUB_MS])
            _refused(known, latest - clock[ORIGIN], rows)
            k += 1
            continue
        if sub - clock[ORIGIN] >= rows.shape[0]:
            return k, MORE_ROWS
        why = _ready(sub, int(price[k] * scale[0] + 0.5), clock, scale, seen, hist, cells)
        if why:
            return k, why
        k += _taken(
            k, sub, number, time, price, quantity, side, clock, scale, seen, gaps, rows, hist, stage
        )
    return k, DONE
