"""Connection to the Hydra database, and the one way a statement reaches it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from hydra_ft.errors import StoreError
from hydra_ft.store.address import shown
from hydra_ft.store.flow_schema import METADATA
from hydra_ft.store.migration import bring_up_to_date
from hydra_ft.store.postgres import pool_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_TABLES_LOCK = 4_891_737
"""Any number that other programs on a PostgreSQL server do not lock by."""
_WAIT_MS = 5000
"""How long SQLite waits for the one who writes."""


class Database:
    """An engine with its tables; every failure of it is a ``StoreError``."""

    def __init__(self, url: str) -> None:
        try:
            self._shown_url = shown(url)
            self._engine = _connected(url)
            with self._engine.begin() as connection:
                _wait_for_others(connection)
                bring_up_to_date(connection)
                METADATA.create_all(connection)
        except (SQLAlchemyError, ArgumentError, ImportError) as error:
            msg = (
                f"expected a usable database at hydra.db_url, was {shown(url)!r} ({error}); "
                "correct hydra.db_url, or make its folder writable"
            )
            raise StoreError(msg) from error

    @contextmanager
    def transaction(self, wait_ms: int = 0) -> Iterator[Connection]:
        """Yield a connection whose changes are written together when the block ends.

        ``wait_ms`` is how long it waits for a lock of another process, where that must be less
        than the database would.
        """
        with self._told_of_errors(), self._engine.begin() as connection:
            if not wait_ms:
                yield connection
                return
            with _patience(connection, wait_ms):
                yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Yield a connection for reading: all it reads is of one moment.

        Python's sqlite3 begins no transaction for a SELECT, so that each would read its own.
        """
        with self._told_of_errors(), self._engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                if connection.dialect.name == "sqlite":
                    connection.exec_driver_sql("BEGIN")
                yield connection

    @contextmanager
    def _told_of_errors(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            msg = f"the Hydra database {self._shown_url} refused a statement: {error}"
            raise StoreError(msg) from error

    def close(self) -> None:
        """Give back all connections."""
        self._engine.dispose()


def _connected(url: str) -> Engine:
    engine = pool_of(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _durable_wal)
    return engine


def _wait_for_others(connection: Connection) -> None:
    """Let one bot at a time make or change the tables: several may start at once."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_TABLES_LOCK})")


@contextmanager
def _patience(connection: Connection, wait_ms: int) -> Iterator[None]:
    """Wait for locks no longer than so many milliseconds, within one transaction."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(wait_ms)}")
    if connection.dialect.name != "sqlite":
        yield
        return
    connection.exec_driver_sql(f"PRAGMA busy_timeout={int(wait_ms)}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={_WAIT_MS}")


def _durable_wal(connection: Any, _record: object) -> None:
    """Let readers run beside the writer, and a commit survive a power cut.

    An attempt that is lost after its order went out would be sent a second time.
    """
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={_WAIT_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()
