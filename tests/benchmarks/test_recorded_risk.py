"""What a run risked, by hand on made-up positions."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.recorded.backtests import Run
from benchmarks.recorded.figure_tables import over_drawdown
from benchmarks.recorded.funnel import funnel_of_ledger, stops_of_ledger
from benchmarks.recorded.positions import Position, account
from benchmarks.recorded.risked import (
    DAY_MS,
    Risked,
    held_share,
    risked,
    worst_day,
    worst_of_candle_r,
)
from hydra_ft.store.tested import FOLDER, TestedLedger

if TYPE_CHECKING:
    from pathlib import Path

WALLET = 1000.0
WINDOW = (0, 400)
# Ten of 100, stopped at 99: one R is 1,000 x (1 % + 0.1 %) = 11.
STOPPED = Position(
    pair="A",
    sign=1,
    quantity=10.0,
    opened_at=100,
    closed_at=200,
    open_price=100.0,
    profit_quote=-11.0,
    profit_ratio=-0.033,
    fees_quote=1.0,
    funding_quote=0.0,
    close_price=99.0,
    stake_quote=333.0,
    stop=0.01,
    last_stop=99.0,
    fee=0.001,
)
CLOSES = {"A": (np.array([100, 200, 300, 400]), np.array([100.0, 99.5, 98.0, 98.0]))}
EXTREMES = {"A": (np.array([0, 100, 200, 300]), np.full(4, 98.5), np.full(4, 101.0))}


def test_one_r_is_what_is_lost_at_the_first_stop_with_both_fees() -> None:
    assert STOPPED.risk_quote == pytest.approx(11)
    assert STOPPED.result_r == pytest.approx(-1)
    assert math.isnan(replace(STOPPED, stop=math.nan).result_r)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"exit_reason": "any word"}, True),
        ({"close_price": 97.0}, True),
        ({"last_stop": 99.04, "close_price": 99.04}, True),
        ({"last_stop": 100.1, "close_price": 100.1}, False),
        ({"close_price": 99.5}, False),
        ({"stop": math.nan}, False),
        ({"sign": -1, "last_stop": 101.0, "close_price": 101.0}, True),
        ({"sign": -1, "last_stop": 101.0, "close_price": 100.0}, False),
    ],
    ids=["at", "word", "gap", "tick", "moved", "before", "without", "short", "short before"],
)
def test_the_first_stop_is_told_from_prices(change: dict[str, float], *, expected: bool) -> None:
    assert replace(STOPPED, **change).is_stopped_first is expected


def test_risk_and_worst_trade_are_of_the_equity_at_the_entry() -> None:
    """F-D8: what would be lost at the stop, and what was."""
    # The first has lost 11 by the time the second is entered.
    later = replace(STOPPED, opened_at=200, closed_at=300, profit_quote=-33.0)
    made = risked([STOPPED, later], CLOSES, EXTREMES, WINDOW, WALLET)
    assert made.mean_share == pytest.approx((11 / 1000 + 11 / 989) / 2)
    assert made.greatest_share == pytest.approx(11 / 989)
    assert (made.worst_share, made.worst_r) == pytest.approx((-33 / 989, -3))
    assert (made.stopped, made.stop_r) == (2, pytest.approx((-2, -3)))
    assert made.greatest_stake_quote == 333
    assert made.greatest_notional_share == pytest.approx(1000 / 989)
    assert made.sum_r == pytest.approx(-4)


def test_a_unit_risked_counts_trades_by_what_was_bet_on_them() -> None:
    small = replace(STOPPED, quantity=5.0, profit_quote=11.0)
    made = risked([STOPPED, small], CLOSES, EXTREMES, WINDOW, WALLET)
    assert made.mean_r.value == pytest.approx((-1 + 2) / 2)
    assert made.weighted_r == pytest.approx(0)


def test_the_interval_of_the_mean_takes_whole_days() -> None:
    days = [replace(STOPPED, opened_at=day * DAY_MS + 100, closed_at=200) for day in (0, 0, 1)]
    won = replace(days[2], profit_quote=22.0)
    closes = {"A": (np.array([100, 2 * DAY_MS]), np.array([100.0, 100.0]))}
    made = risked([*days[:2], won], closes, EXTREMES, (0, 2 * DAY_MS), WALLET)
    assert made.mean_r == pytest.approx((0, -1, 2)), "only days as a whole come and go"


def test_a_stop_at_the_worst_price_of_its_candle_loses_more() -> None:
    # Filled at 98.5 instead of 99: another 5 of 11.
    assert worst_of_candle_r(STOPPED, EXTREMES["A"]) == pytest.approx(-16 / 11)
    short = replace(STOPPED, sign=-1, close_price=101.0)
    assert worst_of_candle_r(short, EXTREMES["A"]) == pytest.approx(-1), "stopped at its high"


def test_the_worst_day_is_told_at_its_end_and_at_its_lowest_close() -> None:
    times = np.array([DAY_MS // 2, DAY_MS, DAY_MS + 1, 2 * DAY_MS])
    equity = np.array([100.0, 80.0, 90.0, 99.0, 85.5])
    assert worst_day(times, equity) == pytest.approx((-0.1, -0.2))
    assert worst_day(times[:1], np.array([100.0, 101.0])) == (0, 0), "no day lost"


def test_what_is_held_is_weighted_with_its_time() -> None:
    assert held_share([STOPPED], WINDOW, WALLET) == pytest.approx(100 / 400)
    assert held_share([], WINDOW, WALLET) == 0


def test_without_positions_nothing_is_known() -> None:
    made = risked([], CLOSES, EXTREMES, WINDOW, WALLET)
    assert (made.stopped, made.day, made.within_day) == (0, 0, 0)
    unknown = (made.mean_share, made.worst_r, made.sum_r, made.weighted_r, made.mean_r.value)
    assert all(map(math.isnan, unknown))
    assert math.isnan(over_drawdown(idle(made)))


def idle(made: Risked) -> Run:
    """A run that has traded nothing."""
    return Run("idle", account([], CLOSES, WINDOW, WALLET, 1), (), made)


def test_stops_and_reasons_are_read_from_the_ledger_of_a_backtest(tmp_path: Path) -> None:
    """A bar counts under all that spoke against it, and a stop under the bar that decided it."""
    ledger = TestedLedger(tmp_path.joinpath(*FOLDER))
    ledger.begin("{}", "HydraFlow", 1)
    columns = {
        "at": np.array([300, 600, 900]),
        "code": np.array([1, 0, 1]),
        "failing": np.zeros(3, dtype=np.int32),
        "signal": np.zeros(3, dtype=np.int32),
        "side": np.array([1, 1, 1]),
        "stop": np.array([0.01, 0.02, 0.03]),
    }
    ledger.write("A", columns, {"code": ["no_signal", "ok"], "failing": [""], "signal": ["dip"]})
    refused = ("A", 900, "veto_side", ("veto_side", "cooldown"), "")
    ledger.write_outcomes([("A", 300, "filled", ("filled",), ""), refused])
    stop = stops_of_ledger(tmp_path, 300)
    assert (stop("A", 300), stop("A", 900 + 99)) == pytest.approx((0.01, 0.03))
    assert math.isnan(stop("A", 600)), "that bar decided nothing"
    assert math.isnan(stop("A", 1200)), "no bar closed then"
    found = funnel_of_ledger(tmp_path, 0)
    assert found is not None
    assert found.against == {"filled": 1, "veto_side": 1, "cooldown": 1}
    assert funnel_of_ledger(tmp_path / "elsewhere", 0) is None
