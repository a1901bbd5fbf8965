"""The backtest bench compares the same trades, and what it counts is the same everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from freqtrade.enums import RunMode

from benchmarks.backtest.bench import QUICK, measure
from benchmarks.backtest.copies import Copies, count_copies
from benchmarks.backtest.home import Home, bench_strategy, opened
from benchmarks.backtest.loop import COLUMNS, SHIPPED, VARIANTS
from benchmarks.backtest.page import judged, render
from benchmarks.backtest.side_table import SideTable
from benchmarks.backtest.trades import Backtester, always_in, only_traded, same_trades

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

DAYS = 0.5


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with opened(tmp_path_factory.mktemp("bench"), pairs=2) as running:
        running.store(DAYS)
        yield running


@pytest.fixture(scope="module")
def tester(home: Home) -> Backtester:
    return Backtester(home.testing(DAYS, backtest=False))


def always_in_a_trade(home: Home, tester: Backtester, name: str) -> Any:
    strategy = bench_strategy(name, home.config(RunMode.BACKTEST))
    strategy = tester.given(strategy, always_in(tester.data, hold_bars=40))
    strategy.tables = {
        pair: SideTable(int(frame["date"].iloc[0].timestamp()), 300, frame[["close"]].to_numpy())
        for pair, frame in tester.data.items()
    }
    return strategy


def copies_of(home: Home, tester: Backtester, name: str) -> Copies:
    return count_copies(tester, always_in_a_trade(home, tester, name))


@pytest.mark.e2e
def test_without_a_trade_callback_freqtrade_copies_no_trade(home: Home, tester: Backtester) -> None:
    found = copies_of(home, tester, "BenchGiven")
    assert found.candles > 200
    assert found.copies == 0
    # HydraFlow as columns declares none either.
    assert count_copies(tester, tester.head).copies == 0


@pytest.mark.e2e
@pytest.mark.parametrize("name", ["BenchStop", "BenchMovedStop"])
def test_one_callback_costs_one_copy_at_each_candle_of_a_trade(
    home: Home, tester: Backtester, name: str
) -> None:
    found = copies_of(home, tester, name)
    assert found.callbacks == found.most == 1
    assert found.copies == found.calls <= found.candles


@pytest.mark.e2e
def test_a_target_costs_one_copy_more_and_a_second_only_where_it_is_reached(
    home: Home, tester: Backtester
) -> None:
    strategy = always_in_a_trade(home, tester, "BenchStopAndTarget")
    # Near enough that it is reached, and below minimal_roi, so that it counts.
    strategy.target = 0.002
    found = count_copies(tester, strategy)
    _, trades = tester.run(strategy)
    reached = int((trades["exit_reason"] == "roi").sum())
    assert reached > 0
    assert found.callbacks == 2
    assert found.repeated == reached
    assert found.copies == found.calls <= 2 * found.candles + reached


@pytest.mark.e2e
def test_callbacks_that_only_read_leave_the_trades_as_they_were(
    home: Home, tester: Backtester
) -> None:
    _, bare = tester.run(always_in_a_trade(home, tester, "BenchGiven"))
    for name in ("BenchStop", "BenchMovedStop"):
        _, trades = tester.run(always_in_a_trade(home, tester, name))
        assert same_trades(bare, trades)
    _, fewer = tester.run(
        tester.given(
            bench_strategy("BenchGiven", home.config(RunMode.BACKTEST)),
            always_in(tester.data, hold_bars=50),
        )
    )
    assert not same_trades(bare, fewer)


def test_only_signals_that_became_trades_are_given() -> None:
    dates = pd.date_range("2025-06-01", periods=6, freq="5min", tz="UTC")
    data = {"A": pd.DataFrame({"date": dates})}
    trades = pd.DataFrame({"pair": ["A"], "open_date": [dates[3]]})
    plan = {"A": {"enter_long": np.array([0, 1, 1, 0, 1, 0]), "exit_long": np.ones(6)}}
    kept = only_traded(plan, data, trades)["A"]
    assert list(kept["enter_long"]) == [0, 0, 1, 0, 0, 0]
    assert kept["exit_long"].all()


def test_the_side_table_gives_the_last_candle_that_has_closed() -> None:
    dates = pd.date_range("2025-06-01", periods=6, freq="5min", tz="UTC")
    table = SideTable(int(dates[0].timestamp()), 300, np.arange(6.0)[:, None])
    # At 00:15 the candle of 00:10 has just closed; it is the third.
    assert table.value(dates[3].to_pydatetime(), 0) == 2.0
    assert table.value((dates[3] + pd.Timedelta(minutes=4)).to_pydatetime(), 0) == 2.0


@pytest.mark.ci
def test_a_quick_run_makes_the_page() -> None:
    said: list[str] = []
    result = measure(QUICK, said.append)
    assert said
    assert result.own.same
    assert result.columns.same
    assert result.callbacks.same
    assert result.own.copies[COLUMNS].copies == 0
    page = render(result, 60.0)
    for name in (COLUMNS, SHIPPED, *VARIANTS):
        assert f"| {name} |" in page
    assert "nan" not in page


def test_a_goal_that_is_missed_is_said_in_bold() -> None:
    assert judged(1.2, 1.25) == "yes"
    assert judged(1.3, 1.25) == "**no**"
    assert judged(float("nan"), 1.25) == "**no**"
