"""Writing the same row twice leaves one row, in SQLite and in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_
from sqlalchemy.dialects import postgresql, sqlite

from hydra_ft.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Table

    Rows = Sequence[Mapping[str, Any]]

_INSERTS: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
LESS_IS_BETTER = ("uncovered_ms", "missing_ids")
"""Columns that say how much a row lacks, the weightiest first."""


def upsert(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert rows; one whose key is there takes the place of the one before."""
    _write(connection, table, rows, None)


def upsert_better(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert rows; one whose key is there takes its place, unless that one lacks less.

    A recorder that began in the middle of a bar does not undo what a file gave in full.
    """

    def better(fresh: Any) -> ColumnElement[bool]:
        first, second = (table.c[name] for name in LESS_IS_BETTER)
        news = [fresh[name] for name in LESS_IS_BETTER]
        return or_(news[0] < first, and_(news[0] == first, news[1] <= second))

    _write(connection, table, rows, better)


def insert_new(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert rows whose key is not there yet."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), rows)


def _write(connection: Connection, table: Table, rows: Rows, better: Any) -> None:
    if not rows:
        return
    statement = _insert(connection, table)
    fresh = statement.excluded
    keys = [column.name for column in table.primary_key]
    values = {c.name: fresh[c.name] for c in table.columns if c.name not in keys}
    where = None if better is None else better(fresh)
    connection.execute(
        statement.on_conflict_do_update(index_elements=keys, set_=values, where=where), rows
    )


def _insert(connection: Connection, table: Table) -> Any:
    name = connection.dialect.name
    if name not in _INSERTS:
        raise StoreError(
            f"hydra.db_url: expected sqlite or postgresql, was {name}; flow data is kept in these"
        )
    return _INSERTS[name](table)
