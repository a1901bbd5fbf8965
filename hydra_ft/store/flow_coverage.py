"""What is proven complete of a feed, as stretches of time, and why the rest is not."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, bindparam, delete, false, select, text

from hydra_ft.store.flow_schema import COVERAGE, GAPS
from hydra_ft.store.flow_upsert import upsert
from hydra_ft.types import Feed
from hydra_ft.types.flow import NO_ID

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection

    _Key = tuple[int, str, str]

_KEY: Final = ("market", "feed", "source", "start")
_MARKETS_AT_ONCE: Final = 500
_LOCK: Final = text(
    "select pg_advisory_xact_lock(4891738, market::int)"
    " from (select unnest(cast(:markets as bigint[])) as market) as wanted"
)
"""The number is any that other programs on a PostgreSQL server do not lock by."""
OWN: Final = "exchange"
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


@dataclass(frozen=True, slots=True)
class Proof:
    """A stretch of a feed of a market (by its number) that a source proves complete."""

    market: int
    feed: Feed
    stretch: Stretch
    source: str = OWN


def cover(connection: Connection, proofs: Sequence[Proof]) -> None:
    """Add stretches to what is proven; those that touch become one.

    However many feeds and pairs they are of, it is one read and two writes.
    """
    proofs = [one for one in proofs if one.stretch.stop > one.stretch.start]
    if not proofs:
        return
    hold(connection, {one.market for one in proofs})
    known = _touched(connection, proofs)
    gone: list[dict[str, Any]] = []
    fresh: dict[_Key, list[Stretch]] = defaultdict(list)
    for proof in proofs:
        key = (proof.market, proof.feed.value, proof.source)
        before, whole = known[key], proof.stretch
        touching = [one for one in before if one.stop >= whole.start and one.start <= whole.stop]
        known[key] = [one for one in before if one not in touching] + [_union(whole, touching)]
        gone += [_named(key, one) for one in touching if one not in fresh[key]]
        fresh[key] = [one for one in fresh[key] if one not in touching] + known[key][-1:]
    if gone:
        where = and_(*(COVERAGE.c[name] == bindparam(f"old_{name}") for name in _KEY))
        connection.execute(delete(COVERAGE).where(where), gone)
    rows = [_row(*key, one) for key, stretches in fresh.items() for one in stretches]
    upsert(connection, COVERAGE, rows)


def hold(connection: Connection, markets: Collection[int]) -> None:
    """Let nobody else change what is proven of some markets until the transaction ends.

    Stretches are read, joined and written: of two processes (a recorder, ``hydra data build``)
    one would undo what the other one wrote in between.
    """
    if connection.dialect.name == "postgresql":
        # Always in this order, so that two never wait for each other.
        connection.execute(_LOCK, {"markets": sorted(markets)})
    else:  # a statement that would write takes the lock of the file, a SELECT does not
        connection.execute(delete(COVERAGE).where(false()))


def uncover(
    connection: Connection, market: int, feed: Feed, start: int, stop: int, source: str = OWN
) -> None:
    """Take a stretch out of what is proven; the ids of what is parted are no longer known."""
    hold(connection, [market])
    where = _of(market, feed, source)
    touched = and_(where, COVERAGE.c.stop > start, COVERAGE.c.start < stop)
    found = _stretches(connection, touched)
    if not found:
        return
    connection.execute(delete(COVERAGE).where(touched))
    rest = [Stretch(one.start, start, one.first_id) for one in found if one.start < start]
    rest += [Stretch(stop, one.stop, NO_ID, one.last_id) for one in found if one.stop > stop]
    upsert(connection, COVERAGE, [_row(market, feed.value, source, one) for one in rest])


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


def uncover_gaps(connection: Connection, spans: Collection[Proof]) -> None:
    """Take what gaps made doubtful out of stretches, whenever the gaps were told of."""
    markets = sorted({one.market for one in spans})
    if not markets:
        return
    start = min(one.stretch.start for one in spans)
    stop = max(one.stretch.stop for one in spans)
    for i in range(0, len(markets), _MARKETS_AT_ONCE):
        query = select(GAPS).where(
            GAPS.c.market.in_(markets[i : i + _MARKETS_AT_ONCE]),
            GAPS.c.missing != 0,
            GAPS.c.stop > start,
            GAPS.c.start < stop,
        )
        for row in connection.execute(query).all():
            if any((one.market, one.feed.value) == (row.market, row.feed) for one in spans):
                uncover(connection, row.market, Feed(row.feed), row.start, row.stop)


def _touched(connection: Connection, proofs: Sequence[Proof]) -> dict[_Key, list[Stretch]]:
    """Read all stretches that any of the proofs may touch, by market, feed and source."""
    found: dict[_Key, list[Stretch]] = defaultdict(list)
    markets = sorted({one.market for one in proofs})
    for i in range(0, len(markets), _MARKETS_AT_ONCE):
        part = markets[i : i + _MARKETS_AT_ONCE]
        within = set(part)
        of = [one.stretch for one in proofs if one.market in within]
        query = select(COVERAGE).where(
            COVERAGE.c.market.in_(part),
            COVERAGE.c.stop >= min(one.start for one in of),
            COVERAGE.c.start <= max(one.stop for one in of),
        )
        for row in connection.execute(query):
            stretch = Stretch(row.start, row.stop, row.first_id, row.last_id)
            found[row.market, row.feed, row.source].append(stretch)
    return found


def _union(stretch: Stretch, touching: Sequence[Stretch]) -> Stretch:
    parts = [stretch, *touching]
    firsts = [one.first_id for one in parts if one.first_id != NO_ID]
    return Stretch(
        start=min(one.start for one in parts),
        stop=max(one.stop for one in parts),
        first_id=min(firsts, default=NO_ID),
        last_id=max(one.last_id for one in parts),
    )


def _named(key: _Key, stretch: Stretch) -> dict[str, Any]:
    """Parameters that name the row of a stretch."""
    return {f"old_{n}": v for n, v in zip(_KEY, (*key, stretch.start), strict=True)}


def _of(market: int, feed: Feed, source: str) -> ColumnElement[bool]:
    return and_(
        COVERAGE.c.market == market, COVERAGE.c.feed == feed.value, COVERAGE.c.source == source
    )


def _stretches(connection: Connection, where: ColumnElement[bool]) -> list[Stretch]:
    query = select(COVERAGE).where(where).order_by(COVERAGE.c.start)
    return [
        Stretch(row.start, row.stop, row.first_id, row.last_id) for row in connection.execute(query)
    ]


def _row(market: int, feed: str, source: str, stretch: Stretch) -> dict[str, Any]:
    return {
        "market": market,
        "feed": feed,
        "source": source,
        "start": stretch.start,
        "stop": stretch.stop,
        "first_id": stretch.first_id,
        "last_id": stretch.last_id,
    }
