"""The chase runs in dry-run too, where every user starts: whole fills only, no order sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from e2e.plan import PLAN
from e2e.rig import BTC, Rig

from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.e2e


def price(rig: Rig) -> float:
    """Price of the one order that works in freqtrade's own books."""
    (order,) = rig.trade().open_orders
    return order.safe_placement_price


@pytest.fixture
def dry(rigged: Callable[..., Rig]) -> Rig:
    return rigged(dry_run=True, dry_run_wallet=100_000)


@pytest.mark.parametrize("side", list(Side))
def test_an_entry_and_an_exit_are_chased_without_sending_an_order(dry: Rig, side: Side) -> None:
    PLAN.enter[BTC] = side
    dry.until(dry.trade, seconds=5, limit=15)
    first = price(dry)
    dry.move(5 * side.sign)
    dry.step(5, times=2)
    assert price(dry) == pytest.approx(first + 5 * side.sign, abs=0.11)
    dry.move(-1 * side.sign)
    dry.step(1, times=2)
    held = dry.trade()
    assert held.amount > 0
    assert held.open_orders == []
    PLAN.enter.clear()
    PLAN.leave[BTC] = side
    dry.until(lambda: dry.trade().open_orders, seconds=5, limit=15)
    PLAN.leave.clear()
    dry.move(-4 * side.sign)
    dry.step(5, times=2)
    dry.move(2 * side.sign)
    dry.until(lambda: dry.trade() is None, seconds=1, limit=5)
    dry.step(1)
    entry, leaving = dry.parents()
    assert (entry.end_reason, entry.requotes) == ("filled", 1)
    assert (leaving.end_reason, leaving.requotes) == ("filled", 1)
    assert dry.server.requests[("POST", "/fapi/v1/order")] == 0
