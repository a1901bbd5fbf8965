"""Parents and their children in memory and on disk.

What is about to be sent is on disk before it goes out. Anything else counts at once, and
is written again later if the store fails: a full disk must not hold up a cancel.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hydra_ft.errors import StoreError
from hydra_ft.execution.lifecycle import ENDS, End, is_legal
from hydra_ft.store.events import Event
from hydra_ft.types import Attempt, ChildState, Kind, ParentOrder, Side

if TYPE_CHECKING:
    from hydra_ft.store.events import EventStore
    from hydra_ft.store.orders import OrderStore

logger = logging.getLogger(__name__)

ABOUT_MS = 86_400_000
KEPT_MS = 90 * ABOUT_MS
"""How long ended parents, closed attempts and events are kept."""


def entry_key(pair: str, side: Side, bar_time: int) -> str:
    """Key of an entry parent: one intent per pair, side and signal bar."""
    return f"{pair}|{side.value}|{Kind.ENTRY.value}|{bar_time}"


def exit_key(pair: str, side: Side, decided_at: int) -> str:
    """Key of an exit parent: an exit may be decided more than once within a bar."""
    return f"{pair}|{side.value}|{Kind.EXIT.value}|{decided_at}"


class ParentBook:
    """Open parents and their children of this bot, restored from the store on creation.

    ``mids`` is the last known middle of each pair's book, kept by whoever reads quotes.
    ``disputed`` are pairs whose state was contradictory, for the reconciliation.
    """

    def __init__(self, store: OrderStore, events: EventStore) -> None:
        self._store = store
        self._events = events
        self._parents = {parent.key: parent for parent in store.open_parents()}
        self._unreported = {parent.key: parent for parent in store.unreported_parents()}
        self._attempts = {attempt.id: attempt for attempt in store.open_attempts()}
        self._working = {attempt.id: attempt for attempt in store.working_attempts()}
        self._writers: dict[int, int] = {}
        self._unsaved: dict[str, ParentOrder] = {}
        self._pruned_at = 0
        self.mids: dict[str, float] = {}
        self.disputed: set[str] = set()
        if self._parents:
            logger.info("Resuming %d open parent orders.", len(self._parents))

    # ---- parents

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
        if not parent.is_open and not parent.reported_at:
            self._unreported[parent.key] = parent
        else:
            self._unreported.pop(parent.key, None)
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
        mid = self.mids.get(parent.pair, 0.0)
        reason = End(reason).value
        return self.put(replace(parent, ended_at=now, end_reason=reason, end_price=mid))

    def unreported(self) -> list[ParentOrder]:
        """Return the parents that have ended, and of which nobody was told yet."""
        return list(self._unreported.values())

    # ---- children

    def attempts(self) -> list[Attempt]:
        """Return the attempts whose outcome is not known, oldest first."""
        return list(self._attempts.values())

    def working(self) -> list[Attempt]:
        """Return the children that were placed and whose end is not booked, oldest first."""
        return list(self._working.values())

    def children(self, parent: ParentOrder) -> list[Attempt]:
        """Return all children of a parent, oldest first."""
        return self._store.children(parent.key)

    def is_unknown(self, pair: str, since: int = 0) -> bool:
        """Whether an order of this pair was sent, at or after a time, of unknown outcome."""
        return any(a.pair == pair and a.sent_at >= since for a in self.attempts())

    def has_unknown(self, parent: ParentOrder) -> bool:
        """Whether a child of this parent has an unknown outcome: no other may be sent."""
        return any(attempt.parent_key == parent.key for attempt in self.attempts())

    def is_anothers(self, attempt: Attempt) -> bool:
        """Whether another thread of this process wrote an attempt, and may still be sending."""
        return self._writers.get(attempt.id) not in (None, threading.get_ident())

    def is_of_this_run(self, attempt: Attempt) -> bool:
        """Whether this process wrote an attempt, and not the one before a restart."""
        return attempt.id in self._writers

    def send(self, parent: ParentOrder, quantity: float, price: float, now: int) -> Attempt:
        """Write down that a child is about to be sent; called before it goes out."""
        parent = replace(parent, last_quoted_at=now)
        attempt = Attempt(
            parent_key=parent.key,
            pair=parent.pair,
            side=parent.side,
            kind=parent.kind,
            quantity=quantity,
            price=price,
            sent_at=now,
            mid=self.mids.get(parent.pair, 0.0),
        )
        attempt = self._store.send(parent, attempt)
        self._hold(parent)
        self._unsaved.pop(parent.key, None)
        self._attempts[attempt.id] = attempt
        self._writers[attempt.id] = threading.get_ident()
        return attempt

    def place(self, attempt: Attempt, order_id: str, now: int) -> None:
        """Note that freqtrade has the order of an attempt; it counts on its parent."""
        parent = self._parents.get(attempt.parent_key)
        if parent is not None:
            children = parent.children + 1
            parent = replace(parent, children=children, child=order_id, rejections=0)
        self._move(attempt, ChildState.WORKING, parent, order_id=order_id, known_at=now)

    def refuse(self, attempt: Attempt, why: str, now: int) -> None:
        """Note that the exchange refused an attempt for certain."""
        parent = self._parents.get(attempt.parent_key)
        if parent is not None:
            parent = replace(parent, rejections=parent.rejections + 1, rejected_at=now)
        self._move(attempt, ChildState.REJECTED, parent, known_at=now, done_at=now)
        self.note(attempt.parent_key, "rejected", now, detail=why)

    def doubt(self, attempt: Attempt, now: int) -> None:
        """Note, once, that the outcome of an attempt is unknown."""
        if attempt.state is ChildState.WRITTEN:
            self._move(attempt, ChildState.UNKNOWN)
            self.note(attempt.parent_key, "unknown", now)

    def settle(self, attempt: Attempt, state: ChildState, now: int, order_id: str = "") -> None:
        """Note what became of an attempt that freqtrade does not know."""
        self._move(attempt, state, order_id=order_id, known_at=now, done_at=now)

    def book(self, attempt: Attempt, state: ChildState, now: int, **fills: Any) -> None:
        """Note how far a placed child has come; ``fills`` are fields of ``Attempt``."""
        done = now if state in ENDS else 0
        self._move(attempt, state, done_at=done, **fills)

    def _move(
        self,
        attempt: Attempt,
        state: ChildState,
        parent: ParentOrder | None = None,
        **changes: Any,
    ) -> None:
        """Take a child to another state, unless that step is not legal."""
        if not is_legal(attempt.state, state):
            logger.error(
                "Child %s of %s cannot go from %s to %s; the exchange is read instead.",
                attempt.order_id or attempt.id,
                attempt.parent_key,
                attempt.state.value,
                state.value,
            )
            self.disputed.add(attempt.pair)
            return
        moved = replace(attempt, state=state, **changes)
        self._store.save_attempt(moved, parent)
        if parent is not None:
            self._hold(parent)
        for held, belongs in (
            (self._attempts, moved.is_unknown),
            (self._working, not moved.is_unknown and not moved.done_at),
        ):
            if belongs:
                held[moved.id] = moved
            else:
                held.pop(moved.id, None)
        if not moved.is_unknown:
            self._writers.pop(moved.id, None)

    def note(
        self, parent_key: str, what: str, now: int, *, order_id: str = "", detail: str = ""
    ) -> None:
        """Write an event; a story that cannot be written holds nothing up."""
        try:
            self._events.record([Event(parent_key, now, what, order_id, detail)])
        except StoreError as error:
            logger.warning("Event %s of %s is not stored: %s", what, parent_key, error)

    # ---- what is known of orders

    def order_ids(self, attempt: Attempt) -> set[str]:
        """Return the ids of orders that other attempts of the pair became about that time."""
        return self._store.order_ids(attempt.pair, attempt.sent_at - ABOUT_MS)

    def fills_since(self, pair: str, since: int) -> dict[str, float]:
        """Return what freqtrade had booked (base units) of our orders of a pair, by their ids."""
        return self._store.booked_fills(pair, since)

    def is_ours(self, pair: str, order_id: str) -> bool:
        """Whether an order came from an attempt of ours, however long ago."""
        return self._store.is_ours(pair, order_id)

    def sent_since(self, at: int) -> int:
        """Count the orders that all bots on this database sent since a time."""
        return self._store.sent_since(at)

    def prune(self, now: int) -> None:
        """Once a day, drop what ended long ago."""
        if now - self._pruned_at >= ABOUT_MS:
            self._store.forget_before(now - KEPT_MS)
            self._events.forget_before(now - KEPT_MS)
            self._pruned_at = now
