"""Brings the tables of an older version up to the ones that this version declares.

Only what can be done without asking: columns are renamed or added with the default that
says "not known". A database of a newer version is left as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Column, Connection, String, Table, inspect, text

from hydra_ft.store.migration_flow import name_steps
from hydra_ft.store.schema import METADATA

if TYPE_CHECKING:
    from collections.abc import Mapping

RENAMED: Mapping[str, Mapping[str, str]] = {
    "hydra_attempts": {"closed_at": "known_at", "outcome": "state"},
    "hydra_decisions": {"strength": "confidence"},
}
"""Columns by table, from the old name to the new one."""

_WORDS_OF_OLD_ORDERS = (
    "UPDATE hydra_parents SET reported_at = ended_at",
    "UPDATE hydra_attempts SET done_at = known_at",
    "UPDATE hydra_attempts SET state = 'written' WHERE state = ''",
    "UPDATE hydra_attempts SET state = 'working' WHERE state = 'placed'",
)

_SPANS_OF_OLD_DECISIONS = (
    "UPDATE hydra_decisions SET until = at, bars = 1, entry_state = 'WAITING' WHERE bars = 0"
)


def bring_up_to_date(connection: Connection) -> None:
    """Rename and add what existing tables lack; tables that are missing are not made here."""
    present = set(inspect(connection).get_table_names())
    old_orders = "hydra_attempts" in present and "outcome" in _names(connection, "hydra_attempts")
    old_decisions = "hydra_decisions" in present and "bars" not in _names(
        connection, "hydra_decisions"
    )
    for table in METADATA.sorted_tables:
        if table.name in present:
            _update(connection, table)
    if old_orders:
        for statement in _WORDS_OF_OLD_ORDERS:
            connection.execute(text(statement))
    if old_decisions:
        connection.execute(text(_SPANS_OF_OLD_DECISIONS))
        if connection.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE hydra_decisions ALTER COLUMN codes TYPE TEXT"))
    if {"hydra_liquidation_minutes", "hydra_coverage"} <= present:
        name_steps(connection)


def _update(connection: Connection, table: Table) -> None:
    have = _names(connection, table.name)
    renames = {
        old: new
        for old, new in RENAMED.get(table.name, {}).items()
        if old in have and new not in have
    }
    for old, new in renames.items():
        connection.execute(text(f"ALTER TABLE {table.name} RENAME COLUMN {old} TO {new}"))
    for column in table.columns:
        if column.name not in have | set(renames.values()):
            connection.execute(text(_addition(connection, table, column)))
    for index in table.indexes:
        index.create(connection, checkfirst=True)


def _names(connection: Connection, table: str) -> set[str]:
    return {column["name"] for column in inspect(connection).get_columns(table)}


def _addition(connection: Connection, table: Table, column: Column[object]) -> str:
    kind = column.type.compile(connection.dialect)
    if column.nullable:
        return f"ALTER TABLE {table.name} ADD COLUMN {column.name} {kind}"
    unknown = "''" if isinstance(column.type, String) else "0"
    return f"ALTER TABLE {table.name} ADD COLUMN {column.name} {kind} NOT NULL DEFAULT {unknown}"
