"""The chase runs in dry-run too, where every user starts: whole fills only, no order sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from e2e.commands import cancel_by_command
from e2e.plan import PLAN
from e2e.rig import BTC, Rig

from hydra_ft.types import ChildState, Side

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


def live(dry: Rig, side: Side) -> None:
    """An entry and an exit, each requoted once within its candle, then filled by the market."""
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
    dry.step(1, times=2)


@pytest.mark.parametrize("side", list(Side))
def test_an_entry_and_an_exit_are_chased_without_sending_an_order(dry: Rig, side: Side) -> None:
    live(dry, side)
    entry, leaving = dry.parents()
    assert (entry.end_reason, entry.requotes) == ("filled", 1)
    assert (leaving.end_reason, leaving.requotes) == ("filled", 1)
    assert dry.server.requests[("POST", "/fapi/v1/order")] == 0


def test_children_and_cost_are_stored_as_live(dry: Rig) -> None:
    live(dry, Side.LONG)
    (trade,) = dry.closed()
    orders = {str(order.order_id): order for order in trade.orders}
    for parent in dry.parents():
        first, last = dry.children()[parent.key]
        assert (first.state, last.state) == (ChildState.CANCELLED, ChildState.FILLED)
        assert first.filled == 0
        assert last.filled == parent.quantity == pytest.approx(trade.amount)
        assert last.average_price == orders[last.order_id].safe_price
        assert last.fee_quote == pytest.approx(0.0002 * last.filled * last.average_price)
        assert last.maker_quantity == last.filled
        summary = trade.get_custom_data(f"hydra_{parent.kind.value}")
        assert summary["end_reason"] == "filled"
        assert summary["fee_bps"] == pytest.approx(2.0, rel=0.01)
        assert summary["maker_share"] == 1.0


def test_no_order_is_read_on_the_exchange(dry: Rig) -> None:
    """There are none; even after a restart, when everything would be compared."""
    live(dry, Side.LONG)
    PLAN.enter[BTC] = Side.LONG
    dry.until(dry.trade, seconds=5, limit=30)
    dry.restart()
    dry.step(60, times=2)
    private = {path for _, path in dry.server.requests} & {
        f"/fapi/v1/{name}" for name in ("order", "allOrders", "openOrders", "userTrades")
    }
    assert private == set()
    assert not [path for _, path in dry.server.requests if "algo" in path or "Risk" in path]


def test_a_chase_goes_on_after_a_restart(dry: Rig) -> None:
    PLAN.enter[BTC] = Side.LONG
    dry.until(dry.trade, seconds=5, limit=15)
    dry.restart()
    dry.move(5)
    dry.step(5, times=2)
    assert price(dry) == dry.bid
    dry.move(-1)
    dry.step(1, times=3)
    (parent,) = dry.parents()
    assert (parent.end_reason, parent.requotes) == ("filled", 1)


def test_what_the_operator_cancels_stays_away(dry: Rig) -> None:
    PLAN.enter[BTC] = Side.LONG
    dry.until(dry.trade, seconds=5, limit=15)
    dry.step(1, times=2)
    cancel_by_command(dry)
    dry.move(5)
    dry.step(1, times=15)
    assert dry.trade() is None
    assert dry.parents()[0].end_reason == "cancelled_elsewhere"
