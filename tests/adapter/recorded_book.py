"""Books of a second each in a Hydra database, as a recorder writes them, and trades with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from adapter.recorded_tape import PAIR, START

from hydra_ft.bars.flow_trades import trades_from
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.flow_books import put_books
from hydra_ft.store.flow_coverage import Proof, Stretch, cover
from hydra_ft.types import BookSamples, Feed
from hydra_ft.types.flow import TradeGrid

if TYPE_CHECKING:
    from hydra_ft.store.database import Database
    from hydra_ft.types.flow import Trades

GRID = TradeGrid(0.1, 0.1, 10)
LEVELS = 12


def walk(n: int, start: int = START, seed: int = 1) -> BookSamples:
    """A book a second, on ticks of 0.1; now and then it jumps over nine levels."""
    random = np.random.default_rng(seed)
    moves = random.choice([-1, 0, 0, 0, 1], n) + random.choice([-9, 0, 9], n, p=[0.02, 0.96, 0.02])
    best = 600_000 + np.cumsum(moves)
    below, above = np.arange(LEVELS), np.arange(LEVELS) + random.choice([1, 1, 2], n)[:, None]
    sizes = random.integers(1, 60, (2, n, LEVELS)) / 10
    time = start + 1_000 * np.arange(n) + random.integers(0, 300, n)
    bid, ask = (best[:, None] - below) / 10, (best[:, None] + above) / 10
    return BookSamples(time, bid, sizes[0], ask, sizes[1])


def cut(samples: BookSamples, start: int, stop: int) -> BookSamples:
    """Samples from a time on, up to another (exclusive)."""
    rows = slice(*np.searchsorted(samples.time, (start, stop)).tolist())
    return BookSamples(*(getattr(samples, name)[rows] for name in BookSamples.__slots__))


def trades_through(samples: BookSamples) -> Trades:
    """A trade a second at the best price, a large one through the levels where it jumps."""
    n, random = len(samples), np.random.default_rng(2)
    jump = np.diff(samples.bid[:, 0], prepend=samples.bid[0, 0])
    side = np.where(jump > 0.5, 1, np.where(jump < -0.5, -1, random.choice([-1, 1], n)))
    price = np.where(side > 0, samples.ask[:, 0], samples.bid[:, 0])
    size = np.where(np.abs(jump) > 0.5, 40.0, 0.1)
    return trades_from(np.arange(n) + 1, samples.time, price, size, side)


def record_book(
    database: Database, samples: BookSamples, start: int, stop: int, grid: TradeGrid = GRID
) -> None:
    """Write the samples of an interval in rows of some seconds, and that the feed stood."""
    markets = FlowStore(database, "binance").markets
    market, number, part = (
        markets.number(PAIR),
        markets.grid_number(grid),
        cut(samples, start, stop),
    )
    with database.transaction() as connection:
        for at in range(start, stop, 7_000):
            put_books(connection, market, number, grid, cut(part, at, at + 7_000))
        cover(connection, [Proof(market, Feed.BOOK, Stretch(start, stop))])


def record_trades(database: Database, trades: Trades, start: int, stop: int) -> None:
    """Write the trades of an interval."""
    first, last = np.searchsorted(trades.time, (start, stop)).tolist()
    flow = flow_of(trades.part(first, last), GRID, 60_000, covered=(start, stop))
    FlowStore(database, "binance").put([(PAIR, flow)])
