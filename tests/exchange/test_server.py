"""The server: its port, its routes, its control and its faults."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest
import requests
from exchange.conftest import PAIR, client_options

from loopback_exchange import (
    Exchange,
    FillOrder,
    Market,
    PortTaken,
    Server,
    ccxt_urls,
    freqtrade_exchange_config,
)
from loopback_exchange.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import Iterator


def leaves(
    tree: dict[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every address of a tree of addresses, with its path."""
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, name))
        else:
            yield (*path, name), value


@pytest.mark.parametrize("library", [ccxt, ccxt.async_support, ccxt.pro])
def test_every_address_of_ccxt_points_at_loopback(library: Any) -> None:
    theirs = {path for path, _ in leaves(library.binance().urls["api"])}
    ours = dict(leaves(ccxt_urls("http://127.0.0.1:1")))
    assert theirs <= set(ours)
    client = library.binance({"urls": {"api": ccxt_urls("http://127.0.0.1:1")}})
    for path, address in leaves(client.urls["api"]):
        assert address.split("://")[1].startswith("127.0.0.1:1/"), path


def test_the_paths_are_those_of_ccxt() -> None:
    ours = dict(leaves(ccxt_urls("http://127.0.0.1:1")))
    for path, address in leaves(ccxt.binance().urls["api"]):
        assert ours[path].split("127.0.0.1:1")[1] == "/" + address.split("/", 3)[3]


def test_the_freqtrade_section_is_complete() -> None:
    section = freqtrade_exchange_config("http://127.0.0.1:1/")
    assert section["name"] == "binance"
    assert section["only_from_ccxt"] is True
    assert section["ccxt_config"]["urls"]["api"] == ccxt_urls("http://127.0.0.1:1")


def test_a_taken_port_is_named_with_what_to_change() -> None:
    with Server(Market(7)) as first, pytest.raises(PortTaken, match="choose another port") as error:
        Server(Market(7), port=first.port).start()
    assert str(first.port) in str(error.value)


def test_the_port_is_kept_over_stop_and_start() -> None:
    server = Server(Market(7))
    with server:
        url = server.url
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/fapi/v1/ping", timeout=60)
    with server:
        assert server.url == url
        assert requests.get(f"{url}/fapi/v1/ping", timeout=60).json() == {}


def test_it_listens_on_loopback_only(server: Server) -> None:
    assert server.url.startswith("http://127.0.0.1:")
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.2:{server.port}/fapi/v1/ping", timeout=60)


def test_an_unknown_path_is_404_with_a_code(server: Server) -> None:
    answer = requests.get(f"{server.url}/fapi/v1/nonsense", timeout=60)
    assert answer.status_code == 404
    assert answer.json() == {
        "code": -5000,
        "msg": "Path /fapi/v1/nonsense, Method GET is invalid",
    }


def test_an_exchange_has_any_symbols_and_eight_by_default() -> None:
    assert len(Exchange().market.symbols) == 8
    assert Exchange(symbols=["AVAXUSDT"]).market.symbols == ("AVAXUSDT",)


def test_requests_are_counted_by_method_and_path(server: Server) -> None:
    server.requests.clear()
    for _ in range(3):
        requests.get(f"{server.url}/fapi/v1/ping?x=1", timeout=60)
    requests.get(f"{server.url}/_control/state", timeout=60)
    assert dict(server.requests) == {("GET", "/fapi/v1/ping"): 3}


PUBLIC = {
    "symbol": "ETHUSDT", "interval": "5m", "period": "5m", "limit": "5",
}  # fmt: skip


@pytest.mark.parametrize("path", [key[1] for key, route in ROUTES.items() if not route.needs_key])
def test_every_public_route_answers(server: Server, path: str) -> None:
    answer = requests.get(server.url + path, params=PUBLIC, timeout=60)
    assert answer.status_code == 200
    assert isinstance(answer.json(), (list, dict))
    if path.endswith(("klines", "Klines", "aggTrades", "fundingRate", "InterestHist")):
        assert len(answer.json()) == 5


def test_candles_page_forward_from_a_start_time(client: ccxt.binance) -> None:
    since = 1_750_000_200_000
    rows = client.fetch_ohlcv(PAIR, "5m", since, 499)
    assert [row[0] for row in rows] == list(range(since, since + 499 * 300_000, 300_000))
    assert client.fetch_ohlcv(PAIR, "5m", since + 300_000, 1)[0] == rows[1]


