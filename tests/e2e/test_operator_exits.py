"""What the operator does to an exit is not undone by the chase, and ends it by name."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import ccxt
import pytest
from e2e.commands import (
    PART,
    cancel_by_command,
    cancel_on_the_exchange,
    close_on_the_exchange,
    delete,
    ending,
    force_exit,
    force_exit_at_a_price,
    force_exit_at_market,
    force_exit_of_a_part,
    force_exit_of_a_part_at_market,
    force_exit_of_all,
    rpc,
    sent,
)
from e2e.plan import PLAN
from e2e.rig import BTC, TICK, Rig
from e2e.test_entries import part
from e2e.test_exits import leave

from hydra_ft.execution.lifecycle import End
from hydra_ft.types import Kind, Side

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.e2e, pytest.mark.ci]
TARGET = 0.07
"""BTC that the rig's stake buys."""


@pytest.fixture
def rig(rigged: Callable[..., Rig]) -> Rig:
    """Build a bot that compares books and exchange every few seconds."""
    return rigged(hydra={"bot_name": "test", "reconcile_interval_s": 5})


def begin(rig: Rig, share: float) -> None:
    """Hold a position whose exit is being chased, a part of it filled."""
    assert rig.hold() == TARGET
    leave(rig, Side.LONG)
    rig.step(1, times=2)
    if share:
        rig.fill(part(TARGET, share))
        rig.step(1)


@pytest.mark.parametrize(
    ("act", "share", "ends", "leaves"),
    [
        (cancel_on_the_exchange, 0.4, End.CANCELLED_ELSEWHERE, TARGET),
        (cancel_by_command, 0.0, End.CANCELLED_ELSEWHERE, TARGET),
        (cancel_by_command, 0.4, End.CANCELLED_ELSEWHERE, TARGET),
        (force_exit, 0.0, End.FILLED, 0.0),
        (force_exit_of_all, 0.4, End.FILLED, 0.0),
        (force_exit_at_market, 0.4, End.OPERATOR, 0.0),
        (force_exit_at_a_price, 0.0, End.OPERATOR, TARGET),
        (force_exit_at_a_price, 0.4, End.OPERATOR, TARGET),
        (force_exit_of_a_part, 0.4, End.OPERATOR, TARGET - PART),
        (force_exit_of_a_part_at_market, 0.0, End.OPERATOR, TARGET - PART),
        (delete, 0.4, End.CANCELLED_ELSEWHERE, TARGET),
        (close_on_the_exchange, 0.0, End.CLOSED_ELSEWHERE, 0.0),
        (close_on_the_exchange, 0.4, End.CLOSED_ELSEWHERE, 0.0),
    ],
)
def test_a_command_ends_an_exit(rig: Rig, act, share: float, ends: End, leaves: float) -> None:
    """No command sends more than its own order, and none of the chase follows it."""
    begin(rig, share)
    before = sent(rig)
    act(rig)
    ordered = sent(rig) - before
    assert ordered == (act not in {cancel_on_the_exchange, cancel_by_command, delete})
    rig.move(-5)
    rig.step(1, times=12)
    assert sent(rig) - before == ordered
    kept = max(0.0, leaves - part(TARGET, share))
    assert rig.position() == pytest.approx(kept, abs=1e-12)
    assert ending(rig, Kind.EXIT) == ends
    if act is not delete:  # Its position is the operator's from now on.
        rig.check_books()


def test_an_exit_that_was_cancelled_waits_for_the_decision_of_another_bar(rig: Rig) -> None:
    """Freqtrade alone exits again at once while the signal stands."""
    rig.hold()
    PLAN.enter.clear()
    PLAN.leave[BTC] = Side.LONG
    rig.until(rig.working_orders, seconds=5, limit=15)
    rig.step(2)
    cancel_by_command(rig)
    before, bar = sent(rig), rig.clock_now().minute
    while rig.clock_now().minute == bar:
        assert sent(rig) == before
        rig.step(2)
    rig.until(rig.working_orders, limit=10)
    assert ending(rig, Kind.EXIT) == ""
    rig.fill(rig.quantity())
    rig.step(1, times=3)
    assert rig.position() == 0
    rig.check_books()


