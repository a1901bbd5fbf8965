"""What is open is judged by prices of this moment, also where nothing is ordered."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
from e2e.planned import TERMS, outcomes, why
from e2e.rig import BTC, ETH, Rig
from e2e.test_limits import decide, open_trade
from freqtrade.persistence import PairLocks

from hydra_ft.risk.policy import LimitRules, RiskPolicy
from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.e2e
WIDE = LimitRules(day_loss=0.02, day_flatten_loss=0.0)


@pytest.fixture
def rig(rigged: Callable[..., Rig]) -> Rig:
    TERMS.clear()
    TERMS.risk = RiskPolicy(limits=WIDE)
    return rigged(head="SizedHead", pairs=(BTC, ETH))


def price(rig: Rig) -> float:
    return float(rig.bot.strategy.price_now(BTC, int(rig.clock_now().timestamp() * 1e3)))


def test_a_position_counts_at_the_price_of_this_loop(rig: Rig) -> None:
    open_trade(rig)
    rig.step(61)
    rig.move(-0.006 * rig.bid)
    rig.step(1, times=2)
    assert rig.working_orders() == []
    assert price(rig) == pytest.approx(rig.bid, rel=1e-4)


def test_after_a_restart_a_position_has_a_price_before_anything_is_analysed(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    open_trade(rig)
    rig.move(-0.006 * rig.bid)
    rig.restart()
    assert price(rig) == pytest.approx(rig.bid, rel=1e-4)
    rig.step(1)
    assert "look_at_risk failed" not in caplog.text
    assert PairLocks.get_pair_locks("*") == []


def test_an_entry_beside_a_position_without_a_price_says_so_wherever_it_is_looked_for(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    open_trade(rig)
    rig.bot.strategy.price_now = lambda *_: float("nan")
    decide(rig, Side.LONG, ETH)
    assert outcomes(rig, ETH) == ["account_unknown"]
    assert f"of {BTC} is known now" in why(rig, capsys, "--size", ETH)
    with pytest.raises(AssertionError):
        why(rig, capsys, "--size", "DOGE")
    assert "of which an entry was sized or refused a size, was 'DOGE'" in capsys.readouterr().err


def test_a_trade_that_closes_while_prices_are_read_counts_once(rig: Rig) -> None:
    open_trade(rig)
    strategy = rig.bot.strategy
    assert len(strategy.own_books(strategy.risk, 0).holdings) == 1
    over = "UPDATE trades SET is_open = 0, close_profit_abs = -5, close_date = open_date"

    def closing(*_: object) -> float:
        with sqlite3.connect(rig.folder / "trades.sqlite") as connection:
            connection.execute(over)
        return float(rig.bid)

    strategy.price_now = closing
    own = strategy.own_books(strategy.risk, int(rig.clock_now().timestamp() * 1e3))
    assert ([one.profit_quote for one in own.closed], own.holdings) == ([-5], [])


def test_a_price_that_cannot_be_read_refuses_entries_and_pauses_nothing(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    open_trade(rig)
    strategy = rig.bot.strategy
    strategy.price_now = lambda *_: float("nan")
    rig.step(11, times=6)
    now = int(rig.clock_now().timestamp() * 1e3)
    assert "failed for" not in caplog.text
    assert strategy.limit_verdict(ETH, Side.LONG, now).codes
    assert PairLocks.get_pair_locks("*") == []
    del strategy.price_now
    rig.step(11)
    assert strategy.limit_verdict(ETH, Side.LONG, now).codes == ()