def test_funding_without_a_start_or_an_end_is_the_latest_200(client: ccxt.binance) -> None:
    latest = client.fetch_funding_rate_history(PAIR, limit=1000)
    assert len(latest) == 200
    ended = client.fetch_funding_rate_history(
        PAIR, limit=300, params={"endTime": latest[-1]["timestamp"]}
    )
    assert len(ended) == 300
    assert ended[-200:] == latest


def test_nothing_of_the_future_is_served(client: ccxt.binance) -> None:
    now = client.fetch_time()
    later = now + 3_600_000
    assert client.fetch_ohlcv(PAIR, "5m", later, 5) == []
    assert client.fetch_ohlcv(PAIR, "1h", None, 2)[-1][0] <= now
    assert client.fetch_funding_rate_history(PAIR, later) == []
    assert max(trade["timestamp"] for trade in client.fetch_trades(PAIR, limit=5)) <= now
    history = client.fetch_open_interest_history(PAIR, "1h", now - 7_200_000, 10)
    assert history[-1]["timestamp"] <= now


def test_trades_page_by_id_without_gaps(client: ccxt.binance) -> None:
    since = 1_750_000_200_000
    page = client.fetch_trades(PAIR, since, 100, {"until": since + 3_600_000})
    first = int(page[0]["id"])
    following = client.fetch_trades(PAIR, None, 100, {"fromId": first + 50})
    assert [trade["id"] for trade in page] == [str(first + n) for n in range(100)]
    assert following[:50] == page[50:]


def test_markets_carry_their_tick_and_step(client: ccxt.binance) -> None:
    market = client.market(PAIR)
    assert (market["precision"]["amount"], market["precision"]["price"]) == (0.001, 0.1)
    assert market["limits"]["cost"]["min"] == 100
    assert market["swap"]
    assert market["linear"]


def test_leverage_tiers_rise_in_notional_and_fall_in_leverage(client: ccxt.binance) -> None:
    tiers = client.fetch_leverage_tiers([PAIR])[PAIR]
    assert [tier["maxLeverage"] for tier in tiers] == [125, 62, 25]
    assert tiers[0]["maxNotional"] == tiers[1]["minNotional"]


def test_tickers_name_every_symbol(client: ccxt.binance) -> None:
    tickers, touches = client.fetch_tickers(), client.fetch_bids_asks()
    assert len(tickers) == len(touches) == 8
    for pair, ticker in tickers.items():
        assert ticker["low"] <= ticker["last"] <= ticker["high"]
        assert ticker["quoteVolume"] > 0
        assert touches[pair]["bid"] < touches[pair]["ask"]


def test_control_over_http_pins_prints_and_shows(server: Server, client: ccxt.binance) -> None:
    control = f"{server.url}/_control"
    pin = {"symbol": "BTCUSDT", "bid": 50000, "ask": 50001, "bid_size": 1, "ask_size": 3}
    assert requests.post(f"{control}/book", json=pin, timeout=60).status_code == 200
    assert client.fetch_order_book(PAIR, 5)["asks"] == [[50001.0, 3.0]]
    order = client.create_order(PAIR, "limit", "buy", 1, 50000.5)
    trade = {"symbol": "BTCUSDT", "price": 50000.5, "quantity": 0.4, "aggressor": "sell"}
    fills = requests.post(f"{control}/print", json=trade, timeout=60).json()
    assert [fill["qty"] for fill in fills] == ["0.400"]
    exact = trade | {"fill_order": {"orderId": int(order["id"]), "quantity": "0.1"}}
    assert requests.post(f"{control}/print", json=exact, timeout=60).json()[0]["qty"] == "0.100"
    state = requests.get(f"{control}/state", timeout=60).json()
    assert [row["executedQty"] for row in state["open_orders"]] == ["0.500"]
    assert state["positions"][0]["positionAmt"] == "0.500"
    requests.delete(f"{control}/book", params={"symbol": "BTCUSDT"}, timeout=60)
    assert server.exchange.book.pins == {}
    requests.post(f"{control}/reset", timeout=60)
    assert client.fetch_open_orders(PAIR) == []
    assert client.fetch_balance()["USDT"]["total"] == 100_000.0


