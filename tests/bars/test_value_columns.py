"""Flow and value beside the bars: plain Python from the trades, gaps, no future, no start."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.flow_reference import GRID, START, Expected, made_trades, picked, reference
from bars.profile_reference import point_of_control, value_area, volumes

from hydra_ft.bars.candles import check, part, same
from hydra_ft.bars.flow import FlowFolder
from hydra_ft.bars.flow_columns import flow_columns, with_flow
from hydra_ft.bars.flow_tables import candles
from hydra_ft.bars.flow_trades import trades_from
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.bars.profile import bin_size
from hydra_ft.bars.value_columns import value_columns
from hydra_ft.errors import DataError
from hydra_ft.types import ValueColumns

if TYPE_CHECKING:
    from hydra_ft.types.flow import Flow, Trades

MINUTE, TEN_S = 60_000, 10_000
PERIOD, ROLLING, SPAN = 30 * MINUTE, 10 * MINUTE, 150 * MINUTE
GRID_7 = replace(GRID, bin_ticks=7)
TRADES = made_trades(9_000, seed=3, span_ms=SPAN, grid=GRID_7)


def flow(trades: Trades = TRADES, until: int = SPAN) -> Flow:
    kept = picked(trades, np.flatnonzero(trades.time < START + until))
    return flow_of(kept, GRID_7, MINUTE, TEN_S, covered=(START, START + until))


def columns(of: Flow) -> ValueColumns:
    return value_columns(of, period_ms=PERIOD, rolling_ms=ROLLING)


FLOW = flow()
FOUND = columns(FLOW)
BARS = reference(TRADES, GRID_7, MINUTE)
SUBS = reference(TRADES, GRID_7, TEN_S)
SIZE = bin_size(int(FLOW.bars.open_ticks[0]), GRID_7.bin_ticks)


def levels(bars: list[Expected]) -> dict[int, int]:
    return volumes([{b: (v[0], v[1]) for b, v in bar.levels.items()} for bar in bars], SIZE)


def edges(bars: list[Expected]) -> tuple[int, int]:
    """Lowest and highest tick of the value area of some bars."""
    low, high = value_area(levels(bars))
    ticks = SIZE * GRID_7.bin_ticks
    return low * ticks, (high + 1) * ticks - 1


def closing(sub: int) -> int:
    return SUBS[max(0, sub)].row()["close_ticks"]


def plain(t: int) -> dict[str, float]:
    """Columns of bar ``t`` from its trades and those of the period before."""
    begin = t // 30 * 30 - 30
    bottom, top = edges(BARS[begin : begin + 30])
    prices = [closing(6 * t + i) for i in range(-1, 6)]
    volume = {"above": 0, "below": 0}
    for each in BARS[t].prints:
        volume["above"] += each.lots * (each.tick > top)
        volume["below"] += each.lots * (each.tick < bottom)
    steps = list(pairwise(prices))
    poc = point_of_control(levels(BARS[begin : begin + 30]))
    ticks = SIZE * GRID_7.bin_ticks
    return {
        "previous_poc": (poc * ticks + (ticks - 1) / 2) / 10,
        "previous_high": top / 10,
        "previous_low": bottom / 10,
        "time_above": sum(p > top for p in prices[1:]) / 6,
        "time_below": sum(p < bottom for p in prices[1:]) / 6,
        "time_inside": sum(bottom <= p <= top for p in prices[1:]) / 6,
        "volume_above": volume["above"] / 1_000,
        "volume_below": volume["below"] / 1_000,
        "returns_above": sum(a > top >= b for a, b in steps),
        "returns_below": sum(a < bottom <= b for a, b in steps),
    }


def test_columns_against_the_previous_period_are_those_of_plain_python() -> None:
    """F-A6: time is that of sub-bars, sides apart, and the period was over before the bar."""
    seen: dict[str, set[float]] = {}
    for t in range(30, 150):
        for name, wanted in plain(t).items():
            assert getattr(FOUND, name)[t] == pytest.approx(wanted, rel=1e-12, abs=1e-12), name
            seen.setdefault(name, set()).add(wanted)
    assert all(len(values) > 1 for values in seen.values()), seen
    assert all(np.isnan(getattr(FOUND, name)[:30]).all() for name in seen)


def test_the_rolling_profile_ends_with_the_bar() -> None:
    for t in range(9, 150):
        bottom, top = edges(BARS[t - 9 : t + 1])
        assert (FOUND.low[t], FOUND.high[t]) == (bottom / 10, top / 10)
    assert np.isnan(FOUND.high[:9]).all()


def test_the_nodes_are_those_around_the_price_of_the_bar() -> None:
    """Two crowds with a thin stretch between: the node lies there, above the price or below."""
    random = np.random.default_rng(2)
    crowd = np.where(random.random(4_000) < 0.5, 600_000, 603_000) + random.integers(0, 500, 4_000)
    ticks = np.where(random.random(4_000) < 0.05, random.integers(600_500, 603_000, 4_000), crowd)
    time = START + np.sort(random.integers(0, 20 * MINUTE, 4_000))
    made = trades_from(np.arange(4_000), time, ticks / 10, np.ones(4_000), np.ones(4_000))
    bars = flow_of(made, GRID_7, MINUTE, covered=(START, START + 20 * MINUTE))
    found, close = columns(bars), bars.bars.close
    between = [(v > 60_050) & (v < 60_300) for v in (found.node_below, found.node_above)]
    low, high = (close < 60_050), (close > 60_300)
    assert low[9:].any()
    assert high[9:].any()
    assert between[1][9:][low[9:]].all()
    assert between[0][9:][high[9:]].all()


@pytest.mark.parametrize("minutes", [31, 60, 61, 95])
def test_no_column_knows_what_comes_after_its_bar(minutes: int) -> None:
    early = columns(flow(until=minutes * MINUTE))
    for f in fields(ValueColumns):
        np.testing.assert_array_equal(getattr(early, f.name), getattr(FOUND, f.name)[:minutes])


def test_columns_of_a_day_of_which_the_beginning_is_not_there_are_unknown() -> None:
    """Or the bins, and with them every level, would depend on where the data begins."""
    late = picked(TRADES, np.flatnonzero(TRADES.time >= START + 20 * MINUTE))
    found = columns(flow_of(late, GRID_7, MINUTE, covered=(START + 20 * MINUTE, START + SPAN)))
    for f in fields(ValueColumns):
        assert np.isnan(getattr(found, f.name)).all(), f.name


def test_values_are_those_of_their_own_days_wherever_the_data_begins() -> None:
    """Start: from the second day on, and yesterday's value from the third."""
    day = 1_440 * MINUTE
    trades = made_trades(8_000, seed=8, span_ms=3 * day, grid=GRID_7)
    late = picked(trades, np.flatnonzero(trades.time >= START + day))
    end = START + 3 * day
    step = 5 * MINUTE
    whole = value_columns(flow_of(trades, GRID_7, step, TEN_S, covered=(START, end)))
    found = value_columns(flow_of(late, GRID_7, step, TEN_S, covered=(START + day, end)))
    for f in fields(ValueColumns):
        known = slice(5, None) if not f.name.startswith(_AGAINST) else slice(288, None)
        left, right = getattr(found, f.name), getattr(whole, f.name)[288:]
        np.testing.assert_array_equal(left[known], right[known], err_msg=f.name)
        assert f.name.startswith("node") or np.isfinite(left[known]).all(), f.name
        assert np.isnan(left[: known.start]).all()


