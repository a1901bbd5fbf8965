"""Value areas beside the bars, and where each bar traded to the value known when it opened.

F-A6: the share of time is one of time (sub-bars, by the price with which they end, empty ones
too), not of trades; above and below are told apart; and the profile that a bar is held
against was complete before it, so that a breakout is never part of its own measure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from hydra_ft.bars.profile import (
    SESSION_MS,
    previous_profiles,
    rolling_profiles,
    session_sizes,
)
from hydra_ft.errors import DataError
from hydra_ft.types.flow import UNKNOWN
from hydra_ft.types.flow_columns import ValueColumns

if TYPE_CHECKING:
    from hydra_ft.types import BoolArray, FloatArray, IntArray
    from hydra_ft.types.flow import Flow, FlowBars, Footprint
    from hydra_ft.types.profiles import Profiles

ROLLING_MS: Final = 1_800_000
"""Length of the rolling profile: half an hour, as one period of a market profile."""
MOST_LOST: Final = 0.005
"""Share of a profile's time, trades and volume, together, that may be missing for it to be
known: seven minutes of a day, nine seconds of half an hour. A trade missed in a day moves no
value area. An outage is likely when there is most to record: were it ten times as busy as the
rest, a twentieth of the volume would be lost."""


def value_columns(
    flow: Flow, *, period_ms: int = SESSION_MS, rolling_ms: int = ROLLING_MS
) -> ValueColumns:
    """Value at each flow bar, shape (n,) each; NaN where a bar or its profile is not known.

    ``period_ms`` is the length of the periods (a UTC day: yesterday's value), ``rolling_ms``
    that of the rolling profile. Bins are those of the day (``session_sizes``), so the first
    values come with the first day of which the beginning is there, those of the previous
    period after one that is. A profile is known where no more than ``MOST_LOST`` of it is
    missing, be it that trades were not recorded or that their footprint is no longer kept.
    Raises DataError for lengths that bars do not divide.
    """
    bars, footprint = flow.bars, flow.footprint
    window, rest = divmod(rolling_ms, bars.step_ms)
    if rest or not window:
        raise DataError(f"rolling_ms: expected a multiple of {bars.step_ms}, was {rolling_ms}")
    sizes = session_sizes(bars)
    rolling = rolling_profiles(footprint, window, sizes, bars.close_ticks)
    previous = previous_profiles(footprint, bars, period_ms, sizes)
    stops = np.arange(len(bars)) + 1
    begun = _is_known(flow, stops - window, window)
    first = int(bars.time[0]) if len(bars) else 0
    starts = (bars.time // period_ms * period_ms - period_ms - first) // bars.step_ms
    known = _is_known(flow, starts, period_ms // bars.step_ms)
    return ValueColumns(
        poc=np.where(begun, rolling.poc, np.nan),
        high=np.where(begun, rolling.value_area_high, np.nan),
        low=np.where(begun, rolling.value_area_low, np.nan),
        width=np.where(begun, _width(rolling), np.nan),
        node_below=np.where(begun, rolling.node_below, np.nan),
        node_above=np.where(begun, rolling.node_above, np.nan),
        previous_poc=np.where(known, previous.poc, np.nan),
        previous_high=np.where(known, previous.value_area_high, np.nan),
        previous_low=np.where(known, previous.value_area_low, np.nan),
        **_against(flow, previous, known & bars.whole),
    )


def _width(profiles: Profiles) -> FloatArray:
    """Width of value areas in quote currency, both outer ticks included; NaN where not known."""
    ticks = (profiles.high_bin - profiles.low_bin + 1) * profiles.bin_ticks
    return profiles.grid.prices(np.where(profiles.high_bin == UNKNOWN, UNKNOWN, ticks))


def _is_known(flow: Flow, starts: IntArray, length: int) -> BoolArray:
    """Whether ``length`` bars from each start on are there, but for ``MOST_LOST`` of them."""
    bars, lots = flow.bars, flow.bars.buy_lots + flow.bars.sell_lots
    there = (starts >= 0) & (starts + length <= len(bars))
    first, stop = np.where(there, starts, 0), np.where(there, starts + length, 0)

    def total(values: IntArray) -> IntArray:
        sums = np.concatenate(([0], np.cumsum(values)))
        return np.asarray(sums[stop] - sums[first])

    missed = total(bars.missing_ids + bars.late) + _noticed_after(bars, stop)
    lost = total(bars.uncovered_ms) / (length * bars.step_ms)
    lost += missed / np.maximum(missed + total(bars.count), 1)
    lost += total(np.abs(lots - lots_in_cells(flow.footprint))) / np.maximum(total(lots), 1)
    return there & (lost <= MOST_LOST)


def _noticed_after(bars: FlowBars, stop: IntArray) -> IntArray:
    """Trades missed that only the first bar that traded from ``stop`` on told of, shape (k,).

    They may be missing before it: a hole counts for the profile that ends within it too.
    """
    told = bars.missing_ids + bars.late
    rows = np.flatnonzero((bars.count > 0) | (told > 0))
    return np.asarray(np.append(told[rows], 0)[np.searchsorted(rows, stop)])


def lots_in_cells(footprint: Footprint) -> IntArray:
    """Lots that the cells of each bar hold, shape (n,): fewer than traded where cells lack."""
    sums = np.concatenate(([0], np.cumsum(footprint.buy + footprint.sell)))
    return np.asarray(np.diff(sums[footprint.offsets]))


def _against(flow: Flow, previous: Profiles, known: BoolArray) -> dict[str, FloatArray]:
    """Time, volume and returns of each bar against a value area, NaN where not known."""
    known = known & (previous.high_bin != UNKNOWN)
    top = (previous.high_bin + 1) * previous.bin_ticks - 1
    bottom = previous.low_bin * previous.bin_ticks
    found = _times(flow, top, bottom) | _volumes(flow, top, bottom)
    return {name: np.where(known, values, np.nan) for name, values in found.items()}


def _times(flow: Flow, top: IntArray, bottom: IntArray) -> dict[str, FloatArray]:
    """Shares of time and numbers of returns; NaN for bars whose sub-bars are not all there."""
    bars, subs, n = flow.bars, flow.sub_bars, len(flow.bars)
    of = (subs.time - (bars.time[0] if n else 0)) // bars.step_ms
    inside = (of >= 0) & (of < n) & (subs.uncovered_ms == 0)
    before = np.concatenate((subs.close_ticks[:1], subs.close_ticks[:-1]))[inside]
    of, price = of[inside], subs.close_ticks[inside]
    above, below = price > top[of], price < bottom[of]
    per_bar = bars.step_ms // subs.step_ms
    complete = np.bincount(of, minlength=n) == per_bar
    counts = {
        "time_above": above / per_bar,
        "time_below": below / per_bar,
        "time_inside": ~(above | below) / per_bar,
        "returns_above": (before > top[of]) & ~above,
        "returns_below": (before < bottom[of]) & ~below,
    }
    sums = {name: np.bincount(of, values, minlength=n) for name, values in counts.items()}
    return {name: np.where(complete, values, np.nan) for name, values in sums.items()}


def _volumes(flow: Flow, top: IntArray, bottom: IntArray) -> dict[str, FloatArray]:
    """What traded above and below, base currency; the footprint's bins end where value does.

    NaN for bars of which cells lack.
    """
    footprint, n = flow.footprint, len(flow.bars)
    complete = lots_in_cells(footprint) == flow.bars.buy_lots + flow.bars.sell_lots
    of = np.repeat(np.arange(n), np.diff(footprint.offsets))
    lots = footprint.buy + footprint.sell
    lowest = footprint.bin * footprint.grid.bin_ticks
    sides = {
        "volume_above": lowest > top[of],
        "volume_below": lowest + footprint.grid.bin_ticks - 1 < bottom[of],
    }
    sums = {
        name: np.bincount(of, lots * beyond, minlength=n).astype(np.int64)
        for name, beyond in sides.items()
    }
    return {
        name: np.where(complete, footprint.grid.quantities(values), np.nan)
        for name, values in sums.items()
    }
