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
    last = {pair: max(row.until for row in ledger.rows(pair)) for pair in PAIRS}
    for (pair, at), row in entered(ledger).items():
        assert row.outcome or at >= last[pair] - BAR_MS, "freqtrade asks of all but the last two"


@CHASES
def test_the_ledger_begins_with_the_first_tested_candle(
    tested: tuple[Home, dict[str, Any], TestedLedger],
) -> None:
    """What the candles of the warm-up would have decided is no part of the backtest."""
    _, result, ledger = tested
    for pair in PAIRS:
        rows = ledger.rows(pair)
        assert rows[0].at == result["backtest_start_ts"] + BAR_MS
        assert sum(row.bars for row in rows) == (rows[-1].until - rows[0].at) // BAR_MS + 1
        assert not any(row.code == "warmup" for row in rows)


def test_a_ledger_that_cannot_be_written_stops_the_backtest_in_words(home: Home) -> None:
    (home.userdir / "hydra").write_text("in the way", encoding="utf-8")
    refusal = home.freqtrade("backtesting", *TESTED).refusal()
    assert "expected a folder that can be written" in refusal


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
