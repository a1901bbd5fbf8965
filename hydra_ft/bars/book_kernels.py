"""Loops over samples of the book: what came and went between them, and how it stood meanwhile.

Sides are arrays of shape (n, levels), the best first, NaN where a level is not there.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from numba import types

from hydra_ft.bars.compiled import INT, READ_INTS, inlined, kernel, spliced

if TYPE_CHECKING:
    from hydra_ft.types import FloatArray, IntArray

READ_FLOATS_2D: Final = types.Array(types.float64, 2, "C", readonly=True)
FLOATS_2D: Final = types.Array(types.float64, 2, "C")

# Columns of a bar's row of sums.
FLOW, DEEP, TOUCH, QUEUE, SLOPE, DEPTH, SPREAD, WEIGHT = range(8)
COLUMNS: Final = 8


@inlined
def _came(price: float, size: float, price_0: float, size_0: float, sign: int) -> float:
    """Size that came to a level of a side (bid 1, ask -1) since the sample before."""
    better, worse = sign * (price - price_0) >= 0, sign * (price - price_0) <= 0
    return (size if better else 0.0) - (size_0 if worse else 0.0)


@spliced
def _event(
    k: int, level: int, bid: FloatArray, bid_size: FloatArray, ask: FloatArray, ask_size: FloatArray
) -> float:
    """Order flow between two samples at a level: Cont, Kukanov and Stoikov 2014."""
    bought = _came(bid[k, level], bid_size[k, level], bid[k - 1, level], bid_size[k - 1, level], 1)
    sold = _came(ask[k, level], ask_size[k, level], ask[k - 1, level], ask_size[k - 1, level], -1)
    return bought - sold


@spliced
def _flow(
    k: int, levels: int, bid: FloatArray, bid_size: FloatArray, ask: FloatArray,
    ask_size: FloatArray, row: FloatArray,
) -> None:  # fmt: skip
    """Add the order flow between two samples; a level that either does not have adds nothing."""
    for level in range(levels):
        here = _event(k, level, bid, bid_size, ask, ask_size)
        if not math.isnan(here):
            row[DEEP] += here
        if level == 0:
            row[FLOW] += here


@inlined
def _notional(k: int, levels: int, price: FloatArray, size: FloatArray) -> float:
    total = 0.0
    for level in range(levels):
        here = price[k, level] * size[k, level]
        total += 0.0 if math.isnan(here) else here
    return total


@spliced
def _state(
    k: int, weight: float, levels: int, bid: FloatArray, bid_size: FloatArray, ask: FloatArray,
    ask_size: FloatArray, row: FloatArray,
) -> None:  # fmt: skip
    """Add the state of the book of a sample, weighed by how long it stood."""
    left, right = bid_size[k, 0], ask_size[k, 0]
    deep_left, deep_right = _notional(k, levels, bid, bid_size), _notional(k, levels, ask, ask_size)
    row[TOUCH] += weight * (left + right) / 2
    row[QUEUE] += weight * (left - right) / (left + right)
    row[SLOPE] += weight * (deep_left - deep_right) / (deep_left + deep_right)
    row[DEPTH] += weight * (deep_left + deep_right)
    row[SPREAD] += weight * 2e4 * (ask[k, 0] - bid[k, 0]) / (ask[k, 0] + bid[k, 0])
    row[WEIGHT] += weight


@kernel(
    READ_INTS, READ_FLOATS_2D, READ_FLOATS_2D, READ_FLOATS_2D, READ_FLOATS_2D, READ_INTS,
    READ_INTS, INT, INT, FLOATS_2D,
)  # fmt: skip
def book_sums(
    time: IntArray,
    bid: FloatArray,
    bid_size: FloatArray,
    ask: FloatArray,
    ask_size: FloatArray,
    opened: IntArray,
    first: IntArray,
    step: int,
    levels: int,
    rows: FloatArray,
) -> None:
    """Add up the samples of each bar in ``rows``, shape (bars, columns), which come as 0.

    ``opened`` is when a bar opened, ``first`` its first sample, negative for a bar that is left
    out; the sample before that is the state in which it opened.
    """
    for i in range(opened.shape[0]):
        if first[i] < 0:
            continue
        k, end = first[i] - 1, opened[i] + step
        while k < time.shape[0] and time[k] < end:
            until = min(end, time[k + 1]) if k + 1 < time.shape[0] else end
            stood = until - max(opened[i], time[k])
            if stood > 0:
                _state(k, float(stood), levels, bid, bid_size, ask, ask_size, rows[i])
            if k >= first[i]:
                _flow(k, levels, bid, bid_size, ask, ask_size, rows[i])
            k += 1
