"""Distances to value and acceptance beyond it: worked numbers and plain Python."""

from __future__ import annotations

from dataclasses import replace
from statistics import mean, median
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.synthetic import HOUR, MINUTE, START, random_bars

from hydra_ft.bars.flow_columns import with_flow
from hydra_ft.bars.flow_tables import candles
from hydra_ft.bars.flow_trades import trades_from
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.features.registry import FEATURES
from hydra_ft.features.value import accepted
from hydra_ft.types.flow import TradeGrid

if TYPE_CHECKING:
    from hydra_ft.types import Bars, FloatArray, ValueColumns

BARS = random_bars(1500, 5 * MINUTE, seed=15)
LAST = len(BARS) - 1


def area(bars: Bars = BARS) -> ValueColumns:
    assert bars.value is not None
    return bars.value


def value(name: str, bars: Bars = BARS) -> FloatArray:
    return FEATURES[name](bars)


@pytest.mark.parametrize(
    ("time", "volume", "returns", "absorption", "expected"),
    [
        (8 / 12, 0.50, 0, 0.0, 0),
        (8 / 12, 0.56, 0, 0.0, 1),
        (8 / 12, 0.56, 0, 1.2, 0),
        (8 / 12, 0.56, 0, 1.0, 1),
        (0.6, 0.55, 0, 0.0, 1),
        (0.6 - 1e-6, 0.55, 0, 0.0, 0),
        (0.3 + 0.2 + 0.1, 0.55, 0, 0.0, 1),
        (1.0, 1.0, 1, 0.0, 0),
        (np.nan, 1.0, 0, 0.0, np.nan),
        (1.0, 1.0, 0, np.nan, np.nan),
    ],
)
def test_acceptance_is_that_of_the_example(
    time: float, volume: float, returns: float, absorption: float, expected: float
) -> None:
    """X08 and F-A6: of time, and no return into value; a gap is no acceptance, and no refusal."""
    found = accepted(*(np.array([each]) for each in (time, volume, returns, absorption)))
    np.testing.assert_array_equal(found, [expected])


def test_a_distance_is_in_ranges_of_a_bar() -> None:
    """X10: a price of 100 is 0.3 ranges of 2 above a point of control of 99.4."""
    n = 130
    flat = np.full(n, 100.0)
    bars = replace(random_bars(n), open=flat, close=flat, high=flat + 1, low=flat - 1)
    levels = replace(area(bars), poc=flat - 0.6, node_below=flat - 0.5, node_above=flat + 0.4)
    bars = replace(bars, value=levels)
    assert value("poc_distance_14", bars)[-1] == pytest.approx(0.3)
    assert value("node_distance_14", bars)[-1] == pytest.approx(0.2)
    alone = replace(bars, value=replace(levels, node_above=np.full(n, np.nan)))
    assert value("node_distance_14", alone)[-1] == pytest.approx(0.25)
    none = replace(bars, value=replace(alone.value, node_below=np.full(n, np.nan)))
    assert np.isnan(value("node_distance_14", none)).all()


def is_one_value(t: int, where: str) -> bool:
    """Whether the 12 bars were all held against the value that is named at the last."""
    edge = area().previous_high if where == "above" else area().previous_low
    return all(edge[i] == edge[t] for i in range(t - 11, t))


def plain_accepted(t: int, where: str) -> bool:
    """Acceptance at a bar, word by word."""
    assert BARS.flow is not None
    rows = range(t - 11, t + 1)
    if not is_one_value(t, where):
        return False
    time = mean(getattr(area(), f"time_{where}")[i] for i in rows)
    beyond = sum(getattr(area(), f"volume_{where}")[i] for i in rows)
    volume = sum(BARS.flow.buy_volume[i] + BARS.flow.sell_volume[i] for i in rows)
    came_back = any(getattr(area(), f"returns_{where}")[i] for i in rows)
    edge = area().previous_high[t] if where == "above" else area().previous_low[t]
    outside = BARS.close[t] > edge if where == "above" else BARS.close[t] < edge
    calm = value("absorption_z_100")[t] <= 1
    return bool(time >= 0.6 and beyond >= 0.55 * volume and not came_back and outside and calm)


@pytest.mark.parametrize("where", ["above", "below"])
def test_acceptance_of_each_side_is_told_apart(where: str) -> None:
    """F-A6: the original pooled both sides."""
    found = value(f"accepted_{where}_12")
    assert [plain_accepted(t, where) for t in range(101, LAST + 1)] == list(found[101:])
    other = value("accepted_below_12" if where == "above" else "accepted_above_12")
    assert 10 < found[101:].sum() < 750
    assert not (found * other)[101:].any()


def plain_rejected(t: int, where: str) -> bool:
    """Refusal at a bar, word by word."""
    assert BARS.flow is not None
    rows = range(t - 11, t + 1)
    if not is_one_value(t, where):
        return False
    beyond = sum(getattr(area(), f"volume_{where}")[i] for i in rows)
    volume = sum(BARS.flow.buy_volume[i] + BARS.flow.sell_volume[i] for i in rows)
    stayed = mean(getattr(area(), f"time_{where}")[i] for i in rows) >= 0.6
    came_back = any(getattr(area(), f"returns_{where}")[i] for i in rows)
    edge = area().previous_high[t] if where == "above" else area().previous_low[t]
    outside = BARS.close[t] > edge if where == "above" else BARS.close[t] < edge
    return bool(outside and (came_back or (stayed and beyond < 0.55 * volume)))


