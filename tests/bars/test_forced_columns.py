"""Liquidations second by second: plain Python, worked numbers, gaps, no future, no start."""

from __future__ import annotations

import os
from bisect import bisect_left
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.synthetic import MINUTE, START, random_bars

from hydra_ft.bars.candles import bars_from, part
from hydra_ft.bars.forced_columns import forced_columns
from hydra_ft.errors import DataError
from hydra_ft.types import ForcedClosures, ForcedColumns

if TYPE_CHECKING:
    from hydra_ft.types import Bars

HOUR = 60 * MINUTE
LEAD, SPAN = 250 * MINUTE, 400 * MINUTE
COVERED = [(START - LEAD, START + SPAN)]
MILLION = 1e6
HOME = os.environ.get("HYDRA_TEST_DATA", "")
COLUMNS = [f.name for f in fields(ForcedColumns)]
JUDGED = ("peak_30_s", "cascade", "exhaustion")


def minutes(n: int, volume: float = 1.0) -> Bars:
    """Minutes at a price of 100."""
    flat = np.full(n, 100.0)
    return bars_from(START + MINUTE * np.arange(n), MINUTE, (flat,) * 4, np.full(n, volume))


BARS = replace(minutes(400), volume=random_bars(400).volume)


def closures(*events: tuple[float, float, int]) -> ForcedClosures:
    """Closures at seconds after the beginning, of so much, of longs (1) or shorts (-1)."""
    ordered = sorted(events)
    return ForcedClosures(
        np.array([START + round(1000 * at) for at, _, _ in ordered], dtype=np.int64),
        np.array([quote for _, quote, _ in ordered]),
        np.array([side for _, _, side in ordered], dtype=np.int64),
    )


def usual(until: int) -> list[tuple[float, float, int]]:
    """A million a minute, of both sides in turn, for the minutes up to ``until``."""
    return [(60 * m + 30, MILLION, (-1) ** m) for m in range(-245, until)]


def made(n: int = 1_500, seed: int = 1) -> ForcedClosures:
    """Random closures, now and then in a crowd of one side."""
    random = np.random.default_rng(seed)
    at = random.uniform(-LEAD, SPAN, n) / 1e3
    crowds = [
        (base + random.exponential(20), 40 * size, side)
        for base, side in zip(random.uniform(15_000, 24_000, 25), [1, -1] * 13, strict=False)
        for size in random.gamma(1.0, 2e3, 30)
    ]
    return closures(
        *zip(at, random.gamma(1.0, 2e3, n), random.choice([-1, 1], n), strict=True), *crowds
    )


CLOSURES = made()
FOUND = forced_columns(BARS, CLOSURES, COVERED)


# --- plain Python ----------------------------------------------------------------------


