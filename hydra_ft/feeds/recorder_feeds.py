"""What keeps a feed connected asks of it, and the feed of trades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from hydra_ft.errors import DataError
from hydra_ft.feeds.recorder_policy import FeedCounts
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra_ft.feeds.normal import Contract, PublicTrade, Venue
    from hydra_ft.feeds.recorder_pair import PairRecorder
    from hydra_ft.feeds.recorder_policy import RecorderPolicy

_AHEAD_MS = 60_000


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


def silence(counts: FeedCounts, longest_s: float, now_s: float) -> str | None:
    """Say that nothing has come for too long, if so."""
    last_s = max(counts.last_event_s or 0.0, counts.since_s)
    return f"silent for more than {longest_s} s" if now_s - last_s > longest_s else None


class TradeReader:
    """Trades of all pairs; the feed's time is the latest time that it has told of."""

    def __init__(
        self,
        venue: Venue,
        pairs: Mapping[str, PairRecorder],
        contracts: Mapping[str, Contract],
        policy: RecorderPolicy,
    ) -> None:
        self.counts = FeedCounts(Feed.TRADES)
        self._venue, self._pairs, self._contracts = venue, pairs, contracts
        self._policy = policy
        self._latest_ms = 0
        self._lost_at_ms: int | None = None

    async def subscribe(self, client: Any) -> object:
        """Ask for the trades of all pairs on one connection."""
        params = dict(self._venue.trade_params)
        return await client.watch_trades_for_symbols(list(self._pairs), params=params)

    def drain(self, client: Any, now_s: float) -> int:
        """Take the trades out of the caches, and count them by pair."""
        taken = {pair: self._taken(client, pair, now_s) for pair in self._pairs}
        some = {pair: trades for pair, trades in taken.items() if trades}
        if not some:
            return 0
        first = min(trade.time for trades in some.values() for trade in trades)
        self._stand(first)
        for pair, trades in some.items():
            self._pairs[pair].take(trades, now_s)
            self._latest_ms = max(self._latest_ms, *(trade.time for trade in trades))
        count = sum(map(len, some.values()))
        self.counts.events += count
        self.counts.last_event_s = now_s
        return count

    def _taken(self, client: Any, pair: str, now_s: float) -> list[PublicTrade]:
        cache = client.trades.get(pair)
        if not cache:
            return []
        items = list(cache)
        cache.clear()
        was_full = len(items) >= self._policy.most_cached or len(items) == cache.max_size
        contract, found = self._contracts[pair], []
        latest = self._latest_ms + self._idle_ms(now_s) + _AHEAD_MS
        for item in items:
            try:
                trade = self._venue.trade(item["info"], contract)
            except DataError:
                self.counts.refused += 1
                continue
            if self._latest_ms and trade.time > latest:  # no time of this venue
                self.counts.refused += 1
                continue
            found.append(trade)
        if was_full and found:
            self.counts.overflows += 1
            self._pairs[pair].overflowed(self._latest_ms, found[0].time)
        return found

    def _stand(self, first_ms: int) -> None:
        """Begin the pairs that have not begun, and tell all of an interruption that has ended."""
        for pair in self._pairs.values():
            if not pair.has_begun:
                pair.begin(first_ms)
            elif self._lost_at_ms is not None:
                pair.interrupted(self._lost_at_ms, max(first_ms, self._lost_at_ms))
        self._lost_at_ms = None

    def connected(self, now_s: float) -> None:
        """Know that the feed stands; what was missed is known with the first trade."""
        self.counts.is_connected, self.counts.since_s = True, now_s
        self.counts.connections += 1

    def lost(self, now_s: float) -> None:
        """Know that the feed does not stand since its latest trade."""
        self.counts.is_connected, self.counts.since_s = False, now_s
        self.counts.losses += 1
        if self._lost_at_ms is None and self._latest_ms:
            self._lost_at_ms = self._latest_ms

    def overlapping(self, *, is_on: bool) -> None:
        """Do nothing: trades are known by their ids, or their names."""

    def complaint(self, now_s: float) -> str | None:
        """Say that no trade of any pair has come for too long."""
        return silence(self.counts, self._policy.silence_s, now_s)

    def until(self, now_s: float) -> int | None:
        """Time (ms) up to which all that was on its way has come; None before the first trade.

        It is the feed's own time, less the grace. Where nothing at all has come for a while it
        goes on with the clock, but only as long as the connection stands.
        """
        if not self._latest_ms:
            return None
        quiet = self._idle_ms(now_s) - round(self._policy.quiet_s * 1000)
        goes_on = quiet if self.counts.is_connected else 0
        return self._latest_ms - self._policy.grace_ms + max(0, goes_on)

    def _idle_ms(self, now_s: float) -> int:
        last = self.counts.last_event_s
        return 0 if last is None else round((now_s - last) * 1000)
