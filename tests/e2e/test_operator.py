"""What the operator does to an entry is not undone by the chase, and ends it by name."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from e2e.commands import (
    cancel_by_command,
    cancel_on_the_exchange,
    close_on_the_exchange,
    delete,
    ending,
    force_entry,
    force_exit,
    force_exit_at_a_price,
    force_exit_at_market,
    force_exit_of_a_part,
    force_exit_of_all,
    rpc,
    sent,
)
from e2e.rig import BTC, TICK, Rig
from e2e.test_entries import part
from freqtrade.rpc import RPCException

from hydra_ft.execution.lifecycle import End
from hydra_ft.types import Kind, Side

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.e2e, pytest.mark.ci]


@pytest.fixture
def rig(rigged: Callable[..., Rig]) -> Rig:
    """Build a bot that compares books and exchange every few seconds."""
    return rigged(hydra={"bot_name": "test", "reconcile_interval_s": 5})


@pytest.mark.parametrize("rested", [0, 2, 10], ids=lambda s: f"{s} s after it was sent")
@pytest.mark.parametrize("act", [cancel_on_the_exchange, cancel_by_command, force_exit, delete])
def test_an_entry_that_the_operator_ends_does_not_come_back(rig: Rig, act, rested: int) -> None:
    rig.enter()
    rig.step(1, times=rested)
    act(rig)
    rig.step(1, times=12)
    assert rig.working_orders() == []
    assert rig.parents()[0].end_reason == End.CANCELLED_ELSEWHERE
    rig.check_books()


@pytest.mark.parametrize("rested", [2, 10])
def test_a_part_filled_entry_that_the_operator_cancels_is_not_completed(
    rig: Rig, rested: int
) -> None:
    target = rig.enter()
    rig.fill(part(target, 0.5))
    rig.step(1, times=rested)
    cancel_on_the_exchange(rig)
    rig.step(1, times=12)
    assert rig.working_orders() == []
    assert rig.position() == part(target, 0.5)
    rig.check_books()


@pytest.mark.parametrize(
    ("act", "ends", "kept"),
    [
        (cancel_by_command, End.CANCELLED_ELSEWHERE, 0.035),
        (force_exit, End.EXIT, 0.0),
        (force_exit_of_all, End.EXIT, 0.0),
        (force_exit_at_market, End.EXIT, 0.0),
        (force_exit_at_a_price, End.EXIT, 0.035),
        (force_exit_of_a_part, End.CANCELLED_ELSEWHERE, 0.015),
        (delete, End.CANCELLED_ELSEWHERE, 0.035),
    ],
)
def test_a_command_ends_a_part_filled_entry(rig: Rig, act, ends: End, kept: float) -> None:
    """At 0.035 of 0.070 BTC; no command sends more than its own order."""
    target = rig.enter()
    rig.fill(part(target, 0.5))
    rig.step(1, times=2)
    before = sent(rig)
    act(rig)
    ordered = sent(rig) - before
    rig.move(5)
    rig.step(1, times=12)
    assert sent(rig) - before == ordered
    assert rig.position() == pytest.approx(kept, abs=1e-12)
    assert ending(rig, Kind.ENTRY) == ends
    if act is not delete:  # Its position is the operator's from now on.
        rig.check_books()


def test_an_operators_entry_price_is_kept(rig: Rig) -> None:
    wanted = round(rig.bid * 0.95, 1)
    force_entry(rig, Side.LONG, price=wanted, order_type="limit")
    assert rig.price() == pytest.approx(wanted, abs=TICK / 2)
    rig.step(5, times=30)
    assert rig.price() == pytest.approx(wanted, abs=TICK / 2)
    assert rig.parents() == []


def test_an_entry_cannot_be_forced_beside_a_working_one(rig: Rig) -> None:
    """Freqtrade refuses; the chase goes on to its target."""
    target = rig.enter()
    for side in Side:
        with pytest.raises(RPCException, match="has open order"):
            force_entry(rig, side)
    rig.fill(target)
    rig.step(1, times=2)
    assert rig.position() == target
    assert ending(rig, Kind.ENTRY) == End.FILLED
    rig.check_books()


def wait_between_children(rig: Rig) -> None:
    """Let a requote take its child back and be refused: no order works, the parent is open."""
    rig.server.control.fault("margin_insufficient", "POST", "/fapi/v1/order")
    rig.move(5)
    rig.step(5)
    assert rig.working_orders() == []
    rig.step(1)


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_an_entry_that_is_forced_between_two_children_ends_the_chase(
    rig: Rig, side: Side, share: float
) -> None:
    """The other side too, where nothing has filled; what is held is added to, by freqtrade."""
    target = rig.enter()
    if share:
        rig.fill(part(target, share))
    wait_between_children(rig)
    wanted = round(rig.bid * 0.99 if side is Side.LONG or share else rig.ask * 1.01, 1)
    force_entry(rig, side, price=wanted, order_type="limit")
    rig.step(1, times=12)
    assert rig.price() == pytest.approx(wanted, abs=TICK / 2)
    assert [p.end_reason for p in rig.parents()] == [End.OPERATOR]
    rig.check_books()


def test_an_entry_that_is_forced_at_market_between_two_children_is_not_topped_up(rig: Rig) -> None:
    target = rig.enter()
    rig.fill(part(target, 0.5))
    wait_between_children(rig)
    force_entry(rig, Side.LONG, order_type="market", stake_amount=1000.0)
    held, before = rig.position(), sent(rig)
    rig.step(1, times=12)
    assert (rig.position(), sent(rig)) == (held, before)
    assert ending(rig, Kind.ENTRY) == End.OPERATOR
    rig.check_books()


def test_reloading_a_trade_does_not_disturb_its_entry(rig: Rig) -> None:
    target = rig.enter()
    rig.fill(part(target, 0.5))
    rpc(rig)._rpc_reload_trade_from_exchange(rig.trade().id)
    rig.move(5)
    rig.step(5, times=2)
    assert rig.quantity() == pytest.approx(target - part(target, 0.5), abs=1e-12)
    rig.fill(rig.quantity())
    rig.step(1, times=2)
    assert rig.position() == target
    assert ending(rig, Kind.ENTRY) == End.FILLED
    rig.check_books()


def test_a_lock_ends_a_part_filled_entry_and_unlocking_does_not_bring_it_back(rig: Rig) -> None:
    target = rig.enter()
    rig.fill(part(target, 0.5))
    rpc(rig)._rpc_add_lock(BTC, rig.clock_now(minutes=10), "by hand", "*")
    rig.step(1, times=3)
    assert ending(rig, Kind.ENTRY) == End.PAIR_LOCKED
    rpc(rig)._rpc_delete_lock(pair=BTC)
    before = sent(rig)
    rig.move(5)
    rig.step(5, times=6)
    assert sent(rig) == before
    assert rig.position() == part(target, 0.5)
    rig.check_books()


def test_a_part_that_is_closed_on_the_exchange_ends_its_entry(rig: Rig) -> None:
    target = rig.enter()
    rig.fill(part(target, 0.5))
    rig.step(1, times=2)
    close_on_the_exchange(rig)
    before = sent(rig)
    rig.step(1, times=12)
    assert ending(rig, Kind.ENTRY) == End.CLOSED_ELSEWHERE
    assert rig.working_orders() == []
    assert (rig.position(), sent(rig)) == (0, before)
    rig.check_books()


def test_a_command_in_another_thread_is_not_taken_for_a_lost_order(rig: Rig) -> None:
    """Between the exchange's answer and freqtrade's commit the loop must not act."""
    rig.hold()
    strategy, ended = rig.bot.strategy, rig.parents()[0]
    parent = replace(ended, key="another", ended_at=0, end_reason="", reported_at=0)

    def look() -> int:
        strategy._rounds.begin(int(rig.clock_now().timestamp() * 1000))
        return rig.server.requests[("GET", "/fapi/v1/allOrders")]

    now = int(rig.clock_now().timestamp() * 1000)
    noting = threading.Thread(target=strategy._desk.book.send, args=(parent, 0.01, 1.0, now))
    asked = look()
    noting.start()
    noting.join()
    assert look() == asked
    assert len(strategy._desk.book.attempts()) == 1
    rig.clock.shift(31)
    assert look() == asked
    assert strategy._desk.book.attempts() == []


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
