"""Liquidations second by second beside the bars: windows, cascades, and when they run out.

F-A7: sides are those of the positions. F-A8: nothing is held against a number of dollars, but
against the pair's own usual minute: the exponential mean (span 60) of the minutes before the
one in which the window began, and no less than 1e-4 of the turnover of a minute, which takes
its place where next to nothing is liquidated. F-A13: what is judged is no part of its usual.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from hydra_ft.bars import forced_kernels as seconds
from hydra_ft.bars.coverage import begun, covered_shares
from hydra_ft.errors import DataError
from hydra_ft.types.flow_columns import ForcedColumns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra_ft.types import Bars, BoolArray, FloatArray, ForcedClosures, IntArray

MINUTE_MS: Final = 60_000
SPAN: Final = 60
USUAL_MINUTES: Final = 4 * SPAN
"""Minutes that the usual looks back on; the weight that is cut off is 3e-4."""
LEAST_WEIGHT: Final = 0.5
"""Share of the weights that must be of minutes that the feed covered."""
FLOOR_SHARE: Final = 1e-4
FLOOR_MINUTES: Final = 240
PEAK_S: Final = 300
"""Seconds among whose windows the peak of a cascade is the largest."""
UNITS_PER_QUOTE: Final = 1e4
"""Notionals are added up in ten-thousandths, so that the order of the additions is no matter."""


@dataclass(frozen=True, slots=True)
class CascadeRules:
    """When liquidations are a cascade, and when it has run out.

    On while 30 s hold more than ``multiple`` usual minutes, and the sides differ by more than
    ``imbalance`` of their sum. Run out when 10 to 180 s later (``soonest_s``, ``latest_s``) the
    30 s hold less than ``left_share`` of the most that any held within 300 s, while the last
    two minutes are still those of a cascade; told once.
    """

    multiple: float = 5.0
    imbalance: float = 0.6
    left_share: float = 0.3
    soonest_s: float = 10.0
    latest_s: float = 180.0


RULES: Final = CascadeRules()
MEMORY_S: Final = round(RULES.latest_s - RULES.soonest_s) + PEAK_S + seconds.WINDOWS_S[0]
"""Nothing that happened longer ago than this makes a difference to a second, but its usual.

