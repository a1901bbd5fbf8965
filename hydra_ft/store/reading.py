"""The Hydra database as a bot reads recorded feeds of it: a dead one is asked once a loop."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import event
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from hydra_ft.errors import StoreError
from hydra_ft.store.address import shown
from hydra_ft.store.database import Database
from hydra_ft.store.postgres import pool_of

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECT_S: Final = 2
"""How long a connection may take to be made; less than this libpq does not count."""
ANSWER_S: Final = 3.0
"""How long a statement may take; days of a pair are read in a fraction of a second."""
_DEAD: Final = (OperationalError, InterfaceError, PoolTimeoutError)
"""What a database raises that is away, hangs or is locked."""


class NotAskedError(StoreError):
    """A read that was not tried, since one before it has failed in the same loop."""


class ReadingDatabase(Database):
    """Connections for reading, which exits and orders of a bot do not wait for long.

    When the database fails to answer, all further reads are refused (``NotAskedError``) until
    ``begin_loop``; then one is tried again. So it costs one time-out a loop, however many
    pairs are read. Its tables must be there: a ``Database`` of the same address makes them.

    Raises StoreError for an address that names no database.
    """

    def __init__(self, url: str) -> None:
        self._failure = ""
        try:
            self._shown_url = shown(url)
            self._engine = pool_of(url, ANSWER_S, CONNECT_S)
        except (SQLAlchemyError, ImportError) as error:
            raise StoreError(
                f"expected a database that can be read at hydra.db_url, was none "
                f"({type(error).__name__}); correct hydra.db_url"
            ) from error
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _impatient)

    def begin_loop(self) -> None:
        """Let reads through again, until one fails."""
        self._failure = ""

    @contextmanager
    def _told_of_errors(self) -> Iterator[None]:
        if self._failure:
            raise NotAskedError(f"not asked again before the next loop, since {self._failure}")
        try:
            with super()._told_of_errors():
                yield
        except StoreError as error:
            if isinstance(error.__cause__, _DEAD):
                self._failure = str(error)
            raise


def _impatient(connection: Any, _record: object) -> None:
    """Wait for who writes no longer than for a server."""
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={round(1000 * ANSWER_S)}")
    cursor.close()
