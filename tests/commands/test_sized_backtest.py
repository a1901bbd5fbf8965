"""A backtest under Hydra sizing: what each trade may lose, and what its stake follows from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from commands.freqtrade_commands import TESTED, Home

from hydra_ft.store.tested import FOLDER, TestedLedger

if TYPE_CHECKING:
    from hydra_ft.store.decisions import DecisionRow

pytestmark = pytest.mark.e2e
BAR_MS = 300_000
RISK, FEE, NOTIONAL = 0.005, 0.001, 1.0
MOST = 1.5
"""Greatest product of the factors that raise a risk."""


def backtest(downloaded: Home, **hydra: Any) -> tuple[dict[str, Any], TestedLedger, str]:
    config = downloaded.config | {"hydra": hydra}
    home = Home(downloaded.folder, downloaded.commands, config)
    done = home.freqtrade("backtesting", *TESTED)
    assert done.code == 0, done.output
    assert "Traceback" not in done.output, done.output
    return home.result(), TestedLedger(home.userdir.joinpath(*FOLDER)), done.output


def decided(ledger: TestedLedger, trade: dict[str, Any]) -> DecisionRow:
    row = ledger.covering(trade["pair"], trade["open_timestamp"] // BAR_MS * BAR_MS)
    assert row is not None
    assert row.code == "ok"
    return row


@pytest.mark.parametrize("chases", [True, False], ids=["chased", "plain"])
def test_no_trade_risks_more_at_its_stop_than_the_policy_allows(
    downloaded: Home, *, chases: bool
) -> None:
    """X5: stop and fees times the position, against the equity at the entry."""
    result, ledger, _ = backtest(downloaded, chase={"backtest": chases})
    trades = sorted(result["trades"], key=lambda trade: trade["open_timestamp"])
    assert trades
    shares = []
    for trade in trades:
        before = [t for t in trades if t["close_timestamp"] <= trade["open_timestamp"]]
        equity = result["starting_balance"] + sum(t["profit_abs"] for t in before)
        stop = decided(ledger, trade).stop
        assert stop is not None
        notional = trade["stake_amount"] * trade["leverage"]
        shares.append(notional * (stop + FEE) / equity)
        assert shares[-1] <= RISK * MOST * 1.02
        assert notional <= NOTIONAL * equity * 1.02
    assert len({round(share, 6) for share in shares}) > 1


def test_switched_off_the_stakes_are_freqtrades_own(downloaded: Home) -> None:
    result, _, _ = backtest(downloaded, risk={"enabled": False})
    stakes = {round(trade["stake_amount"]) for trade in result["trades"]}
    assert stakes
    assert {trade["leverage"] for trade in result["trades"]} == {1.0}


def test_the_ledger_adds_up_with_the_reasons_of_sizes_and_limits(downloaded: Home) -> None:
    result, ledger, _ = backtest(downloaded)
    first, second = ledger.counts()
    assert sum(second.values()) == first["ok"]
    assert second["filled"] == result["total_trades"]
    assert "adapter_error" not in second
