"""Each kind of fault by name, over HTTP: what the client sees, and what really happened."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import ccxt
import pytest
import requests
import time_machine
from exchange.conftest import PAIR, client_options
from waiting import wait_until

from loopback_exchange import Market, Server
from loopback_exchange.faults import FITS, FaultKind
from loopback_exchange.faults.actions import ACTIONS

if TYPE_CHECKING:
    from pathlib import Path

ORDER = "/fapi/v1/order"
START_S = 20_500 * 86_400 + 60


def place(client: ccxt.binance, client_id: str = "mine", price: float = 59000.0) -> dict[str, Any]:
    """A buy of 1 that rests below the pinned book."""
    return client.create_order(PAIR, "limit", "buy", 1, price, {"newClientOrderId": client_id})


def open_ids(server: Server) -> list[str]:
    """Client ids of what is open, as the exchange knows it."""
    return [order["clientOrderId"] for order in server.control.state()["open_orders"]]


def impatient(server: Server, timeout_ms: int = 1_000) -> ccxt.binance:
    """A client that waits this long for an answer."""
    client = ccxt.binance(client_options(server.url, timeout=timeout_ms))
    client.load_markets()
    return client


def test_every_kind_has_an_action_and_fits_a_method() -> None:
    assert set(ACTIONS) == set(FITS) == set(FaultKind)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("timeout_before", ccxt.RequestTimeout),
        ("rate_limited", ccxt.DDoSProtection),
        ("banned", ccxt.DDoSProtection),
        ("unavailable", ccxt.OperationFailed),
        ("server_error", ccxt.ExchangeNotAvailable),
        ("post_only_rejected", ccxt.OrderNotFillable),
        ("margin_insufficient", ccxt.InsufficientFunds),
        ("clock_skew", ccxt.InvalidNonce),
    ],
)
def test_a_fault_without_effect_places_nothing(
    server: Server, kind: str, error: type[Exception]
) -> None:
    client = impatient(server, 1_000 if kind == "timeout_before" else 10_000)
    server.control.fault(kind, "POST", ORDER)
    with pytest.raises(error) as caught:
        place(client)
    assert type(caught.value) is error
    assert open_ids(server) == []
    place(client)
    assert open_ids(server) == ["mine"]


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("answer_lost", ccxt.NetworkError),
        ("timeout_after", ccxt.RequestTimeout),
        ("status_unknown", ccxt.RequestTimeout),
    ],
)
def test_a_fault_after_the_effect_leaves_the_order(
    server: Server, kind: str, error: type[Exception]
) -> None:
    client = impatient(server)
    server.control.fault(kind, "POST", ORDER)
    with pytest.raises(error):
        place(client)
    assert open_ids(server) == ["mine"]


def test_a_time_out_is_held_until_its_delay_at_most(server: Server, client: ccxt.binance) -> None:
    server.control.fault("timeout_before", "POST", ORDER, delay_s=0.3)
    began = time.monotonic()
    with pytest.raises(ccxt.NetworkError):
        place(client)
    assert 0.25 < time.monotonic() - began < 9  # ccxt itself gives up after 10


def test_other_requests_are_answered_while_one_is_held(server: Server) -> None:
    server.control.fault("timeout_after", "POST", ORDER)
    client = impatient(server)
    with pytest.raises(ccxt.RequestTimeout):
        place(client)
    began = time.monotonic()
    assert [order["clientOrderId"] for order in client.fetch_open_orders(PAIR)] == ["mine"]
    assert time.monotonic() - began < 20  # it is held for 30


def test_an_order_that_arrives_late_takes_effect_then(server: Server, client: ccxt.binance) -> None:
    with time_machine.travel(START_S, tick=False) as clock:
        server.reset()
        server.control.book("BTCUSDT", 60000.0, 60000.1)
        server.control.fault("arrives_late", "POST", ORDER, delay_s=20)
        with pytest.raises(ccxt.NetworkError):
            place(client)
        clock.shift(19.9)
        assert open_ids(server) == []
        clock.shift(3)
        (order,) = server.control.state()["open_orders"]
        assert order["clientOrderId"] == "mine"
        assert order["time"] == (START_S + 20) * 1000


def test_a_late_order_that_is_refused_then_is_refused_silently(
    server: Server, client: ccxt.binance
) -> None:
    with time_machine.travel(START_S, tick=False) as clock:
        server.reset()
        server.control.book("BTCUSDT", 60000.0, 60000.1)
        server.control.fault("arrives_late", "POST", ORDER)
        with pytest.raises(ccxt.NetworkError):
            place(client)
        place(client)  # the same client id
        clock.shift(6)
        assert open_ids(server) == ["mine"]


@pytest.mark.parametrize(("kind", "status"), [("rate_limited", 429), ("banned", 418)])
def test_a_limit_says_when_to_come_back(server: Server, kind: str, status: int) -> None:
    server.control.fault(kind, "GET", "/fapi/v1/ping", retry_after_s=7)
    answer = requests.get(f"{server.url}/fapi/v1/ping", timeout=60)
    assert (answer.status_code, answer.headers["Retry-After"]) == (status, "7")
    assert answer.json()["code"] == -1003


def test_a_server_error_is_no_json(server: Server) -> None:
    server.control.fault("server_error", "GET", "/fapi/v1/ping")
    answer = requests.get(f"{server.url}/fapi/v1/ping", timeout=60)
    assert answer.status_code == 500
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_a_rejected_cancel_leaves_the_order_open(server: Server, client: ccxt.binance) -> None:
    order = place(client)
    server.control.fault("cancel_rejected", "DELETE", ORDER)
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order(order["id"], PAIR)
    assert open_ids(server) == ["mine"]


def test_an_order_is_denied_though_it_exists(server: Server, client: ccxt.binance) -> None:
    order = place(client)
    for method, call in (("GET", client.fetch_order), ("DELETE", client.cancel_order)):
        server.control.fault("unknown_order", method, ORDER)
        with pytest.raises(ccxt.OrderNotFound):
            call(order["id"], PAIR)
    assert client.fetch_order(order["id"], PAIR)["status"] == "open"


@pytest.mark.parametrize(("share", "filled"), [(0.5, 0.5), (0.3333, 0.333), (0.0001, 0.001)])
def test_a_cancel_that_meets_a_fill_is_told_of_it(
    server: Server, client: ccxt.binance, share: float, filled: float
) -> None:
    order = place(client)
    server.control.fault("cancel_meets_fill", "DELETE", ORDER, share=share)
    cancelled = client.cancel_order(order["id"], PAIR)
    assert (cancelled["status"], cancelled["filled"]) == ("canceled", filled)
    assert client.fetch_positions([PAIR])[0]["contracts"] == filled


def test_a_cancel_that_meets_the_whole_fill_fails(server: Server, client: ccxt.binance) -> None:
    order = place(client)
    server.control.fault("cancel_meets_fill", "DELETE", ORDER, share=1.0)
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order(order["id"], PAIR)
    assert client.fetch_order(order["id"], PAIR)["status"] == "closed"


def test_a_fill_after_the_read_is_seen_by_the_next_one(
    server: Server, client: ccxt.binance
) -> None:
    order = place(client)
    server.control.fault("fill_after_read", "GET", ORDER, share=0.4)
    assert client.fetch_order(order["id"], PAIR)["filled"] == 0
    assert client.fetch_order(order["id"], PAIR)["filled"] == 0.4
    server.control.fault("fill_after_read", "GET", ORDER, share=1)
    client.fetch_order(None, PAIR, {"origClientOrderId": "mine"})
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order(order["id"], PAIR)


def test_a_slow_answer_comes_and_the_order_rests_meanwhile(
    server: Server, client: ccxt.binance
) -> None:
    server.control.fault("slow", "POST", ORDER, delay_s=0.4)
    began = time.monotonic()
    assert place(client)["status"] == "open"
    assert time.monotonic() - began >= 0.4


@pytest.mark.parametrize("stored", [False, True])
def test_a_restart_keeps_orders_and_positions(tmp_path: Path, stored: bool) -> None:
    store = tmp_path / "exchange.sqlite" if stored else None
    with Server(Market(7), store=store) as server:
        server.control.book("BTCUSDT", 60000.0, 60000.1)
        client = impatient(server, 2000)
        place(client, "before")
        client.create_order(PAIR, "market", "buy", 0.5)
        control, before = server.control, server.control.state()
        server.control.fault("restart", "POST", ORDER, down_s=0.5)
        with pytest.raises(ccxt.NetworkError):
            place(client, "struck")
        with pytest.raises(ccxt.NetworkError):
            client.fetch_time()
        wait_until_up(server)
        assert [one["clientOrderId"] for one in client.fetch_open_orders(PAIR)] == ["before"]
        assert control is server.control
        assert control.state() == before


def wait_until_up(server: Server) -> None:
    """Poll until the exchange answers again."""

    def answers() -> bool:
        try:
            requests.get(f"{server.url}/fapi/v1/ping", timeout=60)
        except requests.ConnectionError:
            return False
        return True

    wait_until(answers)


def test_a_server_that_is_stopped_while_away_stays_away() -> None:
    server = Server(Market(7)).start()
    server.restart(0.2)
    server.stop()
    time.sleep(0.4)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{server.url}/fapi/v1/ping", timeout=60)
    with server:
        assert requests.get(f"{server.url}/fapi/v1/ping", timeout=60).json() == {}


@pytest.mark.parametrize(
    ("kind", "method", "details", "says"),
    [
        ("cancel_rejected", "POST", {}, "strikes DELETE; the method was POST"),
        ("post_only_rejected", "GET", {}, "strikes POST; the method was GET"),
        ("slow", "POST", {"share": 0.5}, "takes delay_s; it was given share"),
        ("answer_lost", "POST", {"delay_s": 1}, "takes no details; it was given delay_s"),
        ("cancel_meets_fill", "DELETE", {"share": 1.5}, "between 0 and 1; it was 1.5"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(
    server: Server, kind: str, method: str, details: dict[str, float], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        server.control.fault(kind, method, ORDER, **details)
