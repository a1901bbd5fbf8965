"""Flow and value beside the bars: plain Python from the trades, gaps, no future, no start."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest
from bars.flow_reference import GRID, START, Expected, made_trades, picked, reference
from bars.profile_reference import point_of_control, value_area, volumes
from bars.value_tape import GRID_7, MINUTE, SPAN, TEN_S, TRADES, columns, flow

from hydra_ft.bars.candles import check, part, same
from hydra_ft.bars.flow_columns import flow_columns, with_flow
from hydra_ft.bars.flow_tables import candles
from hydra_ft.bars.flow_trades import trades_from
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.bars.profile import bin_size
from hydra_ft.bars.value_columns import value_columns
from hydra_ft.errors import DataError
from hydra_ft.types import ValueColumns

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
        assert FOUND.width[t] == (top - bottom + 1) / 10
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
