"""Funding, from the settled rates only, each keyed by its own settlement time (F-A2).

The windows are in bars and meant for 1h bars: 168 bars are 7 days. A rate is known from
the close of the bar within which it was settled. Everything is NaN when the feed is not
carried.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.quality import last_rows
from hydra_ft.bars.tolerance import exceeds, falls_below, reaches
from hydra_ft.features import rolling
from hydra_ft.features.registry import feature, shared
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from hydra_ft.types import Bars, BoolArray, FloatArray, IntArray

_FEEDS = (Feed.FUNDING,)
MIN_RECORDS = 10
DAY_BARS = 24
# A settlement of the day until the bar before, and the two before it, a day apart at most.
PAID_LOOKBACK = 3 * DAY_BARS
# Rates that are pinned to the venue's base rate have almost no deviation: without a floor
# a move of a hundredth of a basis point would be an "extreme" of several sigma.
MIN_DEVIATION = 1e-5
CROWDED_Z = 1.5
# Three times the base rate of 0.01 % in 8 h that most venues pin a calm market to.
BASE_PAID = 3e-4


def _rates(bars: Bars) -> FloatArray:
    return rolling.empty_like(bars.close) if bars.funding_rate is None else bars.funding_rate


def _recent(rates: FloatArray, window: int) -> FloatArray:
    """Last rate within the window, NaN where there is none or the window is not full."""
    rows = np.arange(rates.shape[0])
    last = last_rows(np.isfinite(rates))
    fresh = (last >= 0) & (last > rows - window) & (rows >= window - 1)
    return np.where(fresh, rates[last], np.nan) if rates.shape[0] else rates


def _in_order(columns: FloatArray) -> FloatArray:
    """Sum of each column from the top down: numpy adds up a single one in another order."""
    total: FloatArray = np.add.accumulate(columns, axis=0)[-1]
    return total


def _moments(rates: FloatArray, window: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Count, mean and population variance of the rates settled in each window, shape (n,).

    NaN without a rate, and where the window is not full. The rates in a window change only
    where one comes in or drops out, so each such stretch of rows is computed once, as a
    column that holds its rates from the oldest down.
    """
    n = rates.shape[0]
    known = np.isfinite(rates)
    settled = rates[known]
    if n < window or not settled.size:
        return rolling.empty_like(rates), rolling.empty_like(rates), rolling.empty_like(rates)
    number = np.concatenate(([0], np.cumsum(known)))
    first, last = number[: n - window + 1], number[window:]
    changes = (first[1:] != first[:-1]) | (last[1:] != last[:-1])
    stretch = np.concatenate(([0], np.cumsum(changes)))
    begins = np.concatenate(([0], np.flatnonzero(changes) + 1))
    oldest, stop = first[begins], last[begins]
    rows = oldest + np.arange((stop - oldest).max())[:, None]
    inside = rows < stop
    held = np.where(inside, settled[np.minimum(rows, settled.size - 1)], 0.0)
    count = (stop - oldest).astype(np.float64)
    centre = rolling.ratio(_in_order(held), count)
    away = np.where(inside, held - centre, 0.0)
    variance = rolling.ratio(_in_order(away * away), count)
    found = (rolling.warmed(values[stretch], n) for values in (count, centre, variance))
    return next(found), next(found), next(found)


@feature(
    feeds=_FEEDS,
    formula="last settled rate of the last 24 bars",
    reference="exchange",
    lookback=23,
    units="per interval",
    low=-1.0,
    high=1.0,
    panel="funding",
)
def funding_last_24(bars: Bars) -> FloatArray:
    """The rate that was settled last."""
    return _recent(_rates(bars), 24)


