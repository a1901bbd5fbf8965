"""One client of the streams: what it has subscribed to, and what waits to be sent to it."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp import ClientError

from loopback_exchange.streams.payloads import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import web

    from loopback_exchange.streams.faults import StreamFaults
    from loopback_exchange.streams.names import Stream

MOST_WAITING = 50_000
"""Events that may wait for a client; one that reads more slowly is cut off."""
_FROZEN_STEP_S = 0.05


class Connection:
    """Sends events in order, without letting a slow client hold up the others."""

    def __init__(
        self, socket: web.WebSocketResponse, faults: StreamFaults, *, is_combined: bool
    ) -> None:
        self.socket = socket
        self.is_combined = is_combined
        self.streams: set[Stream] = set()
        self._faults = faults
        self._out: deque[tuple[float, str]] = deque()
        self._more = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.is_cut = False

    def push(self, stream: Stream, texts: Iterable[str]) -> None:
        """Queue events of a stream, as far as the faults let them through."""
        due = self._loop.time() + self._faults.delay_s
        for body in texts:
            shown = wrapped(stream.name, body) if self.is_combined else body
            for _ in range(self._faults.copies()):
                self._out.append((due, shown))
        if len(self._out) > MOST_WAITING:
            self.cut()
        self._more.set()

    def answer(self, body: str) -> None:
        """Queue the answer to a request, which no fault loses."""
        self._out.append((0.0, body))
        self._more.set()

    async def write(self) -> None:
        """Send what waits, until the connection ends."""
        with suppress(ClientError, ConnectionError):
            while not self.is_cut:
                await self._more.wait()
                self._more.clear()
                while self._out and not self.is_cut:
                    due, body = self._out.popleft()
                    await self._wait_for(due)
                    await self.socket.send_str(body)

    async def _wait_for(self, due: float) -> None:
        left_s = due - self._loop.time()
        if left_s > 0:
            await asyncio.sleep(left_s)
        while self._faults.is_frozen:  # noqa: ASYNC110 - a fault is set from any thread
            await asyncio.sleep(_FROZEN_STEP_S)

    def cut(self) -> None:
        """Drop the connection as a broken line does: without a word."""
        self.is_cut = True
        self._out.clear()
        self._more.set()
        transport = self.socket._req.transport if self.socket._req else None  # noqa: SLF001
        if transport is not None:
            transport.abort()
