"""Flow bars, their sub-bars and footprints, kept by exchange and pair.

Bars of every length are rows of one table. Of the same interval the row that lacks least is
kept: what a recorder saw in part does not undo what a file gave in full, and the other way
round a file fills what the recorder missed.
"""

from __future__ import annotations

from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import func, select

from hydra_ft.bars.flow_tables import joined_footprints
from hydra_ft.bars.footprint import rebinned
from hydra_ft.store.flow_cells import footprint_blobs, footprint_from
from hydra_ft.store.flow_coverage import Proof, cover, covered, uncover
from hydra_ft.store.flow_markets import Markets
from hydra_ft.store.flow_proof import as_proven, proven
from hydra_ft.store.flow_rows import (
    COLUMNS,
    bars_of,
    common_grid,
    in_grid,
    rows_of,
    table_of,
    whole,
)
from hydra_ft.store.flow_schema import FLOW_BARS, FOOTPRINTS
from hydra_ft.store.flow_upsert import upsert_better
from hydra_ft.types import Feed
from hydra_ft.types.flow import FlowBars, Footprint, TradeGrid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from hydra_ft.store.database import Database
    from hydra_ft.types import IntArray
    from hydra_ft.types.flow import Flow

    Chosen = Callable[[IntArray, Mapping[int, TradeGrid]], TradeGrid]

AT_ONCE = 20_000
"""Rows that are handed to the database together."""


