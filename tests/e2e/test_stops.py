"""Nothing holds up a stop: no spread, no other order, no unknown outcome, no database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from e2e.plan import PLAN
from e2e.rig import BTC, ETH, STEP, Rig
from e2e.test_entries import part
from e2e.test_exits import leave
from freqtrade.enums import State
from freqtrade.exceptions import TemporaryError

from hydra_ft.errors import StoreError
from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.e2e
BOTH = pytest.mark.parametrize("side", list(Side))


def crash(rig: Rig, side: Side = Side.LONG, spread: float = 0.1) -> None:
    """Move both sides of the book at least three percent against a position."""
    below = spread if side is Side.LONG else 0.0
    rig.move(-0.03 * rig.bid * side.sign - below, spread=spread)


@BOTH
@pytest.mark.parametrize("spread", [600.0, 9000.0])
def test_a_wide_spread_does_not_hold_up_a_stop(rig: Rig, side: Side, spread: float) -> None:
    rig.hold(side)
    leave(rig, side)
    crash(rig, side, spread=spread)
    rig.step(1, times=6)
    assert rig.position() == 0
    rig.check_books()


@BOTH
def test_a_price_that_freqtrade_rounds_is_noted_as_it_is_sent(
    rigged: Callable[..., Rig], side: Side
) -> None:
    rig = rigged(custom_price_max_distance_ratio=0.0123)
    rig.hold(side)
    crash(rig, side, spread=600.0)
    rig.step(1, times=8)
    assert rig.position() == 0
    exits = [child for one in rig.children().values() for child in one if child.kind == "exit"]
    assert exits
    assert all(child.order_id for child in exits)
    rig.check_books()


@BOTH
def test_an_exit_past_its_deadline_follows_a_market_that_runs_away(rig: Rig, side: Side) -> None:
    rig.hold(side)
    leave(rig, side)
    rig.move(-0.015 * rig.bid * side.sign)
    rig.step(5, times=16)
    assert rig.position() == 0
    rig.check_books()


def test_a_stop_clears_an_operators_exit_order_out_of_its_way(rig: Rig) -> None:
    rig.hold()
    trade = rig.trade()
    rig.bot.rpc._rpc._rpc_force_exit(str(trade.id), "limit", amount=0.03, price=rig.bid * 1.01)
    assert rig.quantity() == 0.03
    crash(rig)
    rig.step(1, times=5)
    assert rig.position() == 0
    rig.check_books()


def test_a_stop_works_on_when_the_order_history_was_lost(rig: Rig) -> None:
    rig.hold()
    leave(rig, Side.LONG)
    for name in ("hydra.sqlite", "hydra.sqlite-wal", "hydra.sqlite-shm"):
        (rig.folder / "user_data" / name).unlink(missing_ok=True)
    rig.restart()
    crash(rig)
    rig.step(1, times=6)
    assert rig.position() == 0
    rig.check_books()


@pytest.mark.parametrize("pair", [BTC, ETH])
def test_an_outcome_that_cannot_be_read_does_not_hold_up_a_stop(rig: Rig, pair: str) -> None:
    rig.hold()
    strategy = rig.bot.strategy
    parent = rig.parents()[0]
    book = strategy._desk.book
    unread = book._store.send(
        parent, book_attempt(parent, pair, int(rig.clock_now().timestamp() * 1000))
    )
    book._attempts[unread.id] = unread

    def away(*_: object, **__: object) -> None:
        raise TemporaryError("no answer")

    rig.bot.exchange.fetch_orders = away
    crash(rig)
    rig.step(1, times=4)
    assert rig.position() == 0


def book_attempt(parent: object, pair: str, now: int) -> object:
    """Make an attempt of a price that no order has."""
    from hydra_ft.types import Attempt, Kind

    return Attempt(parent.key, pair, Side.LONG, Kind.ENTRY, STEP, 1.0, now)


def fill_the_disk(rig: Rig) -> None:
    """Let everything that is written to Hydra's database fail from now on."""

    def broken(*_: object, **__: object) -> None:
        raise StoreError("the disk is full")

    for name in ("send", "save_parent", "save_attempt"):
        setattr(rig.bot.strategy._desk.book._store, name, broken)
    rig.bot.strategy.stage_b._ledger._store.write = broken


def test_a_broken_hydra_database_does_not_hold_up_a_stop(rig: Rig) -> None:
    rig.hold()
    fill_the_disk(rig)
    crash(rig)
    rig.step(1, times=3)
    assert rig.position() == 0
    rig.check_books()


def test_a_broken_hydra_database_does_not_hold_up_the_stop_of_a_part(rig: Rig) -> None:
    target = rig.enter()
    rig.fill(part(target, 0.5))
    rig.step(1, times=2)
    fill_the_disk(rig)
    crash(rig)
    rig.step(1, times=4)
    assert rig.position() == 0
    rig.check_books()


def test_a_broken_hydra_database_does_not_hold_up_an_exit_that_has_begun(rig: Rig) -> None:
    rig.hold()
    leave(rig, Side.LONG)
    fill_the_disk(rig)
    rig.move(-0.01 * rig.bid)
    rig.step(5, times=16)
    assert rig.position() == 0
    rig.check_books()


def test_an_exit_that_could_not_be_noted_is_chased(rig: Rig) -> None:
    rig.hold()
    fill_the_disk(rig)
    PLAN.enter.clear()
    PLAN.leave[BTC] = Side.LONG
    rig.until(rig.working_orders, seconds=5, limit=15)
    rig.move(-5)
    rig.step(5, times=2)
    assert rig.price() == rig.ask


def test_a_paused_bot_without_a_database_still_stops(rig: Rig) -> None:
    target = rig.enter()
    rig.fill(part(target, 0.3))
    rig.move(5)
    rig.bot.state = State.PAUSED
    rig.step(5, times=2)
    fill_the_disk(rig)
    rig.step(5, times=3)
    crash(rig)
    rig.step(1, times=5)
    assert rig.position() == 0
    rig.check_books()


def test_a_post_only_exit_policy_does_not_cost_a_stop_an_order(
    rigged: Callable[..., Rig],
) -> None:
    rig = rigged(hydra={"bot_name": "test", "chase": {"exit": {"post_only": True}}})
    rig.hold()
    sent = rig.server.requests[("POST", "/fapi/v1/order")]
    crash(rig)
    rig.step(1, times=2)
    assert rig.position() == 0
    assert rig.server.requests[("POST", "/fapi/v1/order")] == sent + 1
    rig.check_books()


def test_a_passive_exit_is_post_only_where_that_is_wanted(rigged: Callable[..., Rig]) -> None:
    rig = rigged(hydra={"bot_name": "test", "chase": {"exit": {"post_only": True}}})
    rig.hold()
    PLAN.enter.clear()
    leave(rig, Side.LONG)
    assert rig.working()["timeInForce"] == "GTX"
