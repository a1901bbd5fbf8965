"""What is proven complete of a feed, as stretches of time, and why the rest is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, select

from hydra_ft.store.flow_schema import COVERAGE, GAPS
from hydra_ft.store.flow_upsert import upsert
from hydra_ft.types.flow import NO_ID

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement, Connection

    from hydra_ft.types import Feed

OWN: str = "exchange"
"""Source of what came from the exchange itself, be it recorded or read from files of trades."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time (UTC ms, ``stop`` exclusive) of which nothing of a feed is missing.

    ``first_id`` and ``last_id`` are the venue's, ``NO_ID`` where it has none, or where
    nothing happened.
    """

    start: int
    stop: int
    first_id: int = NO_ID
    last_id: int = NO_ID


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch in which a feed was not whole, as it was noticed.

    ``missing`` ids between ``first_id`` and ``last_id`` never came: 0 where they were fetched
    later, -1 where no ids prove anything. The same start and first id are the same gap.
    """

    start: int
    stop: int
    reason: str
    missing: int = -1
    first_id: int = NO_ID
    last_id: int = NO_ID


def cover(
    connection: Connection, market: int, feed: Feed, stretches: Iterable[Stretch], source: str = OWN
) -> None:
    """Add stretches to what is proven; those that touch become one."""
    for stretch in stretches:
        if stretch.stop > stretch.start:
            _add(connection, market, feed, stretch, source)


def uncover(
    connection: Connection, market: int, feed: Feed, start: int, stop: int, source: str = OWN
) -> None:
    """Take a stretch out of what is proven; the ids of what is parted are no longer known."""
    where = _of(market, feed, source)
    touched = and_(where, COVERAGE.c.stop > start, COVERAGE.c.start < stop)
    found = _stretches(connection, touched)
    if not found:
        return
    connection.execute(delete(COVERAGE).where(touched))
    rest = [Stretch(one.start, start, one.first_id) for one in found if one.start < start]
    rest += [Stretch(stop, one.stop, NO_ID, one.last_id) for one in found if one.stop > stop]
    upsert(connection, COVERAGE, [_row(market, feed, source, one) for one in rest])


def covered(
    connection: Connection,
    market: int,
    feed: Feed,
    start: int = 0,
    stop: int = 1 << 62,
    source: str = OWN,
) -> list[Stretch]:
    """Stretches that are proven and reach into an interval, oldest first, uncut."""
    where = and_(_of(market, feed, source), COVERAGE.c.stop > start, COVERAGE.c.start < stop)
    return _stretches(connection, where)


def is_covered(connection: Connection, market: int, feed: Feed, start: int, stop: int) -> bool:
    """Whether one proven stretch holds all of an interval."""
    found = covered(connection, market, feed, start, stop)
    return any(one.start <= start and one.stop >= stop for one in found)


def put_gaps(connection: Connection, market: int, feed: Feed, gaps: Iterable[Gap]) -> None:
    """Write down gaps; the same one again is the same row."""
    rows = [
        {
            "market": market,
            "feed": feed.value,
            "start": gap.start,
            "stop": gap.stop,
            "first_id": gap.first_id,
            "last_id": gap.last_id,
            "missing": gap.missing,
            "reason": gap.reason,
        }
        for gap in gaps
    ]
    upsert(connection, GAPS, rows)


def gaps_of(
    connection: Connection, market: int, feed: Feed, start: int = 0, stop: int = 1 << 62
) -> list[Gap]:
    """Gaps that were noticed and reach into an interval, oldest first."""
    query = (
        select(GAPS)
        .where(GAPS.c.market == market, GAPS.c.feed == feed.value)
        .where(GAPS.c.stop > start, GAPS.c.start < stop)
        .order_by(GAPS.c.start)
    )
    return [
        Gap(row.start, row.stop, row.reason, row.missing, row.first_id, row.last_id)
        for row in connection.execute(query)
    ]


def _add(connection: Connection, market: int, feed: Feed, stretch: Stretch, source: str) -> None:
    touched = and_(
        _of(market, feed, source),
        COVERAGE.c.stop >= stretch.start,
        COVERAGE.c.start <= stretch.stop,
    )
    found = _stretches(connection, touched)
    if found:
        connection.execute(delete(COVERAGE).where(touched))
    union = [stretch, *found]
    firsts = [one.first_id for one in union if one.first_id != NO_ID]
    whole = Stretch(
        start=min(one.start for one in union),
        stop=max(one.stop for one in union),
        first_id=min(firsts, default=NO_ID),
        last_id=max(one.last_id for one in union),
    )
    upsert(connection, COVERAGE, [_row(market, feed, source, whole)])


def _of(market: int, feed: Feed, source: str) -> ColumnElement[bool]:
    return and_(
        COVERAGE.c.market == market, COVERAGE.c.feed == feed.value, COVERAGE.c.source == source
    )


def _stretches(connection: Connection, where: ColumnElement[bool]) -> list[Stretch]:
    query = select(COVERAGE).where(where).order_by(COVERAGE.c.start)
    return [
        Stretch(row.start, row.stop, row.first_id, row.last_id) for row in connection.execute(query)
    ]


def _row(market: int, feed: Feed, source: str, stretch: Stretch) -> dict[str, Any]:
    return {
        "market": market,
        "feed": feed.value,
        "source": source,
        "start": stretch.start,
        "stop": stretch.stop,
        "first_id": stretch.first_id,
        "last_id": stretch.last_id,
    }
