"""A lock of a PostgreSQL session that is looked after: a session may end before its process.

A server that is started again, an administrator or a pooler ends it, and the lock with it; no
statement of the one who held it fails by that. A pooler that shares sessions among transactions
(pgbouncer's ``transaction``) keeps no such lock at all: name the server itself.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from hydra_ft.errors import StoreError
from hydra_ft.store.address import shown
from hydra_ft.store.postgres import pool_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

LOOK_S: Final = 60.0
"""How often it is asked whether the session still stands."""
AGAIN_S: Final = 5.0
"""How often a session that broke is made anew."""
_ASK: Final = text("select pg_try_advisory_lock(:key)")
_HELD: Final = text(
    "select count(*) from pg_locks where locktype = 'advisory' and granted and objsubid = 1"
    " and pid = pg_backend_pid() and classid::bigint = :high and objid::bigint = :low"
)
_END = text(
    "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted"
    " and objsubid = 1 and pid = :pid and classid::bigint = :high and objid::bigint = :low"
)
_ENDED_S: Final = 2.0
"""How long a session that is ended may take to let its lock go."""
_log = logging.getLogger(__name__)


class SessionLock:
    """The advisory lock of a name on a server.

    ``take`` says whether it was free. ``watch`` keeps it in a thread: a lost one is taken anew,
    and where another has taken it meanwhile, ``is_lost`` is set and ``watch`` ends.

    Raises StoreError where the server cannot be reached, or the address cannot be used.
    """

    def __init__(self, url: str, name: str) -> None:
        self._name, self._shown = name, shown(url)
        digest = hashlib.sha256(f"hydra {name}".encode()).digest()[:8]
        self._key = int.from_bytes(digest, signed=True)
        unsigned = self._key % (1 << 64)
        self._parts = {"high": unsigned >> 32, "low": unsigned % (1 << 32)}
        self._connection: Connection | None = None
        self._pid: int | None = None
        self._ended = threading.Event()
        self._watching: threading.Thread | None = None
        self.is_lost = threading.Event()
        try:
            self._engine = pool_of(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        except (SQLAlchemyError, ImportError) as error:
            raise self._failed(error) from error

    def take(self) -> bool:
        """Take the lock; whether it was free, or held by a session of this object's own.

        The server keeps the session of a connection that the network has swallowed, and its
        lock, for hours.
        """
        try:
            self._connection = connection = self._engine.connect()
            if not self._asked(connection) and not self._took_back(connection):
                return False
            self._pid = connection.execute(text("select pg_backend_pid()")).scalar_one()
        except (SQLAlchemyError, ImportError) as error:
            raise self._failed(error) from error
        return True

    def _asked(self, connection: Connection) -> bool:
        return bool(connection.execute(_ASK, {"key": self._key}).scalar_one())

    def _took_back(self, connection: Connection) -> bool:
        """End the former session if it still has the lock; whether that gave it back."""
        former = self._parts | {"pid": self._pid}
        if self._pid is None or not connection.execute(_END, former).all():
            return False
        until = time.monotonic() + _ENDED_S
        while time.monotonic() < until:
            if self._asked(connection):
                return True
            self._ended.wait(0.05)
        return False

    def is_held(self) -> bool:
        """Whether the session stands and has the lock; never raises."""
        try:
            held = self._connection and self._connection.execute(_HELD, self._parts).scalar_one()
            return bool(held)
        except SQLAlchemyError:
            return False

    def watch(self, every_s: float = LOOK_S, again_s: float = AGAIN_S) -> None:
        """Look after it until ``release``."""
        told = (every_s, again_s)
        self._watching = threading.Thread(
            target=self._watch, args=told, name=f"hydra lock {self._name}", daemon=True
        )
        self._watching.start()

    def release(self) -> None:
        """Give the lock back, if it is still held; a server that hangs is not waited for."""
        self._ended.set()
        if self._watching is not None:
            self._watching.join(1.0)
            if self._watching.is_alive():
                return  # it gives it back itself
        self._close()

    def _watch(self, every_s: float, again_s: float) -> None:
        wait_s = every_s
        while not self._ended.wait(wait_s):
            wait_s = every_s
            if self.is_held():
                continue
            self._close()
            try:
                is_ours = self.take()
            except StoreError as error:
                _log.warning("%s; nobody holds it now, it is asked for again", error)
                wait_s = again_s
                continue
            if not is_ours:
                _log.error("%s: another %s has taken the lock", self._shown, self._name)
                self.is_lost.set()
                break
            _log.warning("%s: the lock of %s was lost, and is taken anew", self._shown, self._name)
        if self._ended.is_set():
            self._close()

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):
                connection.invalidate()
                connection.close()
        self._engine.dispose()

    def _failed(self, error: Exception) -> StoreError:
        return StoreError(
            f"{self._shown}: expected a lock for {self._name}, was {error}; start its server, or "
            "correct the address"
        )
