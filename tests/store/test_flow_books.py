"""Rows of the book in every shape: read together, found by their time, in their own steps."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.flow_reference import START
from bars.made_book import GRID, cut, walk
from sqlalchemy import select, update

from hydra_ft.errors import StoreError
from hydra_ft.store.flow_books import BookStore, put_books
from hydra_ft.store.flow_markets import Markets
from hydra_ft.store.flow_schema import BOOKS
from hydra_ft.types import BookSamples
from hydra_ft.types.flow import TradeGrid

if TYPE_CHECKING:
    from hydra_ft.store.database import Database

BTC = "BTC/USDT:USDT"
DAY_MS = 86_400_000
FROM = START - 20_000
WHOLE = walk(n=30)


@pytest.fixture
def books(database: Database) -> BookStore:
    return BookStore(database, Markets(database, "binance"))


def put(database: Database, samples: BookSamples, grid: TradeGrid = GRID) -> None:
    markets = Markets(database, "binance")
    market, number = markets.number(BTC), markets.grid_number(grid)
    with database.transaction() as connection:
        put_books(connection, market, number, grid, samples)


def moved(samples: BookSamples, times: list[int]) -> BookSamples:
    """The first samples at other times."""
    part = cut(samples, slice(0, len(times)))
    sides = (getattr(part, name) for name in BookSamples.__slots__[1:])
    return BookSamples(np.array(times, dtype=np.int64), *sides)


def test_rows_of_every_shape_are_one_book(database: Database, books: BookStore) -> None:
    """A recorder writes a row a second, now and then two samples; the levels may change."""
    for first, stop in pairwise([0, 1, 2, 3, 5, 6, 8, 9, 30]):
        put(database, cut(WHOLE, slice(first, stop)))
    found = books.between(BTC, 0, START + DAY_MS)
    assert found is not None
    for name in BookSamples.__slots__:
        np.testing.assert_array_equal(getattr(found, name), getattr(WHOLE, name), name)
    late = moved(WHOLE, [START + 40_000, START + 41_000])
    sides = (getattr(late, name)[:, :5] for name in BookSamples.__slots__[1:])
    put(database, BookSamples(late.time, *sides))
    last = books.between(BTC, int(WHOLE.time[-1]), START + DAY_MS)
    assert last is not None
    assert last.time.tolist() == [WHOLE.time[-1], START + 40_000, START + 41_000]
    assert np.isnan(last.ask[1:, 5:]).all()
    assert np.isfinite(last.ask[1:, :5]).all()


def test_rows_that_hold_another_count_are_refused(database: Database, books: BookStore) -> None:
    """Also where one has as many numbers too few as the one beside it has too many."""
    for first, stop in ((0, 1), (1, 3)):
        put(database, cut(WHOLE, slice(first, stop)))
    with database.transaction() as connection:
        rows = connection.execute(select(BOOKS.c.time, BOOKS.c.content)).all()
        for row, other in zip(rows, rows[::-1], strict=True):
            swapped = update(BOOKS).where(BOOKS.c.time == row.time)
            connection.execute(swapped.values(samples=2, content=other.content))
    with pytest.raises(StoreError, match="expected 2 samples of 20 levels"):
        books.between(BTC, 0, START + DAY_MS)


def test_a_book_that_stood_for_long_is_found_from_its_middle(
    database: Database, books: BookStore
) -> None:
    """One batch may hold samples an hour apart; a read looks no further back than a row goes."""
    times = [START, START + 599_000, START + 601_000, START + 3_600_000]
    put(database, moved(WHOLE, times))
    for at in times:
        found = books.between(BTC, at, START + DAY_MS)
        assert found is not None
        assert found.time.tolist() == [time for time in times if time >= at]
    with database.transaction() as connection:
        rows = connection.execute(select(BOOKS.c.until - BOOKS.c.time)).scalars().all()
    assert sorted(rows) == [0, 0, 599_000]


def test_the_tick_of_a_book_is_the_finest_that_is_kept(
    database: Database, books: BookStore
) -> None:
    finer = TradeGrid(GRID.tick_size / 10, GRID.lot_size)
    put(database, moved(WHOLE, [START, START + 4_000]))
    put(database, moved(WHOLE, [START + 60_000, START + 64_000]), finer)
    assert books.tick(BTC, START, START + 60_000) == GRID.tick_size
    assert books.tick(BTC, START, START + 60_001) == finer.tick_size
    assert books.tick(BTC, START + 64_001, START + DAY_MS) is None
    assert books.tick("ETH/USDT:USDT", START, START + DAY_MS) is None
