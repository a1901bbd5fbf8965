"""What exchange and books disagree on: ours is mended exactly, anybody else's is left alone.

Audit items 2-17 and 2-18: one truth, and a comparison instead of two that are polled.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from e2e.plan import PLAN
from e2e.rig import BTC, ETH, Rig
from e2e.test_entries import part
from freqtrade.exceptions import RetryableOrderError
from freqtrade.persistence import Trade

from hydra_ft.types import ChildState, Side

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.e2e, pytest.mark.ci]
BOTH = pytest.mark.parametrize("side", list(Side))
OPEN = ("GET", "/fapi/v1/openOrders")
SOL = "SOL/USDT:USDT"
A_ROUND_S = 70
"""Within which a scheduled comparison has come, and believed what it saw."""


def send(rig: Rig, side: str, quantity: float, pair: str = BTC, **how: Any) -> str:
    """Send an order past freqtrade; ours by its prefix, unless it has an id of its own."""
    price = how.pop("price", None)
    kind = "limit" if price else "market"
    return str(rig.bot.exchange._api.create_order(pair, kind, side, quantity, price, how)["id"])


def by_hand(rig: Rig, side: str, quantity: float, pair: str = BTC, **how: Any) -> str:
    return send(rig, side, quantity, pair, newClientOrderId=f"web_{side}", **how)


def signs(side: Side) -> tuple[str, str]:
    """Say what opens and what closes."""
    return ("buy", "sell") if side is Side.LONG else ("sell", "buy")


def alerts(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno == logging.ERROR and record.name.startswith("hydra_ft")
    ]


def forget_trade(rig: Rig) -> None:
    """Lose the trade from freqtrade's database."""
    PLAN.enter.clear()
    rig.trade().delete()
    Trade.commit()


# ---- orders


@pytest.mark.parametrize("pair", [BTC, ETH], ids=["beside a trade", "without a trade"])
def test_an_order_of_ours_without_an_owner_is_cancelled(
    rig: Rig, caplog: pytest.LogCaptureFixture, pair: str
) -> None:
    target = rig.hold()
    PLAN.enter.clear()
    price = round(float(rig.bot.exchange.fetch_ticker(pair)["last"]) * 0.99, 1)
    send(rig, "buy", 0.1, pair, price=price)
    rig.step(1, times=A_ROUND_S)
    assert rig.working_orders(pair) == []
    assert rig.position() == target
    assert [text for text in alerts(caplog) if "no owner" in text] != []
    rig.check_books()


