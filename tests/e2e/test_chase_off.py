"""With the chase off, orders and prices are plain freqtrade's: beside a plain twin, one by one."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from e2e.plan import PLAN
from e2e.rig import BTC, Rig
from e2e.test_entries import part
from freqtrade.persistence import Trade

from hydra_ft.adapter.orders.live import LiveOrders
from hydra_ft.types import Side

if TYPE_CHECKING:
    from pathlib import Path

    from loopback_exchange.server import Server

pytestmark = pytest.mark.e2e
OFF = {"bot_name": "test", "chase": {"enabled": False}}
TIMEOUT = {"entry": 1, "exit": 1, "unit": "minutes"}
SAID = ("type", "side", "price", "origQty", "timeInForce", "reduceOnly", "time", "updateTime")
BECAME = ("status", "executedQty", "avgPrice")


def on_the_exchange(rig: Rig) -> list[dict[str, Any]]:
    """Give every order of the pair: what was said to the exchange, and what became of it."""
    orders = [order["info"] for order in rig.bot.exchange._api.fetch_orders(BTC)]
    return [{name: order[name] for name in (*SAID, *BECAME)} for order in orders]


def in_freqtrade(rig: Rig) -> list[tuple[Any, ...]]:
    """Give every trade as freqtrade booked it."""
    return [
        (trade.enter_tag, trade.exit_reason, trade.open_date, trade.close_date, trade.amount)
        for trade in (*rig.closed(), *Trade.get_open_trades())
    ]


def enter_late(rig: Rig, side: Side) -> float:
    """Enter; the first order times out, the next one fills; return the quantity."""
    PLAN.enter[BTC] = side
    rig.until(rig.working_orders, seconds=5, limit=15)
    first = rig.working()["orderId"]
    rig.move(7 * side.sign)
    rig.until(lambda: rig.working_orders() and rig.working()["orderId"] != first, seconds=5)
    PLAN.enter.clear()
    quantity = rig.quantity()
    rig.fill(quantity)
    rig.step(5, times=2)
    return quantity


def leave_late(rig: Rig, side: Side, quantity: float) -> None:
    """Leave; the first order fills in part and times out, the next one fills."""
    PLAN.leave[BTC] = side
    rig.until(rig.working_orders, seconds=5, limit=15)
    first = rig.working()["orderId"]
    rig.fill(part(quantity, 0.3))
    rig.move(-7 * side.sign)
    rig.until(lambda: rig.working_orders() and rig.working()["orderId"] != first, seconds=5)
    rig.fill(rig.quantity())
    PLAN.leave.clear()
    rig.until(lambda: not rig.position(), seconds=5, limit=5)
    rig.step(5, times=2)


def live(rig: Rig, side: Side) -> None:
    """An entry and an exit that time out once each, then an entry that is stopped out."""
    leave_late(rig, side, enter_late(rig, side))
    rig.step(30, times=3)
    enter_late(rig, side)
    rig.move(-0.03 * rig.bid * side.sign)
    rig.step(5, times=3)


@pytest.mark.parametrize("side", list(Side))
def test_every_order_is_that_of_a_plain_strategy(
    server: Server, tmp_path: Path, side: Side
) -> None:
    lived = []
    for head in ("StandingHead", "PlainHead"):
        server.reset()
        PLAN.clear()
        folder = tmp_path / head
        folder.mkdir()
        with closing(Rig(server, folder, head=head, hydra=OFF, unfilledtimeout=TIMEOUT)) as rig:
            live(rig, side)
            lived.append((on_the_exchange(rig), in_freqtrade(rig)))
            rig.check_books()
            if head == "StandingHead":
                assert not isinstance(rig.bot.strategy, LiveOrders)
                assert rig.parents() == []
                assert rig.orders().sent_since(0) == 0
    (orders, trades), (plain_orders, plain_trades) = lived
    assert orders == plain_orders
    assert trades == plain_trades
    enters, leaves = ("BUY", "SELL") if side is Side.LONG else ("SELL", "BUY")
    expected = [enters, enters, leaves, leaves, enters, enters, leaves]
    assert [order["side"] for order in orders] == expected
    assert [order["status"] for order in orders].count("CANCELED") == 3
    assert [trade[1] for trade in trades] == ["bias_flip", "stop_loss"]
