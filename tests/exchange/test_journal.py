"""The journal: whoever watches is told what happens to every order, in order."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

import ccxt
import pytest
import time_machine
from exchange.conftest import PAIR, client_options

from loopback_exchange import Event, Market, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


START_S = 20_500 * 86_400 + 60


@pytest.fixture
def events(server: Server) -> Iterator[list[Event]]:
    """Everything that the shared server tells during a test."""
    told: list[Event] = []
    server.watchers.append(told.append)
    yield told
    server.watchers.clear()


def told_of(events: list[Event]) -> list[tuple[str, str, str]]:
    """What happened, how much was filled by then, and the position."""
    return [(event.what, str(event.filled), str(event.position)) for event in events]


def test_an_order_is_placed_filled_and_ended(
    server: Server, client: ccxt.binance, events: list[Event]
) -> None:
    order = client.create_order(PAIR, "limit", "buy", 1, 59000.0, {"newClientOrderId": "mine"})
    server.control.fill("BTCUSDT", int(order["id"]), 0.4)
    server.control.fill("BTCUSDT", int(order["id"]), 0.6)
    assert told_of(events) == [
        ("placed", "0.000", "0.000"),
        ("filled", "0.400", "0.400"),
        ("filled", "1.000", "1.000"),
        ("ended", "1.000", "1.000"),
    ]
    first = events[1]
    assert (first.order_id, first.client_id, first.symbol) == (int(order["id"]), "mine", "BTCUSDT")
    assert (first.price, first.fill_price, first.is_maker) == (59000, 59000, True)
    assert (first.is_buy, first.reduce_only, first.is_algo) == (True, False, False)
    assert events[0].fill_price == 0


def test_a_cancel_ends_and_a_taker_fills_at_once(client: ccxt.binance, events: list[Event]) -> None:
    order = client.create_order(PAIR, "limit", "buy", 1, 59000.0)
    client.cancel_order(order["id"], PAIR)
    client.create_order(PAIR, "market", "sell", 0.5)
    assert told_of(events) == [
        ("placed", "0.000", "0.000"),
        ("ended", "0.000", "0.000"),
        ("placed", "0.000", "0.000"),
        ("filled", "0.500", "-0.500"),
        ("ended", "0.500", "-0.500"),
    ]
    assert events[3].is_maker is False


def test_a_reducer_without_a_position_is_told_to_end(
    client: ccxt.binance, events: list[Event]
) -> None:
    client.create_order(PAIR, "market", "buy", 0.5)
    stop = client.create_order(PAIR, "limit", "sell", 0.5, 61000.0, {"reduceOnly": True})
    client.create_order(PAIR, "market", "sell", 0.5)
    last = [event for event in events if event.order_id == int(stop["id"])]
    assert [event.what for event in last] == ["placed", "ended"]
    assert last[0].reduce_only
    assert last[1].filled == 0


def test_what_the_tape_did_is_told_in_the_order_of_its_time() -> None:
    """Symbols are matched one after the other; the journal puts their fills in one line."""
    told: list[Event] = []
    with time_machine.travel(START_S, tick=False) as clock:
        server = Server(Market(7))
        server.watchers.append(told.append)
        with server:
            client = ccxt.binance(client_options(server.url))
            client.load_markets()
            for pair in (PAIR, "ETH/USDT:USDT"):
                for bid, _ in client.fetch_order_book(pair, 5)["bids"]:
                    client.create_order(pair, "limit", "buy", 0.1, bid)
            clock.shift(600)
            server.control.state()
    filled = [event for event in told if event.what == "filled"]
    assert {event.symbol for event in filled} == {"BTCUSDT", "ETHUSDT"}
    assert [event.at for event in told] == sorted(event.at for event in told)


def test_a_refused_order_is_not_told(client: ccxt.binance, events: list[Event]) -> None:
    with pytest.raises(ccxt.InvalidOrder):
        client.create_order(PAIR, "limit", "buy", 0.1, 60000.1, {"timeInForce": "GTX"})
    assert events == []


def test_watchers_stay_over_stop_start_reset_and_restart(tmp_path: Path) -> None:
    server = Server(Market(7), store=tmp_path / "exchange.sqlite")
    told: list[Event] = []
    server.watchers.append(told.append)

    def place() -> None:
        server.control.book("BTCUSDT", 60000.0, 60000.1)
        client = ccxt.binance(client_options(server.url))
        client.create_order(PAIR, "limit", "buy", 0.1, 59000.0)

    with server:
        place()
    with server:
        place()
        server.reset()
        place()
        server.exchange.reload()
        place()
    assert [event.what for event in told] == ["placed"] * 4


def test_exposure_can_be_followed_event_by_event(
    server: Server, client: ccxt.binance, events: list[Event]
) -> None:
    """Positions and open quantities summed from events are those of the exchange."""
    for n in range(6):
        order = client.create_order(PAIR, "limit", "buy", 0.1 * (n + 1), 59000.0)
        server.control.fill("BTCUSDT", int(order["id"]), 0.1)
        if n > 2:
            client.cancel_order(order["id"], PAIR)
    left: dict[int, Decimal] = defaultdict(Decimal)
    for event in events:
        left[event.order_id] = event.quantity - event.filled
        if event.what == "ended":
            left.pop(event.order_id)
    state = server.control.state()
    open_now = {
        order["orderId"]: Decimal(order["origQty"]) - Decimal(order["executedQty"])
        for order in state["open_orders"]
    }
    assert left == open_now
    assert events[-1].position == Decimal(state["positions"][0]["positionAmt"])
