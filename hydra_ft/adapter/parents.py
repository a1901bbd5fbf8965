"""Parents and attempts in memory and on disk.

What is about to be sent is on disk before it goes out. Anything else counts at once, and
is written again later if the store fails: a full disk must not hold up a cancel.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from hydra_ft.errors import StoreError
from hydra_ft.types import Attempt, Kind, ParentOrder, Side

if TYPE_CHECKING:
    from hydra_ft.store.orders import OrderStore

logger = logging.getLogger(__name__)

ABOUT_MS = 86_400_000
KEPT_MS = 90 * ABOUT_MS
"""How long ended parents and closed attempts are kept."""


def entry_key(pair: str, side: Side, bar_time: int) -> str:
    """Key of an entry parent: one intent per pair, side and signal bar."""
    return f"{pair}|{side.value}|{Kind.ENTRY.value}|{bar_time}"


def exit_key(pair: str, side: Side, decided_at: int) -> str:
    """Key of an exit parent: an exit may be decided more than once within a bar."""
    return f"{pair}|{side.value}|{Kind.EXIT.value}|{decided_at}"


class ParentBook:
    """Open parents and open attempts of this bot, restored from the store on creation."""

    def __init__(self, store: OrderStore) -> None:
        self._store = store
        self._parents = {parent.key: parent for parent in store.open_parents()}
        self._attempts = {attempt.id: attempt for attempt in store.open_attempts()}
        self._writers: dict[int, int] = {}
        self._unsaved: dict[str, ParentOrder] = {}
        self._pruned_at = 0
        if self._parents:
            logger.info("Resuming %d open parent orders.", len(self._parents))

    def parents(self, kind: Kind | None = None) -> list[ParentOrder]:
        """Return the open parents, of one kind if given."""
        return [p for p in list(self._parents.values()) if kind is None or p.kind is kind]

    def of(self, pair: str, kind: Kind) -> ParentOrder | None:
        """Return the open parent of a pair and kind, if there is one."""
        return next((p for p in self.parents(kind) if p.pair == pair), None)

    def known(self, key: str) -> ParentOrder | None:
        """Return the parent with this key, open or ended."""
        return self._parents.get(key) or self._unsaved.get(key) or self._store.parent(key)

    def put(self, parent: ParentOrder) -> ParentOrder:
        """Hold a parent in its new state, and store it now or as soon as that works."""
        self._hold(parent)
        try:
            self._store.save_parent(parent)
            self._unsaved.pop(parent.key, None)
        except StoreError as error:
            logger.error("Parent %s is not stored: %s", parent.key, error)  # noqa: TRY400
            self._unsaved[parent.key] = parent
        return parent

    def save_again(self) -> None:
        """Store what could not be stored before."""
        for parent in list(self._unsaved.values()):
            self.put(parent)

    def _hold(self, parent: ParentOrder) -> ParentOrder:
        if parent.is_open:
            self._parents[parent.key] = parent
        else:
            self._parents.pop(parent.key, None)
        return parent

    def end(self, parent: ParentOrder, reason: str, now: int) -> ParentOrder:
        """End a parent with a named reason; a parent ends once."""
        if not parent.is_open:
            return parent
        logger.info(
            "Parent %s ended: %s (%d requotes, %.1f s).",
            parent.key,
            reason,
            parent.requotes,
            (now - parent.decided_at) / 1e3,
        )
        return self.put(replace(parent, ended_at=now, end_reason=reason))

    def attempts(self) -> list[Attempt]:
        """Return the attempts whose outcome is not known, oldest first."""
        return list(self._attempts.values())

    def is_unknown(self, pair: str, since: int = 0) -> bool:
        """Whether an order of this pair was sent, at or after a time, of unknown outcome."""
        return any(a.pair == pair and a.sent_at >= since for a in self.attempts())

    def is_anothers(self, attempt: Attempt) -> bool:
        """Whether another thread of this process wrote an attempt, and may still be sending."""
        return self._writers.get(attempt.id) not in (None, threading.get_ident())

    def send(self, parent: ParentOrder, quantity: float, price: float, now: int) -> Attempt:
        """Write down that a child is about to be sent; called before it goes out."""
        parent = replace(parent, last_quoted_at=now)
        attempt = self._store.send(
            parent,
            Attempt(parent.key, parent.pair, parent.side, parent.kind, quantity, price, now),
        )
        self._hold(parent)
        self._unsaved.pop(parent.key, None)
        self._attempts[attempt.id] = attempt
        self._writers[attempt.id] = threading.get_ident()
        return attempt

    def close(self, attempt: Attempt, outcome: str, order_id: str, now: int) -> None:
        """Note what became of an attempt; a placed child counts on its parent."""
        parent = self._parents.get(attempt.parent_key)
        if parent is not None and outcome == "placed":
            parent = replace(parent, children=parent.children + 1, child=order_id)
            self._store.close_attempt(attempt, outcome, order_id, now, parent)
            self._hold(parent)
        else:
            self._store.close_attempt(attempt, outcome, order_id, now)
        self._attempts.pop(attempt.id, None)
        self._writers.pop(attempt.id, None)

    def order_ids(self, attempt: Attempt) -> set[str]:
        """Return the ids of orders that other attempts of the pair became about that time."""
        return self._store.order_ids(attempt.pair, attempt.sent_at - ABOUT_MS)

    def is_ours(self, pair: str, order_id: str) -> bool:
        """Whether an order came from an attempt of ours, however long ago."""
        return self._store.is_ours(pair, order_id)

    def prune(self, now: int) -> None:
        """Once a day, drop what ended long ago."""
        if now - self._pruned_at >= 86_400_000:
            self._store.forget_before(now - KEPT_MS)
            self._pruned_at = now