_AGAINST = ("previous", "time", "volume", "returns")


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


def test_bars_without_their_sub_bars_have_volume_and_no_time() -> None:
    none = replace(FLOW.sub_bars, **{n: getattr(FLOW.sub_bars, n)[:0] for n in _ARRAYS})
    found = columns(replace(FLOW, sub_bars=none))
    assert np.isnan(found.time_inside).all()
    assert np.isnan(found.returns_above).all()
    np.testing.assert_array_equal(found.volume_above, FOUND.volume_above)


_ARRAYS = [n for n in FLOW.sub_bars.__slots__ if n not in {"grid", "step_ms"}]


def test_flow_is_beside_the_bars_of_its_time_and_unknown_beside_others() -> None:
    plain_bars = candles(FLOW.bars)
    shifted = replace(plain_bars, time=plain_bars.time + 10 * MINUTE)
    found = with_flow(shifted, FLOW)
    check(found)
    assert found.flow is not None
    np.testing.assert_array_equal(found.flow.buy_volume[:-10], FLOW.bars.buy_volume[10:])
    assert np.isnan(found.flow.buy_volume[-10:]).all()
    assert found.flow.covered[-10:].tolist() == [0.0] * 10
    assert found.flow.covered[:-10].tolist() == [1.0] * 140
    assert with_flow(plain_bars, FLOW).flow.vwap[7] == FLOW.bars.vwap[7]
    with pytest.raises(DataError, match="step_ms: expected 300000 like bars, was 60000"):
        with_flow(replace(plain_bars, step_ms=5 * MINUTE), FLOW)


def test_an_empty_bar_is_empty_and_not_unknown() -> None:
    """F-A1: zero flow and the price carried, when the feed was there."""
    two = trades_from([1, 2], START + np.array([0, 130_000]), [100.0, 101.0], [1.0, 2.0], [1, -1])
    bars = flow_of(two, GRID, MINUTE, covered=(START, START + 4 * MINUTE)).bars
    found = flow_columns(bars)
    assert found.empty.tolist() == [0, 1, 0, 1]
    assert found.buy_volume.tolist() == [1, 0, 0, 0]
    assert found.sell_volume.tolist() == [0, 0, 2, 0]
    assert np.isnan(found.vwap).tolist() == [False, True, False, True]


def test_bars_are_cut_compared_and_checked_with_their_flow() -> None:
    bars = with_flow(candles(FLOW.bars), FLOW)
    assert bars.flow is not None
    cut = part(bars, 3, 9)
    assert cut.flow is not None
    assert (len(cut.flow), len(cut.value)) == (6, 6)
    assert cut.flow.vwap[0] == bars.flow.vwap[3]
    assert same(cut, part(bars, 3, 9))
    assert not same(cut, replace(cut, value=None))
    assert not same(cut, replace(cut, flow=replace(cut.flow, count=cut.flow.count + 1)))
    with pytest.raises(DataError, match=r"flow\.buy_volume: expected shape \(6,\)"):
        check(replace(cut, flow=bars.flow))


def test_a_rolling_profile_that_bars_do_not_divide_is_refused() -> None:
    with pytest.raises(DataError, match="rolling_ms: expected a multiple of 60000, was 90000"):
        value_columns(FLOW, rolling_ms=90_000)


def test_no_flow_is_no_columns() -> None:
    none = np.empty(0)
    nothing = flow_of(
        trades_from(none, none, none, none, none), GRID, MINUTE, covered=(START, START)
    )
    assert len(value_columns(nothing)) == len(flow_columns(nothing.bars)) == 0
    bars = with_flow(part(candles(FLOW.bars), 0, 5), nothing)
    assert bars.flow is not None
    assert np.isnan(bars.flow.buy_volume).all()
    assert bars.flow.covered.tolist() == [0.0] * 5
