"""Volume profiles: point of control, value area, low-volume nodes; rolled along or built anew."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from bars.flow_reference import GRID, START, made_trades, picked
from bars.profile_reference import (
    Levels,
    footprint_from,
    low_volume_nodes,
    point_of_control,
    value_area,
    volumes,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_ft.bars.flow_trades import trades_from
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.bars.profile import (
    bar_profiles,
    bin_size,
    previous_profiles,
    range_profiles,
    rolling_profiles,
    session_sizes,
)
from hydra_ft.errors import DataError
from hydra_ft.types.flow import TradeGrid
from hydra_ft.types.profiles import Profiles

MINUTE, DAY = 60_000, 86_400_000
X07 = {98: (5, 0), 99: (10, 0), 100: (30, 0), 101: (0, 25), 102: (20, 0), 103: (4, 6)}
LEVELS = st.dictionaries(
    st.integers(40, 60), st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(any), max_size=12
)
BARS = st.lists(LEVELS, min_size=1, max_size=25)


def test_the_value_area_grows_by_volume_and_not_by_distance() -> None:
    """X07, F-A5: sound [100, 102] with 75 of 100."""
    found = bar_profiles(footprint_from([X07]))
    assert found.poc.tolist() == [100.0]
    assert found.value_area_low.tolist() == [100.0]
    assert found.value_area_high.tolist() == [102.0]
    assert found.volume_lots.tolist() == [100]


@pytest.mark.parametrize(
    ("levels", "poc", "area"),
    [
        ({10: (5, 0)}, 10, (10, 10)),
        ({10: (5, 0), 11: (4, 1)}, 10, (10, 11)),  # both as near to the middle: the lower
        ({8: (6, 0), 10: (6, 0), 13: (1, 0)}, 10, (8, 10)),  # the nearer to the middle
        ({9: (2, 0), 10: (6, 0), 11: (2, 0)}, 10, (10, 11)),  # equal pairs: the upper
        ({7: (5, 0), 10: (9, 0), 11: (1, 0)}, 10, (7, 11)),  # a hole is two rows of nothing
    ],
)
def test_ties_and_edges_are_settled_by_rule(
    levels: Levels, poc: int, area: tuple[int, int]
) -> None:
    found = bar_profiles(footprint_from([levels]))
    assert (found.poc_bin[0], (found.low_bin[0], found.high_bin[0])) == (poc, area)


@settings(max_examples=80, deadline=None)
@given(BARS, st.integers(1, 4), st.integers(30, 70))
def test_profiles_are_those_of_plain_python(bars: list[Levels], size: int, price: int) -> None:
    one = np.array([0]), np.array([len(bars)])
    found = range_profiles(footprint_from(bars), *one, size, np.array([price]))
    profile = volumes(bars, size)
    assert found.volume_lots[0] == sum(profile.values())
    if not profile:
        assert (found.poc_bin[0], found.high_bin[0], found.node_above_bin[0]) == (-1, -1, -1)
        return
    assert found.poc_bin[0] == point_of_control(profile)
    assert (found.low_bin[0], found.high_bin[0]) == value_area(profile)
    nodes = low_volume_nodes(profile)
    below = max((n for n in nodes if n <= price // size), default=-1)
    above = min((n for n in nodes if n > price // size), default=-1)
    assert (found.node_below_bin[0], found.node_above_bin[0]) == (below, above)


@settings(max_examples=60, deadline=None)
@given(BARS, st.integers(1, 8), st.lists(st.integers(0, 3), min_size=25, max_size=25))
def test_a_rolled_profile_is_that_of_one_built_anew(
    bars: list[Levels], window: int, sizes: list[int]
) -> None:
    footprint = footprint_from(bars)
    at, size = np.arange(len(bars)), np.sort(sizes[: len(bars)])
    price = np.full(len(bars), 50)
    rolled = rolling_profiles(footprint, window, size, price)
    known = np.where(at >= window - 1, size, 0)
    built = range_profiles(footprint, np.maximum(at - window + 1, 0), at + 1, known, price)
    for name in {f.name for f in fields(Profiles)} - {"grid", "bin_ticks"}:
        assert getattr(rolled, name).tolist() == getattr(built, name).tolist(), name


def test_a_rolled_profile_does_not_know_the_future_nor_where_the_data_began() -> None:
    random = np.random.default_rng(3)
    bars = [
        {
            int(b): (int(v), 0)
            for b, v in zip(random.integers(0, 40, 9), random.integers(1, 9, 9), strict=True)
        }
        for _ in range(80)
    ]
    whole = rolling_profiles(footprint_from(bars), 12)
    short = rolling_profiles(footprint_from(bars[:50]), 12)
    late = rolling_profiles(footprint_from(bars[30:]), 12)
    for name in ("poc_bin", "high_bin", "low_bin", "volume_lots"):
        assert getattr(whole, name)[:50].tolist() == getattr(short, name).tolist()
        assert getattr(whole, name)[41:].tolist() == getattr(late, name)[11:].tolist()
    assert np.isnan(whole.poc[:11]).all()


def test_the_size_of_a_bin_follows_from_the_price_in_whole_ticks() -> None:
    """X06, F-A4: a ten-thousandth of the price, and never less than a tick.

    The original rounds to steps of its own: 10 at 95,000, 20 at 150,000, 0.4 at 3,500.
    """
    assert bin_size(950_000) * 0.1 == pytest.approx(9.5)
    assert bin_size(1_500_000) * 0.1 == pytest.approx(15.0)
    assert bin_size(350_000) * 0.01 == pytest.approx(0.35)
    assert bin_size(20_000) * 0.01 == pytest.approx(0.02)
    assert bin_size(3_000) == 1
    assert bin_size(950_000, bin_ticks=5) == 19


def test_bins_are_frozen_for_a_session_whatever_the_price_does() -> None:
    """F-A4: bins that follow the price move under the profile."""
    time = np.array([START, START + DAY - MINUTE, START + DAY, START + DAY + 5 * MINUTE])
    trades = trades_from(
        [1, 2, 3, 4], time, [60_000.0, 90_000.0, 90_000.0, 50.0], [1.0] * 4, [1] * 4
    )
    hour = 60 * MINUTE
    bars = flow_of(trades, GRID, hour, hour, covered=(START, START + DAY + hour)).bars
    assert session_sizes(bars).tolist() == [60] * 24 + [90]


def test_a_session_whose_beginning_is_not_there_has_no_bins() -> None:
    trades = made_trades(300, start=START + 3 * 60 * MINUTE, span_ms=10 * MINUTE)
    flow = flow_of(trades, GRID, MINUTE)
    sizes = session_sizes(flow.bars)
    assert set(sizes.tolist()) == {0}
    assert np.isnan(rolling_profiles(flow.footprint, 3, sizes).poc).all()


def test_a_session_of_which_the_first_price_was_missed_has_no_bins() -> None:
    """Who came two minutes late may have bins of another size than who saw the first trade."""
    at = np.arange(600)
    price = np.where(at < 12, 1_499.0, 1_501.0)
    trades = trades_from(at, START + 10_000 * at, price, np.ones(600), np.ones(600))
    late = trades.part(12, None)
    grid, step, end = TradeGrid(0.1, 0.001), 5 * MINUTE, START + 6_000_000
    seen = [
        flow_of(each, grid, step, covered=(since, end)).bars
        for each, since in ((trades, START), (late, START + 2 * MINUTE))
    ]
    assert [bin_size(int(bars.open_ticks[0])) for bars in seen] == [1, 2]
    assert [set(session_sizes(bars).tolist()) for bars in seen] == [{1}, {0}]


def test_what_is_missed_after_the_first_bar_of_a_session_moves_no_bins() -> None:
    at = np.arange(600)
    trades = trades_from(at, START + 1_000 * at, np.full(600, 60_000.0), np.ones(600), np.ones(600))
    for lost, size in ((30, 0), (60, 60), (200, 60)):
        seen = picked(trades, np.delete(at, lost))
        bars = flow_of(seen, GRID, MINUTE, covered=(START, START + 10 * MINUTE)).bars
        assert set(session_sizes(bars).tolist()) == {size}, lost


def test_bins_of_a_session_begin_with_its_first_trade_wherever_the_data_begins() -> None:
    """Nothing trades at midnight: the price of the day before is not there for who starts then."""
    hours = np.array([23, 24 + 2, 24 + 3])
    time, price = START + 60 * MINUTE * hours, [70_000.0, 60_000.0, 90_000.0]
    trades = trades_from([1, 2, 3], time, price, [1.0] * 3, [1] * 3)
    end, hour = START + DAY + 240 * MINUTE, 60 * MINUTE
    whole = flow_of(trades, GRID, hour, hour, covered=(START, end)).bars
    late = flow_of(trades.part(1, None), GRID, hour, hour, covered=(START + DAY, end)).bars
    assert session_sizes(whole).tolist() == [0] * 23 + [70, 0, 0, 60, 60]
    assert session_sizes(late).tolist() == [0, 0, 60, 60]


def test_the_previous_period_is_whole_and_holds_nothing_of_the_present() -> None:
    """F-A6: a profile that holds the breakout cannot show one."""
    trades = made_trades(2_000, seed=8, span_ms=30 * MINUTE)
    flow = flow_of(trades, GRID, MINUTE, covered=(START, START + 30 * MINUTE))
    found = previous_profiles(flow.footprint, flow.bars, 10 * MINUTE, 5)
    tens = range_profiles(flow.footprint, np.array([0, 10]), np.array([10, 20]), 5)
    assert np.isnan(found.poc[:10]).all()
    assert found.poc_bin[10:].tolist() == np.repeat(tens.poc_bin, 10).tolist()
    assert found.high_bin[10:].tolist() == np.repeat(tens.high_bin, 10).tolist()
    with_nodes = previous_profiles(flow.footprint, flow.bars, 10 * MINUTE, 5, flow.bars.close_ticks)
    assert with_nodes.poc_bin.tolist() == found.poc_bin.tolist()
    with pytest.raises(DataError, match="period_ms: expected a multiple of 60000"):
        previous_profiles(flow.footprint, flow.bars, 90_000)


def test_prices_of_wide_bins_are_their_middle_and_their_outer_ticks() -> None:
    found = bar_profiles(footprint_from([{20: (9, 0), 21: (5, 0)}], TradeGrid(0.5, 1.0, 4)), 2)
    assert found.bin_ticks.tolist() == [8]
    assert found.poc.tolist() == [(80 + 87) / 2 * 0.5]
    assert (found.value_area_low[0], found.value_area_high[0]) == (40.0, 43.5)


@pytest.mark.parametrize("bad", [0, -3])
def test_windows_and_sizes_that_cannot_be_are_refused(bad: int) -> None:
    with pytest.raises(DataError, match="window: expected 1 or more bars"):
        rolling_profiles(footprint_from([X07]), bad)
    with pytest.raises(DataError, match="size: expected 0 or more"):
        rolling_profiles(footprint_from([X07]), 1, -1)
