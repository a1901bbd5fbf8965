"""Entries are chased within the candle and end exactly at their target."""

from __future__ import annotations

import pytest
from e2e.plan import PLAN
from e2e.rig import BTC, ETH, STEP, TICK, Rig
from freqtrade.persistence import PairLocks, Trade

from hydra_ft.execution.ticks import floor_steps
from hydra_ft.types import Side

pytestmark = pytest.mark.e2e
BOTH = pytest.mark.parametrize("side", list(Side))


def part(quantity: float, share: float) -> float:
    return floor_steps(quantity * share, STEP)


@BOTH
def test_an_entry_is_requoted_with_the_touch_and_filled(rig: Rig, side: Side) -> None:
    target = rig.enter(side)
    first = rig.price()
    assert first == (rig.bid if side is Side.LONG else rig.ask)
    rig.move(5 * side.sign)
    rig.step(5, times=2)
    assert rig.price() == pytest.approx(first + 5 * side.sign, abs=TICK / 2)
    assert rig.quantity() == target
    rig.fill(target)
    rig.step(1, times=2)
    assert rig.position() == target * side.sign
    rig.check_books()
    (parent,) = rig.parents()
    assert (parent.end_reason, parent.requotes, parent.quantity) == ("filled", 1, target)


@BOTH
def test_thirty_thirty_and_the_rest_end_exactly_at_the_target(rig: Rig, side: Side) -> None:
    """F-E4: the original sent the whole quantity again after a part fill."""
    target = rig.enter(side)
    share = part(target, 0.3)
    for done in (share, 2 * share):
        rig.fill(share)
        rig.move(3 * side.sign)
        rig.step(5, times=2)
        assert rig.quantity() == pytest.approx(target - done, abs=1e-12)
    rig.fill(rig.quantity())
    rig.step(1, times=2)
    assert rig.position() == target * side.sign
    rig.check_books()
    (parent,) = rig.parents()
    assert (parent.end_reason, parent.children) == ("filled", 3)


def test_an_unfilled_entry_keeps_its_target_over_many_requotes(rig: Rig) -> None:
    """Freqtrade's own replacement loses a step at each; Route: 0.008 -> 0.007 -> 0.006."""
    target = rig.enter()
    for _ in range(6):
        rig.move(11.3)
        rig.step(5)
        rig.step(1)
        assert rig.quantity() == target
    rig.fill(target)
    rig.step(1, times=2)
    assert rig.position() == target
    rig.check_books()


def test_a_standing_touch_is_not_requoted(rig: Rig) -> None:
    rig.enter()
    first = rig.working()["orderId"]
    rig.step(5, times=10)
    assert rig.working()["orderId"] == first


def test_at_the_deadline_the_rest_is_abandoned_and_not_tried_again_this_bar(rig: Rig) -> None:
    """F-E2: a part that filled is held and booked, not "failed"."""
    target = rig.enter()
    rig.fill(part(target, 0.3))
    rig.step(5, times=30)
    assert rig.working_orders() == []
    assert rig.position() == part(target, 0.3)
    rig.check_books()
    assert rig.parents()[0].end_reason == "deadline"


def test_a_partly_filled_first_entry_is_stopped_out(rig: Rig) -> None:
    """Freqtrade looks at no exit while trade.amount is 0: 0.04 BTC held, 2 % below, nothing."""
    target = rig.enter()
    rig.fill(part(target, 0.5))
    rig.move(-0.03 * rig.bid)
    rig.step(1)
    assert rig.parents()[0].end_reason == "stop_loss"
    rig.step(1)
    assert rig.position() == 0
    assert rig.closed()[0].exit_reason == "stop_loss"
    rig.check_books()


def test_a_partly_filled_first_entry_follows_an_exit_signal(rig: Rig) -> None:
    target = rig.enter()
    rig.fill(part(target, 0.5))
    PLAN.enter.clear()
    PLAN.leave[BTC] = Side.LONG
    rig.until(lambda: any(o["side"] == "SELL" for o in rig.working_orders()), seconds=5, limit=15)
    rig.fill(rig.quantity())
    rig.step(1, times=2)
    assert rig.position() == 0
    rig.check_books()


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_a_fill_between_reading_and_cancelling_is_counted(rig: Rig, share: float) -> None:
    target = rig.enter()
    cancel = rig.bot.exchange.cancel_order
    raced = part(target, share)

    def late(order_id: str, pair: str, params: dict | None = None) -> dict:
        rig.bot.exchange.cancel_order = cancel
        rig.server.control.fill("BTCUSDT", int(order_id), raced)
        return cancel(order_id, pair, params)

    rig.bot.exchange.cancel_order = late
    rig.move(5)
    rig.step(5, times=3)
    if share < 1:
        rig.fill(rig.quantity())
        rig.step(1, times=2)
    assert rig.position() == target
    rig.check_books()


def test_a_part_below_the_minimum_stake_is_still_chased(rigged) -> None:
    """Freqtrade refuses that cancel in every loop; the seam cancels, freqtrade books it."""
    rig = rigged(stake_amount=700)
    target = rig.enter()
    rig.fill(STEP)
    rig.move(5)
    rig.step(5, times=3)
    assert rig.quantity() == pytest.approx(target - STEP, abs=1e-12)
    rig.fill(rig.quantity())
    rig.step(1, times=2)
    assert rig.position() == target
    rig.check_books()


