"""What was decided, be it by a bot or in a backtest, and which pair is meant by a name."""

from __future__ import annotations

from contextlib import contextmanager
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Protocol

from hydra_ft.errors import HydraError
from hydra_ft.store.decisions import DecisionStore
from hydra_ft.store.read_only import ReadOnlyDatabase
from hydra_ft.store.schema import DECISIONS, RULES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hydra_ft.cli.why.home import Home
    from hydra_ft.store.decisions import DecisionRow, Tally

NAMED = 5
"""Pairs that an error names at most."""


class Ledger(Protocol):
    """What the command reads; times are UTC ms."""

    def pairs(self) -> list[str]:
        """Return the pairs that anything was decided on, by name."""

    def covering(self, pair: str, at: int) -> DecisionRow | None:
        """Return the row that stands for a time, else the last one before it."""

    def last(self, pair: str) -> DecisionRow | None:
        """Return the newest row of a pair."""

    def since(self, at: int, pair: str | None = None) -> list[DecisionRow]:
        """Return the rows of bars that closed at or after a time, oldest first."""

    def tallies(self, since: int = 0, pair: str | None = None) -> list[Tally]:
        """Count the bars that closed at or after a time."""

    def rules_at(self, at: int, /) -> str:
        """Thresholds in force at a time as JSON; "" where they are not known."""


@contextmanager
def of_bot(home: Home) -> Iterator[DecisionStore | None]:
    """Open the ledger of a bot, None where the bot has not made one yet.

    Raises
    ------
    StoreError
        When the database cannot be read, or an older version has written it.
    """
    if home.file is not None and not home.file.exists():
        yield None
        return
    database = ReadOnlyDatabase(home.url, (DECISIONS, RULES))
    try:
        yield DecisionStore(database, home.bot) if database.has_tables else None
    finally:
        database.close()


def named(name: str, pairs: Sequence[str], what: str = "a pair that was decided on") -> str:
    """Return the one pair that is meant by ``btc``, ``BTC/USDT`` or ``BTC/USDT:USDT``.

    Raises
    ------
    HydraError
        When there is none, or more than one; it names those that are known, nearest first.
    """
    wanted = name.upper()
    exact = [pair for pair in pairs if pair.upper() == wanted]
    meant = exact or [
        pair for pair in pairs if pair.upper().startswith((f"{wanted}/", f"{wanted}:"))
    ]
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise HydraError(
            f"expected the name of one pair, was {name!r}, which {len(meant)} have; give one of "
            f"{_some(meant)}"
        )
    known = _some(nearest(name, pairs))
    raise HydraError(f"expected {what}, was {name!r}; known are {known}")


def nearest(name: str, pairs: Sequence[str]) -> list[str]:
    """Pairs by how much their name is like another, the most alike first."""

    def likeness(pair: str) -> float:
        whole = SequenceMatcher(None, name.upper(), pair.upper()).ratio()
        base = pair.partition("/")[0].upper()
        return max(whole, SequenceMatcher(None, name.upper().partition("/")[0], base).ratio())

    return sorted(pairs, key=lambda pair: (-likeness(pair), pair))


def _some(pairs: Sequence[str]) -> str:
    more = f" and {len(pairs) - NAMED} more" if len(pairs) > NAMED else ""
    return ", ".join(pairs[:NAMED]) + more
