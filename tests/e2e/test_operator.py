"""What the operator orders, cancels or deletes is not undone by the chase."""

from __future__ import annotations

import threading
from contextlib import suppress

import ccxt
import pytest
from e2e.rig import BTC, TICK, Rig
from e2e.test_entries import part
from e2e.test_exits import leave
from freqtrade.enums import SignalDirection, State
from freqtrade.rpc import RPCException

from hydra_ft.types import Side

pytestmark = pytest.mark.e2e


def cancel_on_the_exchange(rig: Rig) -> None:
    rig.bot.exchange._api.cancel_order(str(rig.working()["orderId"]), BTC)


def cancel_by_command(rig: Rig) -> None:
    rig.bot.rpc._rpc._rpc_cancel_open_order(rig.trade().id)


def force_exit(rig: Rig) -> None:
    # Freqtrade cancels the entry, and then says that there is nothing to exit.
    with suppress(RPCException):
        rig.bot.rpc._rpc._rpc_force_exit(str(rig.trade().id))


@pytest.mark.parametrize("rested", [0, 2, 10], ids=lambda s: f"{s} s after it was sent")
@pytest.mark.parametrize("act", [cancel_on_the_exchange, cancel_by_command, force_exit])
def test_an_entry_that_the_operator_ends_does_not_come_back(rig: Rig, act, rested: int) -> None:
    rig.enter()
    rig.step(1, times=rested)
    act(rig)
    rig.step(1, times=20)
    assert rig.working_orders() == []
    assert rig.parents()[0].end_reason == "cancelled_elsewhere"
    rig.check_books()


@pytest.mark.parametrize("rested", [2, 10])
def test_a_part_filled_entry_that_the_operator_cancels_is_not_completed(
    rig: Rig, rested: int
) -> None:
    target = rig.enter()
    rig.fill(part(target, 0.5))
    rig.step(1, times=rested)
    cancel_on_the_exchange(rig)
    rig.step(1, times=20)
    assert rig.working_orders() == []
    assert rig.position() == part(target, 0.5)
    rig.check_books()


def test_a_trade_that_is_deleted_is_not_ordered_again(rig: Rig) -> None:
    target = rig.enter()
    rig.fill(part(target, 0.5))
    rig.step(1, times=2)
    rig.bot.rpc._rpc._rpc_delete(rig.trade().id)
    rig.step(1, times=20)
    assert rig.working_orders() == []
    assert rig.parents()[0].end_reason == "cancelled_elsewhere"


def test_an_operators_entry_price_is_kept(rig: Rig) -> None:
    rig.bot.config["force_entry_enable"] = True
    wanted = round(rig.bid * 0.95, 1)
    rig.bot.rpc._rpc._rpc_force_entry(
        BTC, wanted, order_type="limit", order_side=SignalDirection.LONG
    )
    assert rig.price() == pytest.approx(wanted, abs=TICK / 2)
    rig.step(5, times=30)
    assert rig.price() == pytest.approx(wanted, abs=TICK / 2)
    assert rig.parents() == []


def test_an_operators_exit_price_is_kept(rig: Rig) -> None:
    rig.hold()
    wanted = round(rig.bid * 1.01, 1)
    rig.bot.rpc._rpc._rpc_force_exit(str(rig.trade().id), "limit", price=wanted)
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
        rig.bot.rpc._rpc._rpc_force_exit(str(rig.trade().id), "limit", price=rig.bid * 1.01)
    rig.until(rig.working_orders, limit=10)
    rig.fill(rig.quantity())
    rig.step(1, times=3)
    assert rig.position() == 0
    rig.check_books()


def test_a_paused_bot_sends_nothing_and_asks_nothing(rig: Rig) -> None:
    target = rig.enter()
    rig.fill(part(target, 0.3))
    rig.move(5)
    rig.bot.state = State.PAUSED
    rig.step(5, times=2)
    asked = rig.server.requests[("GET", "/fapi/v1/allOrders")]
    rig.step(1, times=20)
    assert rig.server.requests[("GET", "/fapi/v1/allOrders")] == asked
    assert rig.working_orders() == []
    rig.bot.state = State.RUNNING
    rig.until(rig.working_orders, limit=10)
    assert rig.quantity() == pytest.approx(target - part(target, 0.3), abs=1e-12)


def test_a_command_in_another_thread_is_not_taken_for_a_lost_order(rig: Rig) -> None:
    """Between the exchange's answer and freqtrade's commit the loop must not act."""
    rig.hold()
    strategy, parent = rig.bot.strategy, rig.parents()[0]

    def look() -> int:
        strategy._rounds.begin(int(rig.clock_now().timestamp() * 1000))
        return rig.server.requests[("GET", "/fapi/v1/allOrders")]

    now = int(rig.clock_now().timestamp() * 1000)
    noting = threading.Thread(target=strategy._desk.book.send, args=(parent, 0.01, 1.0, now))
    asked = look()
    noting.start()
    noting.join()
    assert look() == asked
    rig.clock.shift(31)
    assert look() == asked + 1


def test_an_entry_of_the_other_side_needs_a_decision_of_its_own(rig: Rig) -> None:
    rig.enter(Side.LONG)
    allowed = rig.bot.strategy.confirm_trade_entry(
        pair=BTC,
        order_type="limit",
        amount=0.01,
        rate=rig.ask,
        time_in_force="GTC",
        current_time=rig.clock_now(),
        entry_tag="standing",
        side="short",
    )
    assert allowed is False
