"""Connection to the Hydra database, and the one way a statement reaches it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from hydra_ft.errors import StoreError
from hydra_ft.store.migration import bring_up_to_date
from hydra_ft.store.schema import METADATA

if TYPE_CHECKING:
    from collections.abc import Iterator
_TABLES_LOCK = 4_891_737
"""Any number that other programs on a PostgreSQL server do not lock by."""


class Database:
    """An engine with its tables; every failure of it is a ``StoreError``."""

    def __init__(self, url: str) -> None:
        try:
            self._shown_url = make_url(url).render_as_string(hide_password=True)
            self._engine = _connected(url)
            with self._engine.begin() as connection:
                _wait_for_others(connection)
                bring_up_to_date(connection)
                METADATA.create_all(connection)
        except (SQLAlchemyError, ArgumentError, ImportError) as error:
            msg = (
                f"expected a usable database at hydra.db_url, was {_hidden(url)!r} ({error}); "
                "correct hydra.db_url, or make its folder writable"
            )
            raise StoreError(msg) from error

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a connection whose changes are written together when the block ends."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            msg = f"the Hydra database {self._shown_url} refused a statement: {error}"
            raise StoreError(msg) from error

    def close(self) -> None:
        """Give back all connections."""
        self._engine.dispose()


def _hidden(url: str) -> str:
    """Url without its password, as far as it can be read at all."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except (SQLAlchemyError, ArgumentError):
        return url.rsplit("@", maxsplit=1)[-1]


def _connected(url: str) -> Engine:
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _durable_wal)
    return engine


def _wait_for_others(connection: Connection) -> None:
    """Let one bot at a time make or change the tables: several may start at once."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_TABLES_LOCK})")


def _durable_wal(connection: Any, _record: object) -> None:
    """Let readers run beside the writer, and a commit survive a power cut.

    An attempt that is lost after its order went out would be sent a second time.
    """
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout=5000")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()
