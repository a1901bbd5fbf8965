"""Liquidations and books: feeds without ids, of which only the connection says what is whole."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from hydra_ft.errors import DataError
from hydra_ft.feeds.recorder_feeds import silence
from hydra_ft.feeds.recorder_policy import FeedCounts
from hydra_ft.feeds.sink import BookSample, Covered, FeedGap, GapReason, Liquidation
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hydra_ft.feeds.normal import Contract, Venue
    from hydra_ft.feeds.recorder_policy import RecorderPolicy
    from hydra_ft.types import FloatArray


class PlainReader:
    """What the feeds without ids have in common: they stood, or they did not."""

    def __init__(
        self, feed: Feed, venue: Venue, pairs: tuple[str, ...], wall_ms: Callable[[], int]
    ) -> None:
        self.counts = FeedCounts(feed)
        self._venue, self._pairs, self._wall_ms = venue, pairs, wall_ms
        self._covered_from: int | None = None
        self._stood_until: int | None = None
        self._stretches: list[tuple[int, int]] = []
        self._gaps: list[FeedGap] = []

    def connected(self, now_s: float) -> None:
        """Know that the feed stands; the time since it did not is a gap of all pairs."""
        now = self._wall_ms()
        self.counts.is_connected, self.counts.since_s = True, now_s
        self.counts.connections += 1
        if self._stood_until is not None:
            self._end_stretch()
            self._gap(self._stood_until, now, GapReason.CONNECTION)
        self._covered_from = self._stood_until = now

    def lost(self, now_s: float) -> None:
        """Know that the feed does not stand."""
        self.counts.is_connected, self.counts.since_s = False, now_s
        self.counts.losses += 1

    def stands(self) -> None:
        """Know that the feed has stood until now."""
        self._stood_until = self._wall_ms()

    def _gap(self, start: int, stop: int, reason: GapReason) -> None:
        for pair in self._pairs:
            self._gaps.append(
                FeedGap(self._venue.name, pair, self.counts.feed, reason, start, stop)
            )

    def take_gaps(self) -> tuple[FeedGap, ...]:
        """Take out the gaps that are new."""
        gaps, self._gaps = tuple(self._gaps), []
        return gaps

    def take_covered(self) -> tuple[Covered, ...]:
        """Give the stretches in which the feed has stood since it was asked last, by pair."""
        self._end_stretch()
        stretches, self._stretches = self._stretches, []
        name, feed = self._venue.name, self.counts.feed
        return tuple(Covered(name, pair, feed, *one) for one in stretches for pair in self._pairs)

    def _end_stretch(self) -> None:
        start, stop = self._covered_from, self._stood_until
        if start is not None and stop is not None and stop > start:
            self._stretches.append((start, stop))
            self._covered_from = stop


class LiquidationReader(PlainReader):
    """Liquidations, out of ccxt's cache: what it returns of a burst is the first and the last."""

    def __init__(
        self,
        venue: Venue,
        contracts: Mapping[str, Contract],
        wall_ms: Callable[[], int],
    ) -> None:
        super().__init__(Feed.LIQUIDATIONS, venue, tuple(contracts), wall_ms)
        self._contracts = contracts
        self._found: list[Liquidation] = []
        self._is_overlapping = False
        self._seen: Counter[tuple[int, Liquidation]] = Counter()
        self._told: Counter[Liquidation] = Counter()

    async def subscribe(self, client: Any) -> object:
        """Ask for the liquidations of all pairs; one pair at a time where there is no other way."""
        if client.has.get("watchLiquidationsForSymbols"):
            return await client.watch_liquidations_for_symbols(list(self._pairs))
        first, *others = (client.watch_liquidations(pair) for pair in self._pairs)
        for one in others:
            client.spawn(_awaited, one)
        return await first

    def drain(self, client: Any, now_s: float) -> int:
        """Take the liquidations out of the cache."""
        stood_until = self._stood_until
        self.stands()
        cache = client.liquidations
        if not cache:
            return 0
        items = list(cache)
        cache.clear()
        if len(items) == cache.max_size and stood_until is not None:
            self.counts.overflows += 1
            self._gap(stood_until, self._wall_ms(), GapReason.OVERFLOW)
        count = 0
        for item in items:
            contract = self._contracts.get(item["symbol"])
            if contract is None:
                continue
            try:
                told = self._venue.forced(item["info"], contract)
            except DataError:
                self.counts.refused += 1
                continue
            for one in told:
                event = Liquidation(
                    self._venue.name, item["symbol"], one.time, one.side, one.price, one.quantity
                )
                if self._is_new(id(client), event):
                    self._found.append(event)
                    count += 1
        self.counts.events += count
        self.counts.last_event_s = now_s
        return count

    def overlapping(self, *, is_on: bool) -> None:
        """Tell each liquidation once while two connections bring it; equal ones are counted."""
        self._is_overlapping = is_on
        self._seen.clear()
        self._told.clear()

    def _is_new(self, client: int, event: Liquidation) -> bool:
        if not self._is_overlapping:
            return True
        self._seen[client, event] += 1
        if self._seen[client, event] <= self._told[event]:
            return False
        self._told[event] += 1
        return True

    def complaint(self, now_s: float) -> str | None:  # noqa: ARG002
        """Complain of nothing: there may be no liquidations for hours."""
        return None

    def take_found(self) -> tuple[Liquidation, ...]:
        """Take out what has come."""
        found, self._found = tuple(self._found), []
        return found