def test_a_stop_comes_at_once_after_an_exit_that_was_cancelled(rig: Rig) -> None:
    begin(rig, 0.0)
    cancel_by_command(rig)
    rig.step(1, times=3)
    rig.move(-0.03 * rig.bid)
    rig.step(1, times=3)
    assert rig.position() == 0
    assert rig.closed()[0].exit_reason == "stop_loss"
    rig.check_books()


def test_a_stop_that_is_cancelled_comes_back_while_it_is_hit(rig: Rig) -> None:
    """As freqtrade alone: a stop is a rule of the trade, not a chase that was stopped."""
    rig.hold()
    PLAN.enter.clear()
    rig.move(-0.03 * rig.bid, size=0.01)
    rig.until(rig.working_orders, limit=5)
    cancel_by_command(rig)
    rig.move(0)
    rig.step(1, times=5)
    assert rig.position() == 0
    rig.check_books()


def test_an_exit_whose_child_expired_goes_on(rig: Rig) -> None:
    """The exchange ended it, not a person."""
    begin(rig, 0.4)
    order = rig.working()["orderId"]
    fetch = rig.bot.exchange.fetch_order
    cancel_on_the_exchange(rig)

    def expired(order_id: str, pair: str, params: dict | None = None) -> dict:
        answer = fetch(order_id, pair, params)
        return answer | {"status": "expired"} if order_id == str(order) else answer

    rig.bot.exchange.fetch_order = expired
    rig.until(rig.working_orders, limit=20)
    rig.fill(rig.quantity())
    rig.step(1, times=3)
    assert rig.position() == 0
    assert ending(rig, Kind.EXIT) == End.FILLED
    rig.check_books()


def test_reloading_a_trade_does_not_disturb_its_exit(rig: Rig) -> None:
    begin(rig, 0.4)
    rpc(rig)._rpc_reload_trade_from_exchange(rig.trade().id)
    rig.move(-5)
    rig.step(5, times=2)
    assert rig.price() == rig.ask
    rig.fill(rig.quantity())
    rig.step(1, times=3)
    assert rig.position() == 0
    assert ending(rig, Kind.EXIT) == End.FILLED
    rig.check_books()


def test_a_lock_of_the_pair_does_not_hold_up_an_exit(rig: Rig) -> None:
    begin(rig, 0.0)
    rpc(rig)._rpc_add_lock(BTC, rig.clock_now(minutes=10), "by hand", "*")
    rig.move(-5)
    rig.step(5, times=2)
    assert rig.price() == rig.ask
    rig.fill(rig.quantity())
    rig.step(1, times=3)
    assert ending(rig, Kind.EXIT) == End.FILLED
    rig.check_books()


def test_an_operators_exit_price_is_kept(rig: Rig) -> None:
    rig.hold()
    wanted = round(rig.bid * 1.01, 1)
    rpc(rig)._rpc_force_exit(str(rig.trade().id), "limit", price=wanted)
    rig.step(5, times=15)
    assert rig.price() == pytest.approx(wanted, abs=TICK / 2)


def test_an_operators_exit_that_is_rejected_does_not_end_the_exit_that_runs(rig: Rig) -> None:
    rig.hold()
    leave(rig, Side.LONG)
    api = rig.bot.exchange._api
    create = api.create_order

    def rejected(*_: object, **__: object) -> None:
        api.create_order = create
        raise ccxt.InvalidOrder("rejected by the exchange")

    api.create_order = rejected
    with suppress(Exception):
        rpc(rig)._rpc_force_exit(str(rig.trade().id), "limit", price=rig.bid * 1.01)
    rig.until(rig.working_orders, limit=10)
    rig.fill(rig.quantity())
    rig.step(1, times=3)
    assert rig.position() == 0
    rig.check_books()
