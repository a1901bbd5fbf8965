"""The streams as unmodified ccxt.pro reads them."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import ccxt.pro
import pytest
from exchange.conftest import client_options
from waiting import HANG_S, await_until

from loopback_exchange import Market, Server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

PAIRS = ["BTC/USDT:USDT", "ETH/USDT:USDT"]


@pytest.fixture(scope="module")
def streaming() -> Iterator[Server]:
    """A server of its own, with a load."""
    with Server(Market(seed=7, symbols=("BTCUSDT", "ETHUSDT"))) as server:
        server.streams.start_load(300)
        yield server


def watch(server: Server, act: Callable[[ccxt.pro.binance], Awaitable[Any]]) -> Any:
    """Run a conversation of a ccxt.pro client."""

    async def run() -> Any:
        client = ccxt.pro.binance(client_options(server.url))
        try:
            await client.load_markets()
            return await asyncio.wait_for(act(client), HANG_S)
        finally:
            await client.close()

    return asyncio.run(run())


@pytest.mark.parametrize(("name", "path"), [("aggTrade", "/market/ws/"), ("trade", "/public/ws/")])
def test_trades_of_two_pairs_come_in_order_and_whole(
    streaming: Server, name: str, path: str
) -> None:
    async def act(client: ccxt.pro.binance) -> dict[str, list[dict[str, Any]]]:
        seen: dict[str, list[dict[str, Any]]] = {pair: [] for pair in PAIRS}
        while min(map(len, seen.values())) < 20:
            for trade in await client.watch_trades_for_symbols(PAIRS, params={"name": name}):
                seen[trade["symbol"]].append(trade)
        return {pair: list(client.trades[pair]) for pair in PAIRS}

    for trades in watch(streaming, act).values():
        ids = [int(trade["id"]) for trade in trades]
        assert ids == list(range(ids[0], ids[0] + len(ids)))
        assert {trade["side"] for trade in trades} == {"buy", "sell"}
        assert all((t["side"] == "sell") is t["info"]["m"] for t in trades)
    assert any(made.startswith(path) for made in streaming.streams.connected)


async def meets(client: ccxt.pro.binance, pair: str) -> None:
    """Wait until the added-up book is that of REST: the market moves between the two looks."""
    for _ in range(400):
        shown = await client.fetch_order_book(pair, 50)
        await asyncio.sleep(0.15)
        book = client.orderbooks[pair]
        sides = {side: [list(level) for level in book[side][:50]] for side in ("bids", "asks")}
        if all(sides[side] == shown[side] for side in sides):
            return
    assert sides == {side: shown[side] for side in sides}


def stands(book: dict[str, Any], bid: list[float], ask: list[float]) -> bool:
    return (book["bids"][0], book["asks"][0]) == (bid, ask)


def test_the_book_stays_that_of_the_exchange(streaming: Server) -> None:
    """Ccxt adds up the changes; its book is that of the REST route, level by level."""

    async def act(client: ccxt.pro.binance) -> None:
        pair, symbol = PAIRS[0], "BTCUSDT"
        await client.watch_order_book(pair)
        last = None
        for low in (50_000.0, 50_040.0, 49_990.0, None):
            if low is None:
                streaming.control.release(symbol)
            else:
                streaming.control.book(symbol, low, low + 0.2, 3, 4)
            book = client.orderbooks[pair]
            if low is not None:
                best = ([low, 3.0], [low + 0.2, 4.0])
                await await_until(partial(stands, book, *best))
            else:
                await meets(client, pair)
            assert book["bids"][0] != last
            last = book["bids"][0]

    watch(streaming, act)


def test_liquidations_of_a_burst_are_all_in_the_cache_and_not_in_the_answer(
    streaming: Server,
) -> None:
    async def act(client: ccxt.pro.binance) -> tuple[int, list[dict[str, Any]]]:
        waiting = asyncio.ensure_future(client.watch_liquidations_for_symbols(PAIRS))
        await asyncio.sleep(0.5)
        for number in range(20):
            long = number % 2 == 0
            streaming.streams.liquidate("BTCUSDT", 60_000.0, 1 + number, is_long=long)
        returned = len(await waiting)
        await await_until(
            lambda: sum(one["price"] == 60_000.0 for one in client.liquidations) == 20
        )
        return returned, list(client.liquidations)

    returned, kept = watch(streaming, act)
    assert returned < 20
    burst = [one for one in kept if one["price"] == 60_000.0]
    assert sorted(one["contracts"] for one in burst) == list(range(1, 21))
    assert {one["side"] for one in burst if one["contracts"] % 2 == 1} == {"sell"}


def test_the_touch_is_watched(streaming: Server) -> None:
    async def act(client: ccxt.pro.binance) -> dict[str, Any]:
        streaming.control.book("ETHUSDT", 3000.00, 3000.01, 4, 5)
        while True:
            found: dict[str, Any] = await client.watch_bids_asks(PAIRS)
            if found.get(PAIRS[1], {}).get("bid") == 3000.0:
                return found

    assert watch(streaming, act)[PAIRS[1]]["askVolume"] == 5.0


def test_a_lost_connection_is_an_error_and_the_next_call_goes_on(streaming: Server) -> None:
    async def until_it_fails(client: ccxt.pro.binance) -> None:
        for _ in range(200):
            await client.watch_trades(PAIRS[0])

    async def act(client: ccxt.pro.binance) -> None:
        await client.watch_trades(PAIRS[0])
        streaming.streams.disconnect()
        with pytest.raises(ccxt.NetworkError):
            await until_it_fails(client)
        assert await client.watch_trades(PAIRS[0])

    watch(streaming, act)