class Plain:
    """The definitions once more, moment by moment."""

    def __init__(self, bars: Bars, events: ForcedClosures) -> None:
        self.bars = bars
        self.rows = list(zip(events.time, events.quote, events.side, strict=True))
        self.times = events.time.tolist()
        self.by_minute: dict[int, float] = {}
        for time, quote, _ in self.rows:
            self.by_minute[time // MINUTE] = self.by_minute.get(time // MINUTE, 0) + quote
        self.last, self.side, self.told = -(10**18), 0, True
        self.totals: dict[int, float] = {}
        self.known: dict[tuple[int, int], float] = {}

    def held(self, at: int, seconds: int) -> tuple[float, float]:
        begin, end = bisect_left(self.times, at - 1000 * seconds), bisect_left(self.times, at)
        inside = self.rows[begin:end]
        return sum(q for _, q, s in inside if s > 0), sum(q for _, q, s in inside if s < 0)

    def usual(self, now: int, t: int) -> float:
        if (now, t) not in self.known:
            self.known[now, t] = self._usual(now, t)
        return self.known[now, t]

    def _usual(self, now: int, t: int) -> float:
        weights = [(59 / 61) ** k for k in range(240)]
        mean = sum(w * self.by_minute.get(now - 1 - k, 0) for k, w in enumerate(weights))
        before = slice(t - 240, t)
        turnover = (self.bars.close[before] * self.bars.volume[before]).sum() / 240
        return max(mean / sum(weights), 1e-4 * turnover)

    def second(self, at: int, t: int) -> tuple[float, int, int]:
        (longs, shorts), base = self.held(at, 30), self.usual((at - 30_000) // MINUTE, t)
        total = self.totals[at] = longs + shorts
        cascade = exhaustion = 0
        if total > 5 * base and abs(longs - shorts) > 0.6 * total:
            self.last, self.told, self.side = at, False, 1 if longs > shorts else -1
            cascade = self.side
        elif not self.told and 10_000 <= at - self.last <= 180_000:
            peak = max(self.totals.get(at - 1000 * k, 0) for k in range(300))
            more, less = self.held(at, 120)
            both = more + less
            if total < 0.3 * peak and both > 5 * base and abs(more - less) > 0.6 * both:
                self.told, exhaustion = True, self.side
        return total / base, cascade, exhaustion


def test_columns_are_those_of_plain_python_second_by_second() -> None:
    plain = Plain(BARS, CLOSURES)
    seen = {"cascade": set(), "exhaustion": set()}
    for t in range(240, 340):
        close = int(BARS.time[t]) + MINUTE
        told = [plain.second(int(BARS.time[t]) + 1000 * s, t) for s in range(1, 61)]
        if t < 250:
            continue
        wanted = {
            "peak_30_s": max(peak for peak, _, _ in told),
            "cascade": next((c for _, c, _ in reversed(told) if c), 0),
            "exhaustion": next((e for _, _, e in reversed(told) if e), 0),
        }
        for seconds in (30, 120, 300):
            for side, value in zip(("long", "short"), plain.held(close, seconds), strict=True):
                wanted[f"{side}_{seconds}_s"] = value
        for name, value in wanted.items():
            assert getattr(FOUND, name)[t] == pytest.approx(value, rel=1e-6, abs=0.01), (t, name)
        for name, values in seen.items():
            values.add(wanted[name])
    assert seen == {"cascade": {-1, 0, 1}, "exhaustion": {-1, 0, 1}}


# --- worked numbers --------------------------------------------------------------------


def at_hour_five(
    *events: tuple[float, float, int], until: int = 301, covered: list[tuple[int, int]] = COVERED
) -> ForcedColumns:
    """Columns of the bars from minute 299 on, at a usual of a million a minute until then."""
    shifted = [(18_000 + at, quote, side) for at, quote, side in events]
    found = forced_columns(minutes(310), closures(*usual(until), *shifted), covered)
    return found[299:310]


@pytest.mark.parametrize(("total", "is_on"), [(5.1, True), (4.9, False)])
def test_a_cascade_is_a_multiple_of_the_usual_minute_before_it(total: float, is_on: bool) -> None:
    """F-A8, F-A13: the minute itself is no part of its usual; F-A7: longs are +1."""
    found = at_hour_five((65, total * MILLION, 1))
    assert found.cascade.tolist() == [0, 0, is_on, 0, 0, 0, 0, 0, 0, 0, 0]
    assert found.peak_30_s[2] == pytest.approx(total, rel=0.05)


def test_a_cascade_has_a_side() -> None:
    assert at_hour_five((65, 9 * MILLION, -1)).cascade[2] == -1
    assert at_hour_five((65, 8.1 * MILLION, 1), (66, 2 * MILLION, -1)).cascade[2] == 1
    even = at_hour_five((65, 8 * MILLION, 1), (66, 2 * MILLION, -1))
    assert even.cascade[2] == 1  # for a second it was all of one side
    at_once = at_hour_five((65, 8 * MILLION, 1), (65, 2 * MILLION, -1))
    assert at_once.cascade[2] == 0


@pytest.mark.parametrize(("left", "is_told"), [(2.9, 1), (3.0, 0)])
def test_a_cascade_has_run_out_below_three_tenths_of_its_peak(left: float, is_told: int) -> None:
    """X17: 10 M at the peak; 2.9 M are exhaustion, 3.0 M are none."""
    tail = [(95 + 30 * k, left * MILLION, 1) for k in range(7)]
    found = at_hour_five((65, 10 * MILLION, 1), *tail)
    assert found.cascade[2] == 1
    assert found.exhaustion[2] == is_told
    assert found.exhaustion.sum() == is_told


def test_exhaustion_is_told_once_and_not_before_ten_seconds_have_gone() -> None:
    found = at_hour_five((65, 10 * MILLION, -1), (190, 10 * MILLION, -1))
    assert found.cascade.tolist() == [0, 0, -1, 0, -1, 0, 0, 0, 0, 0, 0]
    # The first is on until 95 s and has run out at 105 s, the second at 230 s.
    assert found.exhaustion.tolist() == [0, 0, -1, 0, -1, 0, 0, 0, 0, 0, 0]


def test_windows_forget_after_their_own_time() -> None:
    found = at_hour_five((59.5, 100.0, 1), (61, 10.0, -1), until=290)
    assert (found.long_30_s[1], found.short_30_s[1]) == (100, 0)
    assert (found.long_30_s[2], found.short_30_s[2]) == (0, 0)
    assert (found.long_120_s[2], found.short_120_s[2]) == (100, 10)
    assert (found.long_120_s[3], found.short_120_s[3]) == (0, 10)
    assert (found.long_300_s[5], found.short_300_s[5]) == (100, 10)
    assert (found.long_300_s[6], found.short_300_s[6]) == (0, 10)
    assert found.short_300_s[7] == 0


def test_a_pair_without_a_usual_is_measured_by_its_turnover() -> None:
    """A minute of 1,000 at 100 turns over 100 k: a ten-thousandth of it is 10."""
    for total, is_on in ((49.0, 0), (51.0, 1)):
        found = forced_columns(minutes(300, 1_000.0), closures((17_000, total, 1)), COVERED)
        assert found.cascade[283] == is_on
        assert found.peak_30_s[283] == pytest.approx(total / 10)


# --- what is not known -----------------------------------------------------------------


@pytest.mark.parametrize("rows", [250, 281, 333])
def test_no_column_knows_what_comes_after_its_bar(rows: int) -> None:
    end = START + rows * MINUTE
    before = CLOSURES.time < end
    early = ForcedClosures(*(getattr(CLOSURES, f.name)[before] for f in fields(ForcedClosures)))
    found = forced_columns(part(BARS, 0, rows), early, [(COVERED[0][0], end)])
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(found, name), getattr(FOUND, name)[:rows])


def test_columns_are_the_same_wherever_bars_and_closures_begin() -> None:
    """The usual looks back four hours, the floor on four hours of bars, the rest 500 seconds."""
    begin = START + 75 * MINUTE - LEAD
    kept = CLOSURES.time >= begin
    late = ForcedClosures(*(getattr(CLOSURES, f.name)[kept] for f in fields(ForcedClosures)))
    found = forced_columns(part(BARS, 75, None), late, [(begin, COVERED[0][1])])
    for name in COLUMNS:
        wanted = getattr(FOUND, name)[75:]
        first = 249 if name in JUDGED else 0
        np.testing.assert_allclose(getattr(found, name)[first:], wanted[first:], rtol=1e-9)
        assert np.isfinite(wanted[first:]).all()
        if first:
            assert np.isnan(getattr(found, name)[:first]).all()


def test_a_gap_is_unknown_for_as_long_as_something_looks_back_on_it() -> None:
    """A gap must not look like calm, nor its end like a cascade."""
    gap = START + 300 * MINUTE
    found = forced_columns(BARS, CLOSURES, [(COVERED[0][0], gap), (gap + 1, COVERED[0][1])])
    lost = {name: np.flatnonzero(np.isnan(getattr(found, name))) for name in COLUMNS}
    assert lost["long_30_s"].tolist() == [300, 301, 302, 303, 304]
    assert lost["cascade"][249:].tolist() == list(range(300, 309))


def test_a_gap_that_hid_a_peak_is_unknown_until_nothing_is_measured_by_that_peak() -> None:
    """By what was liquidated 460 s before, the cascade ran out at 120 s, and no more at 260 s."""
    peak = [(-200, 10 * MILLION, side) for side in (1, -1)]
    events = [(80, 10 * MILLION, 1), *((109 + 30 * k, 4.6 * MILLION, 1) for k in range(5))]
    told = at_hour_five(*peak, *events)
    assert told.exhaustion.tolist() == [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    (begin, end), hidden = COVERED[0], START + 18_000_000 - 200_500
    unseen = at_hour_five(*events, covered=[(begin, hidden), (hidden + 1000, end)])
    np.testing.assert_array_equal(unseen.exhaustion, [np.nan] * 7 + [0] * 4)


def test_too_little_of_four_hours_is_no_usual() -> None:
    found = forced_columns(BARS, CLOSURES, [(START + 240 * MINUTE, COVERED[0][1])])
    known = np.flatnonzero(np.isfinite(found.cascade))
    # Weights of 21 minutes are half of all, which the windows that begin after them go by.
    assert known[0] == 240 + 21 + 1
    assert np.isfinite(found.long_300_s[245:]).all()


def test_a_feed_that_stood_and_told_of_nothing_is_calm() -> None:
    none = closures()
    found = forced_columns(BARS, none, COVERED)
    for name in (*JUDGED, "long_300_s"):
        np.testing.assert_array_equal(getattr(found, name)[249:], 0)
    assert len(forced_columns(part(BARS, 0, 0), none, COVERED)) == 0
    assert np.isnan(forced_columns(BARS, CLOSURES, []).long_30_s).all()


def test_bars_of_parts_of_a_second_are_refused() -> None:
    with pytest.raises(DataError, match="step_ms: expected whole seconds, was 1500"):
        forced_columns(replace(BARS, step_ms=1_500), CLOSURES, COVERED)


@pytest.mark.ci
@pytest.mark.skipif(not HOME, reason="HYDRA_TEST_DATA does not name the recorded data")
def test_recorded_liquidations_of_a_venue_are_seen_once_each() -> None:
    """BitMEX names the order: a Sell closed a long (F-A7). Its quantities are in dollars."""
    import pandas as pd

    rows = pd.read_feather(Path(HOME) / "derivs" / "bitmex_liq_201911" / "liquidations.feather")
    rows = rows[rows["symbol"] == "XBTUSD"].sort_values("ts_ms")
    side = np.where(rows["side"] == "Sell", 1, -1)
    events = ForcedClosures(rows["ts_ms"].to_numpy(), rows["qty"].to_numpy(float), side)
    begin, end = int(events.time[0]) // HOUR * HOUR - 5 * HOUR, int(events.time[-1]) + HOUR
    n = (end - begin) // (5 * MINUTE)
    flat = np.full(n, 8_700.0)
    time = begin + 5 * MINUTE * np.arange(n)
    bars = bars_from(time, 5 * MINUTE, (flat,) * 4, np.full(n, 1_000.0))
    found = forced_columns(bars, events, [(begin - 5 * HOUR, end)])
    assert np.nansum(found.long_300_s) == pytest.approx(events.quote[side > 0].sum())
    assert np.nansum(found.short_300_s) == pytest.approx(events.quote[side < 0].sum())
    assert np.nansum(np.abs(found.cascade)) >= 1
