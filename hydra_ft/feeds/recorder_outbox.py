"""The queue between a recorder and its sink: bounded, and what it drops is marked."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import fields
from typing import TYPE_CHECKING

from hydra_ft.errors import DataError, StoreError
from hydra_ft.feeds.aside import aside
from hydra_ft.feeds.recorder_policy import backoff_s
from hydra_ft.feeds.sink import Batch, FeedGap, GapReason
from hydra_ft.types import Feed
from hydra_ft.types.flow import NO_ID

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from hydra_ft.feeds.sink import PairFlow, Sink

_RETRY_BASE_S, _RETRY_CAP_S = 0.2, 10.0


class Outbox:
    """Hands batches to a sink, one at a time, in a thread; drops the oldest when it is full.

    ``most_items`` bounds the parts (flows, samples, liquidations, gaps) that wait.
    """

    def __init__(self, sink: Sink, most_items: int, chance: random.Random) -> None:
        self.dropped = self.written = self.failures = 0
        self._sink, self._most, self._chance = sink, most_items, chance
        self.last_error = ""
        self._waiting: deque[Batch] = deque()
        self._writing = Batch()
        self._owed: dict[tuple[str, str, Feed], FeedGap] = {}
        self._more = asyncio.Event()
        self._is_closing = False

    def __len__(self) -> int:
        return sum(map(len, self._waiting))

    @property
    def writing(self) -> int:
        """How many parts are being written now; those that wait are not among them."""
        return len(self._writing)

    def put(self, batch: Batch) -> None:
        """Queue a batch; when there is no room, the oldest are dropped and counted."""
        if not len(batch):
            return
        self._waiting.append(batch)
        while len(self) > self._most and len(self._waiting) > 1:
            self._drop(self._waiting.popleft())
        self._more.set()

    def _drop(self, batch: Batch) -> None:
        self.dropped += len(batch)
        for gap in [*batch.gaps, *_gaps_of(batch)]:
            key = (gap.venue, gap.pair, gap.feed)
            known = self._owed.get(key)
            self._owed[key] = gap if known is None else _joined(known, gap)

    async def run(self) -> None:
        """Write what comes, until ``close`` has been called and nothing waits."""
        while self._waiting or not self._is_closing:
            if not self._waiting:
                self._more.clear()
                await self._more.wait()
                continue
            self._writing = self._with_owed(self._waiting.popleft())
            await self._write(self._writing)
            self._writing = Batch()
        if self._owed:
            await self._write(self._with_owed(Batch()))

    def close(self) -> None:
        """Let ``run`` end once all is written."""
        self._is_closing = True
        self._more.set()

    def abandon(self) -> None:
        """Count what waits, or was being written, as dropped: there is no more time for it."""
        self.dropped += len(self) + len(self._writing)
        self._waiting.clear()
        self._writing = Batch()

    def _with_owed(self, batch: Batch) -> Batch:
        if not self._owed:
            return batch
        owed, self._owed = tuple(self._owed.values()), {}
        return Batch(
            batch.flows, batch.liquidations, batch.books, (*owed, *batch.gaps), batch.trades,
            batch.covered,
        )  # fmt: skip

    async def _write_what_can_be(self, batch: Batch) -> None:
        """Write the parts of a batch that can be told at all, and drop the others."""
        parts = _parts(batch)
        if len(parts) > 1:
            for part in parts:
                await self._write(part)
            return
        self.failures += 1
        self._drop(batch)

    async def _write(self, batch: Batch) -> None:
        attempt = 0
        while True:
            try:
                await aside(self._sink.write, batch)
            except StoreError as error:
                attempt += 1
                self.failures += 1
                self.last_error = str(error)
                wait_s = backoff_s(attempt, _RETRY_BASE_S, _RETRY_CAP_S, self._chance)
                await asyncio.sleep(wait_s)
            except DataError as error:
                await self._write_what_can_be(batch)
                self.last_error = str(error)
                return
            else:
                self.written += len(batch)
                self.last_error = ""
                return


def _parts(batch: Batch) -> list[Batch]:
    """Give a batch by kinds of what it holds, one of a single kind in halves, if it can be."""
    kinds = {one.name: getattr(batch, one.name) for one in fields(batch)}
    kinds = {name: found for name, found in kinds.items() if found}
    if len(kinds) > 1:
        return [Batch(**{name: found}) for name, found in kinds.items()]
    halves = [
        (name, half)
        for name, found in kinds.items()
        for half in (found[: len(found) // 2], found[len(found) // 2 :])
    ]
    return [Batch(**{name: half}) for name, half in halves if half]


def _gaps_of(batch: Batch) -> Iterator[FeedGap]:
    """Give what a dropped batch leaves unsaid, by pair and feed."""
    for flow in batch.flows:
        yield _gap_of_flow(flow)
    for kind, parts in ((Feed.LIQUIDATIONS, batch.liquidations), (Feed.BOOK, batch.books)):
        for one in parts:
            yield FeedGap(one.venue, one.pair, kind, GapReason.OVERFLOW, one.time, one.time + 1)


def _gap_of_flow(one: PairFlow) -> FeedGap:
    bars = one.flow.sub_bars
    traded = bars.last_id[bars.count > 0]
    first = bars.first_id[bars.count > 0]
    return FeedGap(
        one.venue,
        one.pair,
        Feed.TRADES,
        GapReason.OVERFLOW,
        int(bars.time[0]),
        int(bars.time[-1]) + bars.step_ms,
        int(first.min()) if len(first) else NO_ID,
        int(traded.max()) if len(traded) else NO_ID,
        int(bars.count.sum()),
    )


def _joined(one: FeedGap, other: FeedGap) -> FeedGap:
    """Give the gap that spans two of a pair and feed."""
    ids = [gap for gap in (one, other) if gap.first_id != NO_ID]
    return FeedGap(
        one.venue,
        one.pair,
        one.feed,
        GapReason.OVERFLOW,
        min(one.start, other.start),
        max(one.stop, other.stop),
        min((gap.first_id for gap in ids), default=NO_ID),
        max((gap.last_id for gap in ids), default=NO_ID),
        max(one.missing, 0) + max(other.missing, 0) if ids else -1,
    )
