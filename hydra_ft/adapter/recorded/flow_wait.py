"""The bounded wait for what was recorded of the candle that has just closed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hydra_ft.adapter.recorded.minutes import MINUTE_MS
from hydra_ft.adapter.recorded.spans import Coverage
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hydra_ft.store.database import Database
    from hydra_ft.store.flow import FlowStore
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

    ``has`` tells whether anything of a pair is kept from within an interval.
    """

    last_ms: int
    has: Callable[[str, int, int], bool]


def trades_of(store: FlowStore) -> Awaited:
    """Trades: the last minute of a candle is kept when all of them are there."""

    def has(pair: str, start: int, stop: int) -> bool:
        market = store.markets.find(pair)
        return market is not None and store.has_bar(market, MINUTE_MS, start, stop)

    return Awaited(MINUTE_MS, has)


def liquidations_of(database: Database, markets: Markets) -> Awaited:
    """Liquidations: there may be none, so that the proof of the stream's own has to reach."""

    def has(pair: str, start: int, stop: int) -> bool:
        coverage = Coverage(database, markets, pair, Feed.LIQUIDATIONS)
        return bool(coverage.within(start, stop))

    return Awaited(1, has)


def books_of(database: Database, markets: Markets) -> Awaited:
    """Books: the proof has to go a second beyond, so that no last sample is still on its way."""

    def has(pair: str, start: int, stop: int) -> bool:
        coverage = Coverage(database, markets, pair, Feed.BOOK)
        spans = coverage.within(start, stop + SETTLED_MS)
        return any(end > start + SETTLED_MS for _, _, end in spans)

    return Awaited(1, has)


class FlowWait:
    """Waits until the last of a candle is kept of all pairs and ``feeds``, once a candle.

    A recorder closes a minute when trades that are late have had their time, about three
    seconds after it is over; liquidations and books are proven up to its last write, a second
    behind.
    ``step_ms`` is the length of a candle.
    """

    def __init__(
        self,
        feeds: Sequence[Awaited],
        step_ms: int,
        wait_s: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._feeds, self._step_ms = tuple(feeds), step_ms
        self._looks = round(wait_s / EVERY_S)
        self._sleep = sleep
        self._waited_for = 0

    def wait(self, pairs: Sequence[str], now: int) -> list[str]:
        """Return the pairs of which the candle before ``now`` (UTC ms) is not there yet."""
        close = now // self._step_ms * self._step_ms
        if close == self._waited_for:
            return []
        self._waited_for = close
        every = [(feed, pair) for feed in self._feeds for pair in pairs]
        absent = _absent(every, close)
        silent = [(f, pair) for f, pair in absent if not f.has(pair, close - STANDING_MS, close)]
        awaited = [one for one in absent if one not in silent]
        for _ in range(self._looks):
            if not awaited:
                break
            self._sleep(EVERY_S)
            awaited = _absent(awaited, close)
        return sorted({pair for _, pair in (*awaited, *silent)})


def _absent(asked: Sequence[tuple[Awaited, str]], close: int) -> list[tuple[Awaited, str]]:
    return [(f, pair) for f, pair in asked if not f.has(pair, close - f.last_ms, close)]
