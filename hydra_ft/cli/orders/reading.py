"""Reads parents out of the Hydra database, without ever writing to it.

The bot may be running: nothing is created, migrated or locked here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Engine, create_engine, inspect, make_url
from sqlalchemy.exc import SQLAlchemyError

from hydra_ft.cli.orders.story import ID_LENGTH, Story, short_id
from hydra_ft.errors import HydraError, StoreError
from hydra_ft.store.database import Database
from hydra_ft.store.events import EventStore
from hydra_ft.store.orders import OrderStore
from hydra_ft.store.schema import ATTEMPTS, EVENTS, PARENTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hydra_ft.types import ParentOrder

SHOWN_MATCHES = 5


class ReadOnlyDatabase(Database):
    """The Hydra database as it is found.

    Raises
    ------
    StoreError
        When it cannot be opened, or an older version has written it.
    """

    def __init__(self, url: str) -> None:
        try:
            address = make_url(url)
            self._shown_url = address.render_as_string(hide_password=True)
            self._engine = _opened(address)
            present = set(inspect(self._engine).get_table_names())
            # PARENTS has been there from the first version on.
            self.has_orders = PARENTS.name in present
            outdated = self.has_orders and _lacks_columns(self._engine, present)
        except (SQLAlchemyError, ImportError) as error:
            # The address may hold a password, so it is not repeated.
            raise StoreError(
                f"expected a database that can be read at hydra.db_url, was none "
                f"({type(error).__name__}); correct hydra.db_url, or start its server"
            ) from error
        if outdated:
            raise StoreError(
                f"expected the tables of this version in {self._shown_url}, was those of an "
                "older one; start the bot once with this version, it brings them up to date"
            )


def file_of(url: str) -> Path | None:
    """File of an SQLite database; None where a server keeps it.

    Raises
    ------
    StoreError
        When the database is in the memory of the bot, where nobody else can read it, or the
        address cannot be parsed.
    """
    try:
        address = make_url(url)
    except SQLAlchemyError as error:
        raise StoreError(
            "expected an SQLAlchemy address in hydra.db_url, was none; correct hydra.db_url"
        ) from error
    if address.get_backend_name() != "sqlite":
        return None
    if address.database in (None, "", ":memory:"):
        raise StoreError(
            "expected a database on disk at hydra.db_url, was one in memory; set hydra.db_url "
            "to a file, or remove the key"
        )
    return Path(str(address.database))


def _opened(address: URL) -> Engine:
    if address.get_backend_name() != "sqlite":
        return create_engine(address, execution_options={"postgresql_readonly": True})
    location = Path(str(address.database)).resolve().as_uri()
    query = {**address.query, "mode": "ro", "uri": "true"}
    return create_engine(address.set(database=location, query=query))


def _lacks_columns(engine: Engine, present: set[str]) -> bool:
    for table in (PARENTS, ATTEMPTS, EVENTS):
        if table.name not in present:
            return True
        have = {column["name"] for column in inspect(engine).get_columns(table.name)}
        if not have >= set(table.columns.keys()):
            return True
    return False


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
