"""Nothing holds up a stop: no spread, no other order, no unknown outcome, no database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from e2e.plan import PLAN
from e2e.rig import BTC, ETH, STEP, Rig
from e2e.test_exits import leave
from freqtrade.exceptions import TemporaryError

from hydra_ft.errors import StoreError
from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.e2e
BOTH = pytest.mark.parametrize("side", list(Side))


def crash(rig: Rig, side: Side = Side.LONG, spread: float = 0.1) -> None:
    """Move three percent against a position."""
    rig.move(-0.03 * rig.bid * side.sign, spread=spread)


@BOTH
def test_a_wide_spread_does_not_hold_up_a_stop(rig: Rig, side: Side) -> None:
    rig.hold(side)
    leave(rig, side)
    crash(rig, side, spread=600.0)
    rig.step(1, times=6)
    assert rig.position() == 0
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


def test_a_broken_hydra_database_does_not_hold_up_a_stop(rig: Rig) -> None:
    rig.hold()
    store = rig.bot.strategy._desk.book._store

    def broken(*_: object, **__: object) -> None:
        raise StoreError("the disk is full")

    for name in ("send", "save_parent", "close_attempt"):
        setattr(store, name, broken)
    rig.bot.strategy._ledger._store.record = broken
    crash(rig)
    rig.step(30, times=4)
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
