"""What happened to parents beyond their own state: the story behind each requote."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from hydra_ft.store.schema import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hydra_ft.store.database import Database

_LONGEST = 255


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a parent at a time (UTC ms); ``detail`` is for people."""

    parent_key: str
    at: int
    what: str
    order_id: str = ""
    detail: str = ""


class EventStore:
    """Events of one bot."""

    def __init__(self, database: Database, bot: str) -> None:
        self._database = database
        self._bot = bot

    def record(self, events: Iterable[Event]) -> None:
        """Write events together."""
        rows = [
            {"bot": self._bot, **asdict(event), "detail": event.detail[:_LONGEST]}
            for event in events
        ]
        if rows:
            with self._database.transaction() as connection:
                connection.execute(insert(EVENTS), rows)

    def of(self, parent_key: str) -> list[Event]:
        """Return the events of a parent, oldest first."""
        query = (
            select(EVENTS)
            .where(EVENTS.c.bot == self._bot, EVENTS.c.parent_key == parent_key)
            .order_by(EVENTS.c.id)
        )
        with self._database.transaction() as connection:
            return [
                Event(row.parent_key, row.at, row.what, row.order_id, row.detail)
                for row in connection.execute(query)
            ]
