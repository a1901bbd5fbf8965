"""Lets one process of a kind at a time work on a database.

The lock belongs to the operating system (a file beside an SQLite database) or to the server's
session (PostgreSQL): it goes with the process that holds it, however that ends, so that no lock
is ever left behind and nobody has to guess whether one is stale.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager, suppress
from threading import Event
from typing import IO, TYPE_CHECKING

from hydra_ft.errors import StoreError
from hydra_ft.store.address import shown
from hydra_ft.store.read_only import file_of
from hydra_ft.store.session_lock import LOOK_S, SessionLock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class TakenError(StoreError):
    """Another process, or another part of this one, does that work on the database."""


@contextmanager
def sole(url: str, name: str, setting: str = "--db-url") -> Iterator[Event]:
    """Be the only ``name`` (as in ``recorder-binance``) on a database until the block ends.

    It yields an event that is set when the lock was lost to another one: end the block then.
    A server may end our session; the lock is then taken anew, unless another one was faster.
    ``setting`` is what names another database here, for the message of a refusal.

    Raises
    ------
    TakenError
        When another one runs; at the end of the block, when another one has taken the lock.
    StoreError
        When the address names no file or server, or when it cannot be told.
    """
    file = file_of(url)
    alone = (
        _alone_on_server(url, name, setting) if file is None else _alone_beside(file, name, setting)
    )
    with alone as lost:
        yield lost


@contextmanager
def _alone_beside(database: Path, name: str, setting: str) -> Iterator[Event]:
    # Beside the file itself: two names of it (a symbolic link) are one database.
    real = database.resolve()
    file = real.with_name(f"{real.name}.{name}.lock")
    try:
        # Not emptied: it may tell of the one that runs.
        opened = file.open("a+", encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"expected to write {file}, was {error.strerror}; make its folder, or make it writable"
        ) from error
    with opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise _taken(name, str(database), _told(opened), setting) from error
        own = f"process {os.getpid()}, since {time.strftime('%Y-%m-%d %H:%M:%S %z')}"
        with suppress(OSError):  # a full disk: the lock is ours all the same
            opened.truncate(0)
            os.write(opened.fileno(), own.encode())
        # The file stays: one that is removed while another process opens it locks nothing.
        yield Event()


def _told(opened: IO[str]) -> str:
    """Return what the holder wrote of itself."""
    with suppress(OSError, ValueError):
        opened.seek(0)
        return opened.read(200).strip()
    return ""


@contextmanager
def _alone_on_server(url: str, name: str, setting: str) -> Iterator[Event]:
    lock = SessionLock(url, name)
    try:
        if not lock.take():
            raise _taken(name, shown(url), "", setting)
        lock.watch(LOOK_S)
        yield lock.is_lost
        if lock.is_lost.is_set():
            holder = "another one, after the server had ended our session"
            raise _taken(name, shown(url), holder, setting)
    finally:
        lock.release()


def _taken(name: str, place: str, holder: str, setting: str) -> TakenError:
    was = holder or "another one"
    return TakenError(
        f"expected no other {name} on {place}, was {was}; stop that one first, or name another "
        f"database with {setting}"
    )
