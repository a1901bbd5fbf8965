"""Samples of the order book, packed by the batch: what the batch before holds is not repeated.

Levels are whole ticks and lots of the grid of the pair. Of the first sample of a batch the
best prices are written in full, of those after it the way from the one before; each deeper
level is written as its distance to the level above it. All of it is then deflated. A recorder
writes about a row a second, so that rows of one shape are unpacked together.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from dataclasses import fields
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sqlalchemy import func, select

from hydra_ft.errors import StoreError
from hydra_ft.store.flow_cells import folded, packed, unfolded, unpacked
from hydra_ft.store.flow_schema import BOOKS, GRIDS
from hydra_ft.store.flow_upsert import upsert
from hydra_ft.types.samples import BookSamples

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Row, Select

    from hydra_ft.store.database import Database
    from hydra_ft.store.flow_markets import Markets
    from hydra_ft.types import FloatArray, IntArray
    from hydra_ft.types.flow import TradeGrid

DEFLATION = 6
_ABSENT = 0
"""Lots of a level that the book does not have."""
LONGEST_ROW_MS: Final = 600_000
"""How far apart samples of one row may lie: a row that reaches into an interval is then found
by its first time, and not by reading all rows before."""


def put_books(
    connection: Connection, market: int, grid_number: int, grid: TradeGrid, samples: BookSamples
) -> None:
    """Write samples as one row, those that lie far apart as several.

    A row takes the place of an earlier one of the same first time.
    """
    rows = [
        {
            "market": market,
            "time": int(part.time[0]),
            "until": int(part.time[-1]),
            "grid": grid_number,
            "levels": part.bid.shape[1],
            "samples": len(part),
            "content": _packed(part, grid),
        }
        for part in _parts(samples)
    ]
    upsert(connection, BOOKS, rows)


class BookStore:
    """Book samples of the pairs of one exchange, for whoever reads them."""

    def __init__(self, database: Database, markets: Markets) -> None:
        self._database = database
        self._markets = markets

    def between(self, pair: str, start: int, stop: int) -> BookSamples | None:
        """Return the samples within an interval (``stop`` exclusive), None without any."""
        query = self._within(select(BOOKS), pair, start, stop).order_by(BOOKS.c.time)
        with self._database.transaction() as connection:
            rows = connection.execute(query).all()
            grids = {n: self._markets.grid(connection, n) for n in {row.grid for row in rows}}
        return _joined(_unpacked(rows, grids), start, stop)

    def tick(self, pair: str, start: int, stop: int) -> float | None:
        """Return the finest tick in which samples of an interval are kept, None without any."""
        query = self._within(select(func.min(GRIDS.c.tick_size)), pair, start, stop)
        with self._database.transaction() as connection:
            found = connection.execute(query.where(GRIDS.c.id == BOOKS.c.grid)).scalar_one()
        return None if found is None else float(found)

    def _within(self, query: Select[Any], pair: str, start: int, stop: int) -> Select[Any]:
        """Rows that reach into an interval."""
        market, time = self._markets.find(pair), BOOKS.c.time
        return (
            query.where(BOOKS.c.market == (-1 if market is None else market))
            .where(time >= start - LONGEST_ROW_MS, time < stop)
            .where(BOOKS.c.until >= start)
        )


def _parts(samples: BookSamples) -> list[BookSamples]:
    """Samples in parts that are no longer than a row may be."""
    edges = [0]
    while edges[-1] < len(samples):
        longest = samples.time[edges[-1]] + LONGEST_ROW_MS
        edges.append(int(np.searchsorted(samples.time, longest, side="right")))
    return [_taken(samples, slice(first, stop)) for first, stop in pairwise(edges)]


def _taken(samples: BookSamples, rows: slice | IntArray) -> BookSamples:
    return BookSamples(**{f.name: getattr(samples, f.name)[rows] for f in fields(samples)})


def _packed(samples: BookSamples, grid: TradeGrid) -> bytes:
    numbers = [np.diff(samples.time, prepend=samples.time[0])]
    for prices, quantities, sign in (
        (samples.bid, samples.bid_quantity, -1),
        (samples.ask, samples.ask_quantity, 1),
    ):
        there = np.isfinite(prices) & np.isfinite(quantities)
        ticks = np.rint(np.where(there, prices, 0) * grid.ticks_per_quote).astype(np.int64)
        lots = np.rint(np.where(there, quantities, _ABSENT) * grid.lots_per_base).astype(np.int64)
        best = np.diff(ticks[:, :1], axis=0, prepend=0)
        deeper = sign * np.diff(ticks, axis=1)
        numbers += [folded(np.concatenate([best, deeper], axis=1)).ravel(), lots.ravel()]
    content, _starts = packed(np.concatenate(numbers))
    return zlib.compress(content.tobytes(), DEFLATION)


def _unpacked(
    rows: Sequence[Row[Any]], grids: Mapping[int, TradeGrid]
) -> list[tuple[IntArray, BookSamples]]:
    """Samples of rows, those of one shape together, with the number of the row of each."""
    shapes: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        shapes[row.grid, row.samples, row.levels].append(i)
    return [
        (np.repeat(of, samples), _alike([rows[i] for i in of], grids[grid]))
        for (grid, samples, _levels), of in shapes.items()
    ]


def _alike(rows: Sequence[Row[Any]], grid: TradeGrid) -> BookSamples:
    """Samples of rows that hold as many of them each, with as many levels."""
    n, levels = int(rows[0].samples), int(rows[0].levels)
    numbers = _numbers(rows, n * (1 + 4 * levels))
    sides = numbers[:, n:].reshape(len(rows), 4, n, levels)
    bid, bid_lots, ask, ask_lots = (sides[:, i] for i in range(4))
    begun = np.array([row.time for row in rows], dtype=np.int64)
    shape = (len(rows) * n, levels)
    return BookSamples(
        time=(begun[:, None] + np.cumsum(numbers[:, :n], axis=1)).ravel(),
        bid=_prices(unfolded(bid), bid_lots, -1, grid).reshape(shape),
        bid_quantity=_quantities(bid_lots, grid).reshape(shape),
        ask=_prices(unfolded(ask), ask_lots, 1, grid).reshape(shape),
        ask_quantity=_quantities(ask_lots, grid).reshape(shape),
    )


def _numbers(rows: Sequence[Row[Any]], count: int) -> IntArray:
    """Numbers of rows that hold ``count`` each, shape (rows, count)."""
    try:
        contents = [zlib.decompress(row.content) for row in rows]
    except zlib.error as error:
        raise StoreError(f"hydra_books: expected deflated numbers, was {error}") from error
    numbers, stops = unpacked(np.frombuffer(b"".join(contents), dtype=np.uint8))
    ends = np.cumsum([len(content) for content in contents])
    if numbers.size != count * len(rows) or (stops[count - 1 :: count] != ends).any():
        n, levels = rows[0].samples, rows[0].levels
        raise StoreError(f"hydra_books: expected {n} samples of {levels} levels, was another count")
    return numbers.reshape(len(rows), count)


def _prices(steps: IntArray, lots: IntArray, sign: int, grid: TradeGrid) -> FloatArray:
    """Prices of levels, shape (rows, samples, levels) like the steps to each."""
    best = np.cumsum(steps[..., :1], axis=1)
    deeper = best + sign * np.cumsum(steps[..., 1:], axis=2)
    ticks = np.concatenate([best, deeper], axis=2)
    return np.where(lots == _ABSENT, np.nan, grid.prices(ticks))


def _quantities(lots: IntArray, grid: TradeGrid) -> FloatArray:
    return np.where(lots == _ABSENT, np.nan, grid.quantities(lots))


def _joined(parts: list[tuple[IntArray, BookSamples]], start: int, stop: int) -> BookSamples | None:
    """Samples of rows as one, each time once, the deepest row deciding how many levels."""
    if not parts:
        return None
    levels = max(part.bid.shape[1] for _, part in parts)
    written = np.concatenate([numbers for numbers, _ in parts])
    time = np.concatenate([part.time for _, part in parts])
    # Of the same time the one that was written last is kept.
    order = np.lexsort((written, time))
    last = np.append(np.diff(time[order]) > 0, [True])
    rows = order[last]
    rows = rows[(time[rows] >= start) & (time[rows] < stop)]
    columns = {}
    for name in ("bid", "bid_quantity", "ask", "ask_quantity"):
        wide = [_widened(getattr(part, name), levels) for _, part in parts]
        columns[name] = np.concatenate(wide)[rows]
    return BookSamples(time=time[rows], **columns) if rows.size else None


def _widened(values: FloatArray, levels: int) -> FloatArray:
    missing = levels - values.shape[1]
    return np.pad(values, ((0, 0), (0, missing)), constant_values=np.nan) if missing else values
