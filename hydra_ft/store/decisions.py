"""What was decided on each closed bar: the ground on which a bot can say why.

Equal neighbouring bars of a pair share one row that counts them; bars that may trade have a
row each, because each has an outcome of its own.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import fields
from math import isfinite
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, and_, bindparam, case, delete, func, insert, select, update

from hydra_ft.store.decision_row import OK, Counts, DecisionRow, Tally, counted
from hydra_ft.store.dialects import insert_of
from hydra_ft.store.schema import DECISIONS, RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hydra_ft.store.database import Database

__all__ = ["OK", "Counts", "DecisionRow", "DecisionStore", "Tally", "counted"]

_LONGEST_DETAIL = 255
_FIELDS = tuple(field.name for field in fields(DecisionRow))
_KEY = ("bot", "pair", "at")
_OUTCOME = ("outcome", "outcomes", "detail")

Outcome = tuple[str, int, str, tuple[str, ...], str]
"""Pair, close of the bar (UTC ms), what became of it, all that spoke against it, words."""


class DecisionStore:
    """Decisions of one bot, and the thresholds that they were made with."""

    def __init__(self, database: Database, bot: str) -> None:
        self._database = database
        self._bot = bot

    def record(self, rows: Iterable[DecisionRow]) -> None:
        """Write decisions together; the same bar again replaces the earlier row (a restart).

        An outcome that is noted already stays, unless the code is another one now.
        """
        self.write(rows, ())

    def write(self, rows: Iterable[DecisionRow], outcomes: Iterable[Outcome]) -> None:
        """Record decisions and note outcomes, all in one transaction, none where there is none."""
        made = [{"bot": self._bot, **_values(row)} for row in rows]
        noted = [_noted(outcome) for outcome in outcomes]
        if not made and not noted:
            return
        with self._database.transaction() as connection:
            if made:
                connection.execute(upsert(connection.dialect.name), made)
            if noted:
                connection.execute(self._update(_OUTCOME), noted)

    def extend(self, spans: Iterable[tuple[str, int, int, int]]) -> None:
        """Let rows stand for more bars: (pair, at, until, bars) of each, together."""
        names = ("of_pair", "of_at", "until", "bars")
        self._change(("until", "bars"), [dict(zip(names, s, strict=True)) for s in spans])

    def note_outcomes(self, outcomes: Iterable[Outcome]) -> None:
        """Note what became of bars: (pair, at, outcome, outcomes, detail), together."""
        self.write((), outcomes)

    def _change(self, names: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
        if rows:
            with self._database.transaction() as connection:
                connection.execute(self._update(names), rows)

    def _update(self, names: tuple[str, ...]) -> Any:
        return (
            update(DECISIONS)
            .where(
                DECISIONS.c.bot == self._bot,
                DECISIONS.c.pair == bindparam("of_pair"),
                DECISIONS.c.at == bindparam("of_at"),
            )
            .values({name: bindparam(name) for name in names})
        )

    def covering(self, pair: str, at: int) -> DecisionRow | None:
        """Return the row that stands for a time (UTC ms), else the last one before it."""
        return self._newest(DECISIONS.c.pair == pair, DECISIONS.c.at <= at)

    def last(self, pair: str) -> DecisionRow | None:
        """Return the newest row of a pair."""
        return self._newest(DECISIONS.c.pair == pair)

    def _newest(self, *conditions: Any) -> DecisionRow | None:
        query = (
            select(DECISIONS)
            .where(DECISIONS.c.bot == self._bot, *conditions)
            .order_by(DECISIONS.c.at.desc())
            .limit(1)
        )
        with self._database.transaction() as connection:
            row = connection.execute(query).first()
        return None if row is None else _decision(row)

    def since(self, at: int, pair: str | None = None) -> list[DecisionRow]:
        """Return the rows whose last bar closed at or after a time (UTC ms), oldest first."""
        return self._rows(DECISIONS.c.until >= at, *_of(pair))

    def _rows(self, *conditions: Any) -> list[DecisionRow]:
        query = (
            select(DECISIONS)
            .where(DECISIONS.c.bot == self._bot, *conditions)
            .order_by(DECISIONS.c.at, DECISIONS.c.pair)
        )
        with self._database.transaction() as connection:
            return [_decision(row) for row in connection.execute(query)]

    def pairs(self) -> list[str]:
        """Return the pairs that anything was decided on, by name."""
        query = select(DECISIONS.c.pair).where(DECISIONS.c.bot == self._bot).distinct()
        with self._database.transaction() as connection:
            return sorted(connection.execute(query).scalars())

    def tallies(self, since: int = 0, pair: str | None = None) -> list[Tally]:
        """Count the bars that closed at or after a time (UTC ms)."""
        keys = (DECISIONS.c.code, DECISIONS.c.outcome, DECISIONS.c.signal)
        query = (
            select(*keys, func.sum(DECISIONS.c.bars))
            .where(DECISIONS.c.bot == self._bot, DECISIONS.c.at >= since, *_of(pair))
            .group_by(*keys)
        )
        found: Counter[tuple[str, str, str]] = Counter()
        with self._database.transaction() as connection:
            for code, outcome, signal, bars in connection.execute(query):
                found[code, outcome, signal] += int(bars)
        begun_before = and_(DECISIONS.c.at < since, DECISIONS.c.until >= since)
        for row in self._rows(begun_before, *_of(pair)):
            found[row.code, row.outcome, row.signal] += row.bars_from(since)
        return [Tally(*key, bars) for key, bars in sorted(found.items()) if bars]

    def counts(self, since: int = 0, pair: str | None = None) -> Counts:
        """Bars since a time (UTC ms) by first code, and those that may trade by outcome."""
        return counted(self.tallies(since, pair))

    def note_rules(self, at: int, rules_json: str) -> None:
        """Note the thresholds in force from a time (UTC ms) on, if they are others now."""
        if self._rules(RULES.c.at.desc()) == rules_json:
            return
        of_moment = and_(RULES.c.bot == self._bot, RULES.c.at == at)
        with self._database.transaction() as connection:
            connection.execute(delete(RULES).where(of_moment))
            connection.execute(insert(RULES).values(bot=self._bot, at=at, rules=rules_json))

    def rules_at(self, at: int) -> str:
        """Thresholds in force at a time (UTC ms) as JSON; "" where none were noted.

        Before the first ones were noted it is those: a bot notes them after the bar closed.
        """
        return self._rules(RULES.c.at.desc(), RULES.c.at <= at) or self._rules(RULES.c.at.asc())

    def _rules(self, order: Any, *conditions: Any) -> str:
        query = select(RULES.c.rules).where(RULES.c.bot == self._bot, *conditions)
        with self._database.transaction() as connection:
            return str(connection.execute(query.order_by(order).limit(1)).scalar() or "")

    def forget_before(self, at: int) -> None:
        """Drop rows whose last bar closed before a time (UTC ms): the ledger is bounded."""
        of_bot = RULES.c.bot == self._bot
        in_force = select(func.max(RULES.c.at)).where(of_bot, RULES.c.at <= at).scalar_subquery()
        old = and_(DECISIONS.c.bot == self._bot, DECISIONS.c.until < at)
        with self._database.transaction() as connection:
            connection.execute(delete(DECISIONS).where(old))
            connection.execute(delete(RULES).where(of_bot, RULES.c.at < in_force))


def upsert(dialect: str) -> Any:
    """Statement that writes a row over the one of the same bot, pair and bar.

    The word for it differs between the two databases, not the meaning.
    """
    made = insert_of(dialect)(DECISIONS)
    is_same = and_(made.excluded.outcome == "", made.excluded.code == DECISIONS.c.code)
    new = {name: made.excluded[name] for name in DECISIONS.columns.keys() if name not in _KEY}  # noqa: SIM118
    kept = {name: case((is_same, DECISIONS.c[name]), else_=new[name]) for name in _OUTCOME}
    return made.on_conflict_do_update(index_elements=list(_KEY), set_=new | kept)


def _of(pair: str | None) -> tuple[Any, ...]:
    return () if pair is None else (DECISIONS.c.pair == pair,)


def _values(row: DecisionRow) -> dict[str, Any]:
    """Columns of a row without its bot."""
    values = {name: getattr(row, name) for name in _FIELDS}
    return values | {
        "codes": ",".join(row.codes),
        "outcomes": ",".join(row.outcomes),
        "numbers": _packed(row.numbers),
        "detail": row.detail[:_LONGEST_DETAIL],
    }


def _noted(outcome: Outcome) -> dict[str, Any]:
    """Parameters of the statement that notes an outcome."""
    pair, at, code, codes, detail = outcome
    return {
        "of_pair": pair,
        "of_at": at,
        "outcome": code,
        "outcomes": ",".join(codes),
        "detail": detail[:_LONGEST_DETAIL],
    }


def _packed(numbers: Mapping[str, float]) -> str:
    """Finite numbers as short JSON; six digits are enough to be read."""
    finite = {name: float(f"{value:.6g}") for name, value in numbers.items() if isfinite(value)}
    return json.dumps(finite, separators=(",", ":")) if finite else ""


def _decision(row: Row[Any]) -> DecisionRow:
    values = {name: getattr(row, name) for name in _FIELDS}
    return DecisionRow(
        **values
        | {
            "codes": tuple(row.codes.split(",")) if row.codes else (),
            "outcomes": tuple(row.outcomes.split(",")) if row.outcomes else (),
            "numbers": json.loads(row.numbers) if row.numbers else {},
        }
    )
