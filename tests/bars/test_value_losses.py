"""Value where trades were missed, or are no longer kept: how much may lack, and what is unknown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bars.flow_reference import START, picked
from bars.value_tape import GRID_7, MINUTE, SPAN, TEN_S, TRADES, columns, flow

from hydra_ft.bars.flow import FlowFolder
from hydra_ft.bars.flow_columns import flow_columns

FLOW = flow()
FOUND = columns(FLOW)


def test_a_trade_that_was_missed_makes_its_bar_unknown_and_moves_no_profile() -> None:
    torn = flow(picked(TRADES, np.delete(np.arange(9_000), 4_000)))
    row = int(TRADES.time[4_001] - START) // MINUTE
    found, trades = columns(torn), flow_columns(torn.bars)
    for name in ("time_above", "volume_below", "returns_above"):
        gone = np.isnan(getattr(found, name)) & ~np.isnan(getattr(FOUND, name))
        assert np.flatnonzero(gone).tolist() == [row], name
    for name in ("buy_volume", "sell_volume", "count", "max_delta", "min_delta", "vwap", "empty"):
        assert np.flatnonzero(np.isnan(getattr(trades, name))).tolist() == [row], name
    assert (trades.missing[row], trades.covered[row]) == (1, 1)
    assert np.isfinite(found.previous_high[30:]).all()


def test_a_profile_of_which_too_much_is_missing_is_unknown() -> None:
    """Two bars of thirty; the rolling one too that ends where trades may have been missed."""
    dark = (TRADES.time >= START + 40 * MINUTE) & (TRADES.time < START + 42 * MINUTE)
    folder = FlowFolder(GRID_7, MINUTE, TEN_S, covered_from=START)
    folder.lost(START + 40 * MINUTE, START + 42 * MINUTE)
    folder.fold(picked(TRADES, np.flatnonzero(~dark)))
    torn = folder.finish(START + SPAN)
    assert flow_columns(torn.bars).covered[39:43].tolist() == [0, 0, 0, 1]
    found = columns(torn)
    assert np.isfinite(found.previous_high[30:60]).all()
    assert np.isnan(found.previous_high[60:90]).all()
    assert np.isnan(found.time_above[60:90]).all()
    assert np.isfinite(found.previous_high[90:]).all()
    assert np.flatnonzero(np.isnan(found.high)).tolist() == [*range(9), *range(39, 52)]


@pytest.mark.parametrize(("lost_ms", "is_known"), [(9_000, True), (9_001, False)])
def test_half_an_hour_may_lack_nine_seconds(lost_ms: int, *, is_known: bool) -> None:
    """As a day may lack seven minutes, and not 72: an outage comes when there is most to lose."""
    begin = START + 40 * MINUTE
    dark = (TRADES.time >= begin) & (TRADES.time < begin + lost_ms)
    folder = FlowFolder(GRID_7, MINUTE, TEN_S, covered_from=START, contiguous_ids=False)
    folder.lost(begin, begin + lost_ms)
    folder.fold(picked(TRADES, np.flatnonzero(~dark)))
    found = columns(folder.finish(START + SPAN))
    assert np.isfinite(found.previous_high[60:90]).all() == is_known
    assert np.isnan(found.previous_high[60:90]).all() != is_known
    assert np.isnan(found.high[40:50]).all(), "nine seconds are too many of ten minutes"


@pytest.mark.parametrize("first", [3_000, 3_570])
@pytest.mark.parametrize(("missed", "is_known"), [(6, True), (40, False)])
def test_a_period_may_lack_a_trade_in_two_hundred(
    first: int, missed: int, *, is_known: bool
) -> None:
    """Also where the hole goes on into the next period, in which alone it is noticed."""
    end = int(np.searchsorted(TRADES.time, START + 60 * MINUTE))
    begin = end - 3 if first > 3_500 else first
    torn = flow(picked(TRADES, np.delete(np.arange(9_000), slice(begin, begin + missed))))
    found = columns(torn)
    assert np.isfinite(found.previous_high[60:90]).all() == is_known
    assert np.isnan(found.previous_high[60:90]).all() != is_known


def test_a_profile_of_which_the_footprint_is_gone_is_unknown() -> None:
    """Footprints are kept for a third of the time that bars are."""
    cells = np.repeat(np.arange(150), np.diff(FLOW.footprint.offsets))
    gone = (cells < 15) | (cells == 70)
    levels = np.bincount(cells[~gone], minlength=150)
    footprint = replace(
        FLOW.footprint,
        offsets=np.concatenate(([0], np.cumsum(levels))),
        **{name: getattr(FLOW.footprint, name)[~gone] for name in ("bin", "buy", "sell")},
    )
    found = columns(replace(FLOW, footprint=footprint))
    assert FLOW.bars.whole.all()
    assert np.isnan(found.previous_high[30:60]).all()
    assert np.isfinite(found.previous_high[60:90]).all()
    assert np.isnan(found.previous_high[90:120]).all()
    assert np.flatnonzero(np.isnan(found.poc)).tolist() == [*range(24), *range(70, 80)]
    for name in ("volume_above", "volume_below"):
        assert np.flatnonzero(np.isnan(getattr(found, name)[60:90])).tolist() == [10], name
        assert np.isfinite(found.time_above[60:90]).all()


def test_minutes_in_a_hole_of_the_ids_are_unknown_and_not_quiet() -> None:
    """No time passed inside value in minutes of which nothing was recorded."""
    dark = (TRADES.time >= START + 70 * MINUTE) & (TRADES.time < START + 75 * MINUTE)
    found = columns(flow(picked(TRADES, np.flatnonzero(~dark))))
    for name in ("time_inside", "time_above", "volume_below", "returns_above"):
        gone = np.isnan(getattr(found, name)) & ~np.isnan(getattr(FOUND, name))
        assert np.flatnonzero(gone[:90]).tolist() == [*range(69, 76)], name


def test_bars_without_their_sub_bars_have_volume_and_no_time() -> None:
    none = replace(FLOW.sub_bars, **{n: getattr(FLOW.sub_bars, n)[:0] for n in _ARRAYS})
    found = columns(replace(FLOW, sub_bars=none))
    assert np.isnan(found.time_inside).all()
    assert np.isnan(found.returns_above).all()
    np.testing.assert_array_equal(found.volume_above, FOUND.volume_above)


def test_time_is_unknown_where_sub_bars_were_only_filled_in() -> None:
    """The store fills the times of sub-bars that it does not have: uncovered, at the last price."""
    uncovered = FLOW.sub_bars.uncovered_ms.copy()
    uncovered[70 * 6 + 2] = TEN_S
    found = columns(replace(FLOW, sub_bars=replace(FLOW.sub_bars, uncovered_ms=uncovered)))
    gone = np.isnan(found.time_inside) & ~np.isnan(FOUND.time_inside)
    assert np.flatnonzero(gone).tolist() == [70]


_ARRAYS = [n for n in FLOW.sub_bars.__slots__ if n not in {"grid", "step_ms"}]
