"""Writes down what the exchange does, as it does it, and tells whoever waits for a moment."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

from hydra_ft.cli.drill.facts import to_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra_ft.cli.drill.folder import Folder
    from loopback_exchange import Event


class Recorder:
    """Keeps every event of the exchange, in memory and in the journal file.

    ``open`` holds the last event of each order that works, algo orders excepted, by id.
    """

    def __init__(self, folder: Folder) -> None:
        self.events: list[Event] = []
        self.open: dict[int, Event] = {}
        self._lock = threading.Lock()
        self._file = folder.journal_file.open("a", encoding="utf-8", buffering=1)
        self._waiting: tuple[str, Callable[[], None]] | None = None

    def __call__(self, event: Event) -> None:
        """Note one event; the exchange calls it under its lock."""
        self.events.append(event)
        self._file.write(json.dumps(to_record(event)) + "\n")
        if not event.is_algo:
            with self._lock:
                if event.what == "ended":
                    self.open.pop(event.order_id, None)
                else:
                    self.open[event.order_id] = event
        waiting = self._waiting
        if waiting is not None and waiting[0] == event.what:
            self._waiting = None
            waiting[1]()

    def working(self) -> list[Event]:
        """Return the last event of every working order."""
        with self._lock:
            return list(self.open.values())

    def at_next(self, what: str, act: Callable[[], None]) -> None:
        """Act at the next event of a kind, before the exchange answers anybody."""
        self._waiting = (what, act)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
