"""The bounded wait for what was recorded of the candle that has just closed."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hydra_ft.adapter.recorded.minutes import MINUTE_MS
from hydra_ft.store.flow_kept import with_bars, with_proof
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from hydra_ft.store.database import Database
    from hydra_ft.store.flow_markets import Markets

EVERY_S: Final = 0.1
"""Time between two looks."""
STANDING_MS: Final = 5 * MINUTE_MS
"""A pair of which nothing newer than this is kept is not waited for: nobody records it."""

SETTLED_MS: Final = 1_000
"""How long after a candle the book must have stood: a state of it is that old on its way."""


@dataclass(frozen=True, slots=True)
class Awaited:
    """A feed that is waited for: its newest ``last_ms`` of a candle tell that it is there.

    ``kept`` returns those of some pairs of which anything is kept from within an interval.
    """

    last_ms: int
    kept: Callable[[Collection[str], int, int], set[str]]


def trades_of(database: Database, markets: Markets) -> Awaited:
    """Trades: the last minute of a candle is kept when all of them are there."""

    def kept(pairs: Collection[str], start: int, stop: int) -> set[str]:
        numbers = markets.found(pairs)
        found = with_bars(database, numbers.values(), MINUTE_MS, start, stop)
        return {pair for pair, number in numbers.items() if number in found}

    return Awaited(MINUTE_MS, kept)


def liquidations_of(database: Database, markets: Markets) -> Awaited:
    """Liquidations: there may be none, so that the proof of the stream's own has to reach."""
    return _proven(database, markets, Feed.LIQUIDATIONS, 0)


def books_of(database: Database, markets: Markets) -> Awaited:
    """Books: the proof has to go a second beyond, so that no last sample is still on its way."""
    return _proven(database, markets, Feed.BOOK, SETTLED_MS)


def _proven(database: Database, markets: Markets, feed: Feed, beyond_ms: int) -> Awaited:
    def kept(pairs: Collection[str], start: int, stop: int) -> set[str]:
        numbers = markets.found(pairs)
        settled = (start + beyond_ms, stop + beyond_ms)
        found = with_proof(database, numbers.values(), feed, *settled)
        return {pair for pair, number in numbers.items() if number in found}

    return Awaited(1, kept)


class FlowWait:
    """Waits until the last of a candle is kept of all pairs and ``feeds``, once a candle.

    A recorder closes a minute when trades that are late have had their time, about three
    seconds after it is over; liquidations are proven as late as that, since they may be told of
    late too, and books up to its last write, a second behind.
    ``step_ms`` is the length of a candle. It takes ``wait_s`` at most, and the answer to a
    question that was put before that was over, however many pairs there are.
    """

    def __init__(
        self,
        feeds: Sequence[Awaited],
        step_ms: int,
        wait_s: float,
        sleep: Callable[[float], None] = time.sleep,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._feeds, self._step_ms, self._wait_s = tuple(feeds), step_ms, wait_s
        self._sleep, self._clock_s = sleep, clock_s
        self._until_s = -math.inf
        self._waited_for = 0

    def wait(self, pairs: Sequence[str], now: int) -> list[str]:
        """Return the pairs of which the candle before ``now`` (UTC ms) was not seen to be there."""
        close = now // self._step_ms * self._step_ms
        if close == self._waited_for:
            return []
        self._waited_for = close
        self._until_s = self._clock_s() + self._wait_s
        absent = [(feed, self._absent(feed, set(pairs), close)) for feed in self._feeds]
        awaited = [
            (feed, self._kept(feed, gone, close - STANDING_MS, close)) for feed, gone in absent
        ]
        silent = [gone - recorded for (_, gone), (_, recorded) in zip(absent, awaited, strict=True)]
        for _ in range(math.ceil(self._wait_s / EVERY_S)):  # whatever the clock does
            left_s = self._until_s - self._clock_s()
            if left_s <= 0 or not any(gone for _, gone in awaited):
                break
            self._sleep(min(EVERY_S, left_s))
            awaited = [(feed, self._absent(feed, gone, close)) for feed, gone in awaited]
        return sorted(set().union(*silent, *(gone for _, gone in awaited)))

    def _absent(self, feed: Awaited, pairs: set[str], close: int) -> set[str]:
        return pairs - self._kept(feed, pairs, close - feed.last_ms, close)

    def _kept(self, feed: Awaited, pairs: set[str], start: int, stop: int) -> set[str]:
        """Ask, unless the time is over: then nothing is known to be kept."""
        if not pairs or self._clock_s() >= self._until_s:
            return set()
        return feed.kept(pairs, start, stop)
