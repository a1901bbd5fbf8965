"""A head's exits with stops that rest on the exchange, and the watchdog over all stops."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from e2e.barriers import STOP, barred, fee, go, hold, left_by, price_at, price_at_r, trade_of
from e2e.plan import PLAN
from e2e.rig import BTC, TICK, Rig
from e2e.test_reconciliation import alerts
from freqtrade.exceptions import TemporaryError

from hydra_ft.adapter.strategy import HydraStrategy
from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.e2e, pytest.mark.ci]
BOTH = pytest.mark.parametrize("side", list(Side))
ORDERS = {**HydraStrategy.order_types, "stoploss_on_exchange": True, "stoploss": "market"}
ALGO = "/fapi/v1/algoOrder"
A_MOVE_S = 65
"""Freqtrade moves a stop on the exchange once a minute at most."""


@pytest.fixture
def rig(rigged: Callable[..., Rig]) -> Rig:
    return barred(rigged, order_types=ORDERS)


def rests_at(rig: Rig, price: float) -> bool:
    (stop,) = rig.stops()
    assert float(stop["quantity"]) == abs(rig.position())
    return abs(float(stop["triggerPrice"]) - price) <= 3 * TICK


@BOTH
def test_the_stop_of_the_signal_rests_on_the_exchange(rig: Rig, side: Side) -> None:
    trade = hold(rig, side)
    rig.step(1, times=2)
    assert rests_at(rig, price_at(trade, -STOP))
    go(rig, price_at(trade, -STOP) - 5 * TICK * side.sign, loops=3)
    assert rig.position() == 0
    assert rig.stops() == []
    rig.check_books()
    assert rig.closed()[0].exit_reason == "stoploss_on_exchange"


@BOTH
def test_break_even_and_the_trail_arrive_on_the_exchange(rig: Rig, side: Side) -> None:
    trade = hold(rig, side)
    rig.step(1, times=2)
    go(rig, price_at(trade, 0.0085), loops=1)
    rig.step(5, times=A_MOVE_S // 5)
    assert rests_at(rig, price_at(trade, fee(trade)))
    go(rig, price_at_r(trade, 1.7), loops=1)
    rig.step(5, times=A_MOVE_S // 5)
    assert rests_at(rig, price_at_r(trade, 0.7))
    go(rig, price_at_r(trade, 0.65), loops=3)
    assert rig.position() == 0
    assert rig.stops() == []
    rig.check_books()


@BOTH
def test_a_time_stop_closes_beside_a_stop_on_the_exchange(
    rig: Rig, caplog: pytest.LogCaptureFixture, side: Side
) -> None:
    hold(rig, side)
    rig.step(1, times=2)
    assert len(rig.stops()) == 1
    rig.step(100, times=10)
    assert left_by(rig) == "time_stop"
    assert rig.stops() == []
    assert not [one for one in caplog.messages if "forcefully" in one], "no emergency"


def test_a_part_that_is_taken_makes_the_stop_smaller(rigged: Callable[..., Rig]) -> None:
    rig = barred(rigged, "LadderHead", order_types=ORDERS)
    trade = hold(rig)
    whole = float(trade.amount)
    rig.step(1, times=2)
    go(rig, price_at_r(trade, 1.1), loops=2)
    rig.fill(rig.quantity())
    rig.step(1, times=3)
    assert 0 < rig.position() < whole
    assert float(rig.stops()[0]["quantity"]) == rig.position()
    rig.check_books()


# ---- the watchdog


@BOTH
@pytest.mark.parametrize("head", ["BarrierHead", "StandingHead"])
def test_a_position_that_lost_its_stop_has_one_within_a_loop(
    rigged: Callable[..., Rig], caplog: pytest.LogCaptureFixture, side: Side, head: str
) -> None:
    rig = barred(rigged, head)
    trade = hold(rig, side)
    before = trade.stop_loss
    trade.stop_loss = 0.0
    type(trade).commit()
    rig.step(1)
    assert abs(rig.position()) > 0
    assert trade_of(rig).stop_loss == before
    (alert,) = alerts(caplog)
    assert "no stop" in alert
    rig.step(1, times=3)
    assert len(alerts(caplog)) == 1


@BOTH
def test_a_position_whose_stop_cannot_rest_is_left_by_the_bot(
    rig: Rig, caplog: pytest.LogCaptureFixture, side: Side
) -> None:
    """2-16, 2-19: the monitor reads the book, and leaves what nothing else guards."""

    def refused(**_: object) -> None:
        raise TemporaryError("no stops today")

    rig.bot.exchange.create_stoploss = refused
    trade = hold(rig, side)
    rig.step(1, times=4)
    assert rig.stops() == []
    told = [alert for alert in alerts(caplog) if "rests on the exchange" in alert]
    assert len(told) == 1
    go(rig, price_at(trade, -STOP) - 5 * TICK * side.sign, loops=4)
    assert rig.position() == 0
    rig.check_books()
    assert rig.closed()[0].exit_reason == "stop_loss"


def test_a_stop_that_somebody_cancelled_is_back_within_a_loop(rig: Rig) -> None:
    trade = hold(rig)
    rig.step(1, times=2)
    (stop,) = rig.stops()
    rig.bot.exchange.cancel_stoploss_order(str(stop["algoId"]), trade.pair)
    assert rig.stops() == []
    rig.step(1)
    assert rests_at(rig, price_at(trade, -STOP))


@pytest.mark.parametrize(
    ("side", "status"),
    [(Side.LONG, "EXPIRED"), (Side.LONG, "CANCELED"), (Side.SHORT, "REJECTED")],
)
def test_a_stop_that_the_exchange_dropped_is_back_and_told_of(
    rig: Rig, caplog: pytest.LogCaptureFixture, side: Side, status: str
) -> None:
    trade = hold(rig, side)
    rig.step(1, times=2)
    assert rig.server.control.drop_stops("BTCUSDT", status) == 1
    rig.step(1)
    assert rests_at(rig, price_at(trade, -STOP))
    rig.step(1, times=3)
    (alert,) = [text for text in alerts(caplog) if "stop" in text]
    assert "the exchange" in alert
    assert rests_at(rig, price_at(trade, -STOP))
    rig.check_books()


def test_a_stop_that_follows_is_no_dropped_one(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    trade = hold(rig)
    rig.step(1, times=2)
    go(rig, price_at_r(trade, 1.7), loops=1)
    rig.step(5, times=A_MOVE_S // 5)
    assert rests_at(rig, price_at_r(trade, 0.7))
    assert alerts(caplog) == []


@BOTH
def test_a_stop_that_could_not_be_placed_for_a_while_rests_when_it_can(
    rig: Rig, caplog: pytest.LogCaptureFixture, side: Side
) -> None:
    rig.endures = True
    rig.server.control.fault("unavailable", "POST", ALGO, 6)
    trade = hold(rig, side)
    rig.step(1, times=2)
    assert rig.stops() == []
    rig.until(rig.stops, limit=10)
    assert rests_at(rig, price_at(trade, -STOP))
    told = [alert for alert in alerts(caplog) if "rests on the exchange" in alert]
    assert len(told) == 1
    go(rig, price_at(trade, -STOP) - 5 * TICK * side.sign, loops=3)
    assert rig.position() == 0
    rig.check_books()
    assert rig.closed()[0].exit_reason == "stoploss_on_exchange"


@pytest.mark.parametrize("profit_only", [False, True])
def test_an_exit_signal_that_is_held_back_holds_up_no_guard(
    rigged: Callable[..., Rig], *, profit_only: bool
) -> None:
    """Freqtrade asks no ``custom_exit`` on a bar with an exit signal."""
    rig = barred(rigged, "StandingHead", order_types=ORDERS)
    rig.bot.strategy.exit_profit_only = profit_only

    def refused(**_: object) -> None:
        raise TemporaryError("no stops today")

    rig.bot.exchange.create_stoploss = refused
    trade = hold(rig)
    if profit_only:
        go(rig, price_at(trade, -STOP / 2))
        PLAN.leave[BTC] = Side.LONG
        rig.step(61, times=2)
        assert rig.position() > 0
    go(rig, trade_of(rig).stop_loss * 0.99, loops=4)
    assert left_by(rig) == "stop_loss"
