"""Samples of the order book, packed by the batch: what the batch before holds is not repeated.

Levels are whole ticks and lots of the grid of the pair. Of the first sample of a batch the
best prices are written in full, of those after it the way from the one before; each deeper
level is written as its distance to the level above it. All of it is then deflated.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select

from hydra_ft.errors import StoreError
from hydra_ft.store.flow_cells import folded, packed, unfolded, unpacked
from hydra_ft.store.flow_schema import BOOKS
from hydra_ft.store.flow_upsert import upsert
from hydra_ft.types.samples import BookSamples

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from hydra_ft.store.database import Database
    from hydra_ft.store.flow_markets import Markets
    from hydra_ft.types import FloatArray, IntArray
    from hydra_ft.types.flow import TradeGrid

DEFLATION = 6
_ABSENT = 0
"""Lots of a level that the book does not have."""


def put_books(
    connection: Connection, market: int, grid_number: int, grid: TradeGrid, samples: BookSamples
) -> None:
    """Write samples as one row; those of the same first time take the place of earlier ones."""
    if not len(samples):
        return
    row = {
        "market": market,
        "time": int(samples.time[0]),
        "until": int(samples.time[-1]),
        "grid": grid_number,
        "levels": samples.bid.shape[1],
        "samples": len(samples),
        "content": _packed(samples, grid),
    }
    upsert(connection, BOOKS, [row])


class BookStore:
    """Book samples of the pairs of one exchange, for whoever reads them."""

    def __init__(self, database: Database, markets: Markets) -> None:
        self._database = database
        self._markets = markets

    def between(self, pair: str, start: int, stop: int) -> BookSamples | None:
        """Return the samples within an interval (``stop`` exclusive), None without any."""
        market = self._markets.find(pair)
        query = (
            select(BOOKS)
            .where(BOOKS.c.market == market, BOOKS.c.until >= start, BOOKS.c.time < stop)
            .order_by(BOOKS.c.time)
        )
        with self._database.transaction() as connection:
            rows = connection.execute(query).all() if market is not None else []
            parts = [_unpacked(row, self._markets.grid(connection, row.grid)) for row in rows]
        return _joined(parts, start, stop)


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


def _unpacked(row: Row[tuple[object, ...]], grid: TradeGrid) -> BookSamples:
    n, levels = int(row.samples), int(row.levels)
    try:
        content = np.frombuffer(zlib.decompress(row.content), dtype=np.uint8)
    except zlib.error as error:
        raise StoreError(f"hydra_books: expected deflated numbers, was {error}") from error
    numbers, _stops = unpacked(content)
    if numbers.size != n * (1 + 4 * levels):
        raise StoreError(f"hydra_books: expected {n} samples of {levels} levels, was another count")
    shape, size = (n, levels), n * levels
    parts = [numbers[n + i * size : n + (i + 1) * size].reshape(shape) for i in range(4)]
    bid, bid_lots, ask, ask_lots = parts
    return BookSamples(
        time=int(row.time) + np.cumsum(numbers[:n]),
        bid=_prices(unfolded(bid), bid_lots, -1, grid),
        bid_quantity=_quantities(bid_lots, grid),
        ask=_prices(unfolded(ask), ask_lots, 1, grid),
        ask_quantity=_quantities(ask_lots, grid),
    )


def _prices(steps: IntArray, lots: IntArray, sign: int, grid: TradeGrid) -> FloatArray:
    best = np.cumsum(steps[:, :1], axis=0)
    ticks = best + np.concatenate(
        [np.zeros_like(best), sign * np.cumsum(steps[:, 1:], axis=1)], axis=1
    )
    return np.where(lots == _ABSENT, np.nan, grid.prices(ticks))


def _quantities(lots: IntArray, grid: TradeGrid) -> FloatArray:
    return np.where(lots == _ABSENT, np.nan, grid.quantities(lots))


def _joined(parts: list[BookSamples], start: int, stop: int) -> BookSamples | None:
    """Samples of rows as one, each time once, the deepest row deciding how many levels."""
    if not parts:
        return None
    levels = max(part.bid.shape[1] for part in parts)
    time = np.concatenate([part.time for part in parts])
    # Of the same time the one that was written last is kept.
    _times, back = np.unique(time[::-1], return_index=True)
    rows = time.size - 1 - back
    rows = rows[(time[rows] >= start) & (time[rows] < stop)]
    columns = {}
    for name in ("bid", "bid_quantity", "ask", "ask_quantity"):
        wide = [_widened(getattr(part, name), levels) for part in parts]
        columns[name] = np.concatenate(wide)[rows]
    return BookSamples(time=time[rows], **columns) if rows.size else None


def _widened(values: FloatArray, levels: int) -> FloatArray:
    missing = levels - values.shape[1]
    return np.pad(values, ((0, 0), (0, missing)), constant_values=np.nan) if missing else values
