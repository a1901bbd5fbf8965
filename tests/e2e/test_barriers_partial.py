"""Partial exits on the embedded exchange: in their order, floored, and never twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from e2e.barriers import barred, go, hold, price_at, price_at_r, trade_of
from e2e.plan import PLAN
from e2e.rig import BTC, STEP, Killed, Rig
from e2e.test_entries import part

from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.e2e
BOTH = pytest.mark.parametrize("side", list(Side))


@pytest.fixture
def rig(rigged: Callable[..., Rig]) -> Rig:
    return barred(rigged, "LadderHead")


def floored(quantity: float) -> float:
    return int(quantity / STEP + 1e-9) * STEP


def take(rig: Rig) -> float:
    """Fill the partial exit that works; return its quantity."""
    quantity = rig.quantity()
    rig.fill(quantity)
    rig.step(1, times=2)
    return quantity


@BOTH
def test_two_parts_are_taken_and_the_rest_runs(rig: Rig, side: Side) -> None:
    trade = hold(rig, side)
    whole = float(trade.amount)
    go(rig, price_at_r(trade, 0.9), loops=3)
    assert rig.working_orders() == []
    go(rig, price_at_r(trade, 1.1), loops=2)
    assert take(rig) == pytest.approx(floored(0.4 * whole))
    rig.step(1, times=5)
    assert rig.working_orders() == []
    go(rig, price_at_r(trade, 2.6), loops=2)
    assert take(rig) == pytest.approx(floored(0.4 * whole))
    rig.step(1, times=5)
    assert rig.working_orders() == []
    assert abs(rig.position()) == pytest.approx(whole - 2 * floored(0.4 * whole))
    tags = [o.ft_order_tag for o in trade_of(rig).orders if o.ft_order_side == trade.exit_side]
    assert tags == ["partial_1", "partial_2"]
    rig.check_books()


def test_a_restart_takes_no_part_twice(rig: Rig) -> None:
    trade = hold(rig)
    go(rig, price_at_r(trade, 1.1), loops=2)
    take(rig)
    left = rig.position()
    rig.restart()
    rig.step(1, times=5)
    assert rig.working_orders() == []
    assert rig.position() == left
    rig.check_books()


def test_a_restart_beside_a_part_that_works_sends_no_other(rig: Rig) -> None:
    trade = hold(rig)
    go(rig, price_at_r(trade, 1.1), loops=2)
    before = rig.working()["orderId"]
    rig.restart()
    rig.step(1, times=5)
    assert rig.working()["orderId"] == before
    rig.check_books()


def test_an_entry_is_completed_before_a_part_is_taken(rig: Rig) -> None:
    target = rig.enter()
    rig.fill(part(target, 0.5))
    rig.move(3)
    rig.until(lambda: rig.booked() > 0, limit=10)
    PLAN.clear()
    go(rig, price_at(trade_of(rig), 0.013), loops=3)
    assert all(order["side"] == "BUY" for order in rig.working_orders())


@BOTH
def test_a_stop_takes_a_part_that_works_out_of_its_way(rig: Rig, side: Side) -> None:
    trade = hold(rig, side)
    go(rig, price_at_r(trade, 1.1), loops=2)
    assert rig.quantity() < trade.amount
    rig.move(-0.03 * rig.bid * side.sign)
    rig.step(1, times=5)
    assert rig.position() == 0
    rig.check_books()


def test_a_part_that_filled_partly_and_was_cancelled_is_completed(rig: Rig) -> None:
    trade = hold(rig)
    whole = float(trade.amount)
    go(rig, price_at_r(trade, 1.1), loops=2)
    rig.fill(STEP)
    rig.step(1)
    rig.bot.rpc._rpc._rpc_cancel_open_order(trade.id)
    rig.step(1, times=3)
    assert rig.quantity() == pytest.approx(floored(0.4 * whole) - STEP, abs=STEP)
    take(rig)
    assert rig.position() >= whole - floored(0.4 * whole) - 1e-12


def test_no_rest_below_the_minimum_is_left(rigged: Callable[..., Rig]) -> None:
    rig = barred(rigged, "LadderHead", stake_amount=220)
    trade = hold(rig)
    assert trade.amount == 3 * STEP
    go(rig, price_at_r(trade, 1.1), loops=2)
    assert take(rig) == STEP
    go(rig, price_at_r(trade, 2.6), loops=2)
    assert take(rig) == 2 * STEP
    assert rig.position() == 0
    rig.check_books()
    assert len(rig.closed()) == 1


__all__ = ["BTC"]


# ---- a part of which nobody knows what became of it


ORDER = "/fapi/v1/order"
LOST = pytest.mark.parametrize("kind", ["answer_lost", "status_unknown"])


def sold(rig: Rig, whole: float) -> float:
    """Share of a position that has left it on the exchange."""
    return 1 - abs(rig.position()) / whole


def lose_a_part(rig: Rig, kind: str) -> float:
    """Send the first part, whose answer is lost; return the whole position."""
    trade = hold(rig)
    whole = float(trade.amount)
    rig.endures = True
    rig.server.control.fault(kind, "POST", ORDER)
    go(rig, price_at_r(trade, 1.1), loops=1)
    assert rig.server.control.strikes()["journal"]
    return whole


@LOST
def test_a_part_whose_answer_was_lost_works_once(rigged: Callable[..., Rig], kind: str) -> None:
    rig = barred(rigged, "LadderHead", timeout_ms=500)
    whole = lose_a_part(rig, kind)
    for _ in range(20):
        rig.step(1)
        assert sum(float(order["origQty"]) for order in rig.working_orders()) <= 0.41 * whole
    rig.check_books()
    take(rig)
    rig.step(1, times=5)
    assert sold(rig, whole) == pytest.approx(0.4, abs=2 * STEP / whole)
    assert rig.working_orders() == []


def test_a_part_that_filled_unseen_is_not_taken_again(rigged: Callable[..., Rig]) -> None:
    rig = barred(rigged, "LadderHead", timeout_ms=500)
    whole = lose_a_part(rig, "answer_lost")
    rig.fill(rig.quantity())
    rig.step(1, times=20)
    assert sold(rig, whole) == pytest.approx(0.4, abs=2 * STEP / whole)
    assert rig.working_orders() == []
    rig.check_books()
    go(rig, price_at_r(trade_of(rig), 2.6), loops=2)
    take(rig)
    rig.step(1, times=5)
    assert sold(rig, whole) == pytest.approx(0.8, abs=2 * STEP / whole)
    rig.check_books()


@pytest.mark.parametrize("fills", [False, True])
def test_a_kill_after_the_exchange_took_a_part_takes_no_other(rig: Rig, *, fills: bool) -> None:
    trade = hold(rig)
    whole = float(trade.amount)
    create = rig.bot.exchange.create_order

    def last(**order: Any) -> None:
        create(**order)
        raise Killed

    rig.bot.exchange.create_order = last
    with pytest.raises(Killed):
        go(rig, price_at_r(trade, 1.1), loops=2)
    if fills:
        rig.fill(rig.quantity())
    rig.restart()
    for _ in range(15):
        rig.step(1)
        working = sum(float(order["origQty"]) for order in rig.working_orders())
        assert working + whole * sold(rig, whole) <= 0.41 * whole
    rig.check_books()
    if not fills:
        take(rig)
    assert sold(rig, whole) == pytest.approx(0.4, abs=2 * STEP / whole)
