"""`hydra why --backtest`: the ledger of the last backtest, with the same words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from cli.why.decided import BAR, BTC, RULES

from hydra_ft.store.tested import FOLDER, TestedLedger

if TYPE_CHECKING:
    from cli.why.decided import Desk

START = 1_700_000_100_000


@pytest.fixture
def tested(desk: Desk) -> Desk:
    """Six bars: choppy three times, then an entry that fills, one that does not, choppy again."""
    ledger = TestedLedger(desk.folder.joinpath(*FOLDER))
    ledger.begin(RULES, "HydraFlow", START)
    code = np.array([1, 1, 1, 0, 0, 1], dtype=np.int16)
    enters = code == 0
    columns = {
        "at": START + np.arange(6, dtype=np.int64) * BAR,
        "code": code,
        "failing": code,
        "signal": np.where(enters, 0, -1).astype(np.int16),
        "side": -enters.astype(np.int8),
        "regime": np.where(enters, 3, 0).astype(np.int8),
        "bias": np.full(6, -1, dtype=np.int8),
        "confidence": np.where(enters, 0.6, np.nan),
        "chop_score": np.full(6, 0.9),
    }
    words = {
        "code": ("ok", "regime_choppy"),
        "failing": ("", "regime_choppy"),
        "signal": ("range_fade",),
        "regime": ("CHOPPY", "RANGING", "UP", "DOWN"),
        "bias": ("NEUTRAL", "LONG", "SHORT"),
    }
    ledger.write(BTC, columns, words)
    ledger.write_outcomes([(BTC, START + 3 * BAR, "filled", (), "")])
    return desk


def test_a_decision_of_the_backtest_is_told_with_its_thresholds(tested: Desk) -> None:
    told = tested.why(BTC, "--backtest")
    assert "chop score 0.90, nothing trades above 0.70" in told
    assert "is the bot running" not in told
    told = tested.why("btc", "--backtest", "--at", "2023-11-14T22:30")
    assert "range_fade short may enter, and the entry was filled" in told
    assert "the market is going down" in told


def test_last_counts_from_the_end_of_the_backtest(tested: Desk) -> None:
    lines = tested.why(BTC, "--backtest", "--last", "15m").splitlines()
    assert len(lines) == 5
    assert "range_fade short may enter" in lines[-2]


def test_the_funnel_of_a_backtest_adds_up(tested: Desk) -> None:
    told = tested.why("--backtest", "--summary")
    assert "Stage A: 6 bars evaluated = 4 stopped + 2 may trade (33.33%): adds up" in told
    assert "Stage B: 2 bars may trade = 1 stopped + 1 filled (50.00%): adds up" in told
    assert told.split()[-4:] == ["range_fade", "2", "2", "1"]


def test_no_configuration_is_needed_to_read_a_backtest(tested: Desk) -> None:
    (tested.folder / "config.json").unlink()
    assert "adds up" in tested.why("--backtest", "--summary")


def test_without_a_backtest_it_says_to_run_one(desk: Desk) -> None:
    assert "run freqtrade backtesting" in desk.refused(BTC, "--backtest")
