"""What the bots of one database tell each other: the ground on which limits are an account's.

Each bot tells its balance, its positions and its closed trades, and reserves room for an entry
before it is sent. Who judges and reserves does both in one turn (``AccountStore.turn``): a bot
that asks in the meantime waits, so two never take the same room.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import delete, insert, select, update

from hydra_ft.errors import StoreError
from hydra_ft.store.schema import BOTS, HOLDINGS, PAUSES, RESERVATIONS, RESULTS, TURNS
from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection, Select, Table

    from hydra_ft.store.database import Database

_TURN = "account"


@dataclass(frozen=True, slots=True)
class BotRow:
    """A bot as it was when it last told of itself (``updated_at``, UTC ms).

    ``balance`` is the closed capital that freqtrade lets it trade with, ``wallet`` all that its
    account on the exchange holds (quote currency), None where that is no real one. ``instance``
    is new with every start.
    """

    bot: str
    account: str
    exchange: str
    balance: float
    wallet: float | None
    updated_at: int
    instance: str = ""


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


@dataclass(frozen=True, slots=True)
class ReservationRow:
    """Room (quote currency) that a bot keeps for an entry since a time (UTC ms).

    ``risk`` is what is lost at the stop, fees included. Once ``is_sent``, an order may work on
    the exchange.
    """

    bot: str
    pair: str
    side: Side
    head: str
    notional: float
    risk: float
    stake: float
    at: int
    is_sent: bool = False


@dataclass(frozen=True, slots=True)
class ResultRow:
    """A closed trade of a bot: freqtrade's number of it, its close (UTC ms), its profit."""

    bot: str
    trade: int
    at: int
    profit: float


@dataclass(frozen=True, slots=True)
class PauseRow:
    """A pause of an account that a bot saw begin (UTC ms), with the open profit then (quote)."""

    account: str
    kind: str
    at: int
    until: int
    why: str
    open_profit: float = 0.0


_Row = TypeVar("_Row", BotRow, HoldingRow, ReservationRow, ResultRow, PauseRow)


class AccountStore:
    """What one bot tells, and what all of them have told."""

    def __init__(self, database: Database, bot: str) -> None:
        self._database = database
        self._bot = bot
        self._begin_turns()

    def _begin_turns(self) -> None:
        """Write the row that turns are taken by, unless another bot has just done so."""
        first = insert(TURNS).values(name=_TURN, count=0)
        known = select(TURNS.c.count).where(TURNS.c.name == _TURN)
        try:
            with self._database.transaction() as connection:
                if connection.execute(known).first() is None:
                    connection.execute(first)
        except StoreError:
            with self._database.transaction() as connection:
                if connection.execute(known).first() is None:
                    raise

    @contextmanager
    def turn(self, wait_ms: int = 0) -> Iterator[Told]:
        """Yield what all bots have told, with all others kept out until the block ends.

        The first statement writes: from it on SQLite holds its one lock of writers, and
        PostgreSQL that of the row. What is read afterwards is the newest.

        Raises StoreError, also where the turn does not come within ``wait_ms``, without it within
        the time that a database waits for a lock.
        """
        take = update(TURNS).where(TURNS.c.name == _TURN).values(count=TURNS.c.count + 1)
        with self._database.transaction(wait_ms) as connection:
            connection.execute(take)
            yield Told(connection, self._bot)

    @contextmanager
    def look(self) -> Iterator[Told]:
        """Yield what all bots have told at one moment, without waiting for a turn: for reading."""
        with self._database.snapshot() as connection:
            yield Told(connection, self._bot)


