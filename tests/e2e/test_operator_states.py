"""The bot is paused, stopped, started or reloaded in mid-chase, by freqtrade's own worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from e2e.commands import Turns, ending, rpc, sent
from e2e.plan import PLAN
from e2e.test_entries import part
from e2e.test_exits import leave
from freqtrade.enums import State

from hydra_ft.execution.lifecycle import End
from hydra_ft.types import Kind, Side

if TYPE_CHECKING:
    from e2e.rig import Rig

pytestmark = [pytest.mark.e2e, pytest.mark.ci]
SHARES = pytest.mark.parametrize("share", [0.0, 0.5])


def begin(rig: Rig, share: float) -> float:
    """Chase an entry, a part of it filled; return the quantity that is missing."""
    target = rig.enter()
    if share:
        rig.fill(part(target, share))
    rig.step(1, times=2)
    return target - part(target, share)


def complete(rig: Rig, turns: Turns, missing: float) -> None:
    """Fill the rest of an entry; its parent must know."""
    assert rig.quantity() == pytest.approx(missing, abs=1e-12)
    rig.fill(missing)
    turns.turn(times=3)
    assert ending(rig, Kind.ENTRY) == End.FILLED
    rig.check_books()


@SHARES
def test_stopentry_ends_an_entry_at_its_deadline_and_sends_nothing(rig: Rig, share: float) -> None:
    """What works when the command comes may still fill; once taken back it stays away."""
    missing, turns = begin(rig, share), Turns(rig)
    rpc(rig)._rpc_pause()
    before = sent(rig)
    rig.move(5)
    turns.turn(5, times=30)
    assert sent(rig) == before
    assert rig.working_orders() == []
    assert ending(rig, Kind.ENTRY) == End.DEADLINE
    assert rig.position() == pytest.approx(rig.parents()[0].quantity - missing, abs=1e-12)
    rig.check_books()


@SHARES
def test_start_within_the_deadline_resumes_an_entry_that_was_paused(rig: Rig, share: float) -> None:
    missing, turns = begin(rig, share), Turns(rig)
    rpc(rig)._rpc_pause()
    rig.move(5)
    turns.turn(5, times=4)
    assert rig.working_orders() == []
    rpc(rig)._rpc_start()
    turns.turn(times=6)
    assert rig.price() == rig.bid
    complete(rig, turns, missing)


def test_an_exit_goes_on_while_the_bot_is_paused(rig: Rig) -> None:
    rig.hold()
    leave(rig, Side.LONG)
    turns = Turns(rig)
    rpc(rig)._rpc_pause()
    rig.move(-5)
    turns.turn(5, times=2)
    assert rig.price() == rig.ask
    rig.fill(rig.quantity())
    turns.turn(times=3)
    assert ending(rig, Kind.EXIT) == End.FILLED
    rig.check_books()


@SHARES
def test_stop_and_start_resume_an_entry_within_its_deadline(rig: Rig, share: float) -> None:
    """A stopped bot looks at nothing: its order rests where it was."""
    missing, turns = begin(rig, share), Turns(rig)
    resting = rig.working()["orderId"]
    rpc(rig)._rpc_stop()
    rig.move(5)
    turns.turn(5, times=6)
    assert rig.working()["orderId"] == resting
    rpc(rig)._rpc_start()
    turns.turn(5, times=2)
    assert rig.price() == rig.bid
    complete(rig, turns, missing)


def test_start_after_the_deadline_takes_the_entry_back(rig: Rig) -> None:
    begin(rig, 0.5)
    held, turns = rig.position(), Turns(rig)
    rpc(rig)._rpc_stop()
    turns.turn(60, times=5)
    before = sent(rig)
    rpc(rig)._rpc_start()
    turns.turn(times=5)
    assert rig.working_orders() == []
    assert next(p.end_reason for p in rig.parents()) == End.DEADLINE
    assert (rig.position(), sent(rig)) == (held, before)
    rig.check_books()


def test_what_filled_while_the_bot_was_stopped_counts(rig: Rig) -> None:
    missing, turns = begin(rig, 0.5), Turns(rig)
    rpc(rig)._rpc_stop()
    turns.turn()
    rig.fill(missing)
    turns.turn(times=2)
    rpc(rig)._rpc_start()
    turns.turn(times=3)
    assert ending(rig, Kind.ENTRY) == End.FILLED
    rig.check_books()


def test_stop_and_start_resume_an_exit(rig: Rig) -> None:
    target = rig.hold()
    leave(rig, Side.LONG)
    rig.fill(part(target, 0.4))
    turns = Turns(rig)
    rpc(rig)._rpc_stop()
    rig.move(-5)
    turns.turn(5, times=3)
    rpc(rig)._rpc_start()
    turns.turn(5, times=2)
    assert rig.price() == rig.ask
    rig.fill(rig.quantity())
    turns.turn(times=3)
    assert rig.position() == 0
    assert ending(rig, Kind.EXIT) == End.FILLED
    rig.check_books()


@SHARES
def test_reloading_the_configuration_keeps_an_entry_and_its_order(rig: Rig, share: float) -> None:
    missing, turns = begin(rig, share), Turns(rig)
    resting, bot = rig.working()["orderId"], rig.bot
    rpc(rig)._rpc_reload_config()
    turns.turn(times=3)
    assert rig.bot is not bot
    assert rig.working()["orderId"] == resting
    rig.move(5)
    turns.turn(5, times=2)
    assert rig.price() == rig.bid
    complete(rig, turns, missing)


def test_reloading_the_configuration_keeps_an_exit_and_its_reason(rig: Rig) -> None:
    target = rig.hold()
    leave(rig, Side.LONG)
    rig.fill(part(target, 0.4))
    turns = Turns(rig)
    rpc(rig)._rpc_reload_config()
    turns.turn(times=2)
    rig.move(-5)
    turns.turn(5, times=2)
    rig.fill(rig.quantity())
    turns.turn(times=3)
    assert rig.position() == 0
    assert rig.closed()[0].exit_reason == "bias_flip"
    assert ending(rig, Kind.EXIT) == End.FILLED
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


def test_a_trade_that_is_deleted_in_the_loop_of_its_fill_is_the_operators(rig: Rig) -> None:
    target = rig.enter()
    rig.step(1)
    PLAN.enter.clear()
    rig.fill(target)
    rig.step(1)
    rig.bot.rpc._rpc._rpc_delete(rig.trade().id)
    rig.step(5, times=30)
    assert rig.position() == target
