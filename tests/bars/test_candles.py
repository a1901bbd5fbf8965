"""Closed bars: what is refused, how they sum, and when a coarse bar is visible."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bars.synthetic import HOUR, MINUTE, START, random_bars
from hypothesis import given
from hypothesis import strategies as st

from hydra_ft.bars.candles import (
    align,
    bars_from,
    check,
    close_time,
    part,
    resample,
    same,
    timeframe_ms,
)
from hydra_ft.errors import DataError


@pytest.mark.parametrize(
    ("timeframe", "length"),
    [("1m", MINUTE), ("5m", 5 * MINUTE), ("4h", 4 * HOUR), ("1d", 24 * HOUR)],
)
def test_a_timeframe_has_its_length(timeframe: str, length: int) -> None:
    assert timeframe_ms(timeframe) == length


@pytest.mark.parametrize("timeframe", ["", "m", "0m", "5", "5x", "-1h"])
def test_a_wrong_timeframe_is_refused_with_its_text(timeframe: str) -> None:
    with pytest.raises(DataError, match="timeframe"):
        timeframe_ms(timeframe)


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("time", START, "strictly increasing"),
        ("close", np.nan, "not a positive number"),
        ("open", -1.0, "not a positive number"),
        ("high", 1.0, "high is below"),
        ("low", 1e9, "high is below|low is above"),
        ("volume", -1.0, "volume"),
        ("long_liquidated", -1.0, "long_liquidated.*row 7 was -1"),
        ("short_liquidated", np.inf, "short_liquidated.*row 7 was inf"),
    ],
)
def test_bars_that_cannot_be_true_are_refused(field: str, value: float, text: str) -> None:
    bars = random_bars(20)
    broken = getattr(bars, field).copy()
    broken[7] = value
    with pytest.raises(DataError, match=text):
        check(replace(bars, **{field: broken}))


def test_arrays_of_unequal_length_are_refused_by_name() -> None:
    bars = random_bars(20)
    with pytest.raises(DataError, match="funding_rate"):
        check(replace(bars, funding_rate=np.zeros(3)))


def test_liquidations_of_one_side_alone_are_refused() -> None:
    with pytest.raises(DataError, match="both"):
        check(replace(random_bars(20), short_liquidated=None))


def test_a_bar_that_the_liquidation_feed_did_not_cover_is_accepted() -> None:
    bars = random_bars(3)
    gap, none = np.array([1.0, np.nan, 0.0]), np.zeros(3)
    prices = (bars.open, bars.high, bars.low, bars.close)
    made = bars_from(bars.time, HOUR, prices, bars.volume, liquidated=(gap, none))
    np.testing.assert_array_equal(made.long_liquidated, gap)
    np.testing.assert_array_equal(made.short_liquidated, none)


def test_integers_become_floats() -> None:
    ones = np.ones(3, dtype=np.int64)
    bars = bars_from(START + HOUR * np.arange(3), HOUR, (ones, ones, ones, ones), ones)
    assert bars.close.dtype == np.float64


def test_hours_are_the_sums_of_their_minutes() -> None:
    """1-02: the range of a bar survives; nothing is rebuilt from closes."""
    base = random_bars(36, 5 * MINUTE)
    hours = resample(base, HOUR)
    for i in range(3):
        scope = slice(12 * i, 12 * i + 12)
        assert hours.time[i] == base.time[12 * i]
        assert hours.open[i] == base.open[12 * i]
        assert hours.high[i] == max(base.high[scope])
        assert hours.low[i] == min(base.low[scope])
        assert hours.close[i] == base.close[12 * i + 11]
        assert hours.volume[i] == pytest.approx(sum(base.volume[scope]))


def test_incomplete_coarse_bars_are_left_out() -> None:
    base = part(random_bars(60, 5 * MINUTE), 5, 55)
    hours = resample(base, HOUR)
    assert list(hours.time) == [START + HOUR, START + 2 * HOUR, START + 3 * HOUR]


def test_a_hole_inside_leaves_the_other_bars_whole() -> None:
    base = random_bars(48, 5 * MINUTE)
    keep = np.r_[0:14, 20:48]
    holed = bars_from(
        base.time[keep],
        base.step_ms,
        (base.open[keep], base.high[keep], base.low[keep], base.close[keep]),
        base.volume[keep],
    )
    hours = resample(holed, HOUR)
    assert len(hours) == 4
    assert hours.close[1] == base.close[23]


def test_funding_and_open_interest_keep_the_last_known() -> None:
    base = random_bars(24, 5 * MINUTE)
    rate, held = np.full(24, np.nan), np.full(24, np.nan)
    rate[12], held[14], held[16] = 0.0003, 5.0, 7.0
    hours = resample(replace(base, funding_rate=rate, open_interest=held), HOUR)
    assert hours.funding_rate is not None
    assert hours.open_interest is not None
    assert np.isnan(hours.funding_rate[0])
    assert hours.funding_rate[1] == 0.0003
    assert hours.open_interest[1] == 7.0


def test_liquidations_of_an_hour_are_the_sum_of_its_parts() -> None:
    base = random_bars(24, 5 * MINUTE)
    hours = resample(base, HOUR)
    assert base.long_liquidated is not None
    assert hours.long_liquidated is not None
    assert hours.long_liquidated[1] == pytest.approx(sum(base.long_liquidated[12:]))


def test_liquidations_of_an_hour_with_a_gap_are_unknown_and_not_small() -> None:
    base = random_bars(24, 5 * MINUTE)
    assert base.short_liquidated is not None
    gap = base.short_liquidated.copy()
    gap[15] = np.nan
    hours = resample(replace(base, short_liquidated=gap), HOUR)
    assert hours.short_liquidated is not None
    assert np.isfinite(hours.short_liquidated[0])
    assert np.isnan(hours.short_liquidated[1])


def test_a_feed_that_is_not_carried_is_not_carried_by_hours_or_parts() -> None:
    bare = replace(random_bars(24, 5 * MINUTE), long_liquidated=None, short_liquidated=None)
    assert resample(bare, HOUR).long_liquidated is None
    assert part(bare, 3, 9).short_liquidated is None
    assert len(part(random_bars(24), 3, 9).long_liquidated) == 6


def test_the_reference_is_the_last_known_and_as_long_as_the_bars() -> None:
    base = random_bars(24, 5 * MINUTE)
    reference = base.close.copy()
    reference[[11, *range(12, 24)]] = np.nan
    hours = resample(replace(base, reference=reference), HOUR)
    assert hours.reference is not None
    np.testing.assert_array_equal(hours.reference, [base.close[10], np.nan])
    with pytest.raises(DataError, match=r"reference: expected shape \(24,\)"):
        check(replace(base, reference=reference[1:]))


def test_bars_are_the_same_by_their_values_whatever_the_sign_of_a_zero() -> None:
    base = random_bars(6)
    unknown = np.array([np.nan, 0.0, 1.0, np.nan, 2.0, 0.0])
    left = replace(base, reference=unknown)
    assert same(left, replace(part(base, None, None), reference=unknown.copy()))
    assert same(left, replace(base, reference=np.where(unknown == 0, -0.0, unknown)))
    assert not same(left, replace(base, reference=np.where(unknown == 2, 3.0, unknown)))
    assert not same(left, replace(base, reference=np.nan_to_num(unknown)))
    assert not same(left, base)
    assert not same(left, replace(left, volume=base.volume + 1))


def test_columns_of_feeds_are_cut_with_the_bars_and_not_carried_to_coarser_ones() -> None:
    base = random_bars(24, 5 * MINUTE)
    cut = part(base, 3, 9)
    assert cut.forced is not None
    assert base.forced is not None
    np.testing.assert_array_equal(cut.forced.peak_30_s, base.forced.peak_30_s[3:9])
    assert same(cut, part(base, 3, 9))
    assert not same(cut, replace(cut, book=None))
    hours = resample(base, HOUR)
    assert (hours.book, hours.footprint, hours.forced, hours.flow) == (None,) * 4
    with pytest.raises(DataError, match=r"footprint\.levels: expected shape \(6,\)"):
        check(replace(cut, footprint=base.footprint))


def test_resampling_nothing_gives_nothing() -> None:
    assert len(resample(part(random_bars(5, 5 * MINUTE), 0, 0), HOUR)) == 0
    assert len(resample(part(random_bars(5, 5 * MINUTE), 0, 3), HOUR)) == 0


def test_resampling_to_no_multiple_is_refused() -> None:
    with pytest.raises(DataError, match="multiple"):
        resample(random_bars(5, 5 * MINUTE), 7 * MINUTE)


@given(
    st.lists(st.integers(1, 60), unique=True, max_size=20),
    st.lists(st.integers(1, 60), unique=True, max_size=20),
)
def test_alignment_equals_a_plain_search(coarse: list[int], base: list[int]) -> None:
    coarse.sort()
    base.sort()
    rows = align(np.array(coarse, dtype=np.int64), np.array(base, dtype=np.int64))
    for row, now in zip(rows, base, strict=True):
        closed = [i for i, close in enumerate(coarse) if close <= now]
        assert row == (closed[-1] if closed else -1)


def test_a_coarse_bar_is_visible_from_the_base_bar_that_closes_with_it() -> None:
    """0-27: the hour 00:00 is first seen by the 5m bar 00:55, which closes at 01:00."""
    base = random_bars(26, 5 * MINUTE)
    hours = resample(base, HOUR)
    rows = align(close_time(hours), close_time(base))
    assert list(rows[:12]) == [-1] * 11 + [0]
    assert list(rows[12:24]) == [0] * 11 + [1]
    assert rows[25] == 1
