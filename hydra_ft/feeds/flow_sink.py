"""The sink of a recorder that keeps everything in the Hydra database."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.feeds.sink import Resume
from hydra_ft.store.flow import FlowStore, put_flows
from hydra_ft.store.flow_books import put_books
from hydra_ft.store.flow_coverage import (
    Gap,
    Proof,
    Stretch,
    cover,
    hold,
    put_gaps,
    uncover,
    uncover_gaps,
)
from hydra_ft.store.flow_derivatives import Liquidated, put_liquidations
from hydra_ft.store.flow_grids import fits, grid_of
from hydra_ft.store.flow_resumption import resumption
from hydra_ft.store.flow_retention import Retention, forget_old
from hydra_ft.types.samples import BookSamples

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from hydra_ft.feeds.sink import Batch, BookSample, FeedGap, PairFlow
    from hydra_ft.store.database import Database
    from hydra_ft.types import FloatArray
    from hydra_ft.types.flow import TradeGrid

HOUR_MS = 3_600_000
PAUSE_S = 0.02
"""Rest between two transactions that drop what is old."""


class FlowSink:
    """Writes each batch in one transaction; the same batch again changes nothing.

    ``step_ms`` is the length of the bars by which ``resume`` finds its place. Trades prove
    themselves by their ids, other feeds are proven as far as the recorder says that they
    stood, but for the gaps that it tells. What is older than ``retention`` allows is dropped
    once an hour of recorded time. With ``owns_database`` closing the sink closes the database.
    """

    def __init__(
        self,
        database: Database,
        *,
        step_ms: int = 60_000,
        retention: Retention | None = None,
        owns_database: bool = True,
    ) -> None:
        self._database = database
        self._step_ms = step_ms
        self._retention = retention or Retention()
        self._owns = owns_database
        self._stores: dict[str, FlowStore] = {}
        self._grids: dict[tuple[str, str], TradeGrid] = {}
        self._swept_at = self._newest = self._began = 0

    def resume(self, venue: str, pair: str) -> Resume | None:
        """Where the flow of a pair was left, None where there is none."""
        found = resumption(self._database, self._store(venue), pair, self._step_ms)
        if found is None:
            return None
        grid = self._grids[venue, pair] = found.grid
        return Resume(
            last_id=found.last_id,
            last_price_ticks=found.last_price_ticks,
            closed_until=found.closed_until,
            bin_size=grid.bin_ticks * grid.tick_size,
            grid=grid,
        )

    def write(self, batch: Batch) -> None:
        """Keep a batch as a whole or not at all; raises StoreError where it cannot be kept.

        Raw trades are not kept here.
        """
        flows = [
            (one.flow, self._market(one.venue, one.pair), self._flow_grid(one))
            for one in batch.flows
        ]
        books = [
            (*self._book_grid(venue, pair, samples), self._market(venue, pair), samples)
            for (venue, pair), samples in _by_pair(batch.books).items()
        ]
        events = defaultdict(list)
        for told in batch.liquidations:
            event = Liquidated(told.time, told.side, told.price, told.quantity)
            events[self._market(told.venue, told.pair)].append(event)
        standing = [
            Proof(self._market(one.venue, one.pair), one.feed, Stretch(one.start, one.stop))
            for one in batch.covered
        ]
        gaps = [(self._market(gap.venue, gap.pair), gap) for gap in batch.gaps]
        touched = {market for _, market, _ in flows} | {market for market, _ in gaps}
        touched |= {proof.market for proof in standing}
        with self._database.transaction() as connection:
            # All at once, in the order in which a sweep takes them: none waits for the other.
            hold(connection, touched)
            put_flows(connection, flows)
            for number, book_grid, market, samples in books:
                put_books(connection, market, number, book_grid, samples)
            for market, found in events.items():
                put_liquidations(connection, market, found)
            for market, gap in gaps:
                _put_gap(connection, market, gap)
            # What a gap made doubtful stays so, be it told of before, now or later.
            cover(connection, standing)
            uncover_gaps(connection, standing)
        self._sweep(batch)

    def close(self) -> None:
        """Give back the connections, if they are the sink's own."""
        if self._owns:
            self._database.close()

    def _store(self, venue: str) -> FlowStore:
        if venue not in self._stores:
            self._stores[venue] = FlowStore(self._database, venue)
        return self._stores[venue]

    def _market(self, venue: str, pair: str) -> int:
        return self._store(venue).markets.number(pair)

    def _flow_grid(self, one: PairFlow) -> int:
        grid = one.flow.bars.grid
        self._grids[one.venue, one.pair] = grid
        return self._store(one.venue).markets.grid_number(grid)

    def _book_grid(self, venue: str, pair: str, samples: BookSamples) -> tuple[int, TradeGrid]:
        """Grid of the trades if the book lies on it, else one that is read off the book."""
        prices = _known(samples.bid, samples.ask)
        quantities = _known(samples.bid_quantity, samples.ask_quantity)
        grid = self._grids.get((venue, pair))
        if prices.size and (grid is None or not fits(grid, prices, quantities)):
            grid = grid_of(prices, quantities)
        if grid is None:  # no level at all, so that any grid tells it
            grid = grid_of(np.ones(1), np.ones(1))
        return self._store(venue).markets.grid_number(grid), grid

    def _sweep(self, batch: Batch) -> None:
        # By the times of the venue: a clock of this machine that is ahead shall delete nothing.
        traded = [one.flow.sub_bars.time[one.flow.sub_bars.count > 0] for one in batch.flows]
        told = [int(times[-1]) for times in traded if len(times)]
        self._newest = max([self._newest, *told])
        stood = max((one.stop for one in batch.covered), default=0)
        self._began = self._began or stood
        # Who records no trades has no other time than this machine's.
        now = self._newest or (stood if stood - self._began >= HOUR_MS else 0)
        if now - self._swept_at >= HOUR_MS:
            # Even if it fails: what cannot be dropped now is no reason to write nothing for long.
            self._swept_at = now
            forget_old(self._database, now, self._retention, _let_others_write)


