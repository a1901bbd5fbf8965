"""Stops that rest on the exchange, beside a chase that changes the position under them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from e2e.plan import PLAN
from e2e.rig import BTC, Killed, Rig
from e2e.test_entries import part
from e2e.test_exits import leave
from e2e.test_reconciliation import alerts

from hydra_ft.adapter.strategy import HydraStrategy
from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.e2e, pytest.mark.ci]
BOTH = pytest.mark.parametrize("side", list(Side))
ANY_STOP = pytest.mark.parametrize("rig", ["limit", "market"], indirect=True)
ALGO = "/fapi/v1/algoOrder"
A_ROUND_S = 70


@pytest.fixture
def rig(request: pytest.FixtureRequest, rigged: Callable[..., Rig]) -> Rig:
    """A bot whose stops rest on the exchange, as market orders unless a test says limit."""
    kind = getattr(request, "param", "market")
    return rigged(
        order_types={**HydraStrategy.order_types, "stoploss_on_exchange": True, "stoploss": kind}
    )


def guard(rig: Rig) -> float:
    """Return the quantity that stops rest for; there is never more than one."""
    stops = rig.stops()
    assert len(stops) <= 1, stops
    return sum(float(stop["quantity"]) for stop in stops)


def assert_guarded(rig: Rig) -> None:
    """Within two loops a stop rests for what is held, and on the right side."""
    rig.step(1, times=2)
    assert guard(rig) == pytest.approx(abs(rig.position()), abs=1e-12)
    if rig.position():
        assert rig.stops()[0]["side"] == ("SELL" if rig.position() > 0 else "BUY")
        assert rig.stops()[0]["reduceOnly"]


def assert_nothing_left(rig: Rig) -> None:
    """Flat, on the exchange and in the books, and no order of any kind."""
    assert rig.position() == 0
    assert rig.booked() == 0
    assert rig.working_orders() == []
    assert rig.stops() == []
    rig.check_books()
    assert all(parent.end_reason for parent in rig.parents())
    assert rig.orders().open_attempts() == []
    assert rig.orders().working_attempts() == []


def fill_some(rig: Rig, share: float) -> None:
    order = rig.working()
    rig.fill(part(float(order["origQty"]) - float(order["executedQty"]), share))


def fall(rig: Rig, side: Side, share: float = 0.025) -> None:
    """Move against a position, past its stop but within the limit of a stop that has one."""
    rig.move(-share * rig.bid * side.sign)


# ---- size


@ANY_STOP
@BOTH
def test_every_fill_has_its_stop_within_two_loops(rig: Rig, side: Side) -> None:
    target = rig.enter(side)
    fill_some(rig, 0.3)
    assert_guarded(rig)
    for _ in range(2):
        rig.move(3 * side.sign)
        rig.until(rig.working_orders, limit=10)
        fill_some(rig, 0.4)
        assert_guarded(rig)
    rig.until(rig.working_orders, limit=10)
    fill_some(rig, 1.0)
    assert_guarded(rig)
    assert rig.position() == target * side.sign
    rig.check_books()
    assert rig.parents()[0].end_reason == "filled"


@ANY_STOP
@BOTH
def test_a_stop_shrinks_with_a_part_exit(rig: Rig, side: Side) -> None:
    rig.hold(side)
    leave(rig, side)
    fill_some(rig, 0.4)
    assert_guarded(rig)
    rig.move(-3 * side.sign)
    rig.step(5, times=2)
    fill_some(rig, 0.5)
    assert_guarded(rig)
    fill_some(rig, 1.0)
    rig.step(1, times=3)
    assert_nothing_left(rig)


def test_a_stop_of_the_right_size_is_left_alone(rig: Rig) -> None:
    rig.hold()
    assert_guarded(rig)
    before = rig.stops()[0]["algoId"]
    rig.step(10, times=20)
    assert rig.stops()[0]["algoId"] == before


# ---- exits beside a stop


@ANY_STOP
@BOTH
def test_a_chased_exit_leaves_no_stop_behind(rig: Rig, side: Side) -> None:
    rig.hold(side)
    assert_guarded(rig)
    leave(rig, side)
    for _ in range(3):
        rig.move(-3 * side.sign)
        rig.step(5, times=2)
    fill_some(rig, 1.0)
    rig.step(1, times=3)
    assert_nothing_left(rig)


@ANY_STOP
@BOTH
@pytest.mark.parametrize("share", [0.0, 0.4])
def test_a_stop_that_triggers_ends_an_exit_that_works(rig: Rig, side: Side, share: float) -> None:
    rig.hold(side)
    assert_guarded(rig)
    leave(rig, side)
    if share:
        fill_some(rig, share)
        assert_guarded(rig)
    fall(rig, side)
    rig.step(1, times=A_ROUND_S)
    assert_nothing_left(rig)


# ---- entries beside a stop


def work_a_top_up(rig: Rig, side: Side) -> None:
    """Fill a part, and have the rest work beside the stop of the part."""
    rig.enter(side)
    fill_some(rig, 0.3)
    rig.move(3 * side.sign)
    rig.until(lambda: rig.working_orders() and rig.stops(), limit=10)
    PLAN.enter.clear()


@ANY_STOP
@BOTH
def test_a_stop_that_triggers_ends_a_top_up_that_works(rig: Rig, side: Side) -> None:
    work_a_top_up(rig, side)
    fall(rig, side)
    rig.step(1, times=A_ROUND_S)
    assert_nothing_left(rig)
    assert [p.end_reason for p in rig.parents() if p.kind == "entry"] == ["stop_loss"]


@BOTH
@pytest.mark.parametrize("share", [0.3, 1.0])
def test_what_a_top_up_fills_after_the_stop_is_closed(rig: Rig, side: Side, share: float) -> None:
    work_a_top_up(rig, side)
    fall(rig, side)
    fill_some(rig, share)
    # The fill was a trade at its price: the market is back where it was.
    rig.move(0)
    rig.step(1, times=A_ROUND_S)
    assert_nothing_left(rig)


@BOTH
def test_what_a_top_up_fills_after_the_stop_is_guarded_in_a_market_that_came_back(
    rig: Rig, caplog: pytest.LogCaptureFixture, side: Side
) -> None:
    work_a_top_up(rig, side)
    start = rig.bid
    fall(rig, side)
    fill_some(rig, 0.3)
    rig.move(start - rig.bid)
    rig.step(1, times=A_ROUND_S)
    assert guard(rig) == abs(rig.position()) > 0
    rig.check_books()
    assert alerts(caplog) == []


@pytest.mark.parametrize("rig", ["limit"], indirect=True)
def test_a_stop_that_triggered_and_rests_has_an_owner(rig: Rig) -> None:
    """A stop limit that the market ran past: its order has another id than freqtrade's row."""
    rig.hold()
    assert_guarded(rig)
    fall(rig, Side.LONG, 0.03)
    before = rig.working()["orderId"]
    rig.step(1, times=A_ROUND_S)
    assert rig.working()["orderId"] == before
    fill_some(rig, 1.0)
    rig.step(1, times=3)
    assert_nothing_left(rig)


