"""What is kept of each pair and feed: how much of it is proven, where it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, select

from hydra_ft.store.flow_schema import COVERAGE, GAPS, MARKETS

if TYPE_CHECKING:
    from hydra_ft.store.database import Database


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """One feed of one pair from one source; times are UTC ms.

    ``covered_ms`` of the time from ``start`` to ``stop`` is proven complete, in
    ``gaps`` + 1 stretches, ``longest_gap_ms`` is the longest stretch between two. ``told_gaps``
    counts the gaps that a recorder noticed and could not mend.
    """

    exchange: str
    pair: str
    feed: str
    source: str
    start: int
    stop: int
    covered_ms: int
    gaps: int
    longest_gap_ms: int
    told_gaps: int

    @property
    def coverage(self) -> float:
        """Share of the time that is proven complete."""
        return self.covered_ms / (self.stop - self.start)


def statuses(database: Database) -> list[FeedStatus]:
    """Return all that is kept, by exchange, pair, feed and source."""
    keys = (MARKETS.c.exchange, MARKETS.c.pair, COVERAGE.c.feed, COVERAGE.c.source)
    before = func.lag(COVERAGE.c.stop).over(partition_by=keys, order_by=COVERAGE.c.start)
    stretches = (
        select(
            MARKETS.c.id, *keys, COVERAGE.c.start, COVERAGE.c.stop,
            (COVERAGE.c.start - before).label("hole"),
        )
        .join_from(COVERAGE, MARKETS, MARKETS.c.id == COVERAGE.c.market)
        .subquery()
    )  # fmt: skip
    told = (
        select(func.count())
        .where(
            and_(
                GAPS.c.market == stretches.c.id,
                GAPS.c.feed == stretches.c.feed,
                GAPS.c.missing != 0,
            )
        )
        .scalar_subquery()
    )
    names = ("id", "exchange", "pair", "feed", "source")
    group = [stretches.c[name] for name in names]
    query = (
        select(
            *group,
            func.min(stretches.c.start).label("start"),
            func.max(stretches.c.stop).label("stop"),
            func.sum(stretches.c.stop - stretches.c.start).label("covered_ms"),
            (func.count() - 1).label("gaps"),
            func.coalesce(func.max(stretches.c.hole), 0).label("longest_gap_ms"),
            told.label("told_gaps"),
        )
        .group_by(*group)
        .order_by(*group[1:])
    )
    with database.transaction() as connection:
        rows = connection.execute(query).mappings().all()
    return [_status(row) for row in rows]


def _status(row: Any) -> FeedStatus:
    # PostgreSQL gives sums of whole numbers as decimals.
    return FeedStatus(
        exchange=row["exchange"],
        pair=row["pair"],
        feed=row["feed"],
        source=row["source"],
        start=int(row["start"]),
        stop=int(row["stop"]),
        covered_ms=int(row["covered_ms"]),
        gaps=int(row["gaps"]),
        longest_gap_ms=int(row["longest_gap_ms"]),
        told_gaps=int(row["told_gaps"]),
    )