def _settled(rates: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Whether none of the last 24 bars' settlements is missing, and whether one is due: (n,) each.

    The interval is the pair's own, told by the records: one is missing where the time before
    a settlement is longer than the times before and after it, or longer than a day, and where
    the last interval has gone by without a new one. So an interval that grows is incomplete
    until the second long one; one that shrinks never is. In the bar in which the next one is
    ``due`` it may still come.
    """
    rows, at = np.arange(rates.shape[0]), np.flatnonzero(np.isfinite(rates))
    if not at.size:
        return np.not_equal(rows, rows), np.not_equal(rows, rows)
    gaps = np.concatenate(([np.nan], np.diff(at)))
    is_short = gaps <= DAY_BARS
    before = np.concatenate(([np.nan], np.where(is_short, gaps, np.nan)[:-1]))
    after = np.concatenate((gaps[1:], [np.nan]))
    number = np.searchsorted(at, rows, side="right")
    last, first = np.maximum(number - 1, 0), np.searchsorted(at, rows - DAY_BARS, side="right")
    lone = np.concatenate(([0], np.cumsum(~is_short | (gaps > np.fmax(before, after)))))
    complete = (number > first) & (lone[last] == lone[np.minimum(first, last)])
    complete &= (is_short & ~(gaps > before))[last] & (rows - at[last] < gaps[last])
    return complete, np.equal(rows - at[last], gaps[last])


@feature(
    feeds=_FEEDS,
    formula="sum of the rates settled in the last 24 bars, if none is missing",
    reference="Hydra V3 alpha_state; F-A2",
    lookback=PAID_LOOKBACK,
    units="per 24 bars",
    low=-24.0,
    high=24.0,
    panel="funding",
)
def funding_sum_24(bars: Bars) -> FloatArray:
    """What a long paid over a day of 1h bars; NaN where a settlement is missing.

    In the bar in which the next one is due and has not come, it is that of the bar before.
    """
    rates = _rates(bars)
    complete, due = _settled(rates)
    paid = rolling.total(np.where(np.isfinite(rates), rates, 0.0), DAY_BARS)
    paid = np.where(complete, paid, np.nan)
    paid = np.where(due, rolling.shifted(paid, 1), paid)
    return np.where(np.arange(len(bars)) >= PAID_LOOKBACK, paid, np.nan)


@feature(
    feeds=_FEEDS,
    formula="(f - mean) / pop_sigma over the rates settled in the last 168 bars, 10 at least; "
    "0 where sigma is 0 or |f - mean| < 1e-5",
    reference="Hydra V3 funding_oi; formulas.md, funding z",
    lookback=167,
    units="sigma",
    low=-13.0,
    high=13.0,
    panel="funding_z",
)
@shared
def funding_z_168(bars: Bars) -> FloatArray:
    """How unusual the last rate is; bounded by sqrt(n - 1) of the n rates."""
    rates = _rates(bars)
    count, centre, variance = _moments(rates, 168)
    deviation = _recent(rates, 168) - centre
    z = rolling.ratio(deviation, np.sqrt(variance))
    z = np.where(np.abs(deviation) < MIN_DEVIATION, 0.0, z)
    return np.where(count >= MIN_RECORDS, z, np.nan)


@feature(
    feeds=_FEEDS,
    formula="hours between the last two settlements within the last 48 bars",
    reference="exchange; intervals differ per pair and change",
    lookback=47,
    units="hours",
    low=0.0,
    high=48.0 * 24,
    panel="funding_interval",
)
def funding_interval_48(bars: Bars) -> FloatArray:
    """The pair's own settlement interval, from the records, never assumed."""
    known = np.isfinite(_rates(bars))
    if not known.any():
        return rolling.empty_like(bars.close)
    rows = np.arange(len(bars))
    at = np.flatnonzero(known)
    number = np.cumsum(known)
    last, previous = at[np.maximum(number - 1, 0)], at[np.maximum(number - 2, 0)]
    hours = (bars.time[last] - bars.time[previous]) / 3_600_000
    usable = (number >= 2) & (previous > rows - 48) & (rows >= 47)
    return np.where(usable, hours, np.nan)


@feature(
    feeds=_FEEDS,
    formula="+1: funding_z_168 > 1.5 and funding_sum_24 > 0.03 %; -1: funding_z_168 < -1.5 and "
    "funding_sum_24 < -0.03 %; else 0",
    reference="Hydra V3 funding_oi, there by z alone; A2: also by the rate itself",
    lookback=167,
    units="sign",
    low=-1.0,
    high=1.0,
    panel="funding_crowd",
)
def funding_crowd_168(bars: Bars) -> FloatArray:
    """The side that crowds: it pays unusually much, and more than the base rate of a day."""
    z, paid = funding_z_168(bars), funding_sum_24(bars)
    longs = exceeds(z, CROWDED_Z) & exceeds(paid, BASE_PAID)
    shorts = falls_below(z, -CROWDED_Z) & falls_below(paid, -BASE_PAID)
    unknown = np.isnan(z) | np.isnan(paid)
    return np.where(unknown, np.nan, longs.astype(np.float64) - shorts)


@feature(
    feeds=_FEEDS,
    formula="count(|funding_z_168| >= 1.5, 24)",
    reference="Hydra V3 alpha_state",
    lookback=190,
    units="bars",
    low=0.0,
    high=24.0,
    panel="funding_extreme",
)
def funding_extreme_24(bars: Bars) -> FloatArray:
    """For how many of the last 24 bars the rate was extreme."""
    z = funding_z_168(bars)
    extreme = np.where(np.isnan(z), np.nan, reaches(np.abs(z), CROWDED_Z))
    return rolling.total(extreme, 24)


def paid_within(
    settled_ms: IntArray, rates: FloatArray, at_ms: IntArray, length_ms: int
) -> FloatArray:
    """Sum of the rates settled in (at - length, at], shape of ``at_ms``, by time alone (F-A2).

    For records as a venue gives them: ``settled_ms`` is not falling, shape (n,) as
    ``rates``, and may carry milliseconds of jitter. NaN where no rate was settled in it, or
    one that is NaN.
    """
    first = np.searchsorted(settled_ms, at_ms - length_ms, side="right")
    stop = np.searchsorted(settled_ms, at_ms, side="right")
    known = np.isfinite(rates)
    paid = np.concatenate(([0.0], np.cumsum(np.where(known, rates, 0.0))))
    number = np.concatenate(([0], np.cumsum(known)))
    is_known = (stop > first) & (number[stop] - number[first] == stop - first)
    return np.where(is_known, paid[stop] - paid[first], np.nan)
