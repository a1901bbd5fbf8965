"""Loop over samples of one side of the book: levels that trades cleared, and how they came back.

F-A10: levels are compared by their price, not by their place in the book, and a level that is
gone was swept only if trades went through its price, and enough of them to have taken it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from hydra_ft.bars.book_kernels import FLOATS_2D, READ_FLOATS_2D
from hydra_ft.bars.compiled import INT, READ_FLOATS, READ_INTS, inlined, kernel, spliced

if TYPE_CHECKING:
    from hydra_ft.types import FloatArray, IntArray

# What is found at a sample.
SWEPT, REFILL = range(2)
FOUND: Final = 2
FIRST_LEVELS: Final = 5
"""Levels of which most must go at once for a sweep."""
LEAST_LEVELS: Final = 4
LEFT_SHARE: Final = 0.1
"""A level that holds less than this share of what it held is cleared."""
TAKEN_SHARE: Final = 0.5
"""Share of what is gone that must have traded meanwhile; the rest may have been withdrawn."""
DEPTH_LEVELS: Final = 10
FLOOR_SHARE: Final = 0.05
"""Depth that a sweep has left counts for this share of the depth before it at least."""
SOONEST_S: Final = 0.5
LATEST_S: Final = 10.0
MOST_PER_S: Final = 10.0
_SAME: Final = 1e-9


@inlined
def _resting(k: int, at: float, sign: int, price: FloatArray, size: FloatArray) -> float:
    """Size at a price in a sample; NaN where the sample does not reach that far."""
    for level in range(price.shape[1]):
        here = price[k, level]
        if math.isnan(here):
            return 0.0 if level == 0 else math.nan
        if abs(here - at) <= _SAME * at:
            return float(size[k, level])
        if sign * (here - at) > 0:
            return 0.0
    return math.nan


@inlined
def _within(k: int, limit: float, sign: int, price: FloatArray, size: FloatArray) -> float:
    """Notional at all prices as good as ``limit`` or better."""
    total = 0.0
    for level in range(price.shape[1]):
        here = price[k, level]
        if math.isnan(here) or sign * (here - limit) > _SAME * limit:
            return total
        total += here * size[k, level]
    return total


@inlined
def _reached(
    first: int, last: int, sign: int, extreme: FloatArray, volume: FloatArray
) -> tuple[float, float]:
    """How far trades of some intervals went, times ``sign``, and how much they took."""
    farthest, taken = -math.inf, 0.0
    for row in range(first, last):
        if volume[row] > 0:
            farthest, taken = max(farthest, sign * extreme[row]), taken + volume[row]
    return farthest, taken


@spliced
def _cleared(
    k: int, sign: int, price: FloatArray, size: FloatArray, farthest: float, taken: float
) -> int:
    """Levels of the sample before that trades cleared; 0 if it was no sweep."""
    levels, gone = 0, 0.0
    for level in range(min(FIRST_LEVELS, price.shape[1])):
        at, held = price[k - 1, level], size[k - 1, level]
        left = _resting(k, at, sign, price, size)
        if left < LEFT_SHARE * held and farthest >= sign * at * (1 - sign * _SAME):
            levels, gone = levels + 1, gone + held - left
    return levels if levels >= LEAST_LEVELS and taken >= TAKEN_SHARE * gone else 0


@inlined
def refill_per_s(depth: float, after: float, floor: float, since_s: float) -> float:
    """Growth of the depth since a sweep, as a share of what it left, a second; 10 at most.

    0 before half a second, and after ten seconds, when it has expired.
    """
    if since_s < SOONEST_S or since_s > LATEST_S:
        return 0.0
    return min((depth - after) / max(after, floor) / since_s, MOST_PER_S)


@inlined
def _limit(k: int, price: FloatArray) -> float:
    """Price of the tenth level of a sample, or of its last one."""
    limit = price[k, 0]
    for level in range(1, min(DEPTH_LEVELS, price.shape[1])):
        if math.isnan(price[k, level]):
            return float(limit)
        limit = price[k, level]
    return float(limit)


@kernel(
    READ_INTS, READ_FLOATS_2D, READ_FLOATS_2D, INT, READ_INTS, READ_INTS, READ_FLOATS,
    READ_FLOATS, FLOATS_2D,
)  # fmt: skip
def side_sweeps(
    time: IntArray,
    price: FloatArray,
    size: FloatArray,
    sign: int,
    first: IntArray,
    last: IntArray,
    extreme: FloatArray,
    volume: FloatArray,
    found: FloatArray,
) -> None:
    """Fill ``found``, shape (n, 2): levels swept at each sample, and the refill after one.

    ``sign`` is 1 for asks, -1 for bids. ``first`` to ``last`` are the intervals of trades since
    the sample before, ``extreme`` the price they reached, ``volume`` what takers of this side
    took. The refill is NaN where no sweep is 0.5 to 10 s ago.
    """
    swept_at, after, floor, limit = -1, 0.0, 0.0, 0.0
    for k in range(time.shape[0]):
        found[k, SWEPT], found[k, REFILL] = 0.0, math.nan
        if k > 0:
            farthest, taken = _reached(first[k], last[k], sign, extreme, volume)
            found[k, SWEPT] = _cleared(k, sign, price, size, farthest, taken)
        if found[k, SWEPT] > 0:
            swept_at, limit = time[k], _limit(k - 1, price)
            after = _within(k, limit, sign, price, size)
            floor = FLOOR_SHARE * _within(k - 1, limit, sign, price, size)
        since_s = (time[k] - swept_at) / 1e3
        if swept_at >= 0 and SOONEST_S <= since_s <= LATEST_S:
            depth = _within(k, limit, sign, price, size)
            found[k, REFILL] = refill_per_s(depth, after, floor, since_s)
