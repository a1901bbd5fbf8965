"""Which trades have come: ids seen once, ids that have not come, ids that came again.

What is kept is the highest id and the runs of ids below it that have not come, the newest few
thousand of them. An id below those is taken for one that has been counted, unless its trade is
newer than all of them: then the venue has begun to count anew (a pair that was listed again, a
test network that was cleared), and with it what is kept here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra_ft.bars.compiled import inlined, spliced
from hydra_ft.bars.flow_rows import (
    ANEW,
    CONTIGUOUS,
    FLOOR,
    GAPS,
    MAX_ID,
    MISSING,
    ORIGIN,
    SEEN_TIME,
)

if TYPE_CHECKING:
    from hydra_ft.types import IntArray


@inlined
def _gap_of(number: int, seen: IntArray, gaps: IntArray) -> int:
    """Which run of ids that have not come holds this one, -1 if none does."""
    low, high = 0, seen[GAPS]
    while low < high:
        middle = (low + high) // 2
        if gaps[1, middle] < number:
            low = middle + 1
        else:
            high = middle
    return low if low < seen[GAPS] and gaps[0, low] <= number else -1


@spliced
def is_known(number: int, time: int, seen: IntArray, gaps: IntArray) -> bool:
    """Whether a trade of this id and time has been counted, or is too old to tell."""
    if number < 0 or number > seen[MAX_ID] or time > seen[SEEN_TIME] >= 0:
        return False
    if seen[SEEN_TIME] < 0 and number < seen[MAX_ID] - ANEW:
        return False
    return number < seen[FLOOR] or _gap_of(number, seen, gaps) < 0


@inlined
def _add_gap(first: int, last: int, sub: int, seen: IntArray, gaps: IntArray) -> None:
    """Remember a run of ids that have not come; the older half is forgotten when full."""
    n = seen[GAPS]
    if n == gaps.shape[1]:
        half = n // 2
        seen[FLOOR] = gaps[1, half - 1] + 1
        for row in range(3):
            for i in range(n - half):
                gaps[row, i] = gaps[row, i + half]
        n -= half
    gaps[0, n], gaps[1, n], gaps[2, n] = first, last, sub
    seen[GAPS] = n + 1


@inlined
def _fill_gap(at: int, number: int, seen: IntArray, gaps: IntArray) -> None:
    """Take an id out of the run that holds it, which may part the run in two."""
    first, last = gaps[0, at], gaps[1, at]
    if number == first:
        gaps[0, at] = number + 1
    elif number == last:
        gaps[1, at] = number - 1
    else:
        if seen[GAPS] == gaps.shape[1]:  # no room for both parts: forget the lower
            gaps[0, at] = number + 1
            return
        for row in range(3):
            for i in range(seen[GAPS], at + 1, -1):
                gaps[row, i] = gaps[row, i - 1]
        gaps[1, at], gaps[0, at + 1], gaps[2, at + 1] = number - 1, number + 1, gaps[2, at]
        gaps[1, at + 1] = last
        seen[GAPS] += 1
    if gaps[0, at] > gaps[1, at]:
        for row in range(3):
            for i in range(at, seen[GAPS] - 1):
                gaps[row, i] = gaps[row, i + 1]
        seen[GAPS] -= 1


@spliced
def admit(
    number: int,
    sub: int,
    is_newest: bool,
    rows: IntArray,
    clock: IntArray,
    seen: IntArray,
    gaps: IntArray,
) -> None:
    """Book a new id, and the ids that should have come before it.

    One that was known, or is far below the first of all although the trade is the newest,
    begins a new count: how many trades are missing before it nobody knows; one is told.
    """
    row, origin = sub - clock[ORIGIN], clock[ORIGIN]
    if number < 0:
        return
    if number <= seen[MAX_ID]:
        at = _gap_of(number, seen, gaps)
        is_far = clock[CONTIGUOUS] and number < seen[MAX_ID] - ANEW
        if at >= 0 and not (is_far and is_newest and gaps[2, at] < 0):
            if gaps[2, at] >= origin:
                rows[gaps[2, at] - origin, MISSING] -= 1
            _fill_gap(at, number, seen, gaps)
            return
        rows[row, MISSING] += clock[CONTIGUOUS]
        seen[GAPS], seen[FLOOR], seen[MAX_ID] = 0, 0, -1
    if seen[MAX_ID] < 0:
        if number > 0:
            _add_gap(0, number - 1, -1, seen, gaps)  # before the beginning: not missed
    elif number > seen[MAX_ID] + 1:
        missed = number - seen[MAX_ID] - 1 if clock[CONTIGUOUS] else 0
        _add_gap(seen[MAX_ID] + 1, number - 1, sub if missed else -1, seen, gaps)
        rows[row, MISSING] += missed
    seen[MAX_ID] = number
