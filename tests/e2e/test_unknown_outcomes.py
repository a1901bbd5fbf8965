"""An order whose answer was lost is found and settled, never sent a second time."""

from __future__ import annotations

import pytest
from e2e.plan import PLAN
from e2e.rig import BTC, Killed, Rig
from e2e.test_entries import part
from e2e.test_exits import leave

from hydra_ft.types import ChildState, Side

pytestmark = [pytest.mark.e2e, pytest.mark.ci]
ORDER = "/fapi/v1/order"


def lose_answer(rig: Rig) -> None:
    rig.server.control.fault("answer_lost", "POST", ORDER)


def orders_sent(rig: Rig) -> int:
    return rig.server.requests[("POST", ORDER)]


def most_at_once(rig: Rig, seconds: float, times: int) -> float:
    """Step on; return the largest exposure seen: what is held and what may still fill."""
    worst = 0.0
    for _ in range(times):
        rig.step(seconds)
        entries = [o for o in rig.working_orders() if o["side"] == "BUY"]
        open_quantity = sum(float(o["origQty"]) - float(o["executedQty"]) for o in entries)
        worst = max(worst, rig.position() + open_quantity)
    return worst


def test_an_entry_whose_answer_was_lost_is_not_doubled(rig: Rig) -> None:
    """Freqtrade alone: 0.003 on the exchange, 0.001 in the database."""
    lose_answer(rig)
    PLAN.enter[BTC] = Side.LONG
    rig.until(lambda: orders_sent(rig), seconds=5, limit=15)
    target = rig.quantity()
    assert most_at_once(rig, 1, 20) == target
    assert len(rig.working_orders()) == 1
    rig.fill(target)
    rig.step(1, times=2)
    assert rig.position() == target
    rig.check_books()


def test_a_lost_entry_that_filled_is_closed_and_its_parent_ended(rig: Rig) -> None:
    lose_answer(rig)
    PLAN.enter[BTC] = Side.LONG
    rig.until(lambda: orders_sent(rig), seconds=5, limit=15)
    rig.fill(rig.quantity())
    rig.step(1, times=10)
    assert rig.position() == 0
    assert rig.working_orders() == []
    rig.check_books()
    assert rig.parents()[0].end_reason == "lost_fill_closed"


def test_a_lost_top_up_is_not_doubled(rig: Rig) -> None:
    target = rig.enter()
    rig.fill(part(target, 0.3))
    rig.move(3)
    lose_answer(rig)
    assert most_at_once(rig, 1, 25) <= target + 1e-12
    rig.fill(rig.quantity())
    rig.step(1, times=2)
    assert rig.position() == target
    rig.check_books()


@pytest.mark.parametrize("filled", [0.0, 0.5, 1.0])
def test_a_lost_exit_ends_flat(rig: Rig, filled: float) -> None:
    target = rig.hold()
    sent = orders_sent(rig)
    lose_answer(rig)
    PLAN.enter.clear()
    PLAN.leave[BTC] = Side.LONG
    rig.until(lambda: orders_sent(rig) > sent, seconds=5, limit=15)
    if filled:
        rig.fill(part(target, filled))
    for _ in range(20):
        rig.step(5)
        if rig.working_orders():
            rig.fill(float(rig.working()["origQty"]) - float(rig.working()["executedQty"]))
    assert rig.position() == 0
    assert rig.working_orders() == []
    assert rig.booked() == 0


def kill_after_sending(rig: Rig) -> None:
    """Die when the exchange has taken the next order and nothing has been written."""
    create = rig.bot.exchange._api.create_order

    def last(*args: object, **kwargs: object) -> None:
        create(*args, **kwargs)
        raise Killed

    rig.bot.exchange._api.create_order = last


def test_a_kill_after_the_exchange_took_the_order_does_not_double_it(rig: Rig) -> None:
    """Freqtrade alone: 0.166 for 0.083."""
    kill_after_sending(rig)
    PLAN.enter[BTC] = Side.LONG
    with pytest.raises(Killed):
        rig.step(30, times=4)
    target = rig.quantity()
    rig.restart()
    assert most_at_once(rig, 1, 15) == target
    rig.fill(target)
    rig.step(1, times=2)
    assert rig.position() == target
    rig.check_books()


def kill_after_cancelling(rig: Rig) -> None:
    """Die when the next working order is cancelled and nothing has been placed for it."""

    def dead(*_: object, **__: object) -> None:
        raise Killed

    rig.bot.exchange._api.create_order = dead


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_a_restart_between_cancel_and_requote_resumes_the_parent(rig: Rig, share: float) -> None:
    target = rig.enter()
    if share:
        rig.fill(part(target, share))
    kill_after_cancelling(rig)
    rig.move(5)
    with pytest.raises(Killed):
        rig.step(5, times=5)
    rig.restart()
    rig.until(rig.working_orders, limit=15)
    assert rig.quantity() == pytest.approx(target - part(target, share), abs=1e-12)
    rig.fill(rig.quantity())
    rig.step(1, times=2)
    assert rig.position() == target
    rig.check_books()
    assert [p.end_reason for p in rig.parents()] == ["filled"]


