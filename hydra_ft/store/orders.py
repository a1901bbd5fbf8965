"""Parents and attempts: written before an order is sent, read back on start."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, and_, delete, func, insert, select, update

from hydra_ft.errors import StoreError
from hydra_ft.store.schema import ATTEMPTS, EVENTS, PARENTS
from hydra_ft.types import Attempt, ChildState, Kind, ParentOrder, Side

if TYPE_CHECKING:
    from hydra_ft.store.database import Database

_PARENT_FIELDS = tuple(field.name for field in fields(ParentOrder))
_ATTEMPT_FIELDS = tuple(field.name for field in fields(Attempt))


class OrderStore:
    """Parents and attempts of one bot."""

    def __init__(self, database: Database, bot: str) -> None:
        self._database = database
        self._bot = bot

    def save_parent(self, parent: ParentOrder) -> None:
        """Write a parent, over its earlier state if it has one."""
        with self._database.transaction() as connection:
            self._save(connection, parent)

    def _save(self, connection: Connection, parent: ParentOrder) -> None:
        values = asdict(parent) | {"side": parent.side.value, "kind": parent.kind.value}
        of_parent = and_(PARENTS.c.bot == self._bot, PARENTS.c.key == parent.key)
        found = connection.execute(update(PARENTS).where(of_parent).values(**values)).rowcount
        if not found:
            connection.execute(insert(PARENTS).values(bot=self._bot, **values))

    def parent(self, key: str) -> ParentOrder | None:
        """Return the parent with this key, open or ended."""
        query = select(PARENTS).where(PARENTS.c.bot == self._bot, PARENTS.c.key == key)
        with self._database.transaction() as connection:
            row = connection.execute(query).first()
        return None if row is None else _parent(row)

    def open_parents(self) -> list[ParentOrder]:
        """Return the parents that have not ended, oldest first."""
        return self._parents(PARENTS.c.ended_at == 0)

    def unreported_parents(self) -> list[ParentOrder]:
        """Return the parents that have ended and were not reported, oldest first."""
        return self._parents(and_(PARENTS.c.ended_at > 0, PARENTS.c.reported_at == 0))

    def parents_since(self, decided_at: int) -> list[ParentOrder]:
        """Return the parents decided at or after a time (UTC ms), oldest first."""
        return self._parents(PARENTS.c.decided_at >= decided_at)

    def parents_of(self, pair: str) -> list[ParentOrder]:
        """Return the parents of a pair, open and ended, oldest first."""
        return self._parents(PARENTS.c.pair == pair)

    def _parents(self, condition: Any) -> list[ParentOrder]:
        query = (
            select(PARENTS)
            .where(PARENTS.c.bot == self._bot, condition)
            .order_by(PARENTS.c.decided_at)
        )
        with self._database.transaction() as connection:
            return [_parent(row) for row in connection.execute(query)]

    def send(self, parent: ParentOrder, attempt: Attempt) -> Attempt:
        """Write a parent and an attempt of it, together; both are on disk on return.

        Returns
        -------
        Attempt
            The attempt with its id.
        """
        with self._database.transaction() as connection:
            self._save(connection, parent)
            values = _attempt_values(attempt)
            result = connection.execute(insert(ATTEMPTS).values(bot=self._bot, **values))
            key = result.inserted_primary_key
        if not key:
            msg = f"the database gave no id for the attempt of {attempt.parent_key}"
            raise StoreError(msg)
        return replace(attempt, id=int(key[0]))

    def save_attempt(self, attempt: Attempt, parent: ParentOrder | None = None) -> None:
        """Write an attempt over its earlier state, and with it its parent's new state if given."""
        change = (
            update(ATTEMPTS)
            .where(ATTEMPTS.c.bot == self._bot, ATTEMPTS.c.id == attempt.id)
            .values(**_attempt_values(attempt))
        )
        with self._database.transaction() as connection:
            connection.execute(change)
            if parent is not None:
                self._save(connection, parent)

    def open_attempts(self) -> list[Attempt]:
        """Return the attempts whose outcome is not known yet, oldest first."""
        return self._attempts(ATTEMPTS.c.known_at == 0)

    def working_attempts(self) -> list[Attempt]:
        """Return the attempts that were placed and whose end is not booked yet, oldest first."""
        return self._attempts(and_(ATTEMPTS.c.known_at > 0, ATTEMPTS.c.done_at == 0))

    def attempts_since(self, sent_at: int) -> list[Attempt]:
        """Return the attempts sent at or after a time (UTC ms), oldest first."""
        return self._attempts(ATTEMPTS.c.sent_at >= sent_at)

    def children(self, parent_key: str) -> list[Attempt]:
        """Return all attempts of a parent, oldest first."""
        return self._attempts(ATTEMPTS.c.parent_key == parent_key)

    def _attempts(self, condition: Any) -> list[Attempt]:
        query = (
            select(ATTEMPTS).where(ATTEMPTS.c.bot == self._bot, condition).order_by(ATTEMPTS.c.id)
        )
        with self._database.transaction() as connection:
            return [_attempt(row) for row in connection.execute(query)]

    def sent_since(self, at: int) -> int:
        """Count the orders that all bots of this database sent at or after a time (UTC ms)."""
        query = select(func.count()).select_from(ATTEMPTS).where(ATTEMPTS.c.sent_at >= at)
        with self._database.transaction() as connection:
            return int(connection.execute(query).scalar_one())

    def is_ours(self, pair: str, order_id: str) -> bool:
        """Whether an order of a pair came from an attempt of ours."""
        query = select(ATTEMPTS.c.id).where(
            ATTEMPTS.c.bot == self._bot,
            ATTEMPTS.c.pair == pair,
            ATTEMPTS.c.order_id == order_id,
        )
        with self._database.transaction() as connection:
            return connection.execute(query).first() is not None

    def forget_before(self, at: int) -> None:
        """Drop what ended before a time (UTC ms), its events too: the history is bounded."""
        ended = and_(PARENTS.c.ended_at > 0, PARENTS.c.ended_at < at)
        over = and_(ATTEMPTS.c.sent_at < at, ATTEMPTS.c.known_at > 0)
        with self._database.transaction() as connection:
            connection.execute(delete(PARENTS).where(PARENTS.c.bot == self._bot, ended))
            connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.bot == self._bot, over))
            past = and_(EVENTS.c.bot == self._bot, EVENTS.c.at < at)
            connection.execute(delete(EVENTS).where(past))


def _parent(row: Row[Any]) -> ParentOrder:
    values = {name: getattr(row, name) for name in _PARENT_FIELDS}
    return ParentOrder(**values | {"side": Side(row.side), "kind": Kind(row.kind)})


def _attempt(row: Row[Any]) -> Attempt:
    values = {name: getattr(row, name) for name in _ATTEMPT_FIELDS}
    named = {"side": Side(row.side), "kind": Kind(row.kind), "state": ChildState(row.state)}
    return Attempt(**values | named)


def _attempt_values(attempt: Attempt) -> dict[str, Any]:
    """Columns of an attempt, without its id, which the database gives."""
    values = {name: getattr(attempt, name) for name in _ATTEMPT_FIELDS if name != "id"}
    named = (attempt.side.value, attempt.kind.value, attempt.state.value)
    return values | dict(zip(("side", "kind", "state"), named, strict=True))
