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
from hydra_ft.feeds.aside import aside
from hydra_ft.feeds.recorder_books import BookReader
from hydra_ft.feeds.recorder_events import LiquidationReader
from hydra_ft.feeds.recorder_feeds import TradeReader
from hydra_ft.feeds.recorder_keeper import Keeper
from hydra_ft.feeds.recorder_markets import bins_of, contract_of, grid_of, markets_of, prices_of
from hydra_ft.feeds.recorder_outbox import Outbox
from hydra_ft.feeds.recorder_pair import PairRecorder
from hydra_ft.feeds.recorder_policy import FeedCounts, PairCounts, RecorderPolicy, backoff_s
from hydra_ft.feeds.recorder_refetch import Refetcher
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


async def _ended(*tasks: asyncio.Future[Any]) -> None:
    """Cancel tasks, and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class Recorder:
    """Records pairs of one venue into a sink until it is stopped.

    ``connect`` makes a fresh ccxt.pro client of the venue, see ``client_of``; it is called
    for every connection. Raises FeedError for no pairs, or more than a subscription holds.
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
        wall_ms: Callable[[], int] = _wall_ms,
        chance: random.Random | None = None,
    ) -> None:
        if not 0 < len(set(pairs)) <= MOST_PAIRS:
            raise FeedError(f"pairs: expected 1 to {MOST_PAIRS} of them, was {len(set(pairs))}")
        self._names, self._feeds = tuple(dict.fromkeys(pairs)), frozenset(feeds)
        self.venue, self.policy = venue, (policy or RecorderPolicy()).for_pairs(len(self._names))
        self._make_client, self._sink = connect, sink
        self._clock_s, self._wall_ms = clock_s, wall_ms
        self._chance = chance or random.Random()
        self._stopping = asyncio.Event()
        self._outbox = Outbox(sink, self.policy.most_queued, self._chance)
        self._pairs: dict[str, PairRecorder] = {}
        self._keepers: list[Keeper] = []
        self._trades: TradeReader | None = None
        self._liquidations: LiquidationReader | None = None
        self._books: BookReader | None = None
        self._refetcher: Refetcher | None = None
        self._steps: StepWatch | None = None
        self._rest: Any = None
        self._prices: dict[str, float] = {}
        self._markets_error = ""
        self._left_out: tuple[str, ...] = ()

    # ---- life

    def stop(self) -> None:
        """Let ``run`` end gracefully; to be called in its loop."""
        self._stopping.set()

    def refresh(self) -> None:
        """Replace all connections now, without a gap."""
        for keeper in self._keepers:
            keeper.refresh()

    async def run(self) -> None:
        """Record until ``stop``; what has come by then is folded, and handed over.

        Raises FeedError where the venue has none of the pairs, StoreError where the sink
        cannot say where it was left.
        """
        try:
            if await self._unless_stopped(self._begin()):
                await self._record()
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
        await self._load_markets()
        await self._prepare()

    async def _load_markets(self) -> None:
        """Load what the venue trades, however long that takes."""
        attempt = 0
        while True:
            self._rest = self._make_client()
            try:
                await self._rest.load_markets()
                if Feed.TRADES in self._feeds:
                    self._prices = await prices_of(self._rest, self._names)
            except LOST as error:
                self._markets_error = f"{type(error).__name__}: {error}"
                await self._rest.close()
                attempt += 1
                policy = self.policy
                await self._pause(
                    backoff_s(attempt, policy.backoff_base_s, policy.backoff_cap_s, self._chance)
                )
            else:
                self._markets_error = ""
                return

    async def _prepare(self) -> None:
        markets, self._left_out = markets_of(
            self._rest, self._names, with_grid=Feed.TRADES in self._feeds
        )
        contracts = {pair: contract_of(market) for pair, market in markets.items()}
        if Feed.TRADES in self._feeds:
            for pair, market in markets.items():
                resume = await aside(self._sink.resume, self.venue.name, pair)
                kept_size = resume.bin_size if resume else 0.0
                bins = bins_of(market, self._prices.get(pair), kept_size)
                grid = grid_of(market, self.policy.bin_ticks.get(pair, bins))
                self._pairs[pair] = PairRecorder(self.venue, pair, grid, self.policy, resume)
            self._trades = TradeReader(self.venue, self._pairs, contracts, self.policy)
            self._refetcher = Refetcher(
                self.venue, self._pairs, contracts, self._rest, self.policy, self._clock_s
            )
            self._steps = StepWatch(self._pairs, contracts, self._rest, self.policy, self._clock_s)
        if Feed.LIQUIDATIONS in self._feeds:
            self._liquidations = LiquidationReader(self.venue, contracts, self._wall_ms)
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
        name, plain = self.venue.name, [r for r in (self._liquidations, self._books) if r]
        flows, gaps = self._closed(is_last=is_last)
        for reader in plain:
            gaps += reader.take_gaps()
        fresh = [
            PairTrades(name, pair.pair, trades)
            for pair in self._pairs.values()
            for trades in pair.fresh
        ]
        for pair in self._pairs.values():
            pair.fresh.clear()
        self._outbox.put(
            Batch(
                flows=tuple(flows),
                liquidations=self._liquidations.take_found() if self._liquidations else (),
                books=self._books.take_found() if self._books else (),
                gaps=tuple(gaps),
                trades=tuple(fresh),
                covered=tuple(one for reader in plain for one in reader.take_covered()),
            )
        )

    def _closed(self, *, is_last: bool) -> tuple[list[PairFlow], list[FeedGap]]:
        flows: list[PairFlow] = []
        gaps: list[FeedGap] = []
        now_s = self._clock_s()
        until = self._trades.until(now_s) if self._trades is not None else None
        if until is None:
            return flows, gaps
        for pair in self._pairs.values():
            parts = [pair.close(until, now_s)]
            if is_last:
                parts.append(pair.finish(until + self.policy.grace_ms))
            flows += [PairFlow(self.venue.name, pair.pair, flow) for flow in parts if flow]
            gaps += pair.take_gaps()
        return flows, gaps

    def health(self) -> RecorderHealth:
        """Give what has been done so far; to be called in the loop of ``run``."""
        refetcher = self._refetcher
        return RecorderHealth(
            feeds=tuple(keeper.reader.counts for keeper in self._keepers),
            pairs=tuple(pair.counts() for pair in self._pairs.values()),
            queued=len(self._outbox),
            written=self._outbox.written,
            dropped=self._outbox.dropped,
            write_failures=self._outbox.failures,
            refetch_calls=refetcher.calls if refetcher else 0,
            refetch_failures=refetcher.failures if refetcher else 0,
            write_error=self._outbox.last_error,
            markets_error=self._markets_error,
            left_out=self._left_out,
        )
