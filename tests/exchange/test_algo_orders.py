"""Conditional orders over ccxt: they wait, trigger, become orders, and are told of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ccxt
import pytest
import time_machine
from exchange.conftest import PAIR, client_options

from loopback_exchange import Event, Market, Server

if TYPE_CHECKING:
    from pathlib import Path

START_S = 20_500 * 86_400 + 60
MARK = {"workingType": "MARK_PRICE"}


@pytest.fixture
def long(server: Server, client: ccxt.binance) -> Server:
    """The shared server with a long position of 0.5 BTC."""
    client.create_order(PAIR, "market", "buy", 0.5)
    return server


def stop(client: ccxt.binance, trigger: float, side: str = "sell", **params: Any) -> dict[str, Any]:
    """A stop at the market that may only reduce, unless told otherwise."""
    params = {"stopPrice": trigger, "reduceOnly": True} | params
    kind = params.pop("kind", "stop_market")
    return client.create_order(
        PAIR, kind, side, params.pop("amount", 0.5), params.pop("price", None), params
    )


def read(client: ccxt.binance, algo: dict[str, Any]) -> dict[str, Any]:
    """The conditional order as ccxt reads it."""
    return client.fetch_order(algo["id"], PAIR, {"stop": True})


def position(server: Server) -> float:
    """Signed position in BTC."""
    return sum(float(row["positionAmt"]) for row in server.control.state()["positions"])


def test_a_stop_waits_and_is_listed(long: Server, client: ccxt.binance) -> None:
    algo = stop(client, 59000.0, clientAlgoId="guard")
    assert (algo["status"], algo["triggerPrice"], algo["amount"]) == ("open", 59000.0, 0.5)
    assert algo["reduceOnly"] is True
    assert [one["id"] for one in client.fetch_open_orders(PAIR, params={"stop": True})] == [
        algo["id"]
    ]
    assert client.fetch_open_orders(PAIR) == []
    (shown,) = long.control.state()["algo_orders"]
    assert (shown["clientAlgoId"], shown["algoStatus"]) == ("guard", "NEW")
    found = client.fetch_order(None, PAIR, {"stop": True, "clientAlgoId": "guard"})
    assert found["id"] == algo["id"]


def test_a_triggered_stop_closes_the_position(long: Server, client: ccxt.binance) -> None:
    algo = stop(client, 59000.0)
    long.control.book("BTCUSDT", 59000.1, 59000.2)
    assert read(client, algo)["status"] == "open"
    long.control.book("BTCUSDT", 59000.0, 59000.1)
    done = read(client, algo)
    assert (done["status"], done["info"]["algoStatus"]) == ("closed", "FINISHED")
    order = client.fetch_order(done["info"]["actualOrderId"], PAIR)
    assert (order["status"], order["filled"], order["average"]) == ("closed", 0.5, 59000.0)
    assert position(long) == 0
    assert long.control.state()["algo_orders"] == []


@pytest.mark.parametrize(
    ("kind", "side", "trigger", "reaches"),
    [
        ("stop_market", "sell", 59000.0, 58999.0),
        ("take_profit_market", "sell", 61000.0, 61001.0),
        ("stop_market", "buy", 61000.0, 61001.0),
        ("take_profit_market", "buy", 59000.0, 58999.0),
    ],
)
def test_each_kind_waits_on_its_side(
    server: Server, client: ccxt.binance, kind: str, side: str, trigger: float, reaches: float
) -> None:
    held = "buy" if side == "sell" else "sell"
    client.create_order(PAIR, "market", held, 0.5)
    algo = stop(client, trigger, side, kind=kind)
    server.control.book("BTCUSDT", 120_000.0 - reaches, 120_000.1 - reaches)
    assert read(client, algo)["status"] == "open"
    server.control.book("BTCUSDT", reaches, reaches + 0.1)
    assert read(client, algo)["status"] == "closed"
    assert position(server) == 0


def test_a_stop_limit_becomes_a_resting_order(long: Server, client: ccxt.binance) -> None:
    algo = stop(client, 59000.0, kind="stop", price=58990.0)
    long.control.book("BTCUSDT", 58900.0, 58900.1)
    info = read(client, algo)["info"]
    assert info["algoStatus"] == "TRIGGERED"
    (order,) = client.fetch_open_orders(PAIR)
    assert (order["id"], order["price"]) == (info["actualOrderId"], 58990.0)
    client.cancel_order(order["id"], PAIR)
    assert read(client, algo)["info"]["algoStatus"] == "FINISHED"


def test_a_print_is_a_last_price_and_leaves_the_mark(long: Server, client: ccxt.binance) -> None:
    by_last = stop(client, 59000.0, amount=0.2)
    by_mark = stop(client, 59000.0, amount=0.3, **MARK)
    long.control.print("BTCUSDT", 58000.0, 0.001, "sell")
    assert read(client, by_last)["status"] == "closed"
    assert read(client, by_mark)["status"] == "open"
    long.control.book("BTCUSDT", 58999.8, 58999.9, last=60000.0)
    assert read(client, by_mark)["status"] == "closed"


def test_a_stop_that_would_trigger_at_once_is_refused(long: Server, client: ccxt.binance) -> None:
    for trigger, params in ((60000.0, {}), (60001.0, {}), (60000.1, MARK)):
        with pytest.raises(ccxt.OrderImmediatelyFillable):
            stop(client, trigger, **params)
    assert long.control.state()["algo_orders"] == []
    stop(client, 60000.0, **MARK)  # the mark is 60000.05


def test_a_cancelled_stop_does_nothing(long: Server, client: ccxt.binance) -> None:
    algo = stop(client, 59000.0)
    client.cancel_order(algo["id"], PAIR, {"stop": True})
    long.control.book("BTCUSDT", 58000.0, 58000.1)
    assert read(client, algo)["status"] == "canceled"
    assert position(long) == 0.5
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order(algo["id"], PAIR, {"stop": True})
    with pytest.raises(ccxt.OrderNotFound):
        client.fetch_order("77", PAIR, {"stop": True})


def test_a_stop_stays_when_the_position_closes_and_expires_when_triggered(
    long: Server, client: ccxt.binance
) -> None:
    algo = stop(client, 59000.0)
    client.create_order(PAIR, "market", "sell", 0.5)
    assert read(client, algo)["status"] == "open"
    long.control.book("BTCUSDT", 58000.0, 58000.1)
    assert read(client, algo)["info"]["algoStatus"] == "EXPIRED"
    assert position(long) == 0


def test_a_stop_larger_than_the_position_is_clipped(long: Server, client: ccxt.binance) -> None:
    algo = stop(client, 59000.0, amount=0.9)
    long.control.book("BTCUSDT", 58000.0, 58000.1)
    order = client.fetch_order(read(client, algo)["info"]["actualOrderId"], PAIR)
    assert (order["status"], order["filled"]) == ("closed", 0.5)
    assert position(long) == 0


def test_close_position_takes_what_is_there(long: Server, client: ccxt.binance) -> None:
    params = {"stopPrice": 59000.0, "closePosition": True}
    client.create_order(PAIR, "stop_market", "sell", 0, None, params)
    client.create_order(PAIR, "market", "buy", 0.2)
    long.control.book("BTCUSDT", 58000.0, 58000.1)
    assert position(long) == 0


def test_a_trigger_that_opens_without_margin_is_rejected(
    server: Server, client: ccxt.binance
) -> None:
    algo = stop(client, 61000.0, "buy", amount=90, reduceOnly=False)
    server.control.book("BTCUSDT", 61000.0, 61000.1, 100, 100)
    assert read(client, algo)["info"]["algoStatus"] == "REJECTED"
    assert position(server) == 0


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"algoType": "VP"}, -1130),
        ({"type": "TRAILING_STOP_MARKET"}, -1116),
        ({"triggerPrice": "59000.05"}, -4014),
        ({"triggerPrice": None}, -1102),
        ({"quantity": "0.0001"}, -1111),
        ({"quantity": "0.001"}, -4164),
        ({"workingType": "INDEX"}, -1130),
        ({"type": "STOP"}, -1102),
        ({"closePosition": "true"}, -1130),
        ({"clientAlgoId": "no spaces"}, -4015),
    ],
)
def test_a_wrong_parameter_has_its_code(
    client: ccxt.binance, params: dict[str, Any], code: int
) -> None:
    whole = {
        "algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET",
        "quantity": "0.5", "triggerPrice": "59000.0",
    } | params  # fmt: skip
    sent = {name: value for name, value in whole.items() if value is not None}
    with pytest.raises(ccxt.BaseError, match=f'"code":{code},'):
        client.fapiPrivatePostAlgoOrder(sent)


def test_a_client_id_is_taken_once(long: Server, client: ccxt.binance) -> None:
    stop(client, 59000.0, clientAlgoId="guard")
    with pytest.raises(ccxt.InvalidOrder, match="-4116"):
        stop(client, 58000.0, clientAlgoId="guard")


@pytest.mark.parametrize("params", [{}, MARK])
def test_the_markets_own_trades_trigger_a_stop(
    server: Server, client: ccxt.binance, params: dict[str, str]
) -> None:
    """At the first trade, or mark, at or below the trigger, at the prices of that moment."""
    with time_machine.travel(START_S, tick=False) as clock:
        server.reset()
        client.create_order(PAIR, "market", "buy", 0.01)
        spec = server.market.spec("BTCUSDT")
        trigger = round(client.fetch_order_book(PAIR, 5)["bids"][0][0] - 30, 1)
        algo = stop(client, trigger, amount=0.01, **params)
        trades = server.market.trades("BTCUSDT", START_S * 1000 + 1, (START_S + 86_400) * 1000)
        level = spec.prices(trades.price)
        if params:
            level = [server.market.mark_price("BTCUSDT", int(at)) for at in trades.time_ms[:5000]]
        first = next(n for n, price in enumerate(level) if price <= trigger)
        at_ms = int(trades.time_ms[first])
        clock.move_to((at_ms - 1) / 1000)
        assert read(client, algo)["status"] == "open"
        clock.move_to(at_ms / 1000 + 7)
        info = read(client, algo)["info"]
        assert (info["algoStatus"], info["triggerTime"]) == ("FINISHED", at_ms)
        order = client.fetch_order(info["actualOrderId"], PAIR)
        assert order["timestamp"] == at_ms
        last = float(spec.price(int(trades.price[first])))
        assert order["average"] == pytest.approx(last, abs=1.0)


def test_algo_orders_survive_a_restart_and_trigger_after_it(tmp_path: Path) -> None:
    server = Server(Market(7), store=tmp_path / "exchange.sqlite")
    with server:
        server.control.book("BTCUSDT", 60000.0, 60000.1)
        client = ccxt.binance(client_options(server.url))
        client.create_order(PAIR, "market", "buy", 0.5)
        algo = stop(client, 59000.0)
        before = server.control.state()
    with server:
        assert server.control.state() == before
        server.exchange.reload()
        assert server.control.state() == before
        server.control.book("BTCUSDT", 59000.0, 59000.1)
        assert read(client, algo)["status"] == "closed"
        assert int(stop(client, 58000.0)["id"]) == int(algo["id"]) + 1
        server.reset()
        assert server.control.state()["algo_orders"] == []


def test_the_journal_tells_algo_orders_apart(long: Server, client: ccxt.binance) -> None:
    events: list[Event] = []
    long.watchers.append(events.append)
    algo = stop(client, 59000.0, clientAlgoId="guard")
    long.control.book("BTCUSDT", 59000.0, 59000.1)
    long.watchers.clear()
    assert [(event.what, event.is_algo) for event in events] == [
        ("placed", True),
        ("ended", True),
        ("placed", False),
        ("filled", False),
        ("ended", False),
    ]
    assert events[0].order_id == int(algo["id"])
    assert (events[0].price, float(events[0].quantity)) == (59000, 0.5)
    assert {event.client_id for event in events} == {"guard"}


def test_the_history_holds_every_state(long: Server, client: ccxt.binance) -> None:
    waiting, cancelled = stop(client, 59000.0, amount=0.1), stop(client, 58000.0, amount=0.1)
    client.cancel_order(cancelled["id"], PAIR, {"stop": True})
    found = client.fetch_orders(PAIR, params={"stop": True})
    assert {order["id"]: order["status"] for order in found} == {
        waiting["id"]: "open",
        cancelled["id"]: "canceled",
    }


@pytest.mark.parametrize("status", ["EXPIRED", "CANCELED", "REJECTED"])
def test_the_exchange_may_drop_stops_by_itself(
    long: Server, client: ccxt.binance, status: str
) -> None:
    algo = stop(client, 59000.0)
    assert long.control.drop_stops("BTCUSDT", status) == 1
    assert read(client, algo)["status"] == status.lower()
    assert long.control.state()["algo_orders"] == []
    assert long.control.drop_stops("BTCUSDT") == 0
    assert position(long) == 0.5
