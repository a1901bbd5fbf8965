"""Liquidations: a feed without ids, of which only the connection says what is whole."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from hydra_ft.errors import DataError
from hydra_ft.feeds.recorder_clock import LONGEST_PAUSE_S, Looks, Pulse, doubtful
from hydra_ft.feeds.recorder_policy import FeedCounts
from hydra_ft.feeds.sink import Covered, FeedGap, GapReason, Liquidation
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hydra_ft.feeds.normal import Contract, Venue

_LATER_S: Final = 20.0
"""How long after an overlap the line that stays may bring what the other has told."""


class PlainReader:
    """What the feeds without ids have in common: they stood, or they did not."""

    def __init__(
        self, feed: Feed, venue: Venue, pairs: tuple[str, ...], wall_ms: Callable[[], int]
    ) -> None:
        self.counts = FeedCounts(feed)
        self._venue, self._pairs, self._wall_ms = venue, pairs, wall_ms
        self._asked: tuple[str, ...] = ()
        self._heard_from = dict.fromkeys(pairs, 0)
        self._covered_from: int | None = None
        self._stood_until: int | None = None
        self._stretches: list[tuple[int, int]] = []
        self._gaps: list[FeedGap] = []

    def connected(self, now_s: float) -> None:
        """Know that the feed stands; the time since it did not is a gap of all pairs."""
        self.counts.is_connected, self.counts.since_s = True, now_s
        self.counts.connections += 1
        self.stands_anew()
        self.renewed(now_s)

    def stands_anew(self) -> None:
        """Know that nothing was heard since the feed has stood: a gap of all pairs."""
        now = self._wall_ms()
        if self._stood_until is not None:
            self._end_stretch()
            self._gap(self._stood_until, now, GapReason.CONNECTION)
        self._covered_from = self._stood_until = now

    def follow(self, pairs: Sequence[str]) -> None:
        """Know the pairs of now; of one that is new nothing is covered before it is asked for."""
        self._pairs = tuple(pairs)
        self._heard_from = {
            pair: since for pair, since in self._heard_from.items() if pair in pairs
        }

    def renewed(self, now_s: float) -> None:  # noqa: ARG002
        """Know that the connection that stands brings what was asked for last."""
        for pair in self._asked:
            if pair in self._pairs:
                self._heard_from.setdefault(pair, self._wall_ms())

    def lost(self, now_s: float) -> None:
        """Know that the feed does not stand."""
        self.counts.is_connected, self.counts.since_s = False, now_s
        self.counts.losses += 1

    def stands(self, until: int) -> None:
        """Know that the feed has stood until a time (ms)."""
        self._stood_until = max(until, self._stood_until or 0)

    def _gap(self, start: int, stop: int, reason: GapReason, of: str | None = None) -> None:
        """Tell a gap of all pairs, or of one."""
        for pair, since in self._heard_from.items():
            if stop > since and of in {None, pair}:
                place = (self._venue.name, pair, self.counts.feed)
                self._gaps.append(FeedGap(*place, reason, max(start, since), stop))

    def take_gaps(self) -> tuple[FeedGap, ...]:
        """Take out the gaps that are new."""
        gaps, self._gaps = tuple(self._gaps), []
        return gaps

    def take_covered(self) -> tuple[Covered, ...]:
        """Give the stretches in which the feed has stood since it was asked last, by pair."""
        self._end_stretch()
        stretches, self._stretches = self._stretches, []
        name, feed = self._venue.name, self.counts.feed
        return tuple(
            Covered(name, pair, feed, max(start, since), stop)
            for start, stop in stretches
            for pair, since in self._heard_from.items()
            if stop > since
        )

    def _end_stretch(self) -> None:
        start, stop = self._covered_from, self._stood_until
        if start is not None and stop is not None and stop > start:
            self._stretches.append((start, stop))
            self._covered_from = stop


class LiquidationReader(PlainReader):
    """Liquidations, out of ccxt's cache: what it returns of a burst is the first and the last.

    Covered is the time up to the last message, or answer to a ping, less the ``late_ms`` after
    which a venue may tell of one: on a line that died since, nobody knows of quiet. What the
    line still held when this process was stopped, or its machine asleep, proves no time before.
    """

    def __init__(
        self,
        venue: Venue,
        contracts: Mapping[str, Contract],
        wall_ms: Callable[[], int],
        late_ms: int = 0,
    ) -> None:
        super().__init__(Feed.LIQUIDATIONS, venue, tuple(contracts), wall_ms)
        self._contracts, self._late_ms = contracts, late_ms
        self._looks, self._has_slept = Looks(wall_ms), False
        self._found: list[Liquidation] = []
        self._pulse = Pulse()
        self._is_overlapping = False
        self._overlap_ended_s: float | None = None
        self._seen: Counter[tuple[int, Liquidation]] = Counter()
        self._told: Counter[Liquidation] = Counter()

    async def subscribe(self, client: Any) -> object:
        """Ask for the liquidations of all pairs; one pair at a time where there is no other way."""
        self._asked = self._pairs
        if client.has.get("watchLiquidationsForSymbols"):
            return await client.watch_liquidations_for_symbols(list(self._pairs))
        first, *others = (client.watch_liquidations(pair) for pair in self._pairs)
        for one in others:
            client.spawn(_awaited, one)
        return await first

    def drain(self, client: Any, now_s: float) -> int:
        """Take the liquidations out of the cache."""
        stood_until = self._stood_until
        self._feel(client, now_s)
        self._forget(now_s)
        cache = client.liquidations
        if not cache:
            return 0
        items = list(cache)
        cache.clear()
        if len(items) == cache.max_size and stood_until is not None:
            self.counts.overflows += 1
            self._gap(stood_until, self._wall_ms(), GapReason.OVERFLOW)
        told = [event for item in items for event in self._read(item, stood_until)]
        fresh = [event for event in told if self._is_new(id(client), event)]
        self._found += fresh
        self.counts.events += len(fresh)
        self.counts.last_event_s = now_s
        return len(fresh)

    def _feel(self, client: Any, now_s: float) -> None:
        """See until when the line has lived; while nobody looked it may not have."""
        self._has_slept |= self._looks.look(now_s) > LONGEST_PAUSE_S
        if not self._pulse.look(client, now_s):
            return
        if self._has_slept:
            self._has_slept = False
            self.stands_anew()
        self.stands(self._wall_ms() - self._late_ms)

    def _read(self, item: Any, since: int | None) -> list[Liquidation]:
        """Read one of the cache; one that cannot be read is a gap at its time, or since then."""
        pair = item["symbol"]
        contract = self._contracts.get(pair)
        if contract is None:
            return []
        try:
            told = self._venue.forced(item["info"], contract)
        except DataError as error:
            self.counts.refused += 1
            self.counts.refused_why = str(error)
            now = self._wall_ms()
            stretch = doubtful(item.get("timestamp"), now if since is None else since, now)
            self._gap(*stretch, GapReason.IDS, pair)
            return []
        name = self._venue.name
        return [Liquidation(name, pair, t.time, t.side, t.price, t.quantity) for t in told]

    def connected(self, now_s: float) -> None:
        """Know that the feed stands; what was missed in between is a gap."""
        super().connected(now_s)
        self._looks.look(now_s)
        self._has_slept = False
        self._pulse.begin(now_s)
        self._seen.clear()
        self._told.clear()

    def overlapping(self, *, is_on: bool) -> None:
        """Tell each liquidation once while two connections bring it; equal ones are counted.

        That goes on for a while after one of them has ended: the other may be behind.
        """
        if is_on:
            self._seen.clear()
            self._told.clear()
        self._is_overlapping, self._overlap_ended_s = is_on, None

    def _forget(self, now_s: float) -> None:
        if self._is_overlapping or not self._told:
            return
        if self._overlap_ended_s is None:
            self._overlap_ended_s = now_s
        elif now_s - self._overlap_ended_s > _LATER_S:
            self._seen.clear()
            self._told.clear()

    def _is_new(self, client: int, event: Liquidation) -> bool:
        if not self._is_overlapping and not self._told:
            return True
        self._seen[client, event] += 1
        if self._seen[client, event] <= self._told[event]:
            return False
        self._told[event] += 1
        return True

    def complaint(self, now_s: float) -> str | None:  # noqa: ARG002
        """Say that no answer has come for too long; there may be no liquidations for hours."""
        return self._pulse.complaint()

    def take_found(self) -> tuple[Liquidation, ...]:
        """Take out what has come."""
        found, self._found = tuple(self._found), []
        return found


async def _awaited(asked: Any) -> object:
    return await asked