class BookReader(PlainReader):
    """The best levels of each pair's book, as ccxt keeps it, at even intervals."""

    def __init__(
        self,
        venue: Venue,
        contracts: Mapping[str, Contract],
        policy: RecorderPolicy,
        wall_ms: Callable[[], int],
    ) -> None:
        super().__init__(Feed.BOOK, venue, tuple(contracts), wall_ms)
        self._contracts, self._policy = contracts, policy
        self._found: list[BookSample] = []
        self._next_s = 0.0
        self._nonces: dict[tuple[int, str], object] = {}
        self._sampled_s: dict[str, float] = {}

    def connected(self, now_s: float) -> None:
        """Know that the feed stands; the books of an earlier connection say nothing of it."""
        super().connected(now_s)
        self._nonces.clear()

    async def subscribe(self, client: Any) -> object:
        """Ask for the books of all pairs."""
        return await client.watch_order_book_for_symbols(list(self._pairs))

    def drain(self, client: Any, now_s: float) -> int:
        """Take a sample of each book when it is time; count those that have changed."""
        if now_s < self._next_s:
            return 0
        self._next_s = now_s + self._policy.book_every_s
        changed = sum(self._sample(client, pair, now_s) for pair in self._pairs)
        if changed:
            self.stands()
            self.counts.last_event_s = now_s
        self.counts.events += changed
        return changed

    def _sample(self, client: Any, pair: str, now_s: float) -> bool:
        book = client.orderbooks.get(pair)
        if not book or not book["bids"] or not book["asks"]:
            return False
        bids, asks = (self._levels(pair, book[side]) for side in ("bids", "asks"))
        if not len(bids) or not len(asks) or bids[0, 0] >= asks[0, 0]:
            self.counts.refused += 1
            return False
        time = int(book["timestamp"] or self._wall_ms())
        self._sampled_s[pair] = now_s
        self._found.append(BookSample(self._venue.name, pair, time, bids, asks))
        known = self._nonces.get((id(client), pair))
        self._nonces[id(client), pair] = book["nonce"]
        return bool(known != book["nonce"])

    def _levels(self, pair: str, side: Any) -> FloatArray:
        contract = self._contracts[pair]
        levels = [
            (float(level[0]), contract.base(float(level[1]), float(level[0])))
            for level in side[: self._policy.book_levels]
        ]
        return np.array(levels, dtype=np.float64).reshape(-1, 2)

    def overlapping(self, *, is_on: bool) -> None:
        """Forget what was seen on a connection that has ended."""
        if not is_on:
            self._nonces.clear()

    def complaint(self, now_s: float) -> str | None:
        """Say that no book has changed for too long, or that the book of a pair is lost."""
        longest_s, since_s = self._policy.silence_s, self.counts.since_s
        for pair in self._pairs:
            if now_s - max(self._sampled_s.get(pair, 0.0), since_s) > longest_s:
                return f"no book of {pair} for more than {longest_s} s"
        return silence(self.counts, longest_s, now_s)

    def take_found(self) -> tuple[BookSample, ...]:
        """Take out the samples."""
        found, self._found = tuple(self._found), []
        return found


async def _awaited(asked: Any) -> object:
    return await asked
