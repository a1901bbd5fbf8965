"""One connection of a feed, through ccxt.pro: from its opening to its loss.

ccxt.pro reconnects by itself, in silence, whenever it is asked for more. So it is asked once:
it goes on to fill its caches, these are emptied every tenth of a second, and the connection is
looked at each time; once it is lost, the client is thrown away, and a new one made.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import ccxt.pro
from ccxt.base.errors import BaseError

from hydra_ft.errors import FeedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from hydra_ft.feeds.recorder_policy import RecorderPolicy

LOST: Final = (FeedError, BaseError, OSError, TimeoutError)
"""What ends a connection, and is answered by a new one."""
_LOOK_EVERY_S: Final = 0.02


def client_of(name: str, config: Mapping[str, Any], policy: RecorderPolicy) -> Any:
    """A ccxt.pro client for recording: caches that hold what comes between two looks.

    Raises FeedError for a venue that ccxt.pro does not have.
    """
    made = getattr(ccxt.pro, name, None)
    if made is None:
        raise FeedError(f"venue: expected one of ccxt.pro's exchanges, was {name!r}")
    client = made(dict(config))
    client.options["tradesLimit"] = client.options["liquidationsLimit"] = policy.most_cached
    # A line is dead after two spells without an answer; that it lives is asked far more often.
    client.streaming["keepAlive"] = round(policy.ping_every_s * 1000)
    client.streaming["maxPingPongMisses"] = 2 * policy.keep_alive_s / policy.ping_every_s
    client.newUpdates = True
    return client


class Session:
    """A client that has subscribed to the streams of one feed."""

    def __init__(self, client: Any, subscribe: Callable[[Any], Awaitable[object]]) -> None:
        self.client = client
        self._subscribe = subscribe
        self._asking: asyncio.Future[object] | None = None
        self._wires: list[Any] = []

    async def open(self, within_s: float) -> None:
        """Connect and subscribe; raises one of ``LOST`` where that fails or takes too long."""
        self._asking = asyncio.ensure_future(self._subscribe(self.client))
        async with asyncio.timeout(within_s):
            while not self._is_connected():
                self._raise_refusal()
                await asyncio.sleep(_LOOK_EVERY_S)
        self._wires = list(self.client.clients.values())

    def _is_connected(self) -> bool:
        wires = list(self.client.clients.values())
        return bool(wires) and all(wire.isConnected for wire in wires)

    def _raise_refusal(self) -> None:
        asking = self._asking
        if asking is not None and asking.done() and not asking.cancelled():
            error = asking.exception()
            if error is not None:
                raise error

    def check(self) -> None:
        """Raise one of ``LOST`` if the connection does not stand any more."""
        self._raise_refusal()
        for wire in self._wires:
            if wire.error is not None:
                raise FeedError(f"connection lost: {wire.error}")
            if wire.closed():
                raise FeedError("connection closed by the venue")

    async def close(self) -> None:
        """Let go of the connection, whatever state it is in."""
        if self._asking is not None and not self._asking.done():
            self._asking.cancel()
        with suppress(asyncio.CancelledError, *LOST):
            if self._asking is not None:
                await self._asking
        with suppress(*LOST):
            await self.client.close()