class FlowStore:
    """Flow of the pairs of one exchange."""

    def __init__(self, database: Database, exchange: str) -> None:
        self._database = database
        self.markets = Markets(database, exchange)

    def put(self, flows: Iterable[tuple[str, Flow]]) -> None:
        """Keep what closed of some pairs, all of it or nothing, and what it proves complete."""
        numbered = [
            (flow, self.markets.number(pair), self.markets.grid_number(flow.bars.grid))
            for pair, flow in flows
        ]
        with self._database.transaction() as connection:
            put_flows(connection, numbered)

    def last(
        self, pair: str, step_ms: int, count: int, *, until: int | None = None
    ) -> FlowBars | None:
        """Return the last bars of a pair, at most ``count``; None where none are kept.

        They end with the newest one that is kept, or at ``until``: what is not kept before it
        is uncovered, so that an outage is no calm, and so is what is kept but not proven
        complete. Fewer bars come where fewer are kept, or where an older grid cannot be told
        in the newest one.
        """
        return self._kept(pair, step_ms, count, until, _newest)

    def between(
        self, pair: str, step_ms: int, start: int, stop: int, grid: TradeGrid | None = None
    ) -> FlowBars | None:
        """Return the bars that open within an interval (``stop`` exclusive), as ``last`` does.

        With ``grid`` they are told in that one.
        """
        return self._within(pair, step_ms, start, stop, lambda *_: grid or _newest(*_))

    def told(self, pair: str, step_ms: int, start: int, stop: int) -> FlowBars | None:
        """Return the bars of an interval in the coarsest steps that tell all of them exactly.

        Their sums and prices are those of their own grids, but nothing can be said of bins.
        """

        def common(table: IntArray, grids: Mapping[int, TradeGrid]) -> TradeGrid:
            within = table[table[:, 0] >= start]
            return _common(within if len(within) else table[-1:], grids)

        return self._within(pair, step_ms, start, stop, common)

    def last_told(self, pair: str, step_ms: int, count: int) -> FlowBars | None:
        """Return the last bars as ``last`` does, in steps as those of ``told``."""
        return self._kept(pair, step_ms, count, None, _common)

    def changes(self, pair: str, step_ms: int, start: int, stop: int) -> list[int]:
        """Times of the kept bars within an interval whose grid is not that of the one before."""
        before = func.lag(FLOW_BARS.c.grid).over(order_by=FLOW_BARS.c.time)
        grids = (
            select(FLOW_BARS.c.time, FLOW_BARS.c.grid, before.label("before"))
            .where(FLOW_BARS.c.market == self.markets.find(pair), FLOW_BARS.c.step_ms == step_ms)
            .where(FLOW_BARS.c.time >= start, FLOW_BARS.c.time < stop)
            .subquery()
        )
        query = select(grids.c.time).where(grids.c.grid != grids.c.before).order_by(grids.c.time)
        with self._database.transaction() as connection:
            return [int(time) for time in connection.execute(query).scalars()]

    def _within(
        self, pair: str, step_ms: int, start: int, stop: int, chosen: Chosen
    ) -> FlowBars | None:
        bars = self._kept(pair, step_ms, -(-(stop - start) // step_ms), stop, chosen)
        if bars is None:
            return None
        found = bars_from(bars, int(np.searchsorted(bars.time, start)))
        return found if len(found) else None

    def _kept(
        self, pair: str, step_ms: int, count: int, until: int | None, chosen: Chosen
    ) -> FlowBars | None:
        market = self.markets.find(pair)
        if market is None:
            return None
        end = 1 << 62 if until is None else until // step_ms * step_ms
        query = (
            select(*(FLOW_BARS.c[name] for name in COLUMNS))
            .where(FLOW_BARS.c.market == market, FLOW_BARS.c.step_ms == step_ms)
            .where(FLOW_BARS.c.time < end)
            .order_by(FLOW_BARS.c.time.desc())
            .limit(count)
        )
        with self._database.transaction() as connection:
            rows = connection.execute(query).all()
            if not rows:
                return None
            table = table_of(rows[::-1])
            grids = {n: self.markets.grid(connection, n) for n in np.unique(table[:, 1]).tolist()}
            grid = chosen(table, grids)
            table = in_grid(table, grids, grid)
            if not len(table):
                return None
            bars = bars_of(table, grid, step_ms, count, until)
            begin, stop = int(bars.time[0]), int(bars.time[-1]) + step_ms
            stretches = covered(connection, market, Feed.TRADES, begin, stop)
        return as_proven(bars, stretches)

    def footprint(self, pair: str, bars: FlowBars) -> Footprint:
        """Return the footprint of bars that ``last`` gave; bars without one have no cells.

        Its bins are those of the bars' grid; what cannot be told in these is left out.
        """
        market = self.markets.find(pair)
        empty = _without_cells(bars.grid, len(bars))
        if market is None or not len(bars):
            return empty
        query = (
            select(FOOTPRINTS.c.time, FOOTPRINTS.c.grid, FOOTPRINTS.c.cells)
            .where(FOOTPRINTS.c.market == market, FOOTPRINTS.c.step_ms == bars.step_ms)
            .where(FOOTPRINTS.c.time.between(int(bars.time[0]), int(bars.time[-1])))
            .order_by(FOOTPRINTS.c.time)
        )
        with self._database.transaction() as connection:
            rows = connection.execute(query).all()
            if not rows:
                return empty
            grids = {n: self.markets.grid(connection, n) for n in {row.grid for row in rows}}
        return _spread(rows, grids, bars)

    def has_bar(self, market: int, step_ms: int, start: int, stop: int) -> bool:
        """Whether any bar of a length is kept that opens within an interval."""
        query = (
            select(FLOW_BARS.c.time)
            .where(FLOW_BARS.c.market == market, FLOW_BARS.c.step_ms == step_ms)
            .where(FLOW_BARS.c.time >= start, FLOW_BARS.c.time < stop)
            .limit(1)
        )
        with self._database.transaction() as connection:
            return connection.execute(query).first() is not None


def _newest(table: IntArray, grids: Mapping[int, TradeGrid]) -> TradeGrid:
    return grids[int(table[-1, 1])]


def _common(table: IntArray, grids: Mapping[int, TradeGrid]) -> TradeGrid:
    return common_grid([grids[number] for number in np.unique(table[:, 1]).tolist()])


def put_flows(connection: Connection, flows: Sequence[tuple[Flow, int, int]]) -> None:
    """Write flow with the numbers of its market and grid, and what it proves complete."""
    rows = (
        row
        for flow, market, grid in flows
        for bars in (flow.bars, flow.sub_bars)
        for row in rows_of(bars, market, grid)
    )
    while part := list(islice(rows, AT_ONCE)):
        upsert_better(connection, FLOW_BARS, part)
    cells = [row for one in flows for row in _footprint_rows(*one)]
    upsert_better(connection, FOOTPRINTS, cells)
    doubts = []
    proofs = []
    for flow, market, _grid in flows:
        if len(flow.sub_bars):
            stretches, is_doubtful = proven(flow.sub_bars)
            proofs += [Proof(market, Feed.TRADES, one) for one in stretches]
            doubts += [(flow.sub_bars, market)] * is_doubtful
    cover(connection, proofs)
    for bars, market in doubts:
        since = _last_trade(connection, bars, market)
        uncover(connection, market, Feed.TRADES, since, int(bars.time[0]))


def bars_from(bars: FlowBars, start: int) -> FlowBars:
    """Flow bars without the first ``start``."""
    if not start:
        return bars
    names = [name for name in FlowBars.__slots__ if name not in ("grid", "step_ms")]
    return FlowBars(
        grid=bars.grid,
        step_ms=bars.step_ms,
        **{name: getattr(bars, name)[start:] for name in names},
    )


def _footprint_rows(flow: Flow, market: int, grid: int) -> list[dict[str, Any]]:
    bars = flow.bars
    columns = (bars.time, bars.missing_ids, bars.uncovered_ms)
    values = zip(*(column.tolist() for column in columns), strict=True)
    blobs = footprint_blobs(flow.footprint)
    return [
        {
            "market": market,
            "step_ms": bars.step_ms,
            "time": time,
            "grid": grid,
            "missing_ids": missing,
            "uncovered_ms": uncovered,
            "cells": cells,
        }
        for (time, missing, uncovered), cells in zip(values, blobs, strict=True)
        if cells
    ]


def _last_trade(connection: Connection, bars: FlowBars, market: int) -> int:
    """Time of the last kept bar before these in which something traded, else the one before."""
    before = int(bars.time[0])
    query = (
        select(FLOW_BARS.c.time)
        .where(FLOW_BARS.c.market == market, FLOW_BARS.c.step_ms == bars.step_ms)
        .where(FLOW_BARS.c.time < before, FLOW_BARS.c.count > 0)
        .order_by(FLOW_BARS.c.time.desc())
        .limit(1)
    )
    found = connection.execute(query).scalar_one_or_none()
    return before - bars.step_ms if found is None else int(found)


def _without_cells(grid: TradeGrid, n: int) -> Footprint:
    none = np.zeros(0, dtype=np.int64)
    return Footprint(grid, np.zeros(n + 1, dtype=np.int64), none, none, none)


def _spread(rows: Sequence[Any], grids: dict[int, TradeGrid], bars: FlowBars) -> Footprint:
    """Lay the footprints of rows out over bars, in the bins of their grid."""
    wanted = bars.grid
    parts: list[Footprint] = []
    at = len(bars)
    for number, group in groupby(reversed(rows), key=lambda row: row.grid):
        kept = list(group)[::-1]
        begin = (kept[0].time - int(bars.time[0])) // bars.step_ms
        cells = dict.fromkeys(range(begin, at), b"")
        cells |= {(row.time - int(bars.time[0])) // bars.step_ms: row.cells for row in kept}
        part = _in_bins_of(wanted, footprint_from(list(cells.values()), grids[number]))
        parts.insert(0, _without_cells(wanted, at - begin) if part is None else part)
        at = begin
    return joined_footprints([_without_cells(wanted, at), *parts])


def _in_bins_of(wanted: TradeGrid, part: Footprint) -> Footprint | None:
    """Footprint in the bins and lots of another grid; None where it cannot be told in these."""
    size = wanted.bin_ticks * wanted.tick_size
    bins = whole(size, part.grid.bin_ticks * part.grid.tick_size)
    lots = whole(part.grid.lot_size, wanted.lot_size)
    if not bins or not lots:
        return None
    coarse = part if bins == 1 else rebinned(part, bins)
    return Footprint(wanted, coarse.offsets, coarse.bin, coarse.buy * lots, coarse.sell * lots)
