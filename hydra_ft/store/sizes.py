"""How entries were sized, factor by factor, for people who ask; also those that got no size."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from hydra_ft.store.schema import SIZES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra_ft.store.database import Database


@dataclass(frozen=True, slots=True)
class SizeRow:
    """A size of an entry asked for at a time (UTC ms): its code, and everything behind it."""

    pair: str
    at: int
    code: str
    size: Mapping[str, Any]


class SizeStore:
    """Sizes of one bot."""

    def __init__(self, database: Database, bot: str) -> None:
        self._database = database
        self._bot = bot

    def put(self, row: SizeRow) -> None:
        """Write a size; the same entry asked for again replaces it."""
        same = (SIZES.c.bot == self._bot, SIZES.c.pair == row.pair, SIZES.c.at == row.at)
        text = json.dumps(row.size, allow_nan=False)
        with self._database.transaction() as connection:
            connection.execute(delete(SIZES).where(*same))
            connection.execute(
                insert(SIZES).values(
                    bot=self._bot, pair=row.pair, at=row.at, code=row.code, size=text
                )
            )

    def last(self, pair: str, count: int) -> list[SizeRow]:
        """Return the newest sizes of a pair, newest first."""
        query = (
            select(SIZES)
            .where(SIZES.c.bot == self._bot, SIZES.c.pair == pair)
            .order_by(SIZES.c.at.desc())
            .limit(count)
        )
        with self._database.transaction() as connection:
            return [
                SizeRow(row.pair, row.at, row.code, json.loads(row.size))
                for row in connection.execute(query)
            ]

    def pairs(self) -> list[str]:
        """Return the pairs of which any size is kept, by name."""
        query = select(SIZES.c.pair).where(SIZES.c.bot == self._bot).distinct()
        with self._database.transaction() as connection:
            return sorted(connection.execute(query).scalars())

    def forget_before(self, at: int) -> None:
        """Drop the sizes of this bot from before a time (UTC ms)."""
        with self._database.transaction() as connection:
            connection.execute(delete(SIZES).where(SIZES.c.bot == self._bot, SIZES.c.at < at))
