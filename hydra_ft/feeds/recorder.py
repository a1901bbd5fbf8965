"""Records trades, liquidations and books of a venue, and hands over what it has folded.

One asyncio loop, in a process of its own or in a thread. What it keeps in memory is bounded:
ccxt's caches, trades that are held back for missing ids, and the queue before the sink. What
is dropped is counted, and marked by ids or by time.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hydra_ft.errors import FeedError
from hydra_ft.feeds.recorder_books import BookReader
from hydra_ft.feeds.recorder_events import LiquidationReader
from hydra_ft.feeds.recorder_feeds import TradeReader, this_wall_ms
from hydra_ft.feeds.recorder_keeper import Keeper
from hydra_ft.feeds.recorder_outbox import Outbox
from hydra_ft.feeds.recorder_policy import FeedCounts, PairCounts, RecorderPolicy, backoff_s
from hydra_ft.feeds.recorder_refetch import Refetcher
from hydra_ft.feeds.recorder_roster import Roster, refuse_pairs
from hydra_ft.feeds.recorder_session import LOST
from hydra_ft.feeds.recorder_steps import StepWatch
from hydra_ft.feeds.sink import Batch, PairFlow, PairTrades
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Sequence

    from hydra_ft.feeds.normal import Venue
    from hydra_ft.feeds.sink import FeedGap, Sink

FEEDS = (Feed.TRADES, Feed.LIQUIDATIONS, Feed.BOOK)
MOST_PAIRS = 200
"""Pairs of one recorder: what one subscription of a venue may hold."""


@dataclass(frozen=True, slots=True)
class RecorderHealth:
    """What a recorder has done so far, feed by feed and pair by pair."""

    feeds: tuple[FeedCounts, ...]
    pairs: tuple[PairCounts, ...]
    queued: int
    written: int
    dropped: int
    write_failures: int
    refetch_calls: int
    refetch_failures: int
    write_error: str
    """Why the sink did not take the last batch; empty where it did."""
    markets_error: str
    """Why the venue's markets are not known yet; empty once they are."""
    left_out: tuple[str, ...] = ()
    """Why pairs are not recorded that were asked for, one by one."""
    writing: int = 0


