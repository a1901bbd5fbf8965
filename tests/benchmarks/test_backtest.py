"""The backtest bench compares the same trades, and what it counts is the same everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from freqtrade.enums import RunMode

from benchmarks.backtest.bench import QUICK, measure
from benchmarks.backtest.copies import Copies, count_copies
from benchmarks.backtest.exits import CHASED, PARTS, SIZED, STOPS
from benchmarks.backtest.home import Home, bench_strategy, opened
from benchmarks.backtest.loop import COLUMNS, VARIANTS
from benchmarks.backtest.page import render
from benchmarks.backtest.side_table import SideTable
from benchmarks.backtest.tables import judged
from benchmarks.backtest.trades import (
    Backtester,
    always_in,
    as_signals,
    only_traded,
    same_candles,
    same_trades,
)

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
    columns = bench_strategy("BenchColumns", home.config(RunMode.BACKTEST, backtest=False))
    assert count_copies(tester, columns).copies == 0


def leaving(home: Home, name: str) -> Any:
    """A strategy whose exits are near enough for a day."""
    strategy = bench_strategy(name, home.config(RunMode.BACKTEST, sizes=False, backtest=False))
    strategy.stop, strategy.target = 0.006, 0.012
    return strategy


@pytest.mark.e2e
def test_freqtrade_copies_a_trade_only_where_its_exits_change(
    home: Home, tester: Backtester
) -> None:
    found, made = {}, {}
    for name in ("BenchExits", "BenchAsked"):
        found[name] = count_copies(tester, leaving(home, name))
        _, made[name] = tester.run(leaving(home, name))
    assert made["BenchExits"].equals(made["BenchAsked"])
    assert len(made["BenchExits"]) > 5
    assert found["BenchExits"].candles == found["BenchAsked"].candles
    assert found["BenchAsked"].copies > 1.8 * found["BenchAsked"].candles
    assert found["BenchAsked"].quiet_most == 2
    assert 0 < found["BenchExits"].copies < 0.5 * found["BenchExits"].candles
    assert found["BenchExits"].quiet_most == 1


@pytest.mark.e2e
def test_parts_cost_no_second_copy_but_where_one_is_taken(home: Home, tester: Backtester) -> None:
    strategy = leaving(home, "BenchParts")
    found = count_copies(tester, strategy)
    _, trades = tester.run(strategy)
    assert any(len(orders) > 2 for orders in trades["orders"])
    assert found.quiet_most == 1
    assert found.copies < 0.5 * found.candles


@pytest.mark.e2e
def test_signals_put_pairs_in_trades_on_the_candles_of_other_exits(
    home: Home, tester: Backtester
) -> None:
    _, made = tester.run(leaving(home, "BenchExits"))
    given = bench_strategy("BenchGiven", home.config(RunMode.BACKTEST, backtest=False))
    _, trades = tester.run(tester.given(given, as_signals(tester.data, made)))
    longer = made[made["open_date"] < made["close_date"]].reset_index(drop=True)
    assert len(longer) > 5
    assert same_candles(longer, trades)
    assert not same_candles(longer.iloc[1:].reset_index(drop=True), trades)


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
    assert all(row.same for row in {**result.exits.dense, **result.exits.own}.values())
    page = render(result, 60.0)
    for name in (COLUMNS, STOPS, PARTS, SIZED, CHASED, *VARIANTS):
        assert f"| {name} |" in page
    assert "nan" not in page


def test_a_goal_that_is_missed_is_said_in_bold() -> None:
    assert judged(1.2, 1.25) == "yes"
    assert judged(1.3, 1.25) == "**no**"
    assert judged(float("nan"), 1.25) == "**no**"
