"""What was decided on each closed bar: the ground on which a bot can say why."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, delete, insert, select

from hydra_ft.store.schema import DECISIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hydra_ft.store.database import Database


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """The decision on one closed bar of one pair; ``at`` is the close of the bar (UTC ms)."""

    pair: str
    at: int
    code: str
    codes: tuple[str, ...]
    side: str
    signal: str
    strength: float | None
    regime: str
    bias: str
    light: bool


class DecisionStore:
    """Decisions of one bot."""

    def __init__(self, database: Database, bot: str) -> None:
        self._database = database
        self._bot = bot

    def record(self, rows: Iterable[DecisionRow]) -> None:
        """Write decisions; the same bar again replaces the earlier row (a restart)."""
        with self._database.transaction() as connection:
            for row in rows:
                connection.execute(
                    delete(DECISIONS).where(
                        DECISIONS.c.bot == self._bot,
                        DECISIONS.c.pair == row.pair,
                        DECISIONS.c.at == row.at,
                    )
                )
                values = asdict(row) | {"codes": ",".join(row.codes)}
                connection.execute(insert(DECISIONS).values(bot=self._bot, **values))

    def since(self, at: int) -> list[DecisionRow]:
        """Return the decisions on bars that closed at or after a time (UTC ms), oldest first."""
        query = (
            select(DECISIONS)
            .where(DECISIONS.c.bot == self._bot, DECISIONS.c.at >= at)
            .order_by(DECISIONS.c.at, DECISIONS.c.pair)
        )
        with self._database.transaction() as connection:
            return [_decision(row) for row in connection.execute(query)]

    def forget_before(self, at: int) -> None:
        """Drop decisions on bars that closed before a time (UTC ms): the ledger is bounded."""
        with self._database.transaction() as connection:
            connection.execute(
                delete(DECISIONS).where(DECISIONS.c.bot == self._bot, DECISIONS.c.at < at)
            )


def _decision(row: Row[Any]) -> DecisionRow:
    return DecisionRow(
        pair=row.pair,
        at=row.at,
        code=row.code,
        codes=tuple(row.codes.split(",")) if row.codes else (),
        side=row.side,
        signal=row.signal,
        strength=row.strength,
        regime=row.regime,
        bias=row.bias,
        light=row.light,
    )
