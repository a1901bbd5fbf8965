"""Lets one process of a kind at a time work on a database.

The lock belongs to the operating system (a file beside an SQLite database) or to the server's
session (PostgreSQL): it goes with the process that holds it, however that ends, so that no lock
is ever left behind and nobody has to guess whether one is stale.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from hydra_ft.errors import StoreError
from hydra_ft.store.postgres import pool_of
from hydra_ft.store.read_only import file_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class TakenError(StoreError):
    """Another process, or another part of this one, does that work on the database."""


@contextmanager
def sole(url: str, name: str) -> Iterator[None]:
    """Be the only ``name`` (as in ``recorder-binance``) on a database until the block ends.

    Raises
    ------
    TakenError
        When another one runs.
    StoreError
        When the address names no file or server, or when it cannot be told.
    """
    file = file_of(url)
    with _alone_on_server(url, name) if file is None else _alone_beside(file, name):
        yield


@contextmanager
def _alone_beside(database: Path, name: str) -> Iterator[None]:
    file = database.with_name(f"{database.name}.{name}.lock")
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
            raise _taken(name, str(database), _told(opened)) from error
        opened.truncate(0)
        opened.write(f"process {os.getpid()}, since {time.strftime('%Y-%m-%d %H:%M:%S %z')}")
        opened.flush()
        # The file stays: one that is removed while another process opens it locks nothing.
        yield


def _told(opened: IO[str]) -> str:
    """Return what the holder wrote of itself."""
    with suppress(OSError, ValueError):
        opened.seek(0)
        return opened.read(200).strip()
    return ""


@contextmanager
def _alone_on_server(url: str, name: str) -> Iterator[None]:
    key = int.from_bytes(hashlib.sha256(f"hydra {name}".encode()).digest()[:8], signed=True)
    engine = pool_of(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    shown = make_url(url).render_as_string(hide_password=True)
    try:
        with engine.connect() as connection:
            asked = text("select pg_try_advisory_lock(:key)")
            if not connection.execute(asked, {"key": key}).scalar_one():
                raise _taken(name, shown, "")
            yield
    except (SQLAlchemyError, ImportError) as error:
        raise StoreError(f"{shown}: expected a lock for {name}, was {error}") from error
    finally:
        engine.dispose()


def _taken(name: str, place: str, holder: str) -> TakenError:
    was = holder or "another one"
    return TakenError(
        f"expected no other {name} on {place}, was {was}; stop that one first, or name another "
        "database with --db-url"
    )