class Told:
    """The tables of the account within one transaction; writes go to the rows of this bot."""

    def __init__(self, connection: Connection, bot: str) -> None:
        self._connection = connection
        self._bot = bot

    # ---- what is read

    def bots(self) -> list[BotRow]:
        """Return all bots that ever told of themselves, by name."""
        return self._rows(select(BOTS).order_by(BOTS.c.bot), BotRow)

    def own(self) -> BotRow | None:
        """Return what was told last under the name of this bot."""
        return next(iter(self._rows(select(BOTS).where(BOTS.c.bot == self._bot), BotRow)), None)

    def holdings(self) -> list[HoldingRow]:
        """Return what all bots hold, by bot and pair."""
        order = (HOLDINGS.c.bot, HOLDINGS.c.pair, HOLDINGS.c.side)
        return self._rows(select(HOLDINGS).order_by(*order), HoldingRow)

    def reservations(self) -> list[ReservationRow]:
        """Return the room that all bots have reserved, by bot and pair."""
        order = (RESERVATIONS.c.bot, RESERVATIONS.c.pair, RESERVATIONS.c.side)
        return self._rows(select(RESERVATIONS).order_by(*order), ReservationRow)

    def results_of_others(self, since: int) -> list[ResultRow]:
        """Return the trades that other bots have closed since a time (UTC ms), in order of it."""
        wanted = (RESULTS.c.bot != self._bot, RESULTS.c.at >= since)
        return self._rows(select(RESULTS).where(*wanted).order_by(RESULTS.c.at), ResultRow)

    def pauses(self, account: str, since: int) -> list[PauseRow]:
        """Return the pauses of an account that began since a time (UTC ms), or go on then."""
        late = (PAUSES.c.at >= since) | (PAUSES.c.until > since)
        wanted = select(PAUSES).where(PAUSES.c.account == account, late).order_by(PAUSES.c.at)
        return self._rows(wanted, PauseRow)

    def _rows(self, query: Select[tuple[object, ...]], kind: type[_Row]) -> list[_Row]:
        made = []
        for row in self._connection.execute(query):
            values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name
            if "side" in values:
                values["side"] = Side(values["side"])
            made.append(kind(**values))
        return made

    # ---- what is written

    def put_bot(self, row: BotRow) -> None:
        """Write how this bot stands now."""
        self._replace(BOTS, [row])

    def put_holdings(self, rows: Sequence[HoldingRow]) -> None:
        """Put the holdings of this bot in the place of its earlier ones."""
        self._replace(HOLDINGS, rows)

    def put_results(self, rows: Sequence[ResultRow], *, since: int = 0) -> None:
        """Put closed trades of this bot in the place of those closed since a time (UTC ms)."""
        self._replace(RESULTS, rows, RESULTS.c.at >= since)

    def forget_results(self, before: int) -> None:
        """Drop the trades that this bot closed before a time (UTC ms)."""
        own = RESULTS.c.bot == self._bot
        self._connection.execute(delete(RESULTS).where(own, RESULTS.c.at < before))

    def reserve(self, row: ReservationRow) -> None:
        """Keep room for an entry; it takes the place of what was kept for its pair."""
        self._replace(RESERVATIONS, [row], RESERVATIONS.c.pair == row.pair)

    def sending(self, pair: str, at: int, since: int) -> bool:
        """Note that the order of a reservation goes out; False where it has timed out.

        That is where it was made before ``since`` (UTC ms).
        """
        own = (RESERVATIONS.c.bot == self._bot, RESERVATIONS.c.pair == pair)
        known = update(RESERVATIONS).where(*own, RESERVATIONS.c.at >= since)
        return bool(self._connection.execute(known.values(is_sent=True, at=at)).rowcount)

    def keep_reserved(self, pairs: Iterable[str]) -> None:
        """Drop the reservations of this bot but for some pairs."""
        own = RESERVATIONS.c.bot == self._bot
        other = RESERVATIONS.c.pair.not_in(sorted(pairs))
        self._connection.execute(delete(RESERVATIONS).where(own, other))

    def put_pause(self, row: PauseRow) -> None:
        """Write a pause that has begun."""
        self._connection.execute(insert(PAUSES), [_values(row)])

    def forget_pauses(self, before: int) -> None:
        """Drop the pauses of all accounts that ended before a time (UTC ms)."""
        self._connection.execute(delete(PAUSES).where(PAUSES.c.until < before))

    def _replace(self, table: Table, rows: Sequence[_Row], *which: object) -> None:
        own = table.c.bot == self._bot
        self._connection.execute(delete(table).where(own, *which))  # type: ignore[arg-type]
        if rows:
            self._connection.execute(insert(table), [_values(row) for row in rows])


def _values(row: object) -> dict[str, object]:
    values = {name: getattr(row, name) for name in type(row).__slots__}  # type: ignore[attr-defined]
    side = values.get("side")
    return values | ({"side": side.value} if isinstance(side, Side) else {})
