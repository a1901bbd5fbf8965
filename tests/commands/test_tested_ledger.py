"""The ledger of a backtest beside freqtrade's own result: every bar, every trade, and words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from commands.freqtrade_commands import PAIRS, TESTED, Home

from hydra_ft.cli.main import main
from hydra_ft.store.tested import FOLDER, TestedLedger

if TYPE_CHECKING:
    from hydra_ft.store.decisions import DecisionRow

pytestmark = pytest.mark.e2e
BAR_MS = 300_000

CHASES = pytest.mark.parametrize("tested", [True, False], ids=["chased", "plain"], indirect=True)


@pytest.fixture(scope="module")
def tested(
    downloaded: Home, request: pytest.FixtureRequest
) -> tuple[Home, dict[str, Any], TestedLedger]:
    """A home after a backtest, freqtrade's result and Hydra's ledger."""
    config = downloaded.config | {"hydra": {"chase": {"backtest": request.param}}}
    home = Home(downloaded.folder, downloaded.commands, config)
    done = home.freqtrade("backtesting", *TESTED)
    assert done.code == 0, done.output
    assert "Traceback" not in done.output
    return home, home.result(), TestedLedger(home.userdir.joinpath(*FOLDER))


def entered(ledger: TestedLedger) -> dict[tuple[str, int], DecisionRow]:
    """Rows of bars that may trade, by pair and close."""
    return {(pair, row.at): row for pair in PAIRS for row in ledger.rows(pair) if row.code == "ok"}


@CHASES
def test_both_stages_add_up(tested: tuple[Home, dict[str, Any], TestedLedger]) -> None:
    """F5, P6: evaluations are passes and first reasons; passes are fills and second reasons."""
    _, result, ledger = tested
    first, second = ledger.counts()
    assert sum(row.bars for pair in PAIRS for row in ledger.rows(pair)) == sum(first.values())
    assert sum(second.values()) == first["ok"]
    assert second["filled"] == result["total_trades"]
    assert second["in_trade"] > 0
    pending = second.get("", 0)
    assert pending <= len(PAIRS)


@CHASES
def test_every_trade_is_a_filled_pass_with_its_signal_and_side(
    tested: tuple[Home, dict[str, Any], TestedLedger],
) -> None:
    _, result, ledger = tested
    passes = entered(ledger)
    first_tries = 0
    for trade in result["trades"]:
        row = passes[trade["pair"], trade["open_timestamp"] // BAR_MS * BAR_MS]
        first_tries += row.outcome == "filled"
        signal, regime, bias = trade["enter_tag"].split("|")[:3]
        assert (row.signal, row.regime, row.bias) == (signal, regime, bias)
        assert row.side == ("short" if trade["is_short"] else "long")
    assert first_tries == result["total_trades"]


@CHASES
def test_while_a_trade_is_open_its_passes_say_so(
    tested: tuple[Home, dict[str, Any], TestedLedger],
) -> None:
    _, result, ledger = tested
    held = 0
    for (pair, at), row in entered(ledger).items():
        inside = [
            trade
            for trade in result["trades"]
            if trade["pair"] == pair and trade["open_timestamp"] < at < trade["close_timestamp"]
        ]
        if inside:
            assert row.outcome == "in_trade", row
            held += 1
    assert held > 0


@CHASES
def test_why_tells_it_in_words(
    tested: tuple[Home, dict[str, Any], TestedLedger], capsys: pytest.CaptureFixture[str]
) -> None:
    home, result, ledger = tested
    first, _ = ledger.counts()
    place = ("--userdir", str(home.userdir), "--config", str(home.write()))
    assert main(["why", "--summary", "--backtest", *place]) == 0
    said = capsys.readouterr().out.replace(",", "")
    assert str(sum(first.values())) in said
    assert str(result["total_trades"]) in said
    assert main(["why", PAIRS[0], "--backtest", *place]) == 0
    assert PAIRS[0] in capsys.readouterr().out