# ---- faults


@pytest.mark.parametrize("kind", ["answer_lost", "status_unknown", "server_error"])
def test_a_stop_whose_answer_was_lost_is_not_doubled_for_long(rig: Rig, kind: str) -> None:
    rig.server.control.fault(kind, "POST", ALGO)
    target = rig.hold()
    rig.step(1, times=A_ROUND_S)
    assert guard(rig) == target
    leave(rig, Side.LONG)
    fill_some(rig, 1.0)
    rig.step(1, times=3)
    assert_nothing_left(rig)


def test_a_stop_that_cannot_be_taken_down_now_is_taken_down_later(rig: Rig) -> None:
    rig.endures = True
    rig.hold()
    leave(rig, Side.LONG)
    rig.server.control.fault("server_error", "DELETE", ALGO, 6)
    fill_some(rig, 1.0)
    rig.step(1, times=A_ROUND_S)
    assert_nothing_left(rig)


@BOTH
def test_a_kill_between_the_fill_and_its_stop_leaves_a_stop(rig: Rig, side: Side) -> None:
    target = rig.enter(side)

    def dead(**_: object) -> None:
        raise Killed

    rig.bot.exchange.create_stoploss = dead
    rig.fill(target)
    with pytest.raises(Killed):
        rig.step(1, times=3)
    rig.restart()
    assert_guarded(rig)
    assert rig.position() == target * side.sign


def test_a_kill_after_the_exchange_took_the_stop_leaves_one_stop(rig: Rig) -> None:
    target = rig.enter()
    create = rig.bot.exchange.create_stoploss

    def last(**order: Any) -> None:
        create(**order)
        raise Killed

    rig.bot.exchange.create_stoploss = last
    rig.fill(target)
    with pytest.raises(Killed):
        rig.step(1, times=3)
    rig.restart()
    rig.step(1, times=A_ROUND_S)
    assert guard(rig) == target
    rig.check_books()


@BOTH
def test_a_stop_that_would_trigger_at_once_is_an_emergency_exit(rig: Rig, side: Side) -> None:
    target = rig.enter(side)
    PLAN.enter.clear()
    rig.fill(target)
    fall(rig, side)
    rig.step(1, times=A_ROUND_S)
    assert_nothing_left(rig)
    assert rig.closed()[0].exit_reason == "emergency_exit"


# ---- what is not ours


def test_the_stop_of_somebody_else_is_left_alone(rig: Rig) -> None:
    rig.hold()
    rig.bot.exchange._api.create_order(
        BTC,
        "stop_market",
        "sell",
        0.01,
        None,
        {"stopPrice": rig.bid - 5000, "reduceOnly": True, "clientAlgoId": "web_1"},
    )
    rig.step(1, times=A_ROUND_S)
    assert min(float(stop["quantity"]) for stop in rig.stops()) == 0.01
    assert len(rig.stops()) == 2