async def _ended(*tasks: asyncio.Future[Any]) -> None:
    """Cancel tasks, and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


class Recorder:
    """Records pairs of one venue into a sink until it is stopped.

    ``connect`` makes a fresh ccxt.pro client of the venue, see ``client_of``; it is called
    for every connection. ``has_ended`` tells that ``run`` has written all, or counted it as
    dropped. Raises FeedError for no pairs, or more than a subscription holds.
    """

    def __init__(
        self,
        venue: Venue,
        pairs: Sequence[str],
        connect: Callable[[], Any],
        sink: Sink,
        policy: RecorderPolicy | None = None,
        *,
        feeds: Collection[Feed] = FEEDS,
        clock_s: Callable[[], float] = time.monotonic,
        wall_ms: Callable[[], int] = this_wall_ms,
        chance: random.Random | None = None,
    ) -> None:
        self._names, self._feeds = refuse_pairs(pairs, MOST_PAIRS), frozenset(feeds)
        self.venue, self.policy = venue, policy or RecorderPolicy()
        self._make_client, self._sink = connect, sink
        self._clock_s, self._wall_ms = clock_s, wall_ms
        self._chance, self._stopping = chance or random.Random(), asyncio.Event()
        self._outbox = Outbox(sink, self.policy.most_queued, self._chance)
        self._roster: Roster | None = None
        self._keepers: list[Keeper] = []
        self._trades: TradeReader | None = None
        self._liquidations: LiquidationReader | None = None
        self._books: BookReader | None = None
        self._refetcher: Refetcher | None = None
        self._steps: StepWatch | None = None
        self._rest: Any = None
        self._markets_error, self.has_ended = "", False

    # ---- life

    def stop(self) -> None:
        """Let ``run`` end gracefully; to be called in its loop."""
        self._stopping.set()

    def refresh(self) -> None:
        """Replace all connections now, without a gap."""
        for keeper in self._keepers:
            keeper.refresh()

    async def follow(self, pairs: Sequence[str]) -> bool:
        """Record these pairs from now on; the streams of those that stay go on without a gap.

        False where it has not begun to record, or ends. Raises what ``Roster.follow`` does, and
        FeedError for no pairs, or more than a subscription holds.
        """
        names = refuse_pairs(pairs, MOST_PAIRS)
        if self._roster is None or not self._keepers or self._stopping.is_set():
            return False
        if await self._roster.follow(names):
            for keeper in self._keepers:
                keeper.reader.follow(self._roster.names)
            self.refresh()
        return True

    async def run(self) -> None:
        """Record until ``stop``; what has come by then is folded, and handed over.

        Raises FeedError where the venue has none of the pairs, StoreError where the sink
        cannot say where it was left.
        """
        try:
            if await self._unless_stopped(self._begin()):
                await self._record()
            self.has_ended = True
        finally:
            if self._rest is not None:
                await self._rest.close()

    async def _unless_stopped(self, work: Coroutine[Any, Any, None]) -> bool:
        """Whether work was done before ``stop``, which ends it."""
        working = asyncio.ensure_future(work)
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                await working
            return working.done()
        finally:
            await _ended(working, stopping)

    async def _begin(self) -> None:
        """Load what the venue trades, and where each pair was left, however long that takes."""
        attempt = 0
        while self._roster is None or not self._roster.names:
            self._rest = self._make_client()
            try:
                await self._rest.load_markets()
                self._roster = await self._called()
            except LOST as error:
                await self._rest.close()
                if isinstance(error, FeedError):
                    raise
                self._markets_error = f"{type(error).__name__}: {error}"
                attempt += 1
                policy = self.policy
                await self._pause(
                    backoff_s(attempt, policy.backoff_base_s, policy.backoff_cap_s, self._chance)
                )
        self._markets_error = ""
        self._prepare(self._roster)

    async def _called(self) -> Roster:
        with_trades = Feed.TRADES in self._feeds
        roster = Roster(self.venue, self._rest, self._sink, self.policy, with_trades=with_trades)
        await roster.follow(self._names)
        return roster

    def _prepare(self, roster: Roster) -> None:
        contracts = roster.contracts
        if Feed.TRADES in self._feeds:
            pairs = roster.trades
            self._trades = TradeReader(self.venue, pairs, contracts, self.policy)
            self._refetcher = Refetcher(
                self.venue, pairs, contracts, self._rest, self.policy, self._clock_s
            )
            self._steps = StepWatch(pairs, contracts, self._rest, self.policy, self._clock_s)
        if Feed.LIQUIDATIONS in self._feeds:
            late_ms = self.policy.late_ms
            self._liquidations = LiquidationReader(self.venue, contracts, self._wall_ms, late_ms)
        if Feed.BOOK in self._feeds:
            self._books = BookReader(self.venue, contracts, self.policy, self._wall_ms)
        self._keepers = [
            Keeper(reader, self._connect, self.policy, self._clock_s, self._chance)
            for reader in (self._trades, self._liquidations, self._books)
            if reader is not None
        ]

    def _connect(self) -> Any:
        """Make a client that knows the markets already."""
        client = self._make_client()
        client.set_markets_from_exchange(self._rest)
        return client

    async def _record(self) -> None:
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(self._outbox.run())
            keeping = [group.create_task(keeper.run()) for keeper in self._keepers]
            collecting = group.create_task(self._collect_all())
            fetching = [
                group.create_task(one.run(self._stopping))
                for one in (self._refetcher, self._steps)
                if one
            ]
            await self._stopping.wait()
            until_s = self._clock_s() + self.policy.stop_s
            for keeper in self._keepers:
                keeper.stop()
            # What is being connected or fetched now is not waited for: the next start fetches it.
            await asyncio.wait([*keeping, collecting], timeout=self.policy.stop_s / 4)
            await _ended(*keeping, *fetching)
            self._collect(is_last=True)
            self._outbox.close()
            await asyncio.wait([writing], timeout=max(0.0, until_s - self._clock_s()))
            await _ended(writing)
            self._outbox.abandon()

    async def _collect_all(self) -> None:
        while not self._stopping.is_set():
            await self._pause(self.policy.write_every_s)
            self._collect()

    async def _pause(self, duration_s: float) -> None:
        try:
            async with asyncio.timeout(duration_s):
                await self._stopping.wait()
        except TimeoutError:
            return

    # ---- what is handed over

    def _collect(self, *, is_last: bool = False) -> None:
        plain = [reader for reader in (self._liquidations, self._books) if reader]
        flows, trades, gaps = self._closed(is_last=is_last)
        for reader in plain:
            gaps += reader.take_gaps()
        self._outbox.put(
            Batch(
                flows=tuple(flows),
                liquidations=self._liquidations.take_found() if self._liquidations else (),
                books=self._books.take_found() if self._books else (),
                gaps=tuple(gaps),
                trades=tuple(trades),
                covered=tuple(one for reader in plain for one in reader.take_covered()),
            )
        )

    def _closed(self, *, is_last: bool) -> tuple[list[PairFlow], list[PairTrades], list[FeedGap]]:
        """Take out what has closed of the pairs, and the rest of those that have left."""
        flows: list[PairFlow] = []
        trades: list[PairTrades] = []
        gaps: list[FeedGap] = []
        now_s, name = self._clock_s(), self.venue.name
        until = self._trades.until(now_s) if self._trades is not None else None
        if until is None or self._roster is None:
            return flows, trades, gaps
        leaving = self._roster.take_leaving()
        for pair in [*leaving, *self._roster.trades.values()]:
            parts = [pair.close(until, now_s)]
            if is_last or pair in leaving:
                parts.append(pair.finish(until + self.policy.grace_ms))
            flows += [PairFlow(name, pair.pair, flow) for flow in parts if flow]
            gaps += pair.take_gaps()
            trades += [PairTrades(name, pair.pair, part) for part in pair.fresh]
            pair.fresh.clear()
        return flows, trades, gaps

    def health(self) -> RecorderHealth:
        """Give what has been done so far; to be called in the loop of ``run``."""
        refetcher, roster = self._refetcher, self._roster
        return RecorderHealth(
            feeds=tuple(keeper.reader.counts for keeper in self._keepers),
            pairs=tuple(pair.counts() for pair in roster.trades.values()) if roster else (),
            queued=len(self._outbox),
            written=self._outbox.written,
            dropped=self._outbox.dropped,
            write_failures=self._outbox.failures,
            refetch_calls=refetcher.calls if refetcher else 0,
            refetch_failures=refetcher.failures if refetcher else 0,
            write_error=self._outbox.last_error,
            markets_error=self._markets_error,
            left_out=roster.left_out if roster else (),
            writing=self._outbox.writing,
        )
