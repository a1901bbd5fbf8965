"""Parents and their children, in memory and on disk."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hydra_ft.adapter.orders.shelf import Shelf
from hydra_ft.errors import StoreError
from hydra_ft.execution.lifecycle import ENDS, End, is_legal
from hydra_ft.types import Attempt, ChildState, Kind, ParentOrder, Side

if TYPE_CHECKING:
    from hydra_ft.store.events import EventStore
    from hydra_ft.store.orders import OrderStore

logger = logging.getLogger(__name__)

ABOUT_MS = 86_400_000
KEPT_MS = 90 * ABOUT_MS
"""How long ended parents, closed attempts and events are kept."""
_JUST_MS = 300_000


def entry_key(pair: str, side: Side, bar_time: int) -> str:
    """Key of an entry parent: one intent per pair, side and signal bar."""
    return f"{pair}|{side.value}|{Kind.ENTRY.value}|{bar_time}"


def exit_key(pair: str, side: Side, decided_at: int) -> str:
    """Key of an exit parent: an exit may be decided more than once within a bar."""
    return f"{pair}|{side.value}|{Kind.EXIT.value}|{decided_at}"


class ParentBook:
    """Open parents and their children of this bot, restored from the store on creation.

    Commands come in another thread than the loop: a parent is changed under one lock, and
    one that has ended stays ended. ``mids`` is the last known middle of each pair's book,
    kept by whoever reads quotes. ``disputed`` are pairs whose state was contradictory, for
    the reconciliation.
    """

    def __init__(self, store: OrderStore, events: EventStore, now: int) -> None:
        self._store = store
        self._began = now
        self._shelf = Shelf(store, events)
        self._lock = threading.RLock()
        self._parents = {parent.key: parent for parent in store.open_parents()}
        self._unreported = {parent.key: parent for parent in store.unreported_parents()}
        self._attempts = {attempt.id: attempt for attempt in store.open_attempts()}
        self._working = {attempt.id: attempt for attempt in store.working_attempts()}
        self._recent = {a.id: a for a in store.attempts_since(now - 2 * ABOUT_MS)}
        self._ended: set[str] = set()
        self._writers: dict[int, tuple[int, float]] = {}
        self._pruned_at = 0
        self.mids: dict[str, float] = {}
        self.disputed: set[str] = set()
        self.note = self._shelf.note
        if self._parents:
            logger.info("Resuming %d open parent orders.", len(self._parents))

    # ---- parents

    def parents(self, kind: Kind | None = None) -> list[ParentOrder]:
        """Return the open parents, of one kind if given."""
        return [p for p in list(self._parents.values()) if kind is None or p.kind is kind]

    def of(self, pair: str, kind: Kind) -> ParentOrder | None:
        """Return the open parent of a pair and kind, if there is one."""
        return next((p for p in self.parents(kind) if p.pair == pair), None)

    def recall(self, key: str) -> ParentOrder | None:
        """Return the parent with this key if it is open, or has ended and was not reported."""
        return self._parents.get(key) or self._unreported.get(key)

    def known(self, key: str) -> ParentOrder | None:
        """Return the parent with this key, however long ago it ended; reads the store."""
        return self.recall(key) or self._store.parent(key)

    def put(self, parent: ParentOrder) -> ParentOrder:
        """Hold a parent in its new state, and store it now or as soon as that works."""
        with self._lock:
            if self._hold(parent):
                self._shelf.put(parent)
            return parent

    def save_again(self) -> None:
        """Store what could not be stored before."""
        with self._lock:
            self._shelf.write_again()

    def _hold(self, parent: ParentOrder) -> bool:
        """Take a parent's new state; False for one that was ended in the meantime."""
        if parent.is_open and parent.key in self._ended:
            return False
        if parent.is_open:
            self._parents[parent.key] = parent
        else:
            self._parents.pop(parent.key, None)
            self._ended.add(parent.key)
        if not parent.is_open and not parent.reported_at:
            self._unreported[parent.key] = parent
        else:
            self._unreported.pop(parent.key, None)
        return True

    def end(self, parent: ParentOrder, reason: str, now: int) -> ParentOrder:
        """End a parent with a named reason; a parent ends once."""
        with self._lock:
            if not parent.is_open or parent.key in self._ended:
                return self.recall(parent.key) or parent
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
        return self._writers.get(attempt.id, (None,))[0] not in (None, threading.get_ident())

    def written_at(self, attempt: Attempt) -> float | None:
        """Return when this process wrote an attempt (monotonic s); None if an earlier one did."""
        return self._writers.get(attempt.id, (0, None))[1]

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
        with self._lock:
            if parent.key in self._ended:
                raise StoreError(f"{parent.key} was ended in the meantime; nothing is sent for it")
            written_at = time.monotonic()
            attempt = self._store.send(parent, attempt)
            self._hold(parent)
            self._shelf.forget(parent.key)
            self._attempts[attempt.id] = attempt
            self._writers[attempt.id] = (threading.get_ident(), written_at)
        return attempt

    def place(self, attempt: Attempt, order_id: str, now: int) -> None:
        """Note that freqtrade has the order of an attempt; it counts on its parent."""
        with self._lock:
            parent = self._parents.get(attempt.parent_key)
            if parent is not None:
                children = parent.children + 1
                parent = replace(parent, children=children, child=order_id, rejections=0)
            self._move(attempt, ChildState.WORKING, parent, order_id=order_id, known_at=now)

    def refuse(self, attempt: Attempt, why: str, now: int) -> None:
        """Note that the exchange refused an attempt for certain."""
        with self._lock:
            parent = self._parents.get(attempt.parent_key)
            if parent is not None:
                rejections = parent.rejections + 1
                parent = replace(parent, rejections=rejections, rejected_at=now)
            self._move(attempt, ChildState.REJECTED, parent, known_at=now, done_at=now)
        self.note(attempt.parent_key, "rejected", now, detail=why)

    def doubt(self, attempt: Attempt, now: int) -> None:
        """Note, once, that the outcome of an attempt is unknown."""
        if attempt.state is ChildState.WRITTEN:
            self._move(attempt, ChildState.UNKNOWN)
            self.note(attempt.parent_key, "unknown", now)

    def settle(self, attempt: Attempt, state: ChildState, now: int, order_id: str = "") -> None:
        """Note what became of an attempt that freqtrade does not know.

        What counted as not sent was acted on from then on, even if it is seen later.
        """
        known_at = attempt.known_at or now
        self._move(attempt, state, order_id=order_id, known_at=known_at, done_at=now)

    def not_sent(self) -> list[Attempt]:
        """Return the attempts that had just been found never to have arrived, on creation."""
        absent = (a for a in self._recent.values() if a.state is ChildState.NOT_SENT)
        return [a for a in absent if a.known_at >= self._began - _JUST_MS]

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
        with self._lock:
            if parent is not None and not self._hold(parent):
                parent = None
            self._recent[moved.id] = moved
            _keep(self._attempts, moved, belongs=moved.is_unknown)
            _keep(self._working, moved, belongs=not moved.is_unknown and not moved.done_at)
            if not moved.is_unknown:
                self._writers.pop(moved.id, None)
            self._shelf.put(parent, moved)

    # ---- what is known of orders

    def order_ids(self, attempt: Attempt) -> set[str]:
        """Return the ids of orders that other attempts of the pair became about that time."""
        return set(self.fills_since(attempt.pair, attempt.sent_at - ABOUT_MS))

    def fills_since(self, pair: str, since: int) -> dict[str, float]:
        """Return what freqtrade had booked (base units) of our orders of a pair, by their ids.

        Of the last day at least; 0 for an order of ours that freqtrade never had.
        """
        return {
            a.order_id: a.filled
            for a in list(self._recent.values())
            if a.pair == pair and a.order_id and a.sent_at >= since
        }

    def is_ours(self, pair: str, order_id: str) -> bool:
        """Whether an order came from an attempt of ours, however long ago."""
        known = any(a.order_id == order_id and a.pair == pair for a in list(self._recent.values()))
        return known or self._store.is_ours(pair, order_id)

    def sent_since(self, at: int) -> int:
        """Count the orders that all bots on this database sent since a time."""
        return self._store.sent_since(at)

    def prune(self, now: int) -> None:
        """Once a day, drop what ended long ago."""
        if now - self._pruned_at >= ABOUT_MS:
            self._store.forget_before(now - KEPT_MS)
            self._recent = {
                i: a for i, a in self._recent.items() if a.sent_at >= now - 2 * ABOUT_MS
            }
            self._ended = set(self._unreported)
            self._pruned_at = now


def _keep(held: dict[int, Attempt], attempt: Attempt, *, belongs: bool) -> None:
    if belongs:
        held[attempt.id] = attempt
    else:
        held.pop(attempt.id, None)