def test_a_rest_below_the_minimum_stake_ends_the_parent(rigged) -> None:
    rig = rigged(stake_amount=700)
    target = rig.enter()
    rig.fill(target - STEP)
    rig.move(5)
    rig.step(5, times=3)
    assert rig.working_orders() == []
    assert rig.parents()[0].end_reason == "rest_below_min"
    assert rig.position() == pytest.approx(target - STEP, abs=1e-12)
    rig.check_books()


def test_a_chased_slot_is_reserved(rigged) -> None:
    """F-E5: the original kept one state for all orders."""
    rig = rigged(max_open_trades=1)
    rig.enter()
    PLAN.enter[ETH] = Side.LONG
    for _ in range(3):
        rig.move(5)
        rig.step(30)
        assert rig.working_orders(ETH) == []
    assert rig.working_orders()
    rig.check_books()


def test_an_opposite_decision_ends_the_parent_and_opens_its_own(rig: Rig) -> None:
    rig.enter(Side.LONG)
    PLAN.enter[BTC] = Side.SHORT
    rig.move(5)
    rig.until(lambda: rig.working_orders() and rig.working()["side"] == "SELL", seconds=5, limit=30)
    assert [p.end_reason for p in rig.parents() if p.side is Side.LONG] == ["reversed"]
    rig.check_books()


def test_an_entry_is_chased_beyond_the_bar_that_decided_it(rig: Rig) -> None:
    rig.enter()
    PLAN.enter.clear()
    rig.step(30, times=2)
    rig.move(5)
    rig.step(5, times=2)
    assert rig.price() == rig.bid
    assert rig.parents()[0].requotes == 1


def test_a_pair_lock_ends_a_parent(rig: Rig) -> None:
    rig.enter()
    PairLocks.lock_pair(BTC, rig.clock_now(minutes=10), "test")
    rig.step(1, times=3)
    assert rig.working_orders() == []
    assert rig.parents()[0].end_reason == "pair_locked"
    rig.check_books()


def test_nothing_is_sent_when_the_attempt_cannot_be_written(rig: Rig) -> None:
    PLAN.enter[BTC] = Side.LONG

    def broken(*_: object) -> None:
        raise OSError("disk full")

    rig.bot.strategy._desk.book._store.send = broken
    rig.step(30, times=4)
    assert rig.server.requests[("POST", "/fapi/v1/order")] == 0
    assert Trade.get_open_trade_count() == 0


def test_a_rejected_order_is_spaced_and_tried_again(rig: Rig) -> None:
    """4-05: retries without spacing, on whatever went wrong."""
    create = rig.bot.exchange._api.create_order
    calls = []

    def rejected(*args: object, **kwargs: object) -> None:
        import ccxt

        calls.append(args)
        raise ccxt.InvalidOrder("rejected by the exchange")

    rig.bot.exchange._api.create_order = rejected
    PLAN.enter[BTC] = Side.LONG
    rig.step(30, times=3)
    before = len(calls)
    assert before >= 1
    rig.step(1, times=12)
    assert len(calls) - before <= 3
    rig.bot.exchange._api.create_order = create
    rig.until(rig.working_orders, seconds=1, limit=40)
    rig.fill(rig.quantity())
    rig.step(1, times=2)
    rig.check_books()


def test_post_only_children_never_take(rigged) -> None:
    rig = rigged(hydra={"bot_name": "test", "chase": {"entry": {"post_only": True}}})
    rig.enter()
    assert rig.working()["timeInForce"] == "GTX"
    rig.move(5)
    rig.step(5, times=2)
    rig.fill(rig.quantity())
    rig.step(1, times=2)
    fills = rig.server.control.state()["fills"]
    assert all(fill["maker"] for fill in fills)
    rig.check_books()


def test_a_rest_that_the_account_cannot_pay_ends_the_entry_and_is_not_asked_for(rig: Rig) -> None:
    """Freqtrade drops such a top-up without a word, after it has asked for its price."""
    target = rig.enter()
    rig.fill(part(target, 0.5))
    sent = rig.server.requests[("POST", "/fapi/v1/order")]
    rig.bot.wallets.get_available_stake_amount = lambda: 1.0
    rig.move(5)
    rig.step(1, times=10)
    assert rig.server.requests[("POST", "/fapi/v1/order")] == sent
    assert rig.parents()[0].end_reason == "rest_unfunded"
    rig.check_books()


def test_an_order_that_freqtrade_does_not_send_is_known_not_to_exist(rig: Rig) -> None:
    """No exchange is asked, no breaker hears of it, and the next child is not held up."""
    confirm = rig.bot.strategy.confirm_trade_entry

    def refused_after_us(**kwargs: object) -> bool:
        confirm(**kwargs)
        return False

    rig.bot.strategy.confirm_trade_entry = refused_after_us
    PLAN.enter[BTC] = Side.LONG
    rig.until(rig.parents, seconds=5, limit=15)
    asked = rig.server.requests[("GET", "/fapi/v1/allOrders")]
    rig.bot.strategy.confirm_trade_entry = confirm
    rig.until(rig.working_orders, seconds=1, limit=8)
    assert rig.server.requests[("GET", "/fapi/v1/allOrders")] == asked


def test_a_new_long_leaves_room_for_the_chase(rig: Rig) -> None:
    entries = rig.bot.strategy._entries
    assert entries.first_stake(Side.LONG, 100.0, 100.0) == pytest.approx(100 / 1.0025)
    assert entries.first_stake(Side.LONG, 99.0, 100.0) == 99.0
    assert entries.first_stake(Side.SHORT, 100.0, 100.0) == 100.0
