"""When a connection is replaced, and by what."""

from __future__ import annotations

import asyncio
import random
from types import SimpleNamespace
from typing import Any

from feeds.recording import QUICK
from waiting import await_until

from hydra_ft.feeds.recorder_keeper import Keeper
from hydra_ft.feeds.recorder_policy import FeedCounts, RecorderPolicy
from hydra_ft.types import Feed

BOOK = {"bids": [[1.0, 1.0]], "asks": [[2.0, 1.0]]}


class Quiet:
    """A reader of which nothing comes, and that has nothing to complain of."""

    def __init__(self) -> None:
        self.counts = FeedCounts(Feed.BOOK)
        self.seen: list[Any] = []

    async def subscribe(self, client: Any) -> object:
        client.clients["wss"] = SimpleNamespace(isConnected=True, error=client.error, closed=bool)
        if client.error is not None:
            raise client.error
        return client

    def drain(self, client: Any, _now_s: float) -> int:
        self.seen.append(client)
        return 0

    def connected(self, _now_s: float) -> None:
        self.counts.is_connected = True
        self.counts.connections += 1

    def lost(self, _now_s: float) -> None:
        self.counts.is_connected = False
        self.counts.losses += 1

    def follow(self, _pairs: object) -> None:
        """No pairs are looked at."""

    def renewed(self, _now_s: float) -> None:
        """Nothing was asked for."""

    def overlapping(self, *, is_on: bool) -> None:
        """Do nothing."""

    def complaint(self, _now_s: float) -> str | None:
        return None


class Client:
    """A client whose connection stands, or is refused."""

    def __init__(self, error: Exception | None = None, books: dict[str, Any] | None = None) -> None:
        self.error, self.orderbooks = error, books or {}
        self.clients: dict[str, Any] = {}
        self.liquidations: list[Any] = []
        self.trades: dict[str, Any] = {}

    async def close(self) -> None:
        """Let go."""


class Clock:
    """Runs a thousand times as fast as time does."""

    def __init__(self) -> None:
        self._began = asyncio.get_running_loop().time()

    def __call__(self) -> float:
        """Tell the time."""
        return (asyncio.get_running_loop().time() - self._began) * 1_000


def keeper(clients: list[Client], made: list[Client], **policy: Any) -> Keeper:
    chosen = RecorderPolicy(**{**QUICK, "drain_every_s": 0.01, **policy})

    def connect() -> Client:
        made.append(clients[min(len(made), len(clients) - 1)])
        return made[-1]

    return Keeper(Quiet(), connect, chosen, Clock(), random.Random(1))


async def until(holds: Any, one: Keeper) -> None:
    running = asyncio.ensure_future(one.run())
    await await_until(holds, every_s=0.01)
    one.stop()
    await running


def test_a_refresh_that_failed_is_tried_again_after_minutes() -> None:
    """The next one would else come 12 hours later, when the exchange has ended the connection."""
    made: list[Client] = []

    async def run() -> None:
        refused = Client(OSError("no route"))
        one = keeper([Client(), refused, Client()], made, refresh_every_s=36_000.0)
        one.refresh()
        began = asyncio.get_running_loop().time()
        await until(lambda: one.reader.counts.refreshes == 1, one)
        took_s = 1_000 * (asyncio.get_running_loop().time() - began)
        assert 300.0 <= took_s < 36_000.0
        assert one.reader.counts.losses == 0

    asyncio.run(run())
    assert len(made) == 3


def test_a_wish_of_a_reader_makes_one_new_connection() -> None:
    made: list[Client] = []

    async def run() -> None:
        one = keeper([Client()], made, refresh_every_s=1e9)
        one.reader.counts.wants_anew = True
        await until(lambda: one.reader.counts.refreshes == 1, one)
        assert not one.reader.counts.wants_anew

    asyncio.run(run())
    assert len(made) == 2


def test_a_new_connection_that_lacks_a_book_replaces_the_old_one_after_a_while_all_the_same() -> (
    None
):
    made: list[Client] = []

    async def run() -> None:
        one = keeper([Client(books={"X": BOOK}), Client()], made, refresh_every_s=1e9)
        one.refresh()
        began = asyncio.get_running_loop().time()
        await until(lambda: one.reader.counts.refreshes == 1, one)
        assert 1_000 * (asyncio.get_running_loop().time() - began) >= QUICK["connect_s"]

    asyncio.run(run())
    assert len(made) == 2


def test_an_old_connection_that_is_lost_while_both_are_read_is_a_loss() -> None:
    """What it alone would have brought by then is a gap, though the new connection stands."""
    made: list[Client] = []

    async def run() -> None:
        one = keeper([Client(books={"X": BOOK}), Client()], made, refresh_every_s=1e9)
        one.refresh()
        reader = one.reader

        def is_cut() -> bool:
            if len(made) == 2 and made[1] in reader.seen:  # type: ignore[attr-defined]
                made[0].clients["wss"].error = OSError("cut")
            return reader.counts.refreshes == 1

        one._clock_s = asyncio.get_running_loop().time
        await until(is_cut, one)
        counts = reader.counts
        assert (counts.losses, counts.connections, counts.is_connected) == (1, 2, True)

    asyncio.run(run())
    assert len(made) == 2
