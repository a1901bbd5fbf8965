"""Which stretches of a feed are proven complete, and where that has changed since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.store.flow_coverage import OWN, covered

if TYPE_CHECKING:
    from collections.abc import Collection

    from hydra_ft.store.database import Database
    from hydra_ft.store.flow_markets import Markets
    from hydra_ft.types import BoolArray, Feed, IntArray

Span = tuple[str, int, int]
"""Source, start and stop (UTC ms, exclusive) of what is proven complete."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the database proves of a feed of one pair, by ``sources``."""

    database: Database
    markets: Markets
    pair: str
    feed: Feed
    sources: tuple[str, ...] = (OWN,)

    def within(self, start: int, stop: int) -> frozenset[Span]:
        """Return the proven stretches within an interval, cut at its ends."""
        market = self.markets.find(self.pair)
        if market is None or stop <= start:
            return frozenset()
        with self.database.transaction() as connection:
            return frozenset(
                (source, max(one.start, start), min(one.stop, stop))
                for source in self.sources
                for one in covered(connection, market, self.feed, start, stop, source)
            )


def cut(spans: Collection[Span], start: int, stop: int) -> frozenset[Span]:
    """Return the parts of stretches that lie within an interval."""
    return frozenset(
        (source, max(begin, start), min(end, stop))
        for source, begin, end in spans
        if end > start and begin < stop
    )


def changed_within(before: Collection[Span], now: Collection[Span]) -> tuple[int, int] | None:
    """Return from and until when two coverages differ; None where they are the same.

    Of a stretch that grew or shrank at one end, what lies beyond that end is the same.
    """
    start = _changed_from(before, now)
    stop = _changed_from(_mirrored(before), _mirrored(now))
    return None if start is None or stop is None else (start, -stop)


def _changed_from(before: Collection[Span], now: Collection[Span]) -> int | None:
    gone, fresh = set(before) - set(now), set(now) - set(before)
    times: list[int] = []
    for source, begin, end in gone ^ fresh:
        others = fresh if (source, begin, end) in gone else gone
        ends = [stop for name, start, stop in others if (name, start) == (source, begin)]
        times.append(min(end, *ends) if ends else begin)
    return min(times, default=None)


def _mirrored(spans: Collection[Span]) -> set[Span]:
    """Return stretches of a time that runs backwards."""
    return {(source, -stop, -start) for source, start, stop in spans}


def is_within(spans: Collection[Span], source: str, times: IntArray, step_ms: int) -> BoolArray:
    """Whether one stretch of a source holds all of each bar, shape (n,)."""
    found = sorted((begin, end) for name, begin, end in spans if name == source)
    if not found:
        return np.zeros(times.shape, dtype=np.bool_)
    edges = np.array(found, dtype=np.int64)
    row = np.searchsorted(edges[:, 0], times, side="right") - 1
    return np.logical_and(row >= 0, times + step_ms <= edges[np.maximum(row, 0), 1])