def _let_others_write() -> None:
    """Wait so long that who waits for an SQLite file gets his turn."""
    time.sleep(PAUSE_S)


def _put_gap(connection: Connection, market: int, gap: FeedGap) -> None:
    told = Gap(gap.start, gap.stop, gap.reason.value, gap.missing, gap.first_id, gap.last_id)
    put_gaps(connection, market, gap.feed, [told])
    if gap.missing:
        uncover(connection, market, gap.feed, gap.start, gap.stop)


def _known(*sides: FloatArray) -> FloatArray:
    """Prices, or quantities, of all levels that are there, shape (n,)."""
    values = np.concatenate([side.ravel() for side in sides])
    found: FloatArray = values[np.isfinite(values) & (values > 0)]
    return found


def _by_pair(books: Iterable[BookSample]) -> dict[tuple[str, str], BookSamples]:
    """Samples by venue and pair, oldest first."""
    grouped: dict[tuple[str, str], list[BookSample]] = defaultdict(list)
    for sample in books:
        grouped[sample.venue, sample.pair].append(sample)
    return {
        key: _samples(sorted(found, key=lambda one: one.time)) for key, found in grouped.items()
    }


def _samples(found: list[BookSample]) -> BookSamples:
    levels = max(max(len(one.bids), len(one.asks)) for one in found)
    sides = np.full((2, len(found), levels, 2), np.nan)
    for i, one in enumerate(found):
        sides[0, i, : len(one.bids)] = one.bids
        sides[1, i, : len(one.asks)] = one.asks
    bids, asks = sides
    return BookSamples(
        time=np.array([one.time for one in found], dtype=np.int64),
        bid=bids[..., 0],
        bid_quantity=bids[..., 1],
        ask=asks[..., 0],
        ask_quantity=asks[..., 1],
    )