def test_a_restart_in_the_middle_of_an_exit_resumes_it(rig: Rig) -> None:
    target = rig.hold()
    leave(rig, Side.LONG)
    rig.fill(part(target, 0.4))
    kill_after_cancelling(rig)
    rig.move(-5)
    with pytest.raises(Killed):
        rig.step(5, times=5)
    rig.restart()
    rig.until(rig.working_orders, limit=20)
    rig.fill(rig.quantity())
    rig.step(1, times=3)
    assert rig.position() == 0
    rig.check_books()
    assert rig.closed()[0].exit_reason == "bias_flip"


def test_a_restart_while_an_order_works_keeps_the_order(rig: Rig) -> None:
    target = rig.enter()
    before = rig.working()["orderId"]
    rig.restart()
    rig.step(1, times=3)
    assert rig.working()["orderId"] == before
    rig.fill(target)
    rig.step(1, times=2)
    assert rig.position() == target
    rig.check_books()


def test_somebody_elses_order_is_left_alone(rig: Rig) -> None:
    """The same pair, side, quantity and price, but not our prefix."""
    PLAN.enter[BTC] = Side.LONG
    lose_answer(rig)
    rig.until(lambda: orders_sent(rig), seconds=5, limit=15)
    ours = rig.working()
    foreign = rig.bot.exchange._api.create_order(
        BTC,
        "limit",
        "buy",
        float(ours["origQty"]),
        float(ours["price"]),
        {"newClientOrderId": "web_1", "timeInForce": "GTC"},
    )
    rig.step(1, times=15)
    left = {str(order["orderId"]) for order in rig.working_orders()}
    assert foreign["id"] in left
    assert str(ours["orderId"]) not in left


def test_a_lost_top_up_is_found_on_an_exchange_whose_clock_is_ahead(rig: Rig) -> None:
    """The child before it must not be taken for the lost one."""
    target = rig.enter()
    rig.fill(part(target, 0.3))
    parse = rig.bot.exchange._api.parse_order

    def ahead(order: dict, market: object = None) -> dict:
        parsed = parse(order, market)
        parsed["timestamp"] += 4_000
        return parsed

    rig.bot.exchange._api.parse_order = ahead
    rig.move(3)
    rig.step(5)
    rig.move(3)
    lose_answer(rig)
    assert most_at_once(rig, 1, 40) <= target + 1e-12
    assert len(rig.working_orders()) <= 1


def arrive_late(rig: Rig, seconds: float) -> None:
    """Let the answer to the next order be lost, and the order reach the exchange later."""
    rig.server.control.fault("arrives_late", "POST", ORDER, delay_s=seconds)


@pytest.mark.parametrize("seconds", [1.0, 5.0, 9.0])
def test_an_order_that_arrives_late_is_not_doubled(rig: Rig, seconds: float) -> None:
    arrive_late(rig, seconds)
    PLAN.enter[BTC] = Side.LONG
    rig.step(5)
    worst = max(most_at_once(rig, 1, 1) for _ in range(40))
    assert worst <= rig.parents()[0].quantity + 1e-12
    assert len(rig.working_orders()) <= 1


@pytest.mark.parametrize("seconds", [20.0, 40.0])
def test_an_order_that_arrives_after_it_was_given_up_is_found_and_removed(
    rig: Rig, seconds: float
) -> None:
    arrive_late(rig, seconds)
    PLAN.enter[BTC] = Side.LONG
    rig.step(5)
    most_at_once(rig, 1, 45)
    # Looked for in every loop at first, and once more when a minute is over.
    assert len(rig.working_orders()) == (1 if seconds < 25 else 2)
    PLAN.enter.clear()
    rig.step(1, times=60)
    assert len(rig.working_orders()) <= 1
    rig.check_books()


def test_a_kill_between_the_cancel_and_freqtrades_note_leaves_no_shell(rig: Rig) -> None:
    """Freqtrade alone keeps a trade without an order, which blocks its slot for ever."""
    target = rig.enter()
    cancel = rig.bot.exchange.cancel_order_with_result

    def dead(*args: object, **kwargs: object) -> None:
        cancel(*args, **kwargs)
        raise Killed

    rig.bot.exchange.cancel_order_with_result = dead
    rig.move(5)
    with pytest.raises(Killed):
        rig.step(5, times=5)
    rig.restart()
    rig.until(rig.working_orders, limit=20)
    assert rig.quantity() == target
    rig.check_books()


def test_an_absence_is_not_waited_for_again_after_a_restart(rig: Rig) -> None:
    """One reading long after the sending is enough, however often the bot died before it."""

    def die(*_args: object, **_kwargs: object) -> None:
        raise Killed

    rig.bot.exchange._api.create_order = die
    PLAN.enter[BTC] = Side.LONG
    with pytest.raises(Killed):
        rig.step(30, times=4)
    (lost,) = rig.orders().open_attempts()
    PLAN.enter.clear()
    rig.clock.shift(30)
    rig.restart()
    rig.step(1)
    (children,) = rig.children().values()
    assert children[0].id == lost.id
    assert children[0].state is ChildState.NOT_SENT
    assert rig.position() == 0
