"""Liquidations, open interest and funding, kept by exchange and pair.

What a vendor says stands beside what the exchange said, never over it: ``source`` tells them
apart. A side is that of the position (F-A7): a long is one that was closed by force.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from hydra_ft.store.flow_coverage import OWN, Proof, Stretch, cover
from hydra_ft.store.flow_schema import (
    FUNDING,
    LIQUIDATION_MINUTES,
    LIQUIDATIONS,
    OPEN_INTEREST,
)
from hydra_ft.store.flow_upsert import upsert
from hydra_ft.types import Feed, Side

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy import Connection, Select, Table

    from hydra_ft.store.database import Database
    from hydra_ft.store.flow_markets import Markets
    from hydra_ft.types import FloatArray, IntArray

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Liquidated:
    """A position that was closed by force: price in quote, quantity in base currency."""

    time: int
    side: Side
    price: float
    quantity: float


@dataclass(frozen=True, slots=True)
class Series:
    """Values by time (UTC ms), oldest first, ``columns`` of shape (n,) each."""

    time: IntArray
    columns: dict[str, FloatArray]

    def __len__(self) -> int:
        return int(self.time.shape[0])


def put_liquidations(connection: Connection, market: int, events: Collection[Liquidated]) -> None:
    """Write events, and sum up the minutes in which they lie.

    Venues give liquidations no id: events that are alike in everything count as often as the
    batch holds them, and the same batch again changes nothing.
    """
    seen: Counter[Liquidated] = Counter()
    rows: list[dict[str, Any]] = []
    for event in events:
        rows.append(
            {
                "market": market,
                "time": event.time,
                "side": event.side.value,
                "price": event.price,
                "quantity": event.quantity,
                "nth": seen[event],
                "notional": event.price * event.quantity,
            }
        )
        seen[event] += 1
    upsert(connection, LIQUIDATIONS, rows)
    for minute in sorted({event.time // MINUTE_MS * MINUTE_MS for event in events}):
        _sum_up(connection, market, minute)


def _sum_up(connection: Connection, market: int, minute: int) -> None:
    table = LIQUIDATIONS.c
    query = select(table.side, table.notional).where(
        table.market == market, table.time >= minute, table.time < minute + MINUTE_MS
    )
    sums = dict.fromkeys((Side.LONG.value, Side.SHORT.value), 0.0)
    for row in connection.execute(query.order_by(*LIQUIDATIONS.primary_key)):
        sums[row.side] += row.notional
    put_minutes(connection, market, [(minute, sums[Side.LONG.value], sums[Side.SHORT.value])], OWN)


def put_minutes(
    connection: Connection,
    market: int,
    sums: Iterable[tuple[int, float, float]],
    source: str,
    step_ms: int = MINUTE_MS,
) -> None:
    """Write what was liquidated from a time on, for ``step_ms``: longs, shorts (quote)."""
    rows = [
        {
            "market": market,
            "source": source,
            "time": time,
            "step_ms": step_ms,
            "long_notional": longs,
            "short_notional": shorts,
        }
        for time, longs, shorts in sums
    ]
    upsert(connection, LIQUIDATION_MINUTES, rows)


def stepped(source: str, step_ms: int) -> str:
    """Name under which sums of an interval are kept: a vendor's minutes bear its own name alone.

    Two intervals have times in common, and sums and coverage of one say nothing of the other.
    """
    return source if step_ms == MINUTE_MS else f"{source}/{step_ms // 1_000}s"


class DerivativesStore:
    """Liquidations, open interest and funding of the pairs of one exchange."""

    def __init__(self, database: Database, markets: Markets) -> None:
        self._database = database
        self._markets = markets

    def put_liquidation_history(
        self,
        pair: str,
        source: str,
        sums: Collection[tuple[int, float, float]],
        *,
        covered: tuple[int, int] | None,
        step_ms: int = MINUTE_MS,
    ) -> None:
        """Keep what a vendor says of the minutes; ``covered`` is whole according to it.

        Other intervals than minutes are kept beside these, see ``stepped``.
        """
        market, source = self._markets.number(pair), stepped(source, step_ms)
        with self._database.transaction() as connection:
            put_minutes(connection, market, sums, source, step_ms)
            if covered is not None:
                proof = Proof(market, Feed.LIQUIDATIONS, Stretch(*covered), source)
                cover(connection, [proof])

    def put_open_interest(
        self,
        pair: str,
        source: str,
        values: Collection[tuple[int, float | None, float | None]],
        *,
        step_ms: int,
    ) -> None:
        """Keep open interest as it was at a time: in base and in quote currency, or None.

        Values that are no farther apart than ``step_ms`` cover the time between them.
        """
        market = self._markets.number(pair)
        names = ("time", "amount", "value")
        head = {"market": market, "source": source}
        rows = [head | dict(zip(names, row, strict=True)) for row in values]
        times = sorted(row[0] for row in values)
        stretches = _joined(times, step_ms)
        with self._database.transaction() as connection:
            upsert(connection, OPEN_INTEREST, rows)
            cover(connection, [Proof(market, Feed.OPEN_INTEREST, one, source) for one in stretches])

    def put_funding(self, pair: str, rates: Collection[tuple[int, float]]) -> None:
        """Keep settled rates by the time of their settlement."""
        market = self._markets.number(pair)
        rows = [{"market": market, "time": time, "rate": rate} for time, rate in rates]
        with self._database.transaction() as connection:
            upsert(connection, FUNDING, rows)

    def liquidation_minutes(
        self, pair: str, start: int, stop: int, source: str = OWN, step_ms: int = MINUTE_MS
    ) -> Series:
        """Return ``long_notional`` and ``short_notional`` of intervals in which any was.

        What is not there is 0 where the feed is covered, and unknown where it is not.
        """
        table = LIQUIDATION_MINUTES
        names = ("long_notional", "short_notional")
        query = self._within(table, names, pair, start, stop)
        name = stepped(source, step_ms)
        query = query.where(table.c.source == name, table.c.step_ms == step_ms)
        return self._series(query, names)

    def open_interest(self, pair: str, start: int, stop: int, source: str = OWN) -> Series:
        """Return ``amount`` (base) and ``value`` (quote) by time, NaN where one is unknown."""
        names = ("amount", "value")
        query = self._within(OPEN_INTEREST, names, pair, start, stop)
        return self._series(query.where(OPEN_INTEREST.c.source == source), names)

    def funding(self, pair: str, start: int, stop: int) -> Series:
        """Return the settled ``rate`` by the time of settlement."""
        return self._series(self._within(FUNDING, ("rate",), pair, start, stop), ("rate",))

    def events(self, pair: str, start: int, stop: int) -> list[Liquidated]:
        """Return the liquidations within an interval (``stop`` exclusive), oldest first."""
        names = ("side", "price", "quantity")
        query = self._within(LIQUIDATIONS, names, pair, start, stop)
        with self._database.transaction() as connection:
            return [
                Liquidated(row.time, Side(row.side), row.price, row.quantity)
                for row in connection.execute(query.order_by(*LIQUIDATIONS.primary_key))
            ]

    def _within(
        self, table: Table, names: Collection[str], pair: str, start: int, stop: int
    ) -> Select[Any]:
        market = self._markets.find(pair)
        columns = [table.c[name] for name in ("time", *names)]
        return (
            select(*columns)
            .where(table.c.market == (-1 if market is None else market))
            .where(table.c.time >= start, table.c.time < stop)
        )

    def _series(self, query: Select[Any], names: Collection[str]) -> Series:
        with self._database.transaction() as connection:
            rows = connection.execute(query.order_by("time")).all()
        columns = list(zip(*rows, strict=True)) if rows else [()] * (len(names) + 1)
        return Series(
            time=np.array(columns[0], dtype=np.int64),
            columns={
                name: np.array(column, dtype=np.float64)
                for name, column in zip(names, columns[1:], strict=True)
            },
        )


def _joined(times: Sequence[int], step_ms: int) -> list[Stretch]:
    """Stretches between times that are no farther apart than a step, as few as there are."""
    torn = [i + 1 for i, (a, b) in enumerate(pairwise(times)) if b - a > step_ms]
    edges = [0, *torn, len(times)]
    return [Stretch(times[i], times[j - 1]) for i, j in pairwise(edges) if j > i]
