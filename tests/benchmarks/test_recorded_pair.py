"""One recorded pair through freqtrade's own commands, and our figures beside freqtrade's."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.recorded.backtests import SetResult, measure
from benchmarks.recorded.calibration import survey
from benchmarks.recorded.calibration_page import render as calibration_page
from benchmarks.recorded.holding import settlements_of
from benchmarks.recorded.results_page import render
from benchmarks.recorded.sets import LATER, open_replay, recorded_folder
from benchmarks.recorded.stage_a import rules

if TYPE_CHECKING:
    from loopback_exchange import Replay

HOME = os.environ.get("HYDRA_TEST_DATA", "")
COIN = "XRP"

needs_data = [
    pytest.mark.ci,
    pytest.mark.skipif(
        not HOME, reason="HYDRA_TEST_DATA does not name the folder of recorded market data"
    ),
]


@pytest.fixture(scope="module")
def measured() -> SetResult:
    return measure(Path(HOME), LATER, [COIN])


@pytest.fixture
def market(tmp_path: Path) -> Replay:
    return open_replay(recorded_folder(Path(HOME), LATER), tmp_path / "links", [COIN])


class TestOneRecordedPair:
    """One pair through freqtrade's own commands, and our figures beside freqtrade's."""

    pytestmark = needs_data

    def test_our_figures_are_those_that_freqtrade_reports(self, measured: SetResult) -> None:
        for run in measured.runs:
            if run.reported:
                assert run.account.count > 0, run.name
                ours = (run.account.net_ratio, run.account.closed_drawdown)
                theirs = [run.reported[key] for key in ("profit_total", "max_drawdown_account")]
                assert ours == pytest.approx(theirs, abs=1e-4), run.name

    def test_funding_is_what_freqtrade_booked(self, measured: SetResult, market: Replay) -> None:
        (symbol,) = market.symbols
        times, rates, marks = settlements_of(market, symbol, measured.recording.window)
        booked = [one for run in measured.runs for one in run.positions]
        assert any(one.funding_quote for one in booked)
        for one in booked:
            inside = (times >= one.opened_at) & (times <= one.closed_at)
            ours = -one.sign * one.quantity * float(np.sum((rates * marks)[inside]))
            assert ours == pytest.approx(one.funding_quote, rel=1e-6, abs=1e-6)

    def test_every_trade_of_the_head_has_the_stop_that_was_decided(
        self, measured: SetResult
    ) -> None:
        """F-D8: what is lost at a stop is what the size was made from; beyond it is funding."""
        for run in measured.runs[:3]:
            assert all(0.005 < one.stop < 0.026 for one in run.positions), run.name
            first = [one for one in run.positions if one.is_stopped_first]
            assert first, run.name
            for one in first:
                without = one.result_r - one.funding_quote / one.risk_quote
                assert without == pytest.approx(-1, abs=0.02), (run.name, one)

    def test_no_trade_risks_more_than_the_policy_asks(self, measured: SetResult) -> None:
        """X5, F-D8: of the equity that freqtrade lets the bot trade with."""
        own, stakes, *_ = measured.runs
        assert own.risked.greatest_share <= measured.asked * measured.share * 1.001
        assert {round(one.stake_quote / 3000, 1) for one in stakes.positions} == {1.0}

    def test_a_stop_lies_within_the_candle_that_hit_it(self, measured: SetResult) -> None:
        for run in measured.runs[:3]:
            median, worst = run.risked.candle_r
            assert median <= run.risked.stop_r[0]
            assert worst <= run.risked.stop_r[1]

    def test_the_backtest_notes_what_stage_a_says(self, measured: SetResult) -> None:
        if measured.ledger is None:
            pytest.skip("the backtest wrote no ledger")
        assert measured.ledger.stages[0] == measured.stage_a.stages[0]
        assert all(stage.adds_up for stage in measured.ledger.stages)
        assert measured.ledger.stages[1].passed == measured.runs[0].account.count > 0

    def test_both_pages_are_written(self, measured: SetResult) -> None:
        assert f"| Pairs | 1: {COIN}; left out: BNB, BTC, ETH, SOL |" in render([measured])
        page = calibration_page([survey(Path(HOME), LATER, [COIN])], rules())
        assert "| `regime.trend_above` |" in page
        assert not re.search(r"\bnan\b", page)
