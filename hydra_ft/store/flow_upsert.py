"""Writing the same row twice leaves one row, in SQLite and in PostgreSQL."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_

from hydra_ft.store.dialects import insert_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Table

    Rows = Sequence[Mapping[str, Any]]

LESS_IS_BETTER = ("uncovered_ms", "missing_ids")
"""Columns that say how much a row lacks, the weightiest first."""


def upsert(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert rows; one whose key is there takes the place of the one before."""
    if rows:
        connection.execute(_upsert(connection.dialect.name, table, only_better=False), rows)


def upsert_better(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert rows; one whose key is there takes its place, unless that one lacks less.

    A recorder that began in the middle of a bar does not undo what a file gave in full.
    """
    if rows:
        connection.execute(_upsert(connection.dialect.name, table, only_better=True), rows)


def insert_new(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert rows whose key is not there yet."""
    if rows:
        statement = insert_of(connection.dialect.name)(table).on_conflict_do_nothing()
        connection.execute(statement, rows)


@cache
def _upsert(dialect: str, table: Table, *, only_better: bool) -> Any:
    """Build the statement; building it takes longer than a row takes to be written."""
    statement = insert_of(dialect)(table)
    fresh = statement.excluded
    keys = [column.name for column in table.primary_key]
    values = {c.name: fresh[c.name] for c in table.columns if c.name not in keys}
    where = None
    if only_better:
        first, second = (table.c[name] for name in LESS_IS_BETTER)
        news = [fresh[name] for name in LESS_IS_BETTER]
        where = or_(news[0] < first, and_(news[0] == first, news[1] <= second))
    return statement.on_conflict_do_update(index_elements=keys, set_=values, where=where)
