"""The exchange as a server on 127.0.0.1."""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
from collections import Counter
from typing import TYPE_CHECKING, Self

from aiohttp import web

from loopback_exchange.control import Control
from loopback_exchange.errors import PortTaken
from loopback_exchange.exchange import Exchange
from loopback_exchange.faults import Faults
from loopback_exchange.market import Market, MarketSource
from loopback_exchange.matching.account import START_BALANCE
from loopback_exchange.streams import Hub
from loopback_exchange.streams.hub import PATH
from loopback_exchange.web import Site

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path
    from types import TracebackType

    from loopback_exchange.matching.journal import Watcher

HOST = "127.0.0.1"
_STOP_S = 10.0
_RETRY_S = 0.1


class Server:
    """An exchange that listens on 127.0.0.1, in a daemon thread.

    Parameters
    ----------
    market : MarketSource, optional
        ``Market`` or ``Replay``; the generated market of the eight symbols by default.
    port : int
        0 takes any free port; it is kept over ``stop`` and ``start``.
    store : path, optional
        SQLite file that keeps the account over a restart.
    control : bool
        Whether the route ``/_control/`` is served; ``server.control`` works always.
    balance : Decimal
        First wallet balance, in USDT.
    api_key : str, optional
        The only key that is accepted; None accepts any well-formed one.

    Attributes
    ----------
    exchange : Exchange
        The exchange; a new one, read from the store, after each ``start`` that follows ``stop``.
    control : Control
        The control calls, in process.
    faults : Faults
        Planned and scheduled faults, and the journal of those that struck.
    streams : Hub
        The WebSocket streams: their load, their faults, forced orders.
    watchers : list of callables
        Each is told every ``Event`` of an order, under the exchange's lock; they stay over
        ``stop``, ``start`` and ``reset``.
    requests : Counter
        Requests by (method, path), control excepted.
    """

    def __init__(
        self,
        market: MarketSource | None = None,
        port: int = 0,
        store: str | Path | None = None,
        control: bool = False,
        *,
        balance: Decimal = START_BALANCE,
        api_key: str | None = None,
    ) -> None:
        self.market = market or Market()
        self.port = port
        self.requests: Counter[tuple[str, str]] = Counter()
        self.faults = Faults()
        self.watchers: list[Watcher] = []
        self._store, self._balance, self._api_key = store, balance, api_key
        self._serves_control = control
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._away: threading.Thread | None = None
        self._ended = threading.Event()
        self._open()
        self.streams = Hub(lambda: self.exchange)

    def _open(self) -> None:
        self.exchange = Exchange(
            self.market, store=self._store, balance=self._balance, watchers=self.watchers
        )
        self.control = Control(self.exchange, self.faults, self.reset)
        self._is_open = True

    @property
    def url(self) -> str:
        """Base address, such as ``http://127.0.0.1:18080``."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> Self:
        """Listen; returns once requests are answered.

        Raises
        ------
        PortTaken
            When another program listens on the port.
        """
        self._ended.clear()
        if self._thread is not None:
            return self
        listening = self._listen()
        if not self._is_open:
            self._open()
        self._begin(listening)
        return self

    def _begin(self, listening: socket.socket) -> None:
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._serve, args=(listening, ready), name="loopback-exchange", daemon=True
        )
        self._thread.start()
        ready.wait()

    def _listen(self) -> socket.socket:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, self.port))
            listening.listen(128)
        except OSError as error:
            listening.close()
            if error.errno != errno.EADDRINUSE:
                raise
            raise PortTaken(
                f"Expected port {self.port} on {HOST} to be free; another program listens on "
                "it. Stop that program, or choose another port (0 takes any free one)."
            ) from error
        self.port = listening.getsockname()[1]
        return listening

    def _serve(self, listening: socket.socket, ready: threading.Event) -> None:
        loop = asyncio.new_event_loop()
        self._loop = loop
        runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=0.1)
        loop.run_until_complete(runner.setup())
        loop.run_until_complete(web.SockSite(runner, listening).start())
        streaming = loop.create_task(self.streams.run())
        loop.call_soon(ready.set)
        try:
            loop.run_forever()
        finally:
            streaming.cancel()
            loop.run_until_complete(runner.cleanup())
            loop.run_until_complete(_end_tasks(asyncio.all_tasks(loop)))
            loop.close()

    def _app(self) -> web.Application:
        site = Site(
            self.exchange,
            self.control,
            self.faults,
            self.requests,
            self.restart,
            api_key=self._api_key,
            serves_control=self._serves_control,
            streams=self.streams,
        )
        app = web.Application()
        app.router.add_get(PATH, self.streams.serve)
        app.router.add_route("*", "/{path:.*}", site.answer)
        return app

    def stop(self) -> None:
        """Stop listening; with a store the next ``start`` reads the account from it."""
        self._ended.set()
        if self._away is not None:
            self._away.join(_STOP_S)
        self._halt()
        if self._store is not None and self._is_open:
            self.exchange.close()
            self._is_open = False

    def _halt(self) -> None:
        if self._thread is None or self._loop is None:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOP_S)
        self._thread = self._loop = None

    def restart(self, down_s: float) -> None:
        """Drop all connections, be away for so many seconds, and come back; returns at once.

        Orders and balances are those of the store, or of memory without one; requests that
        were on their way are lost. ``exchange`` and ``control`` stay the same objects.
        """
        if self._away is not None and self._away.is_alive():
            return
        self._away = threading.Thread(
            target=self._be_away, args=(down_s,), name="loopback-exchange-restart", daemon=True
        )
        self._away.start()

    def _be_away(self, down_s: float) -> None:
        self._halt()
        self.exchange.reload()
        wait_s = down_s
        while not self._ended.wait(wait_s):
            try:
                listening = self._listen()
            except PortTaken:  # by an outgoing connection of the meantime; it will pass
                wait_s = _RETRY_S
                continue
            self._begin(listening)
            return

    def reset(self) -> None:
        """Start anew while listening: account, pins, faults and request counts."""
        self.exchange.reset()
        self.faults.clear()
        self.streams.faults.clear()
        self.requests.clear()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


async def _end_tasks(tasks: set[asyncio.Task[object]]) -> None:
    """Cancel requests that are still held, such as those that are never answered."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
