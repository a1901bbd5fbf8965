"""A database, a history or a clock that cannot be trusted holds up no stop and doubles nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from e2e.plan import PLAN
from e2e.rig import BTC, Exposure, Rig
from e2e.test_exits import leave
from e2e.test_stops import crash
from e2e.test_unknown_outcomes import lose_answer, orders_sent
from freqtrade.exceptions import TemporaryError
from freqtrade.persistence import Trade
from sqlalchemy import text

from hydra_ft.errors import StoreError
from hydra_ft.types import Side

pytestmark = pytest.mark.e2e
WRITES = ("send", "save_parent", "save_attempt")


def fill_disk(rig: Rig, names: tuple[str, ...] = WRITES) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise StoreError("the disk is full")

    store = rig.bot.strategy._desk.book._store
    for name in names:
        assert hasattr(store, name)
        setattr(store, name, broken)


def test_an_exit_that_has_begun_goes_on_when_the_disk_is_full(rig: Rig) -> None:
    rig.hold()
    leave(rig, Side.LONG)
    fill_disk(rig)
    rig.move(-0.01 * rig.bid)
    rig.step(5, times=16)
    assert rig.position() == 0


def test_a_stop_comes_out_of_an_exit_whose_notes_fail(rig: Rig) -> None:
    rig.hold()
    leave(rig, Side.LONG)
    fill_disk(rig)
    crash(rig)
    rig.step(2, times=20)
    assert rig.position() == 0


def test_a_stop_whose_placing_cannot_be_noted_follows_the_market(rig: Rig) -> None:
    rig.hold()
    rig.move(-0.025 * rig.bid, size=0.001)
    fill_disk(rig, ("save_attempt",))
    rig.step(1, times=2)
    rig.move(-0.03 * rig.bid)
    rig.step(2, times=30)
    assert rig.position() == 0


def test_what_could_not_be_written_is_written_when_the_disk_has_room(rig: Rig) -> None:
    target = rig.enter()
    store = rig.bot.strategy._desk.book._store
    fill_disk(rig, ("save_parent", "save_attempt"))
    rig.fill(target)
    rig.step(1, times=3)
    assert [child.state.value for child in rig.children()[rig.parents()[0].key]] == ["written"]
    for name in ("save_parent", "save_attempt"):
        delattr(store, name)
    rig.step(1, times=2)
    assert [child.state.value for child in rig.children()[rig.parents()[0].key]] == ["filled"]
    assert rig.parents()[0].end_reason == "filled"


def test_a_row_without_its_trade_holds_up_nothing_else(rig: Rig) -> None:
    rig.enter()
    rig.step(1, times=2)
    Trade.session.execute(text("DELETE FROM trades"))
    Trade.session.commit()
    Trade.session.expire_all()
    PLAN.enter.clear()
    rig.step(2, times=50)
    assert rig.working_orders() == []
    assert not rig.parents()[0].is_open


def test_a_stop_does_not_wait_for_a_history_that_cannot_be_read(rig: Rig) -> None:
    rig.hold()
    sent = orders_sent(rig)
    lose_answer(rig)
    PLAN.enter.clear()
    PLAN.leave[BTC] = Side.LONG
    rig.until(lambda: orders_sent(rig) > sent, seconds=5, limit=15)

    def away(*_args: object, **_kwargs: object) -> None:
        raise TemporaryError("no answer")

    rig.bot.exchange.fetch_orders = away
    crash(rig)
    rig.step(2, times=30)
    assert rig.position() == 0


@pytest.mark.parametrize("side", list(Side))
def test_an_order_is_found_on_an_exchange_whose_clock_is_far_behind(rig: Rig, side: Side) -> None:
    """As with ccxt's adjustForTimeDifference, which makes such an exchange take orders."""
    read = rig.bot.exchange.fetch_orders

    def behind(pair: str, since: datetime, params: dict | None = None) -> list[dict[str, Any]]:
        rows = read(pair, since - timedelta(minutes=2))
        shifted = [{**row, "timestamp": row["timestamp"] - 120_000} for row in rows]
        return [row for row in shifted if row["timestamp"] >= since.timestamp() * 1e3]

    rig.bot.exchange.fetch_orders = behind
    exposure = Exposure(BTC)
    rig.server.watchers.append(exposure)
    lose_answer(rig)
    PLAN.enter[BTC] = side
    rig.until(lambda: orders_sent(rig), seconds=5, limit=15)
    rig.step(1, times=30)
    rig.server.watchers.remove(exposure)
    assert exposure.worst <= rig.parents()[0].quantity + 1e-9
