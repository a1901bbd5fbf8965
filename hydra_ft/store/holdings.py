"""What all bots of one database hold: the ground on which limits are those of the account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from hydra_ft.store.schema import HOLDINGS
from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Row

    from hydra_ft.store.database import Database


@dataclass(frozen=True, slots=True)
class HoldingRow:
    """A position of a bot, as it was when the bot last told of it (``updated_at``, UTC ms).

    ``notional``, ``profit`` and ``stake`` are in quote currency, ``stop_distance`` is a
    fraction of the price.
    """

    bot: str
    pair: str
    side: Side
    head: str
    notional: float
    stop_distance: float
    profit: float
    stake: float
    updated_at: int


class HoldingStore:
    """Holdings of one bot, and those of the others."""

    def __init__(self, database: Database, bot: str) -> None:
        self._database = database
        self._bot = bot

    def put(self, rows: Iterable[HoldingRow]) -> None:
        """Put the holdings of this bot in the place of its earlier ones, in one transaction."""
        made = [_values(row) for row in rows]
        with self._database.transaction() as connection:
            connection.execute(delete(HOLDINGS).where(HOLDINGS.c.bot == self._bot))
            if made:
                connection.execute(insert(HOLDINGS), made)

    def of_others(self, since: int = 0) -> list[HoldingRow]:
        """Return the holdings of all other bots, told at or after a time (UTC ms)."""
        query = (
            select(HOLDINGS)
            .where(HOLDINGS.c.bot != self._bot, HOLDINGS.c.updated_at >= since)
            .order_by(HOLDINGS.c.bot, HOLDINGS.c.pair, HOLDINGS.c.side)
        )
        with self._database.transaction() as connection:
            return [_holding(row) for row in connection.execute(query)]

    def forget_before(self, at: int) -> list[HoldingRow]:
        """Drop, and return, what other bots told of before a time (UTC ms)."""
        old = (HOLDINGS.c.bot != self._bot, HOLDINGS.c.updated_at < at)
        with self._database.transaction() as connection:
            found = [_holding(row) for row in connection.execute(select(HOLDINGS).where(*old))]
            if found:
                connection.execute(delete(HOLDINGS).where(*old))
        return found


def _values(row: HoldingRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in HoldingRow.__slots__} | {"side": row.side.value}


def _holding(row: Row[tuple[object, ...]]) -> HoldingRow:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name
    return HoldingRow(**{**values, "side": Side(values["side"])})
