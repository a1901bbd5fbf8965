"""The compiled loop of the flow bars: trades into the rows of sub-bars and a histogram.

All sums are of whole ticks and lots, so that they are exact. Trades whose ids and times follow
each other are added up by the block; whatever does not follow is looked at one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.compiled import (
    INT,
    INTS,
    INTS_2D,
    READ_FLOATS,
    READ_INTS,
    READ_SIDES,
    inlined,
    kernel,
)
from hydra_ft.bars.flow_closing import book
from hydra_ft.bars.flow_ids import admit, is_known
from hydra_ft.bars.flow_rows import (
    BLOCK,
    BUY,
    BUY_COUNT,
    CELLS,
    CLOSE,
    CLOSE_ID,
    CLOSE_TIME,
    COUNT,
    DISORDERED,
    DONE,
    DUPLICATES,
    FIRST_ID,
    HIGH,
    HIST_BAR,
    HIST_BASE,
    HIST_HIGH,
    HIST_LOW,
    LAST_ID,
    LATE,
    LOW,
    MAX_DELTA,
    MAX_ID,
    MIN_DELTA,
    MORE_BINS,
    MORE_CELLS,
    MORE_ROWS,
    MOST,
    NO_LEVEL,
    NO_SIDE,
    NOTIONAL,
    OFF_LOT,
    OFF_TICK,
    ON_GRID,
    OPEN,
    OPEN_ID,
    OPEN_TIME,
    ORIGIN,
    SEEN_ID,
    SEEN_TIME,
    SELL,
    SUB_MS,
    SUBS,
)

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


@inlined
def _ready(
    sub: int, bin_: int, clock: IntArray, seen: IntArray, hist: IntArray, cells: IntArray
) -> int:
    """Make the histogram fit for a trade of this sub-bar and bin, or say what is missing."""
    bar, width = sub // clock[SUBS], hist.shape[0] // 2
    if bar != seen[HIST_BAR]:
        if seen[CELLS] + seen[HIST_HIGH] - seen[HIST_LOW] + 1 > cells.shape[1]:
            return MORE_CELLS
        _flush(hist, cells, seen)
        seen[HIST_BAR], seen[HIST_BASE] = bar, bin_ - width // 2
    if 0 <= bin_ - seen[HIST_BASE] < width:
        return DONE
    return MORE_BINS


@inlined
def _before(end: int, k: int, n: int, time: IntArray) -> int:
    """Count the times from ``k`` on before ``end``, of ``n`` that are in order."""
    low, high = k, k + n
    while low < high:
        middle = (low + high) // 2
        if time[middle] < end:
            low = middle + 1
        else:
            high = middle
    return low - k


@inlined
def _following(k: int, end: int, number: IntArray, time: IntArray) -> int:
    """Count the trades from ``k`` on whose ids and times follow, at most a block of them."""
    n = max(1, _before(end, k, int(min(BLOCK, time.shape[0] - k)), time))
    at, first, strays = np.uint64(k), number[k] - k, 0
    for i in range(at + np.uint64(1), at + np.uint64(n)):
        strays += (number[i] - np.int64(i) != first) | (time[i] < time[i - np.uint64(1)])
    if strays == 0:
        return n
    for j in range(k + 1, k + n):
        if number[j] - j != first or time[j] < time[j - 1] or time[j] >= end:
            return j - k
    return 1


@inlined
def _staged(
    k: int,
    n: int,
    price: FloatArray,
    quantity: FloatArray,
    side: SideArray,
    scale: FloatArray,
    ticks: IntArray,
    lots: IntArray,
) -> bool:
    """Write ticks and signed lots to the stage; whether all of them are those of trades.

    One plain loop a step, without a way out of it, so that each becomes vector instructions.
    Indices are unsigned, or each would be looked at for being negative.
    """
    ticks_per_quote, lots_per_base = scale[0], scale[1]
    at, size, faults = np.uint64(k), np.uint64(n), 0
    for i in range(size):
        steps = price[at + i] * ticks_per_quote
        ticks[i] = int(steps + 0.5)
        fine = (abs(steps - ticks[i]) <= ON_GRID) & (steps > 0.5) & (steps < MOST)
        faults += not fine
    for i in range(size):
        steps = quantity[at + i] * lots_per_base
        lots[i] = int(steps + 0.5)
        fine = (abs(steps - lots[i]) <= ON_GRID) & (steps > 0.5) & (steps < MOST)
        faults += not fine
    for i in range(size):
        faults += side[at + i] * side[at + i] != 1
        lots[i] *= side[at + i]
    return faults == 0


@inlined
def _range(
    n: int, ticks: IntArray, scale: FloatArray, seen: IntArray, width: int, part: IntArray
) -> bool:
    """Find high and low of the staged trades; whether the histogram holds both."""
    high = low = ticks[0]
    for i in range(np.uint64(n)):
        high, low = max(high, ticks[i]), min(low, ticks[i])
    part[HIGH], part[LOW] = high, low
    bottom = int((low + 0.5) * scale[2]) - seen[HIST_BASE]
    top = int((high + 0.5) * scale[2]) - seen[HIST_BASE]
    if bottom < 0 or top >= width:
        return False
    seen[HIST_LOW], seen[HIST_HIGH] = min(seen[HIST_LOW], bottom), max(seen[HIST_HIGH], top)
    return True


@inlined
def _add(
    n: int,
    ticks: IntArray,
    lots: IntArray,
    levels: IntArray,
    bins_per_tick: float,
    base: int,
    hist: IntArray,
    part: IntArray,
) -> None:
    """Add the staged trades up: volumes, running delta, levels."""
    size = np.uint64(n)
    for i in range(size):
        levels[i] = 2 * (int((ticks[i] + 0.5) * bins_per_tick) - base) + (lots[i] < 0)
    volume = notional = buys = 0
    for i in range(size):
        volume += abs(lots[i])
        notional += ticks[i] * abs(lots[i])
        buys += lots[i] > 0
    delta, most, least = 0, -(1 << 62), 1 << 62
    for i in range(size):
        delta += lots[i]
        most, least = max(most, delta), min(least, delta)
        hist[np.uint64(levels[i])] += abs(lots[i])
    part[OPEN], part[CLOSE] = ticks[0], ticks[n - 1]
    part[BUY], part[SELL] = (volume + delta) // 2, (volume - delta) // 2
    part[NOTIONAL], part[COUNT], part[BUY_COUNT] = notional, n, buys
    part[MAX_DELTA], part[MIN_DELTA] = most, least


@inlined
def _run(
    k: int,
    n: int,
    number: IntArray,
    time: IntArray,
    price: FloatArray,
    quantity: FloatArray,
    side: SideArray,
    scale: FloatArray,
    seen: IntArray,
    hist: IntArray,
    ticks: IntArray,
    lots: IntArray,
    levels: IntArray,
    part: IntArray,
) -> int:
    """Add up ``n`` trades from ``k`` on, or the first alone if another does not fit; how many."""
    width = hist.shape[0] // 2
    fits = _staged(k, n, price, quantity, side, scale, ticks, lots)
    if not (fits and _range(n, ticks, scale, seen, width, part)):
        n = 1
        _staged(k, n, price, quantity, side, scale, ticks, lots)
        _range(n, ticks, scale, seen, width, part)
    _add(n, ticks, lots, levels, scale[2], seen[HIST_BASE], hist, part)
    part[FIRST_ID], part[LAST_ID] = number[k], number[k + n - 1]
    part[OPEN_TIME], part[OPEN_ID] = time[k], number[k]
    part[CLOSE_TIME], part[CLOSE_ID] = time[k + n - 1], number[k + n - 1]
    return n


@inlined
def _refused(known: bool, row: int, rows: IntArray) -> None:
    """Count a trade that is in no bar: in the bar of its time, or in the oldest that is open."""
    at = row if 0 <= row < rows.shape[0] else 0
    rows[at, DUPLICATES if known else LATE] += 1


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
    sub_ms, origin = clock[SUB_MS], clock[ORIGIN]
    ticks, lots, levels, part = stage[0], stage[1], stage[2], stage[3]
    while k < time.shape[0]:
        fault = _fault(price[k], quantity[k], side[k], scale)
        if fault:
            return k, fault
        sub = time[k] // sub_ms
        known = is_known(number[k], seen, gaps)
        if known or sub < origin:
            _refused(known, min(sub, seen[SEEN_TIME] // sub_ms) - origin, rows)
            k += 1
            continue
        if sub - origin >= rows.shape[0]:
            return k, MORE_ROWS
        tick = int(price[k] * scale[0] + 0.5)
        wanted: int = _ready(sub, int((tick + 0.5) * scale[2]), clock, seen, hist, cells)
        if wanted:
            return k, wanted
        disordered = (time[k], number[k]) < (seen[SEEN_TIME], seen[SEEN_ID])
        alone = disordered or number[k] <= seen[MAX_ID]
        admit(number[k], sub, rows, clock, seen, gaps)
        n = 1 if alone else _following(k, (sub + 1) * sub_ms, number, time)
        k += _run(
            k, n, number, time, price, quantity, side, scale, seen, hist, ticks, lots, levels, part
        )
        rows[sub - origin, DISORDERED] += disordered
        if not disordered:
            seen[SEEN_TIME], seen[SEEN_ID] = part[CLOSE_TIME], part[CLOSE_ID]
        seen[MAX_ID] = max(seen[MAX_ID], part[LAST_ID])
        book(rows, sub - origin, part)
    return k, DONE
