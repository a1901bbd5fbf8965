"""Keeps one feed connected: reconnects with jitter, replaces old connections before they end."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from hydra_ft.errors import FeedError
from hydra_ft.feeds.recorder_books import stands
from hydra_ft.feeds.recorder_policy import backoff_s
from hydra_ft.feeds.recorder_session import LOST, Session

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from hydra_ft.feeds.recorder_feeds import Reader
    from hydra_ft.feeds.recorder_policy import RecorderPolicy

_AGAIN_S: Final = 300.0
"""After so long what could not be replaced is tried again; exchanges end it after a day."""
_BOOK_S: Final = 0.25
"""What a snapshot of a book may take, one after another."""


class Keeper:
    """Runs one feed until it is stopped; ``connect`` makes a client that knows its markets."""

    def __init__(
        self,
        reader: Reader,
        connect: Callable[[], Any],
        policy: RecorderPolicy,
        clock_s: Callable[[], float],
        chance: random.Random,
    ) -> None:
        self.reader = reader
        self._connect, self._policy, self._clock_s = connect, policy, clock_s
        self._chance = chance
        self._stopping = asyncio.Event()
        self._asked_refresh = False

    def stop(self) -> None:
        """Let ``run`` end, after a last look into the caches."""
        self._stopping.set()

    def refresh(self) -> None:
        """Replace the connection now, without a gap."""
        self._asked_refresh = True

    async def run(self) -> None:
        """Connect, read, and connect again, until stopped."""
        attempt = 0
        while not self._stopping.is_set():
            began_s = self._clock_s()
            try:
                await self._follow(await self._opened())
            except LOST as error:
                self._note(error)
                if self._clock_s() - began_s >= self._policy.sound_after_s:
                    attempt = 0
                attempt += 1
                policy = self._policy
                await self._pause(
                    backoff_s(attempt, policy.backoff_base_s, policy.backoff_cap_s, self._chance)
                )

    async def _opened(self) -> Session:
        session = Session(self._connect(), self.reader.subscribe)
        try:
            await session.open(self._policy.connect_s)
        except (asyncio.CancelledError, *LOST):
            await session.close()
            raise
        return session

    async def _follow(self, session: Session) -> None:
        """Read a connection, and those that replace it, until it is lost or stopped."""
        self.reader.connected(self._clock_s())
        due_s = self._clock_s() + self._policy.refresh_every_s
        try:
            while not self._stopping.is_set():
                if self._clock_s() >= due_s or self._takes_wish():
                    old, session = session, await self._replaced(session)
                    wait_s = self._policy.refresh_every_s
                    due_s = self._clock_s() + (min(wait_s, _AGAIN_S) if session is old else wait_s)
                self._look(session)
                await self._pause(self._policy.drain_every_s)
        finally:
            self.reader.drain(session.client, self._clock_s())
            await session.close()

    def _takes_wish(self) -> bool:
        """Whether a new connection is wished for; it is then taken for made."""
        counts = self.reader.counts
        is_wished = self._asked_refresh or counts.wants_anew
        self._asked_refresh = counts.wants_anew = False
        return is_wished

    def _look(self, session: Session) -> None:
        now_s = self._clock_s()
        self.reader.drain(session.client, now_s)
        session.check()
        complaint = self.reader.complaint(now_s)
        if complaint is not None:
            raise FeedError(complaint)

    async def _replaced(self, old: Session) -> Session:
        """Open a new connection beside the old one, and leave the old one once it brings trades.

        Where no new one can be had the old one is kept.
        """
        self.reader.overlapping(is_on=True)
        try:
            new = await self._beside(old)
        except LOST as error:
            self.reader.counts.last_error = f"refresh: {error}"
            return old
        finally:
            self.reader.overlapping(is_on=False)
        self.reader.counts.refreshes += 1
        self.reader.renewed(self._clock_s())
        await old.close()
        return new

    async def _beside(self, old: Session) -> Session:
        opening = asyncio.ensure_future(self._opened())
        try:
            while not opening.done():
                self._look(old)
                await asyncio.wait([opening], timeout=self._policy.drain_every_s)
            new = opening.result()
            await self._read_both(old, new)
        except (asyncio.CancelledError, *LOST):
            opening.cancel()
            with suppress(asyncio.CancelledError, *LOST):
                await (await opening).close()
            raise
        return new

    async def _read_both(self, old: Session, new: Session) -> None:
        """Read both until the new one brings all that the old one does, or had its time to."""
        until_s = self._clock_s() + self._policy.connect_s + _BOOK_S * len(old.client.orderbooks)
        has_come = False
        while self._clock_s() < until_s and not has_come and not self._stopping.is_set():
            await self._pause(self._policy.drain_every_s)
            self.reader.drain(old.client, self._clock_s())
            has_come = _brings_all(new.client, old.client)
            self.reader.drain(new.client, self._clock_s())
            new.check()
            try:
                old.check()
            except LOST as error:  # what it would have brought meanwhile may be missing
                self._note(error)
                self.reader.connected(self._clock_s())
                return
        self.reader.drain(old.client, self._clock_s())

    async def _pause(self, duration_s: float) -> None:
        try:
            async with asyncio.timeout(duration_s):
                await self._stopping.wait()
        except TimeoutError:
            return

    def _note(self, error: BaseException) -> None:
        self.reader.counts.last_error = f"{type(error).__name__}: {error}"
        self.reader.lost(self._clock_s())


def _brings_all(new: Any, old: Any) -> bool:
    """Whether a client has each book that another has; without books, anything in its caches."""
    books = [pair for pair, book in old.orderbooks.items() if stands(book)]
    if books:
        return all(stands(new.orderbooks.get(pair)) for pair in books)
    return bool(
        new.liquidations
        or any(new.trades.values())
        or any(stands(book) for book in new.orderbooks.values())
    )
