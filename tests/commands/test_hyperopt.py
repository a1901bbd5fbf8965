"""Thresholds as freqtrade parameters: searched by hyperopt, read from the file of a head."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from commands.freqtrade_commands import PAIRS, REPOSITORY, TESTED, Home
from waiting import wait_until

from hydra_ft.store.tested import FOLDER, TestedLedger

pytestmark = pytest.mark.e2e
EPOCHS = 5
BAR_MS = 300_000
HYPEROPT = (
    *("--epochs", str(EPOCHS), "-j", "2", "--random-state", "3"),
    *("--hyperopt-loss", "SharpeHyperOptLossDaily"),
)
SPACES = ("--spaces", "buy", "sell", "protection")


@pytest.fixture
def place(home: Home) -> Home:
    """A home with data and a copy of the head, whose parameter file may be written."""
    strategies = home.folder / "strategies"
    strategies.mkdir()
    shutil.copy(REPOSITORY / "strategies" / "HydraFlow.py", strategies)
    home.config |= {"strategy_path": str(strategies)}
    return home


def parameter_file(place: Home) -> Path:
    return place.folder / "strategies" / "HydraFlow.json"


def with_parameters(place: Home, **spaces: dict[str, float]) -> None:
    document = {"strategy_name": "HydraFlow", "params": spaces}
    parameter_file(place).write_text(json.dumps(document), encoding="utf-8")


def ledger(place: Home) -> TestedLedger:
    return TestedLedger(place.userdir.joinpath(*FOLDER))


def left_running(place: Home) -> list[str]:
    """Processes that still write where the commands of a home wrote."""
    log = str(place.folder / "output.log")
    links = {path: str(path / "fd" / "1") for path in Path("/proc").glob("[0-9]*")}
    return [path.name for path, link in links.items() if _target(link) == log]


def _target(link: str) -> str:
    try:
        return os.readlink(link)  # noqa: PTH115 - pipes are no paths
    except OSError:
        return ""


def test_hyperopt_searches_the_thresholds_and_its_file_is_honoured(place: Home) -> None:
    pytest.importorskip("optuna")
    done = place.freqtrade("hyperopt", *TESTED[:2], *HYPEROPT, *SPACES)
    assert done.code == 0, done.output[-3000:]
    assert "Traceback" not in done.output
    found = json.loads(parameter_file(place).read_text(encoding="utf-8"))["params"]
    assert 0.35 <= found["buy"]["regime_chop_above"] <= 1.0
    assert found["buy"]["trend_pullback_rsi_low"] == 35.0
    assert {"bias_exit_from", "trend_pullback_reward"} <= found["sell"].keys()
    assert {"admission_max_day_trades", "admission_max_losses"} <= found["protection"].keys()
    results = list((place.userdir / "hyperopt_results").glob("*.fthypt"))
    (epochs,) = [file.read_text(encoding="utf-8").splitlines() for file in results]
    assert len(epochs) == EPOCHS
    trades = {json.loads(epoch)["results_metrics"]["total_trades"] for epoch in epochs}
    assert len(trades) > 1, "the thresholds of an epoch reach its decisions"
    # Its workers and its queue of logs end with it, a moment later.
    wait_until(lambda: not left_running(place))
    expect_the_file_in_force(place, found)


def expect_the_file_in_force(place: Home, found: dict[str, dict[str, float]]) -> None:
    """A backtest takes the values that hyperopt wrote, and makes the trades that it promised."""
    done = place.freqtrade("backtesting", *TESTED)
    assert done.code == 0, done.output[-3000:]
    rules = ledger(place).rules
    assert rules["regime.chop_above"] == found["buy"]["regime_chop_above"]
    assert rules["bias.exit_from"] == found["sell"]["bias_exit_from"]
    assert rules["admission.max_same_side"] == found["protection"]["admission_max_same_side"]
    best = done.output
    assert f"regime_chop_above = {rules['regime.chop_above']}" in best


def test_a_value_of_the_file_moves_the_decisions(place: Home) -> None:
    with_parameters(place, buy={"vetoes_min_confidence": 1.0})
    assert place.freqtrade("backtesting", *TESTED).code == 0
    first, _ = ledger(place).counts()
    assert "ok" not in first
    assert first["veto_conf"] > 0


def test_a_limit_of_the_file_moves_stage_b(place: Home) -> None:
    with_parameters(place, protection={"admission_max_day_trades": 1})
    assert place.freqtrade("backtesting", *TESTED).code == 0
    _, second = ledger(place).counts()
    assert second["veto_daily"] > 0
    days = [trade["open_date"][:10] for trade in place.result()["trades"]]
    assert len(days) == len(set(days)) > 3


def passes(place: Home, pair: str) -> dict[int, str]:
    """Outcomes of the bars of a pair that may trade, by their close."""
    return {row.at: row.outcome for row in ledger(place).rows(pair) if row.code == "ok"}


def test_a_slot_that_went_to_another_pair_in_the_same_candle_was_no_slot(place: Home) -> None:
    """A backtest that begins just before a bar on which two pairs pass has one slot for them."""
    place.config |= {"max_open_trades": 1}
    assert place.freqtrade("backtesting", *TESTED).code == 0
    both = sorted(set.intersection(*(set(passes(place, pair)) for pair in PAIRS)))
    begin = both[-1] // 1000 - 600
    assert place.freqtrade("backtesting", "--timerange", f"{begin}-", *TESTED[2:]).code == 0
    first = min(trade["open_timestamp"] for trade in place.result()["trades"])
    bar = first // BAR_MS * BAR_MS
    assert bar in both
    assert sorted(passes(place, pair)[bar] for pair in PAIRS) == ["filled", "no_slot"]


@pytest.mark.parametrize(
    ("spaces", "said"),
    [
        ({"buy": {"regime_chop_above": 3.0}}, r"regime.chop_above: expected a number from 0 to 1"),
        (
            {"buy": {"bias_block_from": 0.9}, "sell": {"bias_exit_from": 0.5}},
            r"exit_from must not be below block_from",
        ),
    ],
)
def test_a_file_that_cannot_be_used_stops_the_start(
    place: Home, spaces: dict[str, dict[str, float]], said: str
) -> None:
    with_parameters(place, **spaces)
    refusal = place.freqtrade("backtesting", *TESTED).refusal()
    assert said in refusal
