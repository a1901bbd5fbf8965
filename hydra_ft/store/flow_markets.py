"""Numbers of markets and grids: rows carry them instead of the names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from hydra_ft.errors import StoreError
from hydra_ft.store.flow_schema import GRIDS, MARKETS
from hydra_ft.store.flow_upsert import insert_new
from hydra_ft.types.flow import TradeGrid

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

    from hydra_ft.store.database import Database


class Markets:
    """Pairs of one exchange by number, and grids; both are remembered once they are known.

    What a transaction made that was undone is not remembered: numbers are given and read in
    transactions of their own.
    """

    def __init__(self, database: Database, exchange: str) -> None:
        self._database = database
        self.exchange = exchange
        self._numbers: dict[str, int] = {}
        self._grids: dict[int, TradeGrid] = {}
        self._grid_numbers: dict[TradeGrid, int] = {}

    def number(self, pair: str) -> int:
        """Return the number of a pair, given to it now if it has none."""
        if (known := self.find(pair)) is not None:
            return known
        with self._database.transaction() as connection:
            insert_new(connection, MARKETS, [{"exchange": self.exchange, "pair": pair}])
        found = self.find(pair)
        if found is None:
            raise StoreError(f"expected {pair} in hydra_markets after it was written, was absent")
        return found

    def find(self, pair: str) -> int | None:
        """Return the number of a pair, None where nothing of it has ever been kept."""
        if pair not in self._numbers:
            query = select(MARKETS.c.id).where(
                MARKETS.c.exchange == self.exchange, MARKETS.c.pair == pair
            )
            with self._database.transaction() as connection:
                found = connection.execute(query).scalar_one_or_none()
            if found is None:
                return None
            self._numbers[pair] = int(found)
        return self._numbers[pair]

    def found(self, pairs: Collection[str]) -> dict[str, int]:
        """Return the numbers of the pairs of which anything has ever been kept, in one query."""
        if unknown := sorted(set(pairs).difference(self._numbers)):
            query = select(MARKETS.c.pair, MARKETS.c.id).where(
                MARKETS.c.exchange == self.exchange, MARKETS.c.pair.in_(unknown)
            )
            with self._database.transaction() as connection:
                rows = connection.execute(query).all()
            self._numbers.update((row.pair, int(row.id)) for row in rows)
        return {pair: self._numbers[pair] for pair in pairs if pair in self._numbers}

    def pairs(self) -> list[str]:
        """Return the pairs of which anything has ever been kept, by name."""
        query = select(MARKETS.c.pair).where(MARKETS.c.exchange == self.exchange)
        with self._database.transaction() as connection:
            return sorted(connection.execute(query).scalars())

    def grid_number(self, grid: TradeGrid) -> int:
        """Return the number of a grid, given to it now if it has none."""
        if grid not in self._grid_numbers:
            values = {
                "tick_size": grid.tick_size,
                "lot_size": grid.lot_size,
                "bin_ticks": int(grid.bin_ticks),
            }
            where = [GRIDS.c[name] == value for name, value in values.items()]
            with self._database.transaction() as connection:
                insert_new(connection, GRIDS, [values])
                number = connection.execute(select(GRIDS.c.id).where(*where)).scalar_one()
            self._grid_numbers[grid] = int(number)
        return self._grid_numbers[grid]

    def grid(self, connection: Connection, number: int) -> TradeGrid:
        """Return the grid of a number."""
        if number not in self._grids:
            row = connection.execute(select(GRIDS).where(GRIDS.c.id == number)).one()
            self._grids[number] = TradeGrid(row.tick_size, row.lot_size, row.bin_ticks)
        return self._grids[number]


def exchanges(database: Database) -> list[str]:
    """Return the exchanges of which anything has ever been kept, by name."""
    with database.transaction() as connection:
        return sorted(connection.execute(select(MARKETS.c.exchange).distinct()).scalars())
