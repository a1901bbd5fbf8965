"""Reads parents with their children and events out of the Hydra database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra_ft.cli.orders.story import ID_LENGTH, Story, short_id
from hydra_ft.errors import HydraError
from hydra_ft.store.events import EventStore
from hydra_ft.store.orders import OrderStore

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hydra_ft.store.database import Database
    from hydra_ft.types import ParentOrder

SHOWN_MATCHES = 5


class Stories:
    """The parents of one bot, read on demand at one moment (UTC ms)."""

    def __init__(self, database: Database, bot: str, now: int) -> None:
        self._orders = OrderStore(database, bot)
        self._events = EventStore(database, bot)
        self._now = now

    def parents(
        self, *, since: int = 0, pair: str = "", only_open: bool = False
    ) -> list[ParentOrder]:
        """Parents decided at or after a time (UTC ms), oldest first."""
        found = self._orders.parents_since(since)
        return [
            parent
            for parent in found
            if is_of(parent.pair, pair) and (parent.is_open or not only_open)
        ]

    def read(self, parents: Iterable[ParentOrder], *, with_events: bool) -> list[Story]:
        """Complete parents with their children, and their events where asked for."""
        return [
            Story(
                parent,
                tuple(self._orders.children(parent.key)),
                tuple(self._events.of(parent.key)) if with_events else (),
                self._now,
            )
            for parent in parents
        ]

    def named(self, name: str) -> ParentOrder:
        """Return the one parent that an id, a key or a part of a key names.

        Raises
        ------
        HydraError
            When there is none, or more than one.
        """
        parents = self._orders.parents_since(0)
        exact = [p for p in parents if name in (p.key, short_id(p.key))]
        found = exact or [p for p in parents if _names(name, p.key)]
        if len(found) == 1:
            return found[0]
        if not found:
            raise HydraError(
                f"expected the id of an order, or a part of its key, was {name!r}, which no "
                "order has; take the id from the first column of: hydra orders --limit 0"
            )
        some = ", ".join(short_id(parent.key) for parent in found[-SHOWN_MATCHES:])
        raise HydraError(
            f"expected an id that one order has, was {name!r}, which {len(found)} have; "
            f"give one of {some}{', ...' if len(found) > SHOWN_MATCHES else ''}"
        )


def _names(name: str, key: str) -> bool:
    starts_id = len(name) < ID_LENGTH and short_id(key).startswith(name)
    return starts_id or name in key


def is_of(pair: str, wanted: str) -> bool:
    """Whether a pair is meant by a name: ``btc``, ``BTC/USDT`` or ``BTC/USDT:USDT``; '' is all."""
    full, name = pair.upper(), wanted.upper()
    return not name or full == name or full.startswith((f"{name}/", f"{name}:"))
