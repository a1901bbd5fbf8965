"""The budget of requotes: one for all bots of a Hydra database, and never in the way of an exit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from e2e.plan import PLAN
from e2e.rig import BTC, ETH, Rig
from e2e.test_exits import leave

from hydra_ft.store.database import Database
from hydra_ft.store.orders import OrderStore
from hydra_ft.types import Attempt, Kind, ParentOrder, Side

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.e2e


@pytest.fixture
def rigs(rigged: Callable[..., Rig]) -> Callable[..., Rig]:
    """Build bots that may send so many orders a minute."""

    def build(per_minute: int, **chase: object) -> Rig:
        hydra = {"bot_name": "test", "requotes_per_minute": per_minute, "chase": chase}
        return rigged(hydra=hydra)

    return build


def requote(rig: Rig, by: float = 5.0) -> bool:
    """Move the touch and look twice; return whether the working child went with it."""
    before = rig.working()["orderId"]
    rig.move(by)
    rig.step(5, times=2)
    return bool(rig.working()["orderId"] != before)


def another_bot_sends(rig: Rig, orders: int) -> None:
    """Let another bot write to the same database what it is about to send."""
    store = OrderStore(Database(f"sqlite:///{rig.folder / 'user_data' / 'hydra.sqlite'}"), "other")
    now = int(rig.clock_now().timestamp() * 1000)
    parent = ParentOrder(f"of another|{now}", ETH, Side.LONG, Kind.ENTRY, 1.0, 1.0, now)
    for _ in range(orders):
        store.send(parent, Attempt(parent.key, ETH, Side.LONG, Kind.ENTRY, 1.0, 1.0, now))
        parent = replace(parent, last_quoted_at=now)


def test_requotes_stop_when_the_budget_is_spent_and_go_on_a_minute_later(
    rigs: Callable[..., Rig],
) -> None:
    rig = rigs(3)
    target = rig.enter()
    assert [requote(rig) for _ in range(4)] == [True, True, False, False]
    rig.step(10, times=4)
    assert rig.price() == rig.bid
    rig.fill(target)
    rig.step(1, times=2)
    assert rig.position() == target
    assert rig.parents()[0].end_reason == "filled"
    rig.check_books()


def test_what_another_bot_sends_counts(rigs: Callable[..., Rig]) -> None:
    rig = rigs(3)
    rig.enter()
    another_bot_sends(rig, orders=1)
    assert [requote(rig) for _ in range(2)] == [True, False]
    rig.step(30, times=2)
    assert rig.price() == rig.bid
    rig.step(30, times=2)
    another_bot_sends(rig, orders=3)
    assert not requote(rig)


def test_the_first_child_of_a_parent_always_goes(rigs: Callable[..., Rig]) -> None:
    rig = rigs(1)
    rig.enter()
    assert not requote(rig)
    another_bot_sends(rig, orders=5)
    PLAN.enter[ETH] = Side.LONG
    rig.until(lambda: rig.working_orders(ETH), seconds=5, limit=15)
    assert rig.working_orders(BTC) != []


@pytest.mark.parametrize("side", list(Side))
def test_a_stop_goes_though_the_budget_is_spent(rigs: Callable[..., Rig], side: Side) -> None:
    """In the way of it works an exit that may not be requoted any more."""
    rig = rigs(1, exit={"deadline_s": 600})
    rig.hold(side)
    leave(rig, side)
    assert not requote(rig, by=-3 * side.sign)
    another_bot_sends(rig, orders=5)
    rig.move(-0.03 * rig.bid * side.sign)
    rig.step(1, times=4)
    assert rig.position() == 0
    assert rig.parents()[-1].urgent
    rig.check_books()


def test_an_exit_crosses_at_its_deadline_though_the_budget_is_spent(
    rigs: Callable[..., Rig],
) -> None:
    rig = rigs(1)
    rig.hold()
    leave(rig, Side.LONG)
    assert not requote(rig, by=-3)
    for _ in range(14):
        another_bot_sends(rig, orders=1)
        rig.step(5)
    assert rig.position() == 0
    rig.check_books()


def test_an_entry_crosses_at_its_deadline_though_the_budget_is_spent(
    rigs: Callable[..., Rig],
) -> None:
    rig = rigs(1, entry={"on_deadline": "cross", "deadline_s": 40})
    target = rig.enter()
    assert not requote(rig)
    for _ in range(10):
        another_bot_sends(rig, orders=1)
        rig.step(5)
    assert rig.position() == target
    assert rig.parents()[0].end_reason == "filled"
    rig.check_books()
