"""Trades that follow each other are added up by the block, in loops that become vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.compiled import inlined, spliced
from hydra_ft.bars.flow_rows import (
    BLOCK,
    BUY,
    BUY_COUNT,
    CLOSE,
    CLOSE_ID,
    CLOSE_TIME,
    COUNT,
    FIRST_ID,
    HIGH,
    HIST_BASE,
    HIST_HIGH,
    HIST_LOW,
    LAST_ID,
    LOW,
    MAX_DELTA,
    MIN_DELTA,
    MOST,
    NOTIONAL,
    ON_GRID,
    OPEN,
    OPEN_ID,
    OPEN_TIME,
    SELL,
)

if TYPE_CHECKING:
    from hydra_ft.types import FloatArray, IntArray
    from hydra_ft.types.flow import SideArray


@inlined
def before(end: int, k: int, n: int, time: IntArray) -> int:
    """Count the times from ``k`` on before ``end``, of ``n`` that are in order."""
    low, high = k, k + n
    while low < high:
        middle = (low + high) // 2
        if time[middle] < end:
            low = middle + 1
        else:
            high = middle
    return low - k


@spliced
def following(k: int, end: int, number: IntArray, time: IntArray) -> int:
    """Count the trades from ``k`` on whose ids and times follow, at most a block of them."""
    n = max(1, before(end, k, int(min(BLOCK, time.shape[0] - k)), time))
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
) -> int:
    """Find high and low of the staged trades, or of the first if the histogram lacks others."""
    high = low = ticks[0]
    for i in range(np.uint64(n)):
        high, low = max(high, ticks[i]), min(low, ticks[i])
    bottom = int((low + 0.5) * scale[2]) - seen[HIST_BASE]
    top = int((high + 0.5) * scale[2]) - seen[HIST_BASE]
    if bottom < 0 or top >= width:
        n, high, low = 1, ticks[0], ticks[0]
        bottom = top = int((low + 0.5) * scale[2]) - seen[HIST_BASE]
    part[HIGH], part[LOW] = high, low
    seen[HIST_LOW], seen[HIST_HIGH] = min(seen[HIST_LOW], bottom), max(seen[HIST_HIGH], top)
    return n


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


@spliced
def add_up(
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
    stage: IntArray,
    part: IntArray,
) -> int:
    """Add up ``n`` trades from ``k`` on, or the first alone if another does not fit; how many.

    The first is that of a trade, and the histogram has its level.
    """
    ticks, lots, levels = stage[0], stage[1], stage[2]
    if not _staged(k, n, price, quantity, side, scale, ticks, lots):
        n = 1
    n = _range(n, ticks, scale, seen, hist.shape[0] // 2, part)
    _add(n, ticks, lots, levels, scale[2], seen[HIST_BASE], hist, part)
    part[FIRST_ID], part[LAST_ID] = number[k], number[k + n - 1]
    part[OPEN_TIME], part[OPEN_ID] = time[k], number[k]
    part[CLOSE_TIME], part[CLOSE_ID] = time[k + n - 1], number[k + n - 1]
    return n