@pytest.mark.parametrize(("path", "body", "says"), [
    ("book", {"symbol": "BTCUSDT", "bid": 2, "ask": 1}, "Expected bid < ask"),
    ("book", {"symbol": "BTCUSDT", "bid": 0.05, "ask": 1}, "multiple of its tick 0.1; it was 0.05"),
    ("book", {"symbol": "NOSUCHUSDT", "bid": 1, "ask": 2}, "Invalid symbol"),
    ("fault", {"kind": "fire", "method": "POST", "path": "/"}, "'fire' is not a valid FaultKind"),
    ("fault", {"kind": "answer_lost", "method": "POST", "path": "/", "count": 0}, "at least once"),
    ("print", {"symbol": "BTCUSDT", "price": 1, "quantity": 1, "aggressor": "me"}, "'me'"),
])  # fmt: skip
def test_a_wrong_control_call_says_what_was_expected(
    server: Server, path: str, body: dict[str, Any], says: str
) -> None:
    answer = requests.post(f"{server.url}/_control/{path}", json=body, timeout=60)
    assert answer.status_code == 400
    assert says in answer.json()["error"]


def test_control_is_refused_unless_asked_for() -> None:
    with Server(Market(7)) as server:
        answer = requests.post(f"{server.url}/_control/reset", timeout=60)
        assert (answer.status_code, answer.json()["code"]) == (404, -5000)


def test_more_than_is_left_of_an_order_cannot_be_filled(
    server: Server, client: ccxt.binance
) -> None:
    order = client.create_order(PAIR, "limit", "buy", 0.5, 59000.0)
    with pytest.raises(ValueError, match="with 600 steps left; it was NEW with 500 steps"):
        server.control.fill("BTCUSDT", int(order["id"]), 0.6)
    with pytest.raises(ValueError, match="it was unknown"):
        server.control.print("BTCUSDT", 1, 1, "sell", FillOrder(99, 1))


def test_a_pinned_symbol_is_not_filled_by_the_market(server: Server, client: ccxt.binance) -> None:
    last = server.market.last_trade("BTCUSDT", client.fetch_time()).price
    spec = server.exchange.spec("BTCUSDT")
    bid = float(spec.price(last)) + 1000
    server.control.book("BTCUSDT", bid, bid + 0.1)
    order = client.create_order(PAIR, "limit", "buy", 0.1, bid)  # far over the market's tape
    ledger = server.exchange.ledger
    server.exchange.matcher.advance(ledger.matched_ms + 60_000)
    assert ledger.orders[int(order["id"])].filled == 0


def test_a_lost_answer_took_effect_and_only_once(server: Server, client: ccxt.binance) -> None:
    server.control.fault("answer_lost", "POST", "/fapi/v1/order", count=1)
    with pytest.raises(ccxt.NetworkError):
        client.create_order(PAIR, "limit", "buy", 1, 59000.0, {"newClientOrderId": "lost"})
    assert client.fetch_order(None, PAIR, {"origClientOrderId": "lost"})["status"] == "open"
    client.create_order(PAIR, "limit", "buy", 1, 59000.0)
    assert len(client.fetch_open_orders(PAIR)) == 2
    assert server.requests["POST", "/fapi/v1/order"] == 2


def test_a_lost_answer_is_a_network_error_in_asynchronous_ccxt_too(server: Server) -> None:
    server.control.fault("answer_lost", "POST", "/fapi/v1/order")

    async def place() -> None:
        client = ccxt.async_support.binance(client_options(server.url))
        try:
            await client.create_order(PAIR, "limit", "buy", 1, 59000.0)
        finally:
            await client.close()

    with pytest.raises(ccxt.NetworkError):
        asyncio.run(place())
    assert len(server.control.state()["open_orders"]) == 1


def test_control_may_be_called_from_many_threads(server: Server, client: ccxt.binance) -> None:
    order = client.create_order(PAIR, "limit", "buy", 1, 59990.0)

    def prints() -> None:
        for _ in range(20):
            server.control.print("BTCUSDT", 59990.0, 0.005, "sell")

    threads = [threading.Thread(target=prints) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.fetch_order(order["id"], PAIR)["filled"] == 0.4
