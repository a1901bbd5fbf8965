"""Lost days and drawdowns of a live bot: what is closed, what pauses, and that all of it ends."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from e2e.commands import rpc
from e2e.plan import PLAN
from e2e.planned import TERMS, bars, outcomes
from e2e.rig import BTC, ETH, Rig
from e2e.test_limits import decide, limited, lose_trade, open_trade, reserved
from freqtrade.persistence import PairLocks

from hydra_ft.adapter.strategy import HydraStrategy
from hydra_ft.risk.policy import LimitRules, SizingRules
from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hydra_ft.adapter.sizes.book import Account

    Rigged = Callable[..., Rig]

__all__ = ["limited"]
pytestmark = [pytest.mark.e2e, pytest.mark.ci]
BOLD = SizingRules(risk_per_trade=0.006, max_stake_share=1.0)
MARKET = {**HydraStrategy.order_types, "exit": "market", "stoploss": "market"}
ON_EXCHANGE = {**HydraStrategy.order_types, "stoploss_on_exchange": True, "stoploss": "market"}
CROSSING = {"price_side": "other", "use_order_book": True, "order_book_top": 1}
UNCHASED = {"bot_name": "test", "chase": {"enabled": False}}
WIDE: dict[str, Any] = {"max_var": 1.0, "max_cvar": 1.0}
LOSING = LimitRules(day_loss=0.006, max_open_risk=0.006, day_flatten_loss=0.0, **WIDE)
CLOSING = LimitRules(day_loss=0.012, max_open_risk=0.012, day_flatten_loss=0.012, **WIDE)


def account(rig: Rig) -> Account:
    """What the bot judges by."""
    strategy = rig.bot.strategy
    assert strategy.risk is not None
    return strategy.account_now(strategy.risk, int(rig.clock_now().timestamp() * 1000))


def locks() -> list[str]:
    return [str(lock.reason).split(":")[0] for lock in PairLocks.get_pair_locks("*")]


def sleep(rig: Rig, **how: float) -> None:
    """Let the time pass without a loop, as it does for a bot that is switched off."""
    rig.clock.shift(timedelta(**how))
    rig.step(1, times=2)


def lose_day(rig: Rig) -> None:
    while not locks() and len(rig.closed()) < 5:
        lose_trade(rig)
        bars(rig, 2)
    assert locks() == ["hydra risk veto_day_loss"]


def asked(rig: Rig, side: Side = Side.LONG) -> str:
    """What becomes of the next entry in ETH that stage A lets pass."""
    before = len(outcomes(rig, ETH))
    for _ in range(5):
        decide(rig, side, ETH)
        if len(outcomes(rig, ETH)) > before:
            break
    return outcomes(rig, ETH)[-1]


@pytest.mark.parametrize("side", list(Side))
def test_at_its_limit_a_day_closes_everything_and_says_why(
    limited: Rigged, caplog: pytest.LogCaptureFixture, side: Side
) -> None:
    rig = limited(CLOSING, BOLD)
    open_trade(rig, side, ETH)
    open_trade(rig, side)
    rig.move(-side.sign * 0.15 * rig.bid)
    rig.until(lambda: not rig.position() and not rig.position(ETH), limit=40)
    rig.step(1, times=2)
    assert [trade.exit_reason for trade in rig.closed(ETH)] == ["day_loss"]
    assert "All positions are closed." in caplog.text
    assert locks() == ["hydra risk veto_day_loss"]
    assert rig.server.control.state()["open_orders"] == []
    rig.check_books()
    assert asked(rig, side) == "veto_day_loss"


@pytest.mark.parametrize(
    "how",
    [
        {"hydra": UNCHASED, "order_types": MARKET, "exit_pricing": CROSSING},
        {"order_types": ON_EXCHANGE},
    ],
    ids=["without the chase", "with stops on the exchange"],
)
def test_a_day_is_closed_however_orders_and_stops_are_placed(
    limited: Rigged, how: dict[str, Any]
) -> None:
    rig = limited(CLOSING, BOLD, **how)
    open_trade(rig, Side.LONG, ETH)
    open_trade(rig)
    rig.move(-0.15 * rig.bid)
    rig.until(lambda: not rig.position() and not rig.position(ETH), seconds=5, limit=60)
    rig.step(1, times=2)
    assert [trade.exit_reason for trade in rig.closed(ETH)] == ["day_loss"]
    assert rig.stops() == rig.stops(ETH) == []


def test_a_day_is_closed_also_by_a_bot_that_was_started_anew(limited: Rigged) -> None:
    rig = limited(CLOSING, BOLD)
    open_trade(rig, Side.LONG, ETH)
    open_trade(rig)
    rig.move(-0.15 * rig.bid)
    rig.restart()
    rig.until(lambda: not rig.position(ETH), limit=40)
    rig.step(1, times=2)
    assert [trade.exit_reason for trade in rig.closed(ETH)] == ["day_loss"]


def test_what_the_operator_opens_after_a_lost_day_is_left_to_him(limited: Rigged) -> None:
    rig = limited(CLOSING, BOLD, force_entry_enable=True)
    open_trade(rig, Side.LONG, ETH)
    open_trade(rig)
    rig.move(-0.15 * rig.bid)
    rig.until(lambda: not rig.position() and not rig.position(ETH), limit=40)
    rig.step(1, times=2)
    for lock in PairLocks.get_pair_locks(None):
        rpc(rig)._rpc_delete_lock(lockid=lock.id)
    rpc(rig)._rpc_force_entry(ETH, 4_500.0, order_side="long")
    rig.step(12, times=4)
    assert rig.position(ETH) > 0
    assert rig.working_orders(ETH) == []


def test_after_a_lost_day_entries_come_again(limited: Rigged) -> None:
    """F-A22: when the pause has ended and the next day begun, not later and not earlier."""
    rig = limited(LOSING, BOLD)
    lose_day(rig)
    (lock,) = PairLocks.get_pair_locks("*")
    assert timedelta(hours=3.9) < lock.lock_end_time_utc - rig.clock_now() < timedelta(hours=4.1)
    sleep(rig, hours=5)
    assert locks() == []
    assert asked(rig) == "veto_day_loss"
    sleep(rig, hours=8)
    assert asked(rig) == "working"
    assert locks() == []


def test_neither_a_restart_nor_unlock_makes_a_pause_longer(limited: Rigged) -> None:
    rig = limited(LOSING, BOLD)
    lose_day(rig)
    (first,) = PairLocks.get_pair_locks("*")
    end = first.lock_end_time_utc
    sleep(rig, minutes=10)
    rig.restart()
    rig.step(12, times=3)
    (same,) = PairLocks.get_pair_locks("*")
    assert same.lock_end_time_utc == end
    rpc(rig)._rpc_delete_lock(lockid=same.id)
    rig.step(12, times=3)
    assert locks() == []
    assert asked(rig) == "veto_day_loss"
    assert locks() == []


def test_losses_streak_peak_and_pauses_are_the_same_after_a_restart(limited: Rigged) -> None:
    rig = limited(LOSING, BOLD)
    lose_day(rig)
    before = account(rig)
    assert before.losses == len(rig.closed()) > 0
    assert before.book.closed_today_quote < -0.006 * before.book.day_equity_quote
    assert before.drawdown.peak_quote > before.book.equity_quote
    assert len(before.kept) == 1
    rig.restart()
    after = account(rig)
    assert (after.losses, after.kept) == (before.losses, before.kept)
    assert after.book.closed_today_quote == pytest.approx(before.book.closed_today_quote)
    assert after.book.day_equity_quote == pytest.approx(before.book.day_equity_quote)
    assert after.drawdown.peak_quote == pytest.approx(before.drawdown.peak_quote)
    assert after.paused == before.paused


def test_a_drawdown_pauses_once_survives_a_restart_and_ends(limited: Rigged) -> None:
    rules = LimitRules(
        day_loss=0.4, max_open_risk=0.01, day_flatten_loss=0.0, max_drawdown=0.012, **WIDE
    )
    rig = limited(rules, SizingRules(risk_per_trade=0.01, max_stake_share=1.0))
    while not locks() and len(rig.closed()) < 12:
        lose_trade(rig)
        bars(rig, 2)
    assert locks() == ["hydra risk veto_drawdown"]
    (lock,) = PairLocks.get_pair_locks("*")
    end = lock.lock_end_time_utc
    sleep(rig, hours=20)
    rig.restart()
    rig.step(12, times=2)
    assert [one.lock_end_time_utc for one in PairLocks.get_pair_locks("*")] == [end]
    sleep(rig, hours=5)
    assert locks() == []
    assert asked(rig) == "working"


def test_after_the_pause_of_an_open_drawdown_sizes_come_from_the_new_peak(limited: Rigged) -> None:
    """Also where the loss goes on to be open, or was closed at less than the limit."""
    day = {"day_loss": 0.4, "max_open_risk": 0.02, "day_flatten_loss": 0.0}
    rig = limited(LimitRules(max_drawdown=0.005, **day, **WIDE), SizingRules(risk_per_trade=0.01))
    first = account(rig).equity_quote
    open_trade(rig)
    rig.move(-0.008 * rig.bid)
    rig.step(11, times=3)
    assert locks() == ["hydra risk veto_drawdown"]
    sleep(rig, hours=25)
    rig.step(11, times=3)
    assert locks() == []
    now = account(rig)
    assert [pause.kind for pause in now.kept] == ["drawdown"]
    assert now.own_peak_quote < 0.996 * first
    assert asked(rig) == "working"


@contextmanager
def unreachable(rig: Rig) -> Iterator[None]:
    """Take a table away for a while: every statement that wants it fails at once."""
    with sqlite3.connect(rig.folder / "user_data" / "hydra.sqlite") as connection:
        connection.execute("ALTER TABLE hydra_bots RENAME TO gone")
    yield
    with sqlite3.connect(rig.folder / "user_data" / "hydra.sqlite") as connection:
        connection.execute("ALTER TABLE gone RENAME TO hydra_bots")


def test_where_other_bots_cannot_be_seen_nothing_is_entered_and_everything_may_leave(
    limited: Rigged,
) -> None:
    rig = limited()
    open_trade(rig)
    with unreachable(rig):
        decide(rig, Side.LONG, ETH)
        assert rig.working_orders(ETH) == []
        rig.move(-0.03 * rig.bid)
        rig.until(lambda: not rig.position(), limit=20)
    assert outcomes(rig, ETH) == ["adapter_error"]
    assert asked(rig) == "working"


def test_an_entry_between_two_children_keeps_its_room(limited: Rigged) -> None:
    """Freqtrade has no trade of it then; the pair that is asked first meets that loop."""
    chase = {"min_requote_interval_s": 1.0, "deadline_s": 900, "max_requotes": 500}
    hydra: dict[str, Any] = {"bot_name": "test", "chase": {"entry": chase}}
    hydra["requotes_per_minute"] = 1000
    rig = limited(
        LimitRules(max_correlated_share=0.05, correlation_from=0.0, day_flatten_loss=0.0),
        pairs=(ETH, BTC),
        hydra=hydra,
    )
    decide(rig)
    (kept,) = reserved(rig)
    PLAN.enter[ETH] = PLAN.enter[BTC] = Side.LONG
    for _ in range(30):
        rig.move(0.5)
        rig.step(5)
        assert [(row.pair, row.notional) for row in reserved(rig)] == [(BTC, kept.notional)]
    (chased,) = [parent for parent in rig.parents() if parent.pair == BTC]
    assert chased.requotes > 10
    assert set(outcomes(rig, ETH)) == {"veto_corr"}


def test_the_terms_of_these_tests_are_those_of_their_bot(limited: Rigged) -> None:
    rig = limited(CLOSING, BOLD)
    assert rig.bot.strategy.risk_in_force == TERMS.risk
