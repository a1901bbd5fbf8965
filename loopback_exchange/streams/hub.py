"""All connections of the streams, and the clock that drives them."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from loopback_exchange.clock import now_ms
from loopback_exchange.streams.connection import Connection
from loopback_exchange.streams.faults import StreamFaults
from loopback_exchange.streams.load import Load
from loopback_exchange.streams.names import Stream, UnknownStream, stream_of
from loopback_exchange.streams.payloads import answer_text, error_text
from loopback_exchange.streams.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from loopback_exchange.exchange import Exchange

PATH = r"/{part:(?:(?:public|market)/)?}{kind:ws|stream}{names:(?:/.*)?}"
"""``/ws``, ``/ws/<names or number>``, ``/stream?streams=``, alone or below public or market."""
_TICK_S = 0.04
_PING_S = 180.0


class Hub:
    """The streams of one server; connections end with it, the load and the faults stay.

    Attributes
    ----------
    faults : StreamFaults
        What goes wrong on the wire.
    load : Load, optional
        Trades in place of the market's, see ``start_load``.
    connected : Counter
        Connections that were made, by path.
    """

    def __init__(self, exchange: Callable[[], Exchange]) -> None:
        self.faults = StreamFaults()
        self.connected: Counter[str] = Counter()
        self._exchange = exchange
        self._connections: set[Connection] = set()
        self._readers: defaultdict[Stream, set[Connection]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._source = Source(exchange())

    @property
    def load(self) -> Load | None:
        """Trades that take the place of the market's."""
        return self._exchange().load

    def start_load(
        self, per_second: float, symbols: Sequence[str] | None = None, seed: int = 1
    ) -> Load:
        """Let so many trades a second happen from now on; a running load changes its rate."""
        exchange = self._exchange()
        with exchange.lock:
            if exchange.load is None:
                chosen = symbols or exchange.market.symbols
                exchange.load = Load(exchange.market, chosen, per_second, now_ms(), seed)
            exchange.load.per_second = per_second
            return exchange.load

    def change_tick(self, symbol: str, own_ticks: int) -> None:
        """Change the tick of a symbol under load: so many of its own from now on.

        The contract says so at once, and what trades lies on it; what was traded before keeps
        its prices, books and the rules of orders theirs. Raises ValueError where the symbol is
        under no load, or for no positive number.
        """
        exchange = self._exchange()
        with exchange.lock:
            load = exchange.load
            if load is None or symbol not in load or own_ticks < 1:
                raise ValueError(
                    f"Expected a symbol under load and 1 tick or more; it was {symbol} and "
                    f"{own_ticks}. Start the load first, or change the number."
                )
            load.trade_in(symbol, own_ticks)

    def disconnect(self) -> None:
        """Break all connections, without a word; returns at once."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._cut_all)

    def liquidate(self, symbol: str, price: float, quantity: float, *, is_long: bool) -> None:
        """Close a position by force now; ``is_long`` says which side it had."""
        self._source.add_forced(symbol, price, quantity, now_ms(), is_long=is_long)

    def _cut_all(self) -> None:
        for connection in list(self._connections):
            connection.cut()

    # ---- one connection

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve a client until it leaves."""
        if self.faults.is_refusing or self.faults.is_frozen:
            return web.Response(status=503)
        socket = web.WebSocketResponse(autoping=False, compress=False, heartbeat=None)
        await socket.prepare(request)
        self.connected[request.path] += 1
        combined = request.match_info["kind"] == "stream"
        connection = Connection(socket, self.faults, is_combined=combined)
        self._connections.add(connection)
        writer = asyncio.ensure_future(connection.write())
        try:
            self._subscribe(connection, _first_names(request))
            await self._listen(connection)
        finally:
            self._leave(connection)
            writer.cancel()
        return socket

    async def _listen(self, connection: Connection) -> None:
        socket = connection.socket
        pings = asyncio.ensure_future(_ping(socket))
        try:
            async for message in socket:
                if message.type is WSMsgType.PING and not self.faults.is_frozen:
                    await socket.pong(message.data)
                elif message.type is WSMsgType.TEXT:
                    self._request(connection, message.data)
        finally:
            pings.cancel()

    def _request(self, connection: Connection, text: str) -> None:
        try:
            body = json.loads(text)
            number, names = body.get("id"), body.get("params") or []
        except (ValueError, AttributeError):
            return connection.answer(error_text(None, "not a JSON object"))
        match body.get("method"):
            case "SUBSCRIBE":
                return self._subscribed(connection, number, names)
            case "UNSUBSCRIBE":
                for stream in [one for one in connection.streams if one.name in names]:
                    self._drop(connection, stream)
                return connection.answer(answer_text(number))
            case "LIST_SUBSCRIPTIONS":
                listed = sorted(stream.name for stream in connection.streams)
                return connection.answer(answer_text(number, listed))
            case other:
                return connection.answer(error_text(number, f"unknown method {other!r}"))

    def _subscribed(self, connection: Connection, number: Any, names: Iterable[str]) -> None:
        try:
            self._subscribe(connection, names)
        except UnknownStream as error:
            connection.answer(error_text(number, str(error)))
        else:
            connection.answer(answer_text(number))

    def _subscribe(self, connection: Connection, names: Iterable[str]) -> None:
        symbols = self._exchange().market.symbols
        for stream in [stream_of(name, symbols) for name in names]:
            if not self._readers[stream]:
                self._source.begin(stream, now_ms())
            self._readers[stream].add(connection)
            connection.streams.add(stream)

    def _drop(self, connection: Connection, stream: Stream) -> None:
        connection.streams.discard(stream)
        self._readers[stream].discard(connection)
        if not self._readers[stream]:
            del self._readers[stream]
            self._source.end(stream)

    def _leave(self, connection: Connection) -> None:
        self._connections.discard(connection)
        for stream in list(connection.streams):
            self._drop(connection, stream)

    # ---- the clock

    async def run(self) -> None:
        """Send what happens, for as long as the server listens."""
        self._loop = asyncio.get_running_loop()
        self._connections.clear()
        self._readers.clear()
        self._source = Source(self._exchange())
        try:
            while True:
                await asyncio.sleep(_TICK_S)
                self.tick(now_ms())
        finally:
            self._loop = None

    def tick(self, at: int) -> None:
        """Send what has happened up to a moment."""
        for stream, texts in self._source.since(list(self._readers), at):
            self._send(stream, texts)

    def before_snapshot(self, symbol: str) -> None:
        """Send the changes of a book before its snapshot is answered, so that both agree."""
        at = now_ms()
        for stream in list(self._readers):
            if stream.symbol == symbol:
                self._send(stream, self._source.depth(stream, at))

    def _send(self, stream: Stream, texts: Sequence[str]) -> None:
        for connection in list(self._readers.get(stream, ())) if texts else ():
            connection.push(stream, texts)


def _first_names(request: web.Request) -> list[str]:
    """Give the streams that the address asks for; ccxt puts a mere number there."""
    named = request.query.get("streams") or request.match_info["names"].strip("/")
    return [name for name in named.split("/") if "@" in name or name.startswith("!")]


async def _ping(socket: web.WebSocketResponse) -> None:
    while not socket.closed:
        await asyncio.sleep(_PING_S)
        await socket.ping()
