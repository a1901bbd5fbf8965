"""What could not be written to the store yet: held, and written again every loop.

What is about to be sent is on disk before it goes out (``OrderStore.send``, which may
fail). Anything else counts at once and is written as soon as that works: a full disk must
hold up neither a cancel nor a stop.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hydra_ft.errors import StoreError
from hydra_ft.store.events import Event

if TYPE_CHECKING:
    from hydra_ft.store.events import EventStore
    from hydra_ft.store.orders import OrderStore
    from hydra_ft.types import Attempt, ParentOrder

logger = logging.getLogger(__name__)


class Shelf:
    """Writes states of parents and children now, or keeps the newest for later."""

    def __init__(self, store: OrderStore, events: EventStore) -> None:
        self._store = store
        self._events = events
        self._parents: dict[str, ParentOrder] = {}
        self._attempts: dict[int, Attempt] = {}

    def put(self, parent: ParentOrder | None = None, attempt: Attempt | None = None) -> None:
        """Write a parent, a child, or both together."""
        if parent is not None:
            self._parents[parent.key] = parent
        if attempt is not None:
            self._attempts[attempt.id] = attempt
        try:
            if attempt is not None:
                self._store.save_attempt(attempt, parent)
            elif parent is not None:
                self._store.save_parent(parent)
        except StoreError as error:
            logger.error("Orders are not stored now: %s", error)  # noqa: TRY400
            return
        if parent is not None:
            self.forget(parent.key)
        if attempt is not None:
            self._attempts.pop(attempt.id, None)

    def write_again(self) -> None:
        """Write what could not be written before."""
        for parent in list(self._parents.values()):
            self.put(parent)
        for attempt in list(self._attempts.values()):
            self.put(attempt=attempt)

    def forget(self, key: str) -> None:
        """Drop a parent that has been written in a newer state."""
        self._parents.pop(key, None)

    def note(
        self, parent_key: str, what: str, now: int, *, order_id: str = "", detail: str = ""
    ) -> None:
        """Write an event; a story that cannot be written holds nothing up, and is lost."""
        try:
            self._events.record([Event(parent_key, now, what, order_id, detail)])
        except StoreError as error:
            logger.warning("Event %s of %s is not stored: %s", what, parent_key, error)
