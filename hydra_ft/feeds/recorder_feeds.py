"""What keeps a feed connected asks of it, and the feed of trades."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from hydra_ft.errors import DataError
from hydra_ft.feeds.recorder_clock import AHEAD_MS, LEAST_TOLERANCE_MS, FeedTime, Pulse, doubtful
from hydra_ft.feeds.recorder_policy import FeedCounts
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hydra_ft.feeds.normal import Contract, PublicTrade, Venue
    from hydra_ft.feeds.recorder_pair import PairRecorder
    from hydra_ft.feeds.recorder_policy import RecorderPolicy


def this_wall_ms() -> int:
    """Time of this machine (UTC ms)."""
    return time.time_ns() // 1_000_000


class Reader(Protocol):
    """A feed as the one who keeps it connected sees it."""

    counts: FeedCounts

    async def subscribe(self, client: Any) -> object:
        """Ask a client for the streams."""
        ...

    def drain(self, client: Any, now_s: float) -> int:
        """Take out what has come; how many events that was."""
        ...

    def connected(self, now_s: float) -> None:
        """Know that the feed stands (again)."""
        ...

    def lost(self, now_s: float) -> None:
        """Know that the feed does not stand."""
        ...

    def overlapping(self, *, is_on: bool) -> None:
        """Know that two connections bring the same, from now on or no more."""
        ...

    def complaint(self, now_s: float) -> str | None:
        """What is wrong with a connection that seems to stand; None if nothing is."""
        ...

    def follow(self, pairs: Sequence[str]) -> None:
        """Know the pairs of now; those that are new come with the next connection."""
        ...

    def renewed(self, now_s: float) -> None:
        """Know that the connection that was asked for last has taken the place of the other."""
        ...


def silence(counts: FeedCounts, longest_s: float, now_s: float) -> str | None:
    """Say that nothing has come for too long, if so."""
    last_s = max(counts.last_event_s or 0.0, counts.since_s)
    return f"silent for more than {longest_s} s" if now_s - last_s > longest_s else None


class TradeReader:
    """Trades of all pairs; the feed's time is the latest time that it has told of.

    After a loss all pairs are in doubt from the moment it stands again: those with ids until
    their next trade, or the venue when asked, has told; the others until the first trade of all.
    """

    def __init__(
        self,
        venue: Venue,
        pairs: Mapping[str, PairRecorder],
        contracts: Mapping[str, Contract],
        policy: RecorderPolicy,
        wall_ms: Callable[[], int] = this_wall_ms,
    ) -> None:
        self.counts = FeedCounts(Feed.TRADES)
        self._venue, self._pairs, self._contracts = venue, pairs, contracts
        self._policy = policy
        self._time = FeedTime(max(policy.grace_ms, LEAST_TOLERANCE_MS), len(pairs), wall_ms)
        self._pulse = Pulse()
        self._lost_at_ms: int | None = None
        self._asked: tuple[str, ...] = ()
        self._heard_from = dict.fromkeys(pairs, 0)
        self._unread: list[tuple[str, object]] = []

    def follow(self, pairs: Sequence[str]) -> None:
        """Know the pairs of now; one that is new begins once a connection brings it."""
        self._time.pairs = len(pairs)
        self._heard_from = {
            pair: since for pair, since in self._heard_from.items() if pair in pairs
        }

    def renewed(self, now_s: float) -> None:
        """Know that the connection that stands brings what was asked for last."""
        now = self._time.latest_ms + self._time.idle_ms(now_s)
        for pair in self._asked:
            if pair in self._pairs:
                self._heard_from.setdefault(pair, now)

    async def subscribe(self, client: Any) -> object:
        """Ask for the trades of all pairs on one connection."""
        self._asked = tuple(self._pairs)
        params = dict(self._venue.trade_params)
        return await client.watch_trades_for_symbols(list(self._pairs), params=params)

    def drain(self, client: Any, now_s: float) -> int:
        """Take the trades out of the caches, and count them by pair."""
        self._pulse.look(client, now_s)
        before = self._time.latest_ms
        read = {pair: self._read(client, pair) for pair in self._pairs}
        some = self._of_this_venue(read, now_s) if any(read.values()) else {}
        if some:
            self._stand(min(trade.time for trades in some.values() for trade in trades))
            self.counts.last_event_s = now_s
        for pair, trades in some.items():
            self._pairs[pair].take(trades, now_s)
        self._doubt(before, now_s)
        count = sum(map(len, some.values()))
        self.counts.events += count
        return count

    def _doubt(self, before: int, now_s: float) -> None:
        """Tell pairs without ids of what could not be read, since the time (ms) of before."""
        unread, self._unread = self._unread, []
        if self._venue.has_id_ranges:  # what they skip is asked for
            return
        now = self._time.expected(now_s)
        for pair, stamp in unread:
            self._pairs[pair].unread(*doubtful(stamp, (before or now) - self._policy.grace_ms, now))

    def _read(self, client: Any, pair: str) -> list[PublicTrade]:
        cache = client.trades.get(pair)
        if not cache:
            return []
        items = list(cache)
        cache.clear()
        was_full = len(items) >= self._policy.most_cached or len(items) == cache.max_size
        contract, found = self._contracts[pair], []
        for item in items:
            try:
                found.append(self._venue.trade(item["info"], contract))
            except DataError as error:
                self.counts.refused += 1
                self.counts.refused_why = str(error)
                self._unread.append((pair, item.get("timestamp")))
        if was_full and found:
            self.counts.overflows += 1
            self._pairs[pair].overflowed(self._time.latest_ms, found[0].time)
        return found

    def _of_this_venue(
        self, read: Mapping[str, list[PublicTrade]], now_s: float
    ) -> dict[str, list[PublicTrade]]:
        """Leave out what has no time of this venue; a leap of its time is an interruption."""
        before = self._time.latest_ms
        by_clock = before + self._time.idle_ms(now_s)
        stamps = {pair: [one.time for one in trades] for pair, trades in read.items()}
        latest = self._time.hear(stamps, now_s)
        if before and self._lost_at_ms is None and self._time.latest_ms > by_clock + AHEAD_MS:
            self._lost_at_ms = before
        some: dict[str, list[PublicTrade]] = {}
        for pair, trades in read.items():
            good = [one for one in trades if one.time <= latest]
            self.counts.refused += len(trades) - len(good)
            self._unread += [(pair, None)] * (len(trades) - len(good))
            if good:
                some[pair] = good
        return some

    def _stand(self, first_ms: int) -> None:
        """Begin the pairs that have not begun, and tell all of an interruption that has ended."""
        for name, since in self._heard_from.items():
            pair = self._pairs[name]
            if not pair.has_begun:
                pair.begin(max(first_ms, since))
        self._tell(first_ms)

    def _tell(self, until_ms: int) -> None:
        lost, self._lost_at_ms = self._lost_at_ms, None
        if lost is not None:
            for pair in self._pairs.values():
                pair.interrupted(lost, max(until_ms, lost))

    def connected(self, now_s: float) -> None:
        """Know that the feed stands; with ids all that was missed is asked for from now on."""
        self.counts.is_connected, self.counts.since_s = True, now_s
        self.counts.connections += 1
        self._pulse.begin(now_s)
        self.renewed(now_s)
        if self._venue.has_id_ranges:
            self._tell(self._time.latest_ms + self._time.idle_ms(now_s))

    def lost(self, now_s: float) -> None:
        """Know that the feed does not stand since its latest trade."""
        self.counts.is_connected, self.counts.since_s = False, now_s
        self.counts.losses += 1
        if self._lost_at_ms is None and self._time.latest_ms:
            self._lost_at_ms = self._time.latest_ms

    def overlapping(self, *, is_on: bool) -> None:
        """Do nothing: trades are known by their ids, or their names."""

    def complaint(self, now_s: float) -> str | None:
        """Say that no trade of any pair has come for too long, or no answer."""
        return self._pulse.complaint() or silence(self.counts, self._policy.silence_s, now_s)

    def until(self, now_s: float) -> int | None:
        """Time (ms) up to which all that was on its way has come; None before the first trade.

        It is the feed's own time, less the grace. Where nothing at all has come for a while it
        goes on with the clock, as long as the connection stands and has told nothing of a loss
        that is open, and no further than it is known to have lived.
        """
        latest = self._time.latest_ms
        if not latest:
            return None
        goes_on = 0
        if self.counts.is_connected and self._lost_at_ms is None:
            alive_for_s = now_s - max(self.counts.since_s, now_s - self._time.idle_ms(now_s) / 1000)
            if alive_for_s > self._policy.quiet_s:
                goes_on = min(
                    self._time.idle_ms(now_s) - round(self._policy.quiet_s * 1000),
                    self._time.idle_ms(self._pulse.until_s),
                )
        return latest - self._policy.grace_ms + max(0, goes_on)