@pytest.mark.parametrize("where", ["above", "below"])
def test_what_is_rejected_was_beyond_value_and_is_not_what_is_accepted(where: str) -> None:
    """F-A6, A8-7: neither is the other's opposite; a young breakout is neither."""
    found = value(f"rejected_{where}_12")
    assert [plain_rejected(t, where) for t in range(101, LAST + 1)] == list(found[101:])
    taken_in = value(f"accepted_{where}_12")
    assert found[101:].any()
    assert not (found * taken_in)[101:].any()
    assert ((found == 0) & (taken_in == 0))[101:].any()


@pytest.fixture(scope="module")
def rise() -> Bars:
    """5m bars of a tape: 97, a day about 107, an evening of it quiet at 105, then 111."""
    chance = np.random.default_rng(5)
    parts = [
        (0, 24, 9_500, 10_000, 4), (24, 36, 10_500, 11_000, 20), (36, 48, 10_480, 10_520, 4),
        (48, 51, 11_100, 11_110, 4),
    ]  # fmt: skip
    times, ticks = [], []
    for begin, end, low, high, per_minute in parts:
        n = 60 * (end - begin) * per_minute
        times.append(np.sort(chance.integers(begin * HOUR, end * HOUR, n)))
        ticks.append(chance.integers(low, high, n))
    time = START + np.concatenate(times)
    n = time.size
    side = chance.choice([-1, 1], n)
    trades = trades_from(np.arange(n), time, np.concatenate(ticks) / 100, np.full(n, 0.1), side)
    grid = TradeGrid(0.01, 0.001)
    flow = flow_of(trades, grid, 5 * MINUTE, covered=(START, START + 51 * HOUR))
    return with_flow(candles(flow.bars), flow)


def test_a_price_is_accepted_only_by_an_hour_beyond_the_value_that_is_named(rise: Bars) -> None:
    """F-A6: at midnight the hour before was beyond the day before yesterday's value.

    It was inside yesterday's: of the 12 closes until 00:00 one is above its high.
    """
    midnight = 2 * 24 * 12
    high, found = area(rise).previous_high, value("accepted_above_12", rise)
    assert value("time_above_12", rise)[midnight] > 0.99
    assert (rise.close[midnight - 11 : midnight + 1] > high[midnight]).sum() == 1
    assert found[midnight - 1] == 1
    assert found[midnight : midnight + 11].tolist() == [0] * 11
    assert found[midnight + 11] == 1
    for t in np.flatnonzero(found == 1):
        assert (rise.close[t - 11 : t + 1] > high[t]).mean() >= 0.6


def test_what_fell_out_of_an_old_value_is_not_rejected_by_the_new_one(rise: Bars) -> None:
    """A8-7: a return into yesterday's value at 23:00 is none into today's."""
    midnight = 2 * 24 * 12
    levels = area(rise)
    returned = np.zeros(len(rise))
    returned[midnight - 6] = 1
    bars = replace(rise, value=replace(levels, returns_above=returned))
    found = value("rejected_above_12", bars)
    assert found[midnight - 1] == 1
    assert found[midnight : midnight + 20].tolist() == [0] * 20


def test_shares_and_widths_agree_with_plain_python() -> None:
    assert BARS.flow is not None
    volume = BARS.flow.buy_volume + BARS.flow.sell_volume
    width = area().width
    expected = {
        "time_inside_12": mean(area().time_inside[-12:]),
        "time_above_12": mean(area().time_above[-12:]),
        "time_below_12": mean(area().time_below[-12:]),
        "volume_above_12": sum(area().volume_above[-12:]) / sum(volume[-12:]),
        "volume_below_12": sum(area().volume_below[-12:]) / sum(volume[-12:]),
        "value_width_ratio_48": width[-1] / median(width[-49:-1]),
    }
    for name, wanted in expected.items():
        assert value(name)[LAST] == pytest.approx(wanted, rel=1e-12), name


def test_a_value_area_of_one_tick_has_a_width_that_can_be_compared() -> None:
    """A coin of half a cent may stand on one price for hours, and then trade on two."""
    n = 60 * 6
    ticks = np.where(np.arange(n) < n - 6, 50, 50 + np.arange(n) % 2)
    trades = trades_from(
        np.arange(n), START + 60 * 1_000 * np.arange(n), ticks / 10, np.ones(n), np.ones(n)
    )
    flow = flow_of(trades, TradeGrid(0.1, 0.1), MINUTE, covered=(START, START + n * MINUTE))
    found = value("value_width_ratio_48", with_flow(candles(flow.bars), flow))
    np.testing.assert_array_equal(found[100:-6], 1)
    assert set(found[-6:].round(9).tolist()) <= {1, 2}


@pytest.mark.parametrize("level", ["poc", "high", "low"])
@pytest.mark.parametrize("of", ["", "previous_"])
def test_distances_are_above_where_they_are_positive(level: str, of: str) -> None:
    name = level if level == "poc" else f"value_{level}"
    found = value(f"{of}{name}_distance_14")[LAST]
    gap = BARS.close[LAST] - getattr(area(), of + level)[LAST]
    assert found == pytest.approx(gap / value("atr_14")[LAST])
    assert np.sign(found) == np.sign(gap)


def test_hours_without_trades_have_no_volume_beyond_value() -> None:
    assert BARS.flow is not None
    none = np.zeros(len(BARS))
    flow = replace(BARS.flow, buy_volume=none, sell_volume=none)
    bars = replace(BARS, flow=flow, value=replace(area(), volume_above=none))
    assert value("volume_above_12", bars)[-1] == 0
