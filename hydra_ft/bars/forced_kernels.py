"""Loop over the seconds of bars: liquidations of the windows that end with each, and cascades."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from numba import types

from hydra_ft.bars.book_kernels import FLOATS_2D
from hydra_ft.bars.compiled import INT, INTS, READ_FLOATS, READ_INTS, inlined, kernel, spliced

if TYPE_CHECKING:
    from hydra_ft.types import FloatArray, IntArray

WINDOWS_S: Final = (30, 120, 300)
# Columns of a bar's row: longs and shorts of each window, then what happened.
PEAK, CASCADE, EXHAUSTION = range(6, 9)
COLUMNS: Final = 9
# What is remembered from second to second: when a cascade was last on, its side, and whether
# its end has been told.
LAST, SIDE, TOLD, MEMORY = range(4)
# The numbers of ``forced_columns.CascadeRules``.
MULTIPLE, IMBALANCE, LEFT_SHARE, SOONEST_S, LATEST_S = range(5)
_STRICT: Final = 1e-9
NUMBERS: Final = types.UniTuple(types.float64, 5)


@inlined
def _before(at: int, from_: int, time: IntArray) -> int:
    """Number of events before a time, counted on from ``from_``."""
    row = from_
    while row < time.shape[0] and time[row] < at:
        row += 1
    return row


@inlined
def _lopsided(longs: float, shorts: float, least: float) -> bool:
    return abs(longs - shorts) > (least + _STRICT) * (longs + shorts)


@spliced
def _is_cascade(longs: float, shorts: float, usual: float, rules: tuple[float, ...]) -> bool:
    """Whether half a minute holds several usual minutes, and mostly of one side."""
    many = longs + shorts > rules[MULTIPLE] * usual * (1 + _STRICT)
    return many and _lopsided(longs, shorts, rules[IMBALANCE])


@spliced
def _has_run_out(
    at_s: int, row: FloatArray, usual: float, rules: tuple[float, ...], state: IntArray,
    recent: IntArray,
) -> bool:  # fmt: skip
    """Whether the cascade that was last on has fallen off, for the first time since."""
    since = at_s - state[LAST]
    if state[TOLD] or since < rules[SOONEST_S] or since > rules[LATEST_S]:
        return False
    peak = 0
    for total in recent:
        peak = max(peak, total)
    if row[0] + row[1] >= rules[LEFT_SHARE] * peak * (1 - _STRICT):
        return False
    return _is_cascade(row[2], row[3], usual, rules)


@spliced
def _told(
    at_s: int, row: FloatArray, usual: float, rules: tuple[float, ...], state: IntArray,
    recent: IntArray,
) -> None:  # fmt: skip
    """Book what a second tells, by the windows that end with it."""
    total = row[0] + row[1]
    recent[at_s % recent.shape[0]] = int(total)
    multiple = total / usual if usual > 0 else (0.0 if usual == 0 and total == 0 else math.nan)
    # One second that is not known leaves the bar unknown, whatever those after it tell.
    is_known = not (math.isnan(multiple) or math.isnan(row[PEAK]))
    row[PEAK] = max(row[PEAK], multiple) if is_known else math.nan
    if usual > 0 and _is_cascade(row[0], row[1], usual, rules):
        state[LAST], state[TOLD] = at_s, 0
        state[SIDE] = 1 if row[0] > row[1] else -1
        row[CASCADE] = state[SIDE]
    elif usual > 0 and _has_run_out(at_s, row, usual, rules, state, recent):
        state[TOLD] = 1
        row[EXHAUSTION] = state[SIDE]


@kernel(
    READ_INTS, READ_INTS, READ_INTS, READ_INTS, INT, READ_FLOATS, INT, READ_FLOATS, NUMBERS, INTS,
    INTS, INTS, FLOATS_2D,
)  # fmt: skip
def forced_seconds(
    time: IntArray,
    longs: IntArray,
    shorts: IntArray,
    opened: IntArray,
    step_ms: int,
    usual: FloatArray,
    minute: int,
    floor: FloatArray,
    rules: tuple[float, ...],
    ends: IntArray,
    state: IntArray,
    recent: IntArray,
    rows: FloatArray,
) -> None:
    """Fill ``rows``, shape (bars, columns), second by second.

    ``longs`` and ``shorts`` are running sums of the events, one longer than ``time``;
    ``usual`` is that of a minute by the minutes before it, from number ``minute`` on, ``floor``
    its least at each bar. ``ends`` are where the windows end and begin (4, as 0), ``state`` and
    ``recent`` what is remembered. A minute in which the 30 s began is no part of its usual.
    """
    for i in range(opened.shape[0]):
        row = rows[i]
        row[PEAK] = row[CASCADE] = row[EXHAUSTION] = 0.0
        for at_s in range(opened[i] // 1000 + 1, (opened[i] + step_ms) // 1000 + 1):
            ends[0] = _before(at_s * 1000, ends[0], time)
            for w in range(3):
                ends[w + 1] = _before((at_s - WINDOWS_S[w]) * 1000, ends[w + 1], time)
                row[2 * w] = longs[ends[0]] - longs[ends[w + 1]]
                row[2 * w + 1] = shorts[ends[0]] - shorts[ends[w + 1]]
            now = usual[(at_s - WINDOWS_S[0]) // 60 - minute]
            least = math.nan if math.isnan(now) or math.isnan(floor[i]) else max(now, floor[i])
            _told(at_s, row, least, rules, state, recent)
