"""How long market data is kept, table by table, and dropping what is older."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from annotated_types import Ge
from sqlalchemy import delete, func, select, update
from typing_extensions import Doc

from hydra_ft.store.flow_coverage import hold
from hydra_ft.store.flow_schema import (
    BOOKS,
    COVERAGE,
    FLOW_BARS,
    FOOTPRINTS,
    FUNDING,
    GAPS,
    LIQUIDATION_MINUTES,
    LIQUIDATIONS,
    MARKETS,
    OPEN_INTEREST,
)
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import ColumnElement, Select, Table

    from hydra_ft.store.database import Database

DAY_MS: Final = 86_400_000
_ALL: Final = range(0)
SUB_BAR_MS: Final = 60_000
"""Bars shorter than this are sub-bars, and kept as long as those."""
AT_ONCE: Final = 10_000
"""Rows that are dropped in one transaction."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Days for which each kind of data is kept (systems.md A1); 0 keeps it for ever."""

    sub_bar_days: Annotated[int, Ge(0), Doc("flow bars shorter than a minute")] = 14
    bar_days: Annotated[int, Ge(0), Doc("flow bars of a minute and more")] = 180
    footprint_days: Annotated[int, Ge(0), Doc("volume at price of flow bars")] = 60
    book_days: Annotated[int, Ge(0), Doc("samples of the order book")] = 3
    liquidation_days: Annotated[int, Ge(0), Doc("single liquidations")] = 60
    liquidation_minute_days: Annotated[int, Ge(0), Doc("liquidations by the minute")] = 365
    open_interest_days: Annotated[int, Ge(0), Doc("open interest: exchanges keep 30 days")] = 0
    funding_days: Annotated[int, Ge(0), Doc("settled funding rates")] = 0


def _go_on() -> None:
    """Let nobody wait."""


def forget_old(
    database: Database,
    now: int,
    retention: Retention | None = None,
    between: Callable[[], None] = _go_on,
) -> int:
    """Drop what is older than it is kept for, and return how many rows that were.

    What is no longer there is no longer covered. Call it now and then, once an hour is plenty.
    It is many short transactions; what is called ``between`` two of them gives others the time
    to write: a bot has its orders in the same file.
    """
    kept = retention or Retention()
    with database.transaction() as connection:
        markets = connection.execute(select(MARKETS.c.id)).scalars().all()
    # First: rows that nothing covers are taken for unknown, covered time without rows for calm.
    for feed, days in _feeds(kept).items():
        if days:
            _forget_coverage(database, markets, feed, now - days * DAY_MS)
    return sum(
        _drop(_Part(database, table, now - days * DAY_MS, between), market, steps)
        for market in markets
        for table, days, steps in _rules(kept)
        if days
    )


def _rules(kept: Retention) -> list[tuple[Table, int, range]]:
    """Tables with the days for which they are kept, and the lengths of bars that are meant."""
    return [
        (FLOW_BARS, kept.sub_bar_days, range(SUB_BAR_MS)),
        (FLOW_BARS, kept.bar_days, range(SUB_BAR_MS, DAY_MS + 1)),
        (FOOTPRINTS, kept.footprint_days, range(DAY_MS + 1)),
        (BOOKS, kept.book_days, _ALL),
        (LIQUIDATIONS, kept.liquidation_days, _ALL),
        (LIQUIDATION_MINUTES, kept.liquidation_minute_days, _ALL),
        (OPEN_INTEREST, kept.open_interest_days, _ALL),
        (FUNDING, kept.funding_days, _ALL),
    ]


@dataclass(frozen=True, slots=True)
class _Part:
    """What of a table is old."""

    database: Database
    table: Table
    before: int
    between: Callable[[], None]


def _drop(part: _Part, market: int, steps: range) -> int:
    """Drop the rows of a market from before a time; how many.

    The key begins with the market, and with some tables a step or a source before the time:
    each of those is named, so that the rows are found by the key and not by reading them all.
    """
    table = part.table
    of = table.c.market == market
    second = list(table.primary_key)[1]
    if second.name == "time":
        return _gone(part, of)
    dropped = 0
    lowest = select(func.min(second)).where(of)
    value = _value(part.database, lowest)
    while value is not None:
        if second.name != "step_ms" or value in steps:
            dropped += _gone(part, of, second == value)
        value = _value(part.database, lowest.where(second > value))
    return dropped


def _value(database: Database, query: Select[Any]) -> Any:
    with database.transaction() as connection:
        return connection.execute(query).scalar_one()


def _gone(part: _Part, *of: ColumnElement[bool]) -> int:
    """Drop rows from before a time, the oldest first, some in each transaction; how many.

    One bound at a time: SQLite looks up the first, and reads all that it holds for a second.
    """
    dropped, table, before = 0, part.table, part.before
    when = table.c.time
    beyond = select(when).where(*of, when < before).order_by(when).offset(AT_ONCE - 1).limit(1)
    while True:
        with part.database.transaction() as connection:
            last = connection.execute(beyond).scalar_one_or_none()
            until = when < before if last is None else when <= last
            dropped += connection.execute(delete(table).where(*of, until)).rowcount
        if last is None:
            return dropped
        part.between()


def _feeds(kept: Retention) -> dict[Feed, int]:
    """Days after which nothing of a feed is kept any more."""
    return {
        Feed.TRADES: kept.bar_days if kept.sub_bar_days else 0,
        Feed.BOOK: kept.book_days,
        Feed.LIQUIDATIONS: kept.liquidation_minute_days,
        Feed.OPEN_INTEREST: kept.open_interest_days,
    }


def _forget_coverage(database: Database, markets: Sequence[int], feed: Feed, before: int) -> None:
    with database.transaction() as connection:
        hold(connection, markets)
        of = COVERAGE.c.feed == feed.value
        connection.execute(delete(COVERAGE).where(of, COVERAGE.c.stop <= before))
        connection.execute(
            update(COVERAGE).where(of, COVERAGE.c.start < before).values(start=before)
        )
        connection.execute(delete(GAPS).where(GAPS.c.feed == feed.value, GAPS.c.stop <= before))