def test_an_order_of_somebody_else_is_reported_once_and_left(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.hold()
    theirs = by_hand(rig, "buy", 0.1, price=rig.bid - 100)
    rig.step(10, times=20)
    assert [str(order["orderId"]) for order in rig.working_orders()] == [theirs]
    assert len([text for text in alerts(caplog) if theirs in text]) == 1


def test_a_working_child_is_not_taken_for_an_order_without_an_owner(rig: Rig) -> None:
    rig.enter()
    before = rig.working()["orderId"]
    rig.step(1, times=A_ROUND_S)
    assert rig.working()["orderId"] == before


def test_the_pairs_of_others_are_left_alone(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """Another bot may trade SOL on this account, even with our prefix."""
    send(rig, "buy", 1.0, SOL)
    send(rig, "buy", 1.0, SOL, price=50.0)
    held = rig.position(SOL)
    rig.step(10, times=20)
    assert rig.position(SOL) == held != 0
    assert len(rig.working_orders(SOL)) == 1
    assert alerts(caplog) == []


# ---- exposure


@BOTH
def test_the_position_of_a_trade_that_was_deleted_is_reported_and_left(
    rig: Rig, caplog: pytest.LogCaptureFixture, side: Side
) -> None:
    """Freqtrade had booked it: the operator who deletes a trade takes its position over."""
    target = rig.hold(side)
    forget_trade(rig)
    rig.step(10, times=20)
    assert rig.position() == target * side.sign
    assert len([text for text in alerts(caplog) if "left alone" in text]) == 1


@BOTH
def test_only_what_is_ours_of_a_position_is_closed(
    rig: Rig, caplog: pytest.LogCaptureFixture, side: Side
) -> None:
    send(rig, signs(side)[0], 0.03)
    by_hand(rig, signs(side)[0], 0.02)
    rig.step(10, times=20)
    assert rig.position() == pytest.approx(0.02 * side.sign, abs=1e-12)
    assert len([text for text in alerts(caplog) if "closing" in text]) == 1
    assert len([text for text in alerts(caplog) if "left alone" in text]) == 1


@BOTH
def test_a_position_of_somebody_else_is_reported_once_and_left(
    rig: Rig, caplog: pytest.LogCaptureFixture, side: Side
) -> None:
    by_hand(rig, signs(side)[0], 0.02)
    rig.step(10, times=20)
    assert rig.position() == 0.02 * side.sign
    assert len(alerts(caplog)) == 1
    assert "left alone" in alerts(caplog)[0]


@pytest.mark.parametrize("share", [0.0, 0.3], ids=["first child", "top-up"])
def test_a_cancel_that_freqtrade_made_up_is_not_believed(rig: Rig, share: float) -> None:
    """Not to be cancelled, not to be read: freqtrade takes that for a cancel and orders anew."""
    target = rig.enter()
    held = part(target, share)
    if share:
        rig.fill(held)
        rig.move(3)
        rig.step(5, times=2)
    exchange = rig.bot.exchange
    cancel, fetch = exchange.cancel_order, exchange.fetch_order

    def unknown(order_id: str, pair: str, params: Any = None) -> Any:
        exchange.fetch_order = gone
        raise RetryableOrderError("not found")

    def gone(order_id: str, pair: str, params: Any = None) -> Any:
        exchange.cancel_order, exchange.fetch_order = cancel, fetch
        raise RetryableOrderError("not found")

    exchange.cancel_order = unknown
    before = rig.working()["orderId"]
    rig.move(5)
    rig.until(lambda: exchange.cancel_order is not unknown, limit=10)
    assert [order["orderId"] for order in rig.working_orders()] == [before]
    rig.fill(rig.quantity())
    rig.step(1, times=3)
    assert rig.position() == target
    rig.check_books()
    assert rig.parents()[0].end_reason == "filled"


@BOTH
def test_a_fill_that_the_books_do_not_have_is_closed(rig: Rig, side: Side) -> None:
    """Beside a trade of the right size, exactly what it lacks."""
    target = rig.hold(side)
    send(rig, signs(side)[0], 0.03)
    rig.step(1, times=A_ROUND_S)
    assert rig.position() == target * side.sign
    rig.check_books()


def test_a_lost_fill_is_closed_beside_an_order_that_works(rig: Rig) -> None:
    """Not only when the chase is over: its exposure comes on top of the target."""
    target = rig.enter()
    rig.fill(part(target, 0.3))
    rig.move(3)
    rig.step(5, times=2)
    working = rig.working()["orderId"]
    send(rig, "buy", 0.03)
    rig.step(1, times=A_ROUND_S)
    assert rig.working()["orderId"] == working
    assert rig.position() == part(target, 0.3)
    rig.fill(rig.quantity())
    rig.step(1, times=3)
    assert rig.position() == target
    rig.check_books()


@BOTH
@pytest.mark.parametrize("requoted", [False, True])
def test_a_position_that_is_closed_by_hand_ends_the_chase(
    rig: Rig, side: Side, requoted: bool
) -> None:
    target = rig.enter(side)
    rig.fill(part(target, 0.3))
    rig.move(3 * side.sign)
    rig.step(5, times=2)
    assert rig.booked() == part(target, 0.3) * side.sign
    by_hand(rig, signs(side)[1], part(target, 0.3))
    if requoted:
        rig.move(3 * side.sign)
    PLAN.enter.clear()
    rig.step(1, times=A_ROUND_S)
    assert rig.position() == 0
    assert [p.end_reason for p in rig.parents()] == ["closed_elsewhere"]
    assert rig.working_orders() == []
    rig.check_books()


# ---- when it is looked


def test_a_restarted_bot_compares_at_once(rig: Rig) -> None:
    rig.hold()
    PLAN.enter.clear()
    send(rig, "buy", 0.1, price=rig.bid - 100)
    rig.restart()
    rig.step(1, times=6)
    assert rig.working_orders() == []


def test_what_filled_while_the_bot_was_down_is_closed(rig: Rig) -> None:
    target = rig.hold()
    PLAN.enter.clear()
    send(rig, "buy", 0.03)
    rig.restart()
    rig.step(1, times=8)
    assert rig.position() == target
    rig.check_books()


def lose_hydra_database(rig: Rig) -> None:
    for name in ("hydra.sqlite", "hydra.sqlite-wal", "hydra.sqlite-shm"):
        (rig.folder / "user_data" / name).unlink(missing_ok=True)


def test_without_our_database_a_lost_order_is_known_by_its_prefix(rig: Rig) -> None:
    rig.server.control.fault("answer_lost", "POST", "/fapi/v1/order")
    PLAN.enter[BTC] = Side.LONG
    rig.until(rig.working_orders, seconds=5, limit=15)
    rig.fill(part(rig.quantity(), 0.4))
    PLAN.enter.clear()
    rig.kill()
    lose_hydra_database(rig)
    rig.restart()
    rig.step(1, times=15)
    assert rig.working_orders() == []
    assert rig.position() == 0
    rig.check_books()


def test_without_our_database_a_working_order_stays_freqtrades(rig: Rig) -> None:
    target = rig.enter()
    lose_hydra_database(rig)
    rig.restart()
    rig.step(1, times=A_ROUND_S)
    rig.fill(target)
    rig.step(1, times=3)
    assert rig.position() == target
    rig.check_books()


def test_a_dry_run_asks_the_exchange_nothing(rigged: Callable[..., Rig]) -> None:
    rig = rigged(dry_run=True)
    PLAN.enter[BTC] = Side.LONG
    rig.step(10, times=20)
    assert rig.server.requests[OPEN] == 0
    assert rig.server.requests[("GET", "/fapi/v3/positionRisk")] == 0


def test_an_impossible_step_of_a_child_is_logged_and_the_pair_compared(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.hold()
    book = rig.bot.strategy._desk.book
    (child,) = next(iter(rig.children().values()))
    assert child.state is ChildState.FILLED
    asked = rig.server.requests[OPEN]
    book.book(child, ChildState.CANCELLED, int(rig.clock_now().timestamp() * 1000))
    assert any("from filled to cancelled" in text for text in alerts(caplog))
    rig.step(1)
    assert rig.server.requests[OPEN] == asked + 1
    assert next(iter(rig.children().values()))[0].state is ChildState.FILLED
