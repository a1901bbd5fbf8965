"""Books: the best levels of each pair at even intervals; each pair's book stands for itself.

One pair whose book is not there takes nothing from the others: their samples and what is said
of them go on, and a new connection is made beside this one, in which it may come.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hydra_ft.feeds.recorder_clock import LONGEST_PAUSE_S, Looks, Pulse
from hydra_ft.feeds.recorder_feeds import silence
from hydra_ft.feeds.recorder_policy import FeedCounts
from hydra_ft.feeds.sink import BookSample, Covered, FeedGap, GapReason
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hydra_ft.feeds.normal import Contract, Venue
    from hydra_ft.feeds.recorder_policy import RecorderPolicy
    from hydra_ft.types import FloatArray

_SNAPSHOTS: Final = ((15, 1_000), (30, 500), (60, 100))
"""Up to so many pairs: levels of a snapshot on Binance, so that all come in some 15 s.

Of 1,000 levels ccxt's limiter lets one through a second, of 500 two, of 100 four, of 50 ten.
"""
_FEWEST: Final = 50
_LOOKS: Final = 3
"""Looks at which a book was not there that make a gap; a book may be crossed for a moment."""
_QUIET_S: Final = 10.0
"""So long no book of any pair may change on a line that lives: then nothing was changed."""
_LONGEST_S: Final = 3_600.0
"""A pair that never has a book makes a new connection once in so long."""


@dataclass(slots=True)
class _Standing:
    """How long the book of a pair has stood (ms), and how long one that is not there is awaited.

    ``covered_from`` to ``until`` has not been handed over yet; None before the first sample.
    """

    patience_s: float
    covered_from: int = 0
    until: int | None = None
    is_new: bool = True
    absent: int = 0
    awaited_s: float = 0.0


def snapshot_levels(pairs: int) -> int:
    """Levels to be asked for when the books of so many pairs are fetched one after another."""
    return next((levels for most, levels in _SNAPSHOTS if pairs <= most), _FEWEST)


def stands(book: Any) -> bool:
    """Whether a book of ccxt has two sides."""
    return bool(book and book["bids"] and book["asks"])


class BookReader:
    """The best levels of each pair's book, as ccxt keeps it, at even intervals.

    No sample is taken of a line that is dead, nor while this process does not run. The time
    until the next one is a gap of all pairs: nobody can tell how their books stood.
    """

    def __init__(
        self,
        venue: Venue,
        contracts: Mapping[str, Contract],
        policy: RecorderPolicy,
        wall_ms: Callable[[], int],
    ) -> None:
        self.counts = FeedCounts(Feed.BOOK)
        self._venue, self._contracts = venue, contracts
        self._policy, self._wall_ms = policy, wall_ms
        self._pairs = {pair: _Standing(policy.silence_s) for pair in contracts}
        self._found: list[BookSample] = []
        self._gaps: list[FeedGap] = []
        self._stretches: list[Covered] = []
        self._nonces: dict[tuple[int, str], object] = {}
        self._pulse, self._sampled = Pulse(), Looks(wall_ms)
        self._next_s = 0.0
        self._has_lived = False

    def connected(self, now_s: float) -> None:
        """Know that the feed stands; the books of an earlier connection say nothing of it."""
        self.counts.is_connected, self.counts.since_s = True, now_s
        self.counts.connections += 1
        self._pulse.begin(now_s)
        self._nonces.clear()
        for one in self._pairs.values():
            one.is_new, one.awaited_s = True, now_s

    def follow(self, pairs: Sequence[str]) -> None:
        """Know the pairs of now; each is covered from its own first sample on."""
        for pair in [pair for pair in self._pairs if pair not in pairs]:
            self._end_stretch(pair)
            del self._pairs[pair]
        for pair in pairs:
            self._pairs.setdefault(pair, _Standing(self._policy.silence_s, awaited_s=self._next_s))

    def renewed(self, now_s: float) -> None:
        """Do nothing: a sample tells that the book of its pair has come."""

    def lost(self, now_s: float) -> None:
        """Know that the feed does not stand."""
        self.counts.is_connected, self.counts.since_s = False, now_s
        self.counts.losses += 1

    async def subscribe(self, client: Any) -> object:
        """Ask for the books of all pairs."""
        client.options["watchOrderBookLimit"] = snapshot_levels(len(self._pairs))
        return await client.watch_order_book_for_symbols(list(self._pairs))

    def drain(self, client: Any, now_s: float) -> int:
        """Take a sample of each book when it is time; count those that have changed.

        Books stand as long as any of them changes, and some seconds more on a line that lives.
        """
        self._has_lived |= self._pulse.look(client, now_s)
        unheard_s = now_s - max(self._pulse.heard_s, self.counts.since_s)
        if now_s < self._next_s or unheard_s > LONGEST_PAUSE_S:
            return 0
        self._next_s = now_s + self._policy.book_every_s
        if self._sampled.look(now_s) > self._policy.book_every_s + LONGEST_PAUSE_S:
            for one in self._pairs.values():
                one.is_new = True
        found = {pair: self._sample(client, pair) for pair in self._pairs}
        changed = sum(found[pair] or 0 for pair in found)
        heard = self._wall_ms() - round(1000 * unheard_s)
        stands = changed > 0 or self._stands_still(now_s)
        for pair, is_changed in found.items():
            if is_changed is None:
                self._miss(pair, now_s)
            elif stands:
                self._stand(pair, now_s, heard)
        if changed:
            self.counts.last_event_s = now_s
        self.counts.events += changed
        return changed

    def _stands_still(self, now_s: float) -> bool:
        """Whether no book has changed for some seconds, on a line that lived meanwhile."""
        has_lived, self._has_lived = self._has_lived, False
        last_s = self.counts.last_event_s
        return has_lived and last_s is not None and now_s - last_s <= _QUIET_S

    def _sample(self, client: Any, pair: str) -> bool | None:
        """Take a sample; whether the book has changed since the last one, None without one."""
        book = client.orderbooks.get(pair)
        if not stands(book):
            return None
        bids, asks = (self._levels(pair, book[side]) for side in ("bids", "asks"))
        if not len(bids) or not len(asks) or bids[0, 0] >= asks[0, 0]:
            self.counts.refused += 1
            return None
        time = int(book["timestamp"] or self._wall_ms())
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

    def _miss(self, pair: str, now_s: float) -> None:
        """Know that a pair has no book; ask for a new connection once it was awaited for long."""
        one = self._pairs[pair]
        one.absent += 1
        one.is_new |= one.absent >= _LOOKS
        if now_s - one.awaited_s > one.patience_s:
            self.counts.wants_anew = True
            self.counts.last_error = f"no book of {pair} for more than {one.patience_s:g} s"
            one.awaited_s, one.patience_s = now_s, min(2 * one.patience_s, _LONGEST_S)

    def _stand(self, pair: str, now_s: float, heard: int) -> None:
        """Know that a pair's book stood when it was ``heard`` (ms); before may be a gap of it."""
        one = self._pairs[pair]
        if one.is_new:
            self._end_stretch(pair)
            if one.until is not None and heard > one.until:
                place = (self._venue.name, pair, Feed.BOOK)
                self._gaps.append(FeedGap(*place, GapReason.CONNECTION, one.until, heard))
            one.covered_from = heard
        one.until, one.is_new, one.absent = heard, False, 0
        one.awaited_s, one.patience_s = now_s, self._policy.silence_s

    def _end_stretch(self, pair: str) -> None:
        one = self._pairs[pair]
        if one.until is not None and one.until > one.covered_from:
            told = Covered(self._venue.name, pair, Feed.BOOK, one.covered_from, one.until)
            self._stretches.append(told)
            one.covered_from = one.until

    def overlapping(self, *, is_on: bool) -> None:
        """Forget what was seen on a connection that has ended."""
        if not is_on:
            self._nonces.clear()

    def complaint(self, now_s: float) -> str | None:
        """Say that no book of any pair has changed for too long, or no answer has come."""
        return self._pulse.complaint() or silence(self.counts, self._policy.silence_s, now_s)

    def take_found(self) -> tuple[BookSample, ...]:
        """Take out the samples."""
        found, self._found = tuple(self._found), []
        return found

    def take_gaps(self) -> tuple[FeedGap, ...]:
        """Take out the gaps that are new."""
        gaps, self._gaps = tuple(self._gaps), []
        return gaps

    def take_covered(self) -> tuple[Covered, ...]:
        """Give the stretches in which each pair's book has stood since it was asked last."""
        for pair in self._pairs:
            self._end_stretch(pair)
        stretches, self._stretches = tuple(self._stretches), []
        return stretches