A cascade may have been on ``latest_s`` ago, and its end have been told from ``soonest_s`` after
that on, by a peak of the 300 s before, whose own window looks back on 30 s more.
"""


def forced_columns(
    bars: Bars,
    closures: ForcedClosures,
    covered: Sequence[tuple[int, int]],
) -> ForcedColumns:
    """Columns of the liquidations for the bars, shape (n,) each; NaN where not known.

    ``covered`` are the stretches (UTC ms, stop exclusive) in which the feed stood: nothing that
    came then means that nothing was sent. Windows are known where they are covered; the rest
    after 500 covered seconds (``MEMORY_S``), and where the usual is known in every second of the
    bar: by half of the four hours before it, as far as those were covered, and the turnover of
    four hours of bars. Exhaustion is known where that holds for the 180 s before the bar too.
    Raises DataError for bars of less than a second or parts of one.
    """
    if bars.step_ms % 1000:
        raise DataError(f"step_ms: expected whole seconds, was {bars.step_ms}")
    rows = _rows(bars, closures, covered)
    unit = 1 / UNITS_PER_QUOTE
    windows = begun(covered, bars.time + bars.step_ms - 300_000, bars.time + bars.step_ms) >= 0
    known = ~np.isnan(rows[:, seconds.PEAK])
    judged = windows & _remembered(bars, covered) & known
    names = [f"{side}_{s}_s" for s in seconds.WINDOWS_S for side in ("long", "short")]
    return ForcedColumns(
        **{n: np.where(windows, unit * rows[:, i], np.nan) for i, n in enumerate(names)},
        peak_30_s=np.where(judged, rows[:, seconds.PEAK], np.nan),
        cascade=np.where(judged, rows[:, seconds.CASCADE], np.nan),
        # Where its usual is not known, a cascade is not seen, nor therefore its end.
        exhaustion=np.where(judged & _after(known, bars), rows[:, seconds.EXHAUSTION], np.nan),
    )


def _rows(
    bars: Bars,
    closures: ForcedClosures,
    covered: Sequence[tuple[int, int]],
) -> FloatArray:
    found = np.zeros((len(bars), seconds.COLUMNS))
    if not len(bars):
        return found
    units = np.rint(closures.quote * UNITS_PER_QUOTE).astype(np.int64)
    first = int(bars.time[0]) // MINUTE_MS - 1
    last = int(bars.time[-1] + bars.step_ms) // MINUTE_MS + 1
    usual = _usual(closures.time, units, covered, first, last)
    longs, shorts = (_running(units * (closures.side == side)) for side in (1, -1))
    seconds.forced_seconds(
        closures.time, longs, shorts, bars.time, bars.step_ms, usual, first, _floor(bars),
        astuple(RULES), np.zeros(4, dtype=np.int64), np.array([-(10**9), 0, 1], dtype=np.int64),
        np.zeros(PEAK_S, dtype=np.int64), found,
    )  # fmt: skip
    return found


def _running(units: IntArray) -> IntArray:
    return np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(units)))


def _usual(
    time: IntArray, units: IntArray, covered: Sequence[tuple[int, int]], first: int, last: int
) -> FloatArray:
    """Units of a usual minute by those before each, for minutes ``first`` to ``last``."""
    begin = first - USUAL_MINUTES
    numbers = np.arange(begin, last)
    whole = covered_shares(covered, numbers * MINUTE_MS, MINUTE_MS) == 1
    of = time // MINUTE_MS - begin
    inside = (of >= 0) & (of < numbers.size)
    totals = np.bincount(of[inside], units[inside], minlength=numbers.size)
    weights = (1 - 2 / (SPAN + 1)) ** np.arange(USUAL_MINUTES)
    weights /= weights.sum()
    known = np.convolve(whole, weights, mode="valid")
    mean = np.convolve(np.where(whole, totals, 0), weights, mode="valid")
    # Each is of the minutes up to its own: the usual of a minute is that of the one before.
    found = np.where(known >= LEAST_WEIGHT, mean / np.maximum(known, LEAST_WEIGHT), np.nan)
    return found[: last - first]


def _floor(bars: Bars) -> FloatArray:
    """Least usual of a minute at each bar, units, by the turnover of the four hours before."""
    window = max(1, FLOOR_MINUTES * MINUTE_MS // bars.step_ms)
    found = np.full(len(bars), np.nan)
    turnover, n = bars.close * bars.volume, len(bars) - window
    if n > 0:
        # Added in the same order for each bar, so that it is no matter where the bars begin.
        totals = np.zeros(n)
        for back in range(window):
            totals += turnover[back : back + n]
        found[window:] = totals
    return FLOOR_SHARE * UNITS_PER_QUOTE * found * MINUTE_MS / (window * bars.step_ms)


def _after(known: BoolArray, bars: Bars) -> BoolArray:
    """Bars before which all are known that a cascade may have been on in, shape (n,)."""
    back = -(-round(RULES.latest_s * 1000) // bars.step_ms)
    unknown = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(~known)))
    found = np.zeros(len(bars), dtype=np.bool_)
    found[back:] = unknown[back:-1] == unknown[: max(0, len(bars) - back)]
    return found


def _remembered(bars: Bars, covered: Sequence[tuple[int, int]]) -> BoolArray:
    """Bars that covered bars of ``MEMORY_S``, of which all is known, lead up to."""
    back = -(-MEMORY_S * 1000 // bars.step_ms)
    since = begun(covered, bars.time - MEMORY_S * 1000, bars.time + bars.step_ms) >= 0
    lead = np.zeros(len(bars), dtype=np.bool_)
    apart = bars.time[back:] - bars.time[: max(0, len(bars) - back)]
    lead[back:] = (apart == back * bars.step_ms) & ~np.isnan(_floor(bars)[: apart.size])
    return since & lead
