"""What opens a breaker, and that an open one gives up nothing that works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from e2e.plan import PLAN
from e2e.rig import BTC, Rig
from e2e.test_entries import part

from hydra_ft.execution.breaker import BreakerState, Outcome
from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.e2e
ORDER = "/fapi/v1/order"


def state(rig: Rig, key: str) -> BreakerState:
    breakers = rig.bot.strategy._entries._admits.__self__
    return breakers.state(key, int(rig.clock_now().timestamp() * 1e3))


def test_post_only_refusals_are_no_failures(rigged: Callable[..., Rig]) -> None:
    rig = rigged(hydra={"bot_name": "test", "chase": {"entry": {"preset": "passive"}}})
    rig.server.control.fault("post_only_rejected", "POST", ORDER, 100)
    PLAN.enter[BTC] = Side.LONG
    rig.step(5, times=60)
    assert state(rig, BTC) is BreakerState.CLOSED
    assert {parent.end_reason for parent in rig.parents()} <= {"", "rejected", "deadline"}


def test_rejections_open_the_breaker_of_their_pair_and_lock_it(rigged: Callable[..., Rig]) -> None:
    policy = {"failures": 3}
    rig = rigged(hydra={"bot_name": "test", "breaker": policy})
    rig.server.control.fault("unavailable", "POST", ORDER, 100)
    PLAN.enter[BTC] = Side.LONG
    rig.step(5, times=30)
    assert state(rig, BTC) is BreakerState.OPEN
    locks = rig.bot.rpc._rpc._rpc_locks()["locks"]
    assert [lock["pair"] for lock in locks if "hydra breaker" in lock["reason"]]


@pytest.mark.parametrize("filled", [0.0, 0.4])
def test_an_open_breaker_gives_up_no_order_that_works(rig: Rig, filled: float) -> None:
    target = rig.enter()
    if filled:
        rig.fill(part(target, filled))
    breakers = rig.bot.strategy._entries._admits.__self__
    now = int(rig.clock_now().timestamp() * 1e3)
    for _ in range(5):
        breakers.record("A/USDT:USDT", Outcome.TIMED_OUT, now)
        breakers.record("B/USDT:USDT", Outcome.TIMED_OUT, now)
    assert state(rig, "*") is BreakerState.OPEN
    working = rig.working()["orderId"]
    rig.move(5)
    rig.step(2, times=5)
    assert rig.working()["orderId"] == working
    assert rig.parents()[0].is_open
    rig.fill(target - part(target, filled) if filled else target)
    rig.step(1, times=2)
    assert rig.parents()[0].end_reason == "filled"
    rig.check_books()
