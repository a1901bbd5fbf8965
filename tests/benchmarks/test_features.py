"""The feature bench measures the same work on both sides, and its page says what is missed."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.backtest.cycle import Cycle
from benchmarks.features.bench import QUICK, Result, measure
from benchmarks.features.freqtrade_flow import populated, same_counts
from benchmarks.features.goals import Goal, goals
from benchmarks.features.live import Live
from benchmarks.features.made import DAY_MS, START, candles_of, frame_of, made_trades, trades_of
from benchmarks.features.memory import Peak
from benchmarks.features.order_flow import READ, Day, NewCandle, full_set
from benchmarks.features.page import render
from benchmarks.features.rolling import Rolling, exponent
from benchmarks.features.rolling import measure as measure_rolling
from benchmarks.features.sixty import EQUAL, Sixty, added, columns, difference, made_candles
from benchmarks.features.sixty import measure as measure_sixty
from benchmarks.features.start import Start


def made_result(speed: float = 1.0) -> Result:
    """A result that reaches every goal at a speed of 1, and misses them at less."""
    slow = 1 / speed
    days = [
        Day(
            n,
            12.0,
            0.010 * slow,
            0.020 * slow,
            0.008 * slow,
            0.003,
            0.0035 * slow,
            250.0,
            same=True,
        )
        for n in (100_000, 1_000_000)
    ]
    candles = [
        NewCandle(n, n // 288, 0.4, 2.8, 0.3, 0.002 * slow * (n / 100_000) ** (0.1 * slow))
        for n in (100_000, 1_000_000)
    ]
    windows = [
        Rolling(12_000, w, 0.3 * slow * w ** (0.2 * slow), 0.5 * w, 400.0, 2_000.0, same=True)
        for w in (72, 288, 1_152)
    ]
    lengths = [
        Rolling(n, 288, 0.4 * (n / 12_000) ** (0.05 * slow), 9.0, 9.0, 9.0, same=True)
        for n in (12_000, 48_000)
    ]
    peak = Peak(1_000_000, int(15_000_000 * slow), 700_000_000)
    columns = Sixty(60, 1_000, 0.004 * slow, 0.040, 1e-7 * slow**2 * 5)
    flow = Cycle(250, 1_000, 71, 2.0, {"populate_indicators": 2.0 * slow}, 2.0 + 2.0 * slow)
    live = Live(60, 2.0, 2.0 + 4.0 * slow, 2.0 + 2.0 * slow, flow)
    start = Start(3.0, 3.0 + 0.5 * slow, 10.0 * slow, 8)
    return Result(QUICK, days, candles, peak, windows, lengths, columns, live, start)


def test_both_sides_do_the_same_work_on_the_same_trades() -> None:
    trades = made_trades(3_000).part(0, 150)  # an hour and a bit: freqtrade takes its time
    flow = full_set(trades)
    assert len(flow.bars) == 288
    assert len(flow.sub_bars) == 8_640
    assert flow.bars.count.sum() == 150
    _, found, _ = populated(frame_of(trades), candles_of(flow.bars))
    assert same_counts(found, flow.bars)
    found.loc[5, "ask"] += 0.001
    assert not same_counts(found, flow.bars)


def test_freqtrades_frame_gives_the_trades_back() -> None:
    trades = made_trades(500)
    again = trades_of(frame_of(trades))
    for name in ("id", "time", "price", "quantity", "side"):
        assert np.array_equal(getattr(again, name), getattr(trades, name)), name
    part = trades_of(frame_of(trades).iloc[100:200])
    assert np.array_equal(part.id, trades.id[100:200])
    assert START <= trades.time.min() <= trades.time.max() < START + DAY_MS


def test_reading_reads_everything() -> None:
    trades = made_trades(1_000)
    read = READ(trades.time, trades.price, trades.quantity, trades.side)
    sums = (trades.time, trades.price, trades.quantity, trades.side)
    assert read == pytest.approx(sum(float(c.astype(float).sum()) for c in sums), rel=1e-12)


def test_all_ways_to_a_rolling_profile_agree() -> None:
    assert measure_rolling(200, 20, rounds=1, sample=30).same


def test_sixty_columns_are_those_of_their_twin() -> None:
    """P6: every value within 1e-6, and known at the same rows."""
    found = measure_sixty(rounds=1)
    assert found.columns == len(columns()) == 60
    assert found.difference <= EQUAL
    frame = added(made_candles(0))
    other = frame.copy()
    other.loc[700, "rsi_14"] += 1e-3
    assert difference(frame, other) > EQUAL
    other.loc[700, "rsi_14"] = np.nan
    assert difference(frame, other) == float("inf")


def test_an_exponent_is_the_slope_of_the_logarithms() -> None:
    assert exponent(1.0, 8.0, 2.0) == pytest.approx(3.0)
    assert exponent(2.0, 2.0, 10.0) == 0.0


def test_goals_that_are_missed_are_said_in_bold() -> None:
    assert [goal.text for goal in goals(made_result()) if not goal.met] == []
    assert not any(goal.met for goal in goals(made_result(speed=0.3)))
    assert "Missed" not in render(made_result(), 60.0)
    assert render(made_result(), 60.0).count("**no**") == 0
    assert render(made_result(speed=0.3), 60.0).count("**no**") == len(goals(made_result()))
    assert Goal("", 4, 4.0).met
    assert not Goal("", 4, 4.1, at_least=False).met


@pytest.mark.bench
def test_a_quick_run_makes_the_page() -> None:
    said: list[str] = []
    result = measure(QUICK, said.append)
    assert said
    assert all(day.same for day in result.days)
    assert all(r.same for r in (*result.windows, *result.lengths))
    page = render(result, 60.0)
    assert "nan" not in page
    assert result.memory.freqtrade > result.memory.ours
