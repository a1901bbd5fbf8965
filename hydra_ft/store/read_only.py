"""Opens the Hydra database to look at it, without ever writing to it.

The bot may be running: nothing is created, migrated or locked here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Engine, create_engine, inspect, make_url
from sqlalchemy.exc import SQLAlchemyError

from hydra_ft.errors import StoreError
from hydra_ft.store.address import shown
from hydra_ft.store.database import Database
from hydra_ft.store.postgres import pool_of
from hydra_ft.store.schema import PARENTS

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Table


class ReadOnlyDatabase(Database):
    """The Hydra database as it is found, for a command that looks at some of its tables.

    ``has_tables`` tells whether a bot has ever made its tables there.

    Raises
    ------
    StoreError
        When it cannot be opened, or an older version has written it.
    """

    def __init__(self, url: str, tables: Collection[Table]) -> None:
        try:
            address = make_url(url)
            self._shown_url = shown(address)
            self._engine = _opened(address)
            present = set(inspect(self._engine).get_table_names())
            # PARENTS has been there from the first version on.
            self.has_tables = PARENTS.name in present
            outdated = self.has_tables and _lacks_columns(self._engine, present, tables)
        except (SQLAlchemyError, ImportError) as error:
            if "file is not a database" in str(error):
                raise StoreError(
                    f"expected an SQLite database, {self._shown_url} is another file; name the "
                    "right one, or move that file away"
                ) from error
            # The address may hold a password, so it is not repeated.
            raise StoreError(
                f"expected a database that can be read at hydra.db_url, was none "
                f"({type(error).__name__}); correct hydra.db_url, or start its server, or make "
                "the folder of its file writable, which SQLite needs to read it"
            ) from error
        if outdated:
            raise StoreError(
                f"expected the tables of this version in {self._shown_url}, was those of an "
                "older one; start the bot once with this version, or hydra record, or hydra data "
                "build: each brings them up to date"
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
            "expected an SQLAlchemy address in hydra.db_url, such as "
            "sqlite:///user_data/hydra.sqlite, was another text; correct hydra.db_url"
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
        return pool_of(address, execution_options={"postgresql_readonly": True})
    location = Path(str(address.database)).resolve().as_uri()
    query = {**address.query, "mode": "ro", "uri": "true"}
    return create_engine(address.set(database=location, query=query))


def _lacks_columns(engine: Engine, present: set[str], tables: Collection[Table]) -> bool:
    for table in tables:
        if table.name not in present:
            return True
        have = {column["name"] for column in inspect(engine).get_columns(table.name)}
        if not have >= set(table.columns.keys()):
            return True
    return False
