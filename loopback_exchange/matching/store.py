"""What survives a restart: one SQLite file of JSON records."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from typing import TYPE_CHECKING, Any

from loopback_exchange.errors import LoopbackError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Store:
    """Records by kind and key; ``commit`` writes them before an answer goes out."""

    def __init__(self, path: str | Path | None = None) -> None:
        target = ":memory:" if path is None else str(path)
        try:
            self._db = sqlite3.connect(target, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS records"
                "(kind TEXT, key TEXT, body TEXT, PRIMARY KEY(kind, key))"
            )
        except sqlite3.DatabaseError as error:
            raise LoopbackError(
                f"Expected to open an SQLite file at {target}; it was refused ({error}). "
                "Give a writable path, or delete the file if it is no exchange state."
            ) from error

    def put(self, kind: str, key: object, record: Any) -> None:
        """Write a dataclass or a JSON value; it lasts once ``commit`` was called."""
        value = record
        if dataclasses.is_dataclass(record) and not isinstance(record, type):
            value = dataclasses.asdict(record)
        body = json.dumps(value, default=str)  # Decimals become exact text
        row = (kind, str(key), body)
        self._db.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", row)

    def delete(self, kind: str, key: object) -> None:
        """Remove one record, if there is one."""
        self._db.execute("DELETE FROM records WHERE kind = ? AND key = ?", (kind, str(key)))

    def all(self, kind: str) -> Iterator[tuple[str, Any]]:
        """Give key and value of every record of a kind, in the order of writing."""
        query = "SELECT key, body FROM records WHERE kind = ? ORDER BY rowid"
        for key, body in self._db.execute(query, (kind,)).fetchall():
            yield key, json.loads(body)

    def clear(self) -> None:
        """Remove every record."""
        self._db.execute("DELETE FROM records")
        self._db.commit()

    def commit(self) -> None:
        """Make everything that was put last."""
        if self._db.in_transaction:
            self._db.commit()

    def close(self) -> None:
        """Commit and close the file."""
        self.commit()
        self._db.close()
