"""Market streams over WebSocket, as a plain client sees them."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from waiting import HANG_S

from loopback_exchange import Market, Server
from loopback_exchange.market.book import Book
from loopback_exchange.streams.depth import change_between

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

Socket = aiohttp.ClientWebSocketResponse


@pytest.fixture(scope="module")
def streaming() -> Iterator[Server]:
    """A server of its own: its load and its faults touch no other test."""
    with Server(Market(seed=7, symbols=("BTCUSDT", "ETHUSDT")), control=True) as server:
        server.streams.start_load(200)
        yield server


@pytest.fixture(autouse=True)
def _sound(streaming: Server) -> Iterator[None]:
    yield
    streaming.streams.faults.clear()


def talk(server: Server, path: str, act: Callable[[Socket], Awaitable[Any]]) -> Any:
    """Run a conversation on one socket."""

    async def run() -> Any:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{server.url}{path}", autoping=False) as socket,
        ):
            return await asyncio.wait_for(act(socket), HANG_S)

    return asyncio.run(run())


async def some(socket: Socket, count: int) -> list[dict[str, Any]]:
    return [await socket.receive_json() for _ in range(count)]


def subscribe(*names: str, number: int = 1) -> dict[str, Any]:
    return {"method": "SUBSCRIBE", "params": list(names), "id": number}


def test_a_subscription_is_answered_and_trades_follow_without_a_gap(streaming: Server) -> None:
    async def act(socket: Socket) -> None:
        await socket.send_json(subscribe("btcusdt@aggTrade", number=7))
        assert await socket.receive_json() == {"result": None, "id": 7}
        events = await some(socket, 30)
        ids = [event["a"] for event in events]
        assert ids == list(range(ids[0], ids[0] + 30))
        assert set(events[0]) == {"e", "E", "s", "a", "p", "q", "f", "l", "T", "m"}
        assert [event["T"] for event in events] == sorted(event["T"] for event in events)

    talk(streaming, "/market/ws/0", act)


def test_the_stream_and_the_rest_route_tell_of_the_same_trades(streaming: Server) -> None:
    async def act(socket: Socket) -> list[dict[str, Any]]:
        return await some(socket, 10)

    events = talk(streaming, "/ws/btcusdt@aggTrade", act)
    first, at = events[0]["a"], streaming.exchange
    found = at.public_trades("BTCUSDT").trades_from("BTCUSDT", first, 2**60, 10)
    spec = at.spec("BTCUSDT")
    assert [e["a"] for e in events] == found.id.tolist()
    assert [float(e["p"]) for e in events] == spec.prices(found.price).tolist()
    assert [float(e["q"]) for e in events] == spec.quantities(found.quantity).tolist()
    assert [e["m"] for e in events] == [not is_buy for is_buy in found.is_buy.tolist()]


def test_a_combined_stream_names_each_event(streaming: Server) -> None:
    async def act(socket: Socket) -> None:
        names = {event["stream"] for event in await some(socket, 60)}
        assert names == {"btcusdt@trade", "ethusdt@trade"}

    talk(streaming, "/stream?streams=btcusdt@trade/ethusdt@trade", act)


def test_an_unknown_stream_is_refused_by_name(streaming: Server) -> None:
    async def act(socket: Socket) -> None:
        await socket.send_json(subscribe("btcusdt@agTrade"))
        answer = await socket.receive_json()
        assert answer["error"]["code"] == 2
        assert "btcusdt@agTrade" in answer["error"]["msg"]
        await socket.send_str("no JSON")
        assert (await socket.receive_json())["error"]["msg"].endswith("not a JSON object")

    talk(streaming, "/ws", act)


def test_what_is_unsubscribed_comes_no_more(streaming: Server) -> None:
    async def act(socket: Socket) -> None:
        await socket.send_json(subscribe("btcusdt@trade", "ethusdt@trade"))
        await some(socket, 10)
        await socket.send_json({"method": "UNSUBSCRIBE", "params": ["btcusdt@trade"], "id": 2})
        while (await socket.receive_json()).get("id") != 2:
            pass
        await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 3})
        events = await some(socket, 20)
        assert {e["s"] for e in events if "s" in e} == {"ETHUSDT"}
        assert {"result": ["ethusdt@trade"], "id": 3} in events

    talk(streaming, "/ws", act)


def test_a_ping_is_answered_with_its_own_words(streaming: Server) -> None:
    async def act(socket: Socket) -> None:
        await socket.ping(b"still there?")
        pong = await socket.receive()
        assert (pong.type, bytes(pong.data)) == (aiohttp.WSMsgType.PONG, b"still there?")

    talk(streaming, "/public/ws/3", act)


def test_dropped_events_leave_a_hole_in_the_ids(streaming: Server) -> None:
    async def act(socket: Socket) -> None:
        before = (await some(socket, 5))[-1]["a"]
        lost = streaming.streams.faults.dropped
        streaming.streams.faults.drop_next(4)
        while (event := await socket.receive_json())["a"] == before + 1:
            before += 1
        assert event["a"] == before + 5
        assert streaming.streams.faults.dropped == lost + 4

    talk(streaming, "/ws/btcusdt@aggTrade", act)


def test_a_silent_connection_answers_pings_and_a_frozen_one_does_not(streaming: Server) -> None:
    async def next_kind(socket: Socket) -> Any:
        try:
            return (await socket.receive(timeout=0.3)).type
        except TimeoutError:
            return None

    async def act(socket: Socket) -> None:
        streaming.streams.faults.silence(30)
        while await next_kind(socket) is not None:
            pass
        await socket.ping()
        assert await next_kind(socket) is aiohttp.WSMsgType.PONG
        streaming.streams.faults.freeze(30)
        await socket.ping()
        assert await next_kind(socket) is None

    talk(streaming, "/ws/btcusdt@aggTrade", act)


def test_a_delay_holds_events_back_in_order(streaming: Server) -> None:
    async def act(socket: Socket) -> None:
        streaming.streams.faults.delay_s = 0.4
        await asyncio.sleep(0.5)
        events = await some(socket, 60)
        ids = [event["a"] for event in events]
        assert ids == list(range(ids[0], ids[0] + 60))
        made = streaming.streams.load.ids("BTCUSDT").stop - 1
        assert made - ids[-1] >= 20

    talk(streaming, "/ws/btcusdt@aggTrade", act)


def test_a_broken_line_ends_without_a_word_and_a_refusal_lasts(streaming: Server) -> None:
    async def act(socket: Socket) -> None:
        await some(socket, 1)
        streaming.streams.disconnect()
        while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
        assert message.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
        assert socket.close_code == 1006

    talk(streaming, "/ws/btcusdt@aggTrade", act)
    streaming.streams.faults.refuse(30)
    with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
        talk(streaming, "/ws/btcusdt@aggTrade", act)


def test_a_liquidated_long_is_sold_out(streaming: Server) -> None:
    async def act(socket: Socket) -> None:
        await socket.send_json(subscribe("!forceOrder@arr"))
        await some(socket, 1)
        streaming.streams.liquidate("ETHUSDT", 3000.0, 1.5, is_long=True)
        event = await socket.receive_json()
        while event["o"]["q"] != "1.500":
            event = await socket.receive_json()
        assert event["e"] == "forceOrder"
        assert (event["o"]["s"], event["o"]["S"], event["o"]["ap"]) == (
            "ETHUSDT",
            "SELL",
            "3000.00",
        )

    talk(streaming, "/ws", act)


def test_the_touch_follows_a_pinned_book(streaming: Server) -> None:
    async def act(socket: Socket) -> None:
        await some(socket, 1)
        streaming.control.book("ETHUSDT", 3000.00, 3000.01, 4, 5)
        event = await socket.receive_json()
        assert (event["b"], event["B"], event["a"], event["A"]) == (
            ("3000.00", "4.000", "3000.01", "5.000")
        )
        streaming.control.release("ETHUSDT")

    talk(streaming, "/ws/ethusdt@bookTicker", act)


def test_a_change_names_what_came_what_went_and_what_the_price_has_passed() -> None:
    old = Book(5, [(99, 1), (98, 2)], [(101, 3), (102, 4)])
    new = Book(8, [(103, 7), (99, 1)], [(105, 3), (106, 9)])
    change = change_between(old, new)
    assert (change.first, change.last, change.before) == (6, 8, 5)
    assert sorted(change.bids) == [(98, 0), (103, 7)]
    assert sorted(change.asks) == [(101, 0), (102, 0), (103, 0), (104, 0), (105, 3), (106, 9)]


def test_another_process_may_set_load_and_faults(streaming: Server) -> None:
    async def act() -> None:
        async with aiohttp.ClientSession(f"{streaming.url}/") as session:
            await session.post("_control/streams", data=json.dumps({"drop_share": 1.0}))
            assert streaming.streams.faults.drop_share == 1.0
            await session.post("_control/streams", data=json.dumps({"clear": True}))
            assert streaming.streams.faults.drop_share == 0.0
            await session.post("_control/load", data=json.dumps({"per_second": 100}))
            assert streaming.streams.load.per_second == 100
            answer = await session.get("_control/load")
            first, last = (await answer.json(content_type=None))["BTCUSDT"]
            assert first == streaming.streams.load.ids("BTCUSDT").start < last
            refused = await session.post("_control/load", data=json.dumps({}))
            assert refused.status == 400

    asyncio.run(act())
    streaming.streams.start_load(200)
