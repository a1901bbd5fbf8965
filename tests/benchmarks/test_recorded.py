"""Figures of the recorded runs, by hand on made-up numbers, and one pair from end to end."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.recorded.backtests import Recording, Run, SetResult
from benchmarks.recorded.chase_report import chase_report
from benchmarks.recorded.dwell import dwell, stretches
from benchmarks.recorded.funnel import Funnel, funnel_of_ledger
from benchmarks.recorded.holding import held
from benchmarks.recorded.positions import (
    Position,
    account,
    drawdown,
    equity_curve,
    exported,
    exposure,
    grouped,
    profit_factor,
)
from benchmarks.recorded.results_page import render
from benchmarks.recorded.risked import Risked, risked
from benchmarks.recorded.sets import (
    KINDS,
    LATER,
    complete_bases,
    data_folder,
)
from benchmarks.recorded.stage_a import HEAD, rules
from benchmarks.recorded.standing import percentiles, standing, thresholds
from hydra_ft.cli.why.funnel import stages
from hydra_ft.decisions.reasons import CODES, OK
from hydra_ft.execution.candle_quote import Tally as ChaseTally
from hydra_ft.execution.candle_quote import summary
from hydra_ft.store.decision_row import Tally
from hydra_ft.types import Kind

if TYPE_CHECKING:
    from pathlib import Path

WALLET, SLOTS = 1000.0, 2
WINDOW = (0, 400)
LONG = Position("A", 1, 2.0, 0, 200, 100.0, 20.0, 0.1, 0.5, -0.1, "dip|UP|LONG", "roi")
SHORT = Position("B", -1, 1.0, 100, 300, 50.0, -10.0, -0.2, 0.5, 0.2, "dip|UP|LONG", "stop_loss")
CLOSES = {
    "A": (np.array([100, 200, 300]), np.array([90.0, 110.0, 300.0])),
    "B": (np.array([100, 200, 300]), np.array([50.0, 55.0, 60.0])),
}


def test_exposure_is_time_in_the_market_over_window_and_slots() -> None:
    assert exposure([LONG, SHORT], WINDOW, SLOTS) == (200 + 200) / (400 * 2)
    assert exposure([LONG], (100, 400), 1) == 100 / 300, "only what lies in the window counts"
    assert exposure([], WINDOW, SLOTS) == 0


@pytest.mark.parametrize(
    ("profits", "expected"),
    [([6.0, -2.0, -1.0], 2.0), ([-3.0], 0.0), ([3.0, 0.0], math.inf), ([0.0], math.nan)],
)
def test_the_profit_factor_without_a_loss_is_infinite(
    profits: list[float], expected: float
) -> None:
    assert profit_factor(profits) == pytest.approx(expected, nan_ok=True)


def test_a_drawdown_is_measured_from_the_highest_value_before_it() -> None:
    assert drawdown(np.array([100.0, 120.0, 90.0, 130.0, 117.0])) == pytest.approx(0.25)
    assert drawdown(np.array([1.0, 2.0])) == drawdown(np.empty(0)) == 0


def test_the_equity_follows_open_positions_and_then_what_they_made() -> None:
    # At 100 the long has lost 2 x 10; at 200 it has made 20 and the short has lost 5.
    assert list(equity_curve([LONG, SHORT], CLOSES, WALLET)) == [1000, 980, 1015, 1010]
    late = {"A": (np.array([200]), np.array([110.0])), "B": (np.array([100]), np.array([50.0]))}
    assert list(equity_curve([LONG], late, WALLET)) == [1000, 1000, 1020], "nothing known at 100"


def test_an_account_counts_what_its_positions_did() -> None:
    made = account([LONG, SHORT], CLOSES, WINDOW, WALLET, SLOTS)
    assert (made.count, made.longs, made.won) == (2, 1, 1)
    assert (made.net_ratio, made.profit_factor) == pytest.approx((0.01, 2.0))
    # 20 on a position of 200, and -10 on one of 50: of what was held, not of its margin.
    assert made.mean_ratio == pytest.approx((0.1 - 0.2) / 2)
    assert (made.drawdown, made.closed_drawdown) == pytest.approx((0.02, 10 / 1020))
    assert (made.fees_quote, made.funding_quote) == pytest.approx((1.0, 0.1))
    nothing = account([], CLOSES, WINDOW, WALLET, SLOTS)
    assert (nothing.net_ratio, nothing.drawdown, nothing.exposure) == (0, 0, 0)
    assert math.isnan(nothing.mean_ratio)
    assert math.isnan(nothing.profit_factor)


def test_positions_are_grouped_by_signal_the_largest_group_first() -> None:
    other = replace(LONG, tag="")
    # One R is 2 x 100 x 5 % and 1 x 50 x 10 %: the long has won 2 R, the short has lost 2 R.
    members = [other, replace(LONG, stop=0.05, fee=0.0), replace(SHORT, stop=0.09, fee=0.01)]
    (dips, none) = grouped(members, lambda one: one.signal)
    assert (dips.name, dips.count, dips.won, dips.profit_quote) == ("dip", 2, 1, 10.0)
    assert (dips.sum_r, dips.mean_r) == pytest.approx((0, 0))
    assert (none.name, none.count) == ("", 1)


EXPORTED = {
    "pair": "A",
    "is_short": True,
    "amount": 2.0,
    "open_rate": 100.0,
    "close_rate": 90.0,
    "fee_open": 0.001,
    "fee_close": 0.002,
    "open_timestamp": 1,
    "close_timestamp": 2,
    "profit_abs": 19.0,
    "profit_ratio": 0.1,
    "stake_amount": 100.0,
    "initial_stop_loss_abs": 104.0,
    "stop_loss_abs": 95.0,
    "funding_fees": None,
    "enter_tag": None,
    "exit_reason": "roi",
}


def test_a_trade_that_freqtrade_exports_keeps_its_side_and_pays_both_fees() -> None:
    made = exported(EXPORTED)
    assert (made.sign, made.signal, made.funding_quote) == (-1, "", 0)
    assert made.fees_quote == pytest.approx(0.2 + 0.36)


def test_its_stop_is_the_decided_one_unless_freqtrades_own_is_nearer() -> None:
    assert exported(EXPORTED).stop == pytest.approx(0.04)
    assert exported(EXPORTED, decided_stop=0.01).stop == pytest.approx(0.01)
    assert exported(EXPORTED, decided_stop=0.09).stop == pytest.approx(0.04)


def test_buying_and_holding_pays_fees_at_both_ends_and_funding_between() -> None:
    opened = np.array([0, 100, 200])
    candles = (opened, opened + 100, np.array([10.0, 11.0, 12.0]), np.array([11.0, 12.0, 20.0]))
    # Settlements before and after the holding are somebody else's.
    funding = (np.array([-8, 0, 300, 301]), np.full(4, 0.01), np.array([9.0, 10.0, 20.0, 21.0]))
    made = held("A", 101.0, candles, funding, fee=0.01)
    assert made.quantity == pytest.approx(10)
    assert made.fees_quote == pytest.approx(1 + 2)
    assert made.funding_quote == pytest.approx(-(1 + 2))
    assert made.profit_quote == pytest.approx(100 - 3 - 3)
    assert made.profit_ratio == pytest.approx(94 / 101)
    assert (made.opened_at, made.closed_at) == (0, 300)


def test_a_switch_is_undone_when_the_state_before_it_comes_back_within_three_bars() -> None:
    #                       undone at 2          not undone: back after four bars
    states = np.array([0, 0, 1, 1, 1, 0, 0, 0, 0, 2, 2, 2, 2, 0, 0])
    found = dwell([states])
    assert (found.bars, found.switches) == (15, 4)
    # The last switch, at 13, has one bar after it: nobody knows.
    assert (found.judged, found.undone) == (3, 1)
    assert list(found.lengths) == [3, 4, 4], "stays at the edges are longer than what was seen"
    assert found.whipsaw_rate == pytest.approx(1 / 3)
    assert found.length_at(50) == 4


def test_no_switch_is_seen_across_bars_that_are_not_known() -> None:
    values, known = np.array([1, 1, 9, 2, 2, 9]), np.array([True, True, False, True, True, False])
    parts = stretches(values, known)
    assert [list(part) for part in parts] == [[1, 1], [2, 2]]
    found = dwell(parts)
    assert (found.bars, found.switches) == (4, 0)
    assert math.isnan(found.whipsaw_rate)
    assert stretches(values, np.zeros(6, dtype=np.bool_)) == []


def test_a_threshold_stands_at_the_share_of_values_up_to_it() -> None:
    values = np.array([0.1, 0.2, 0.30000000000000004, 0.4, np.nan])
    assert standing(values, 0.3) == 75
    assert standing(values, 0.0) == 0
    assert math.isnan(standing(np.array([np.nan]), 0.3))
    assert percentiles(np.arange(101.0))[:3] == (5, 10, 20)


def test_every_threshold_that_is_looked_at_is_a_default_of_the_head() -> None:
    head = rules()
    changed = replace(head, regime=replace(head.regime, trend_above=0.123))
    names = [a.name for a, b in zip(thresholds(head), thresholds(changed), strict=True) if a != b]
    assert names == ["regime.trend_above"]


def test_the_report_of_the_chase_is_read_from_the_words_that_a_backtest_logs() -> None:
    entries = ChaseTally(begun=5, at_quote=3, crossed=1, abandoned=1, requotes=7, gain_quote=-2.5)
    logged = "\n".join(summary({Kind.ENTRY: entries, Kind.EXIT: ChaseTally()}, "USDT"))
    report = chase_report(logged)
    assert report is not None
    assert (report.entries.begun, report.entries.filled, report.entries.requotes) == (5, 4, 7)
    assert (report.exits.begun, report.haircut_quote) == (0, -2.5)
    assert chase_report("plain freqtrade") is None


def test_only_pairs_with_candles_funding_and_marks_are_replayed(tmp_path: Path) -> None:
    (tmp_path / "futures").mkdir()
    for base, kinds in {"AAA": KINDS, "BBB": KINDS[:2]}.items():
        for kind in kinds:
            (tmp_path / "futures" / f"{base}_USDT_USDT-{kind}.feather").touch()
    assert complete_bases(tmp_path) == ["AAA"]


def test_without_recorded_data_the_commands_say_what_to_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("HYDRA_TEST_DATA", raising=False)
    with pytest.raises(SystemExit, match="expected HYDRA_TEST_DATA to name the folder"):
        data_folder()


def made_up(ledger: Funnel | None) -> SetResult:
    """A set with two trades of the head and none beside it."""
    blocked = next(code for code in CODES if code != OK)
    first = stages([Tally(blocked, "", "", 3), Tally(OK, "filled", "dip", 1)])
    own = account([LONG, SHORT], CLOSES, WINDOW, WALLET, SLOTS)
    idle = account([], CLOSES, WINDOW, WALLET, SLOTS)
    return SetResult(
        recording=Recording(LATER, {"AUSDT": (0, 300)}, (), WINDOW, 4),
        wallet=WALLET,
        slots=SLOTS,
        share=0.9,
        stake="unlimited",
        asked=0.0075,
        fee=0.0005,
        stage_a=Funnel(first[:1], ()),
        runs=(
            Run(HEAD, own, (LONG, SHORT), bets((LONG, SHORT)), ledger=ledger),
            Run("idle", idle, (), bets(())),
        ),
    )


def bets(positions: tuple[Position, ...]) -> Risked:
    """What some positions risked, at one price of every candle."""
    opens = np.arange(0, 400, 100)
    extremes = dict.fromkeys("AB", (opens, np.full(4, 50.0), np.full(4, 50.0)))
    return risked(positions, CLOSES, extremes, WINDOW, WALLET)


def test_the_page_says_what_the_numbers_say(tmp_path: Path) -> None:
    assert funnel_of_ledger(tmp_path, 0) is None
    page = render([made_up(None)])
    assert (
        f"{HEAD} ended at +1.00 % after 2 trades in 0 days, of which 1 won; idle +0.00 %." in page
    )
    assert "Made money, by signal: dip. Lost it: none." in page
    assert "| profit factor | 2.00 | - |" in page
    assert "4 bars were decided; 1 may trade; 2 were filled. An entry stands" in page
    assert "No trade had a stop." in page


def test_the_page_counts_first_reasons_and_all_that_spoke_against_an_entry() -> None:
    """A reason that was never the first one has its line too."""
    found = stages([Tally(OK, "not_filled", "dip", 5), Tally(OK, "filled", "dip", 2)])
    page = render([made_up(Funnel(found, (), {"not_filled": 5, "veto_side": 3, "filled": 2}))])
    assert "| `not_filled`: the entry order was not filled | 5 / 5 |" in page
    assert "| `veto_side`: too many positions on this side | 0 / 3 |" in page
    assert "| filled | 2 |" in page
    assert page.index("`veto_side`") < page.index("`not_filled`"), "the order of the pipeline"
    assert "risk layer stopped 0 of 7 bars as the first reason." in page.replace("\n", " ")
    found = stages([Tally(OK, "size_zero", "dip", 5), Tally(OK, "filled", "dip", 2)])
    page = render([made_up(Funnel(found, (), {"size_zero": 5, "veto_var": 1}))]).replace("\n", " ")
    assert (
        "stopped 5 of 7 bars as the first reason; those that spoke at all: `veto_var`, `size_z"
        in page
    )


def test_the_page_says_what_was_risked_and_what_a_unit_of_it_brought() -> None:
    won, lost = replace(LONG, stop=0.05, fee=0.0), replace(SHORT, stop=0.2, fee=0.0)
    told = made_up(None)
    own = replace(told.runs[0], positions=(won, lost), risked=bets((won, lost)))
    page = render([replace(told, runs=(own, told.runs[1]))])
    # 10 of 1,000, and 10 of 980 when the first is under water; one won 2 R, the other lost 1 R.
    assert f"A trade of {HEAD} would lose 1.01 % of the equity at its stop on average" in page
    assert "| all trades, R | 1.00 | - |" in page
    assert "The interval of the mean trade in R holds zero" not in page, "one day has no spread"
    assert "| dip | 2 | 1 | 0.50 | 1.00 | 10.00 | 0 | - | - |" in page
