"""Exits are chased until the position is gone, sized exactly, and stops come first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from e2e.plan import PLAN
from e2e.rig import BTC, STEP, Rig
from e2e.test_entries import part

from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.e2e
BOTH = pytest.mark.parametrize("side", list(Side))


def leave(rig: Rig, side: Side) -> None:
    """Give an exit signal for one bar, and wait for the order."""
    PLAN.enter.clear()
    PLAN.leave[BTC] = side
    rig.until(rig.working_orders, seconds=5, limit=15)
    PLAN.leave.clear()


@BOTH
def test_an_exit_with_partial_fills_goes_on_when_its_signal_has_gone(rig: Rig, side: Side) -> None:
    target = rig.hold(side)
    leave(rig, side)
    share = part(target, 0.3)
    for done in (share, 2 * share):
        rig.fill(share)
        rig.move(-3 * side.sign)
        rig.step(5, times=2)
        assert rig.quantity() == pytest.approx(target - done, abs=1e-12)
    rig.fill(rig.quantity())
    rig.step(1, times=3)
    assert rig.position() == 0
    rig.check_books()
    (trade,) = rig.closed()
    assert trade.exit_reason == "bias_flip"
    (parent,) = [p for p in rig.parents() if p.kind == "exit"]
    assert (parent.end_reason, parent.children) == ("filled", 3)


def test_an_open_exit_is_not_doubled_on_the_next_candle(rig: Rig) -> None:
    """Freqtrade re-exits with the amount from before its cancel: 0.083 for 0.033 left."""
    target = rig.hold()
    PLAN.enter.clear()
    PLAN.leave[BTC] = Side.LONG
    rig.until(rig.working_orders, seconds=5, limit=15)
    rig.fill(part(target, 0.6))
    rig.step(2, times=25)
    assert float(rig.working()["origQty"]) <= target
    sold = sum(float(f["qty"]) for f in rig.server.control.state()["fills"] if f["side"] == "SELL")
    assert sold <= target
    rig.fill(float(rig.working()["origQty"]) - float(rig.working()["executedQty"]))
    rig.step(1, times=3)
    assert rig.position() == 0
    rig.check_books()


@BOTH
def test_a_stop_crosses_at_once(rig: Rig, side: Side) -> None:
    rig.hold(side)
    rig.move(-0.03 * rig.bid * side.sign)
    rig.step(1, times=3)
    assert rig.position() == 0
    rig.check_books()
    assert rig.closed()[0].exit_reason == "stop_loss"


def test_a_stop_overtakes_a_passive_exit(rigged: Callable[..., Rig]) -> None:
    rig = rigged(hydra={"bot_name": "test", "chase": {"exit": {"deadline_s": 600}}})
    rig.hold()
    leave(rig, Side.LONG)
    rig.step(30, times=3)
    assert rig.working()["status"] == "NEW"
    rig.move(-0.03 * rig.bid)
    rig.step(1, times=4)
    assert rig.position() == 0
    rig.check_books()
    assert rig.closed()[0].exit_reason == "stop_loss"


def test_an_exit_crosses_at_its_deadline(rig: Rig) -> None:
    rig.hold()
    leave(rig, Side.LONG)
    rig.step(5, times=14)
    assert rig.position() == 0
    rig.check_books()


def test_an_exit_rest_below_the_minimum_stake_is_still_chased(rig: Rig) -> None:
    target = rig.hold()
    leave(rig, Side.LONG)
    rig.fill(target - STEP)
    rig.move(-3)
    rig.step(5, times=3)
    assert rig.quantity() == STEP
    assert rig.price() == rig.ask
    rig.fill(STEP)
    rig.step(1, times=3)
    assert rig.position() == 0
    rig.check_books()


def test_an_exit_ends_a_working_top_up_first(rig: Rig) -> None:
    """The exit would be sized without what the top-up fills meanwhile."""
    target = rig.enter()
    rig.fill(part(target, 0.3))
    rig.move(3)
    rig.step(5, times=2)
    assert rig.booked() == part(target, 0.3)
    leave_side = Side.LONG
    PLAN.enter.clear()
    PLAN.leave[BTC] = leave_side
    rig.until(lambda: any(o["side"] == "SELL" for o in rig.working_orders()), seconds=5, limit=20)
    assert rig.quantity() == part(target, 0.3)
    rig.fill(rig.quantity())
    rig.step(1, times=3)
    assert rig.position() == 0
    rig.check_books()


def test_a_forced_exit_passes(rig: Rig) -> None:
    rig.hold()
    trade = rig.trade()
    rig.bot.rpc._rpc._rpc_force_exit(str(trade.id))
    rig.step(1, times=3)
    assert rig.position() == 0
    rig.check_books()
    assert rig.closed()[0].exit_reason == "force_exit"
