"""Files of trades into flow bars, a day at a time: what was begun goes on where it stopped.

Each day is one transaction, and depends on the day before by no more than its last id and
price, which are in the file. So a build may be broken off at any time, and the next one
leaves out the days that are proven complete.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
from sqlalchemy import func, select

from hydra_ft.bars.flow import FlowFolder
from hydra_ft.errors import DataError
from hydra_ft.store.flow_coverage import is_covered
from hydra_ft.store.flow_grids import fits, grid_of
from hydra_ft.store.flow_schema import FLOW_BARS, FOOTPRINTS
from hydra_ft.types import Feed
from hydra_ft.types.flow import NO_ID, UNKNOWN, Trades

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hydra_ft.store.database import Database
    from hydra_ft.store.flow import FlowStore
    from hydra_ft.types import IntArray
    from hydra_ft.types.flow import Flow, TradeGrid

DAY_MS: Final = 86_400_000
AT_ONCE: Final = 3_000_000
"""Trades that are read at a time, unless a single day has more."""
CONTIGUOUS: Final = frozenset({"binance", "binanceus", "binanceusdm", "binancecoinm"})
"""Exchanges whose trades, as ccxt fetches them, have ids without holes."""


class Files(Protocol):
    """Files of trades (``adapter.trade_files.TradeFiles``)."""

    def stamps(self, pair: str) -> IntArray:
        """Return the times of all trades of a pair (UTC ms), in order."""

    def trades(self, pair: str, start: int, stop: int) -> Trades:
        """Return the trades of a pair from ``start`` to before ``stop``, in order."""


@dataclass(frozen=True, slots=True)
class Day:
    """A UTC day of a file: what of it the file covers, and how many trades it has.

    ``goes_on_from`` is the time of the last trade of the day before, or of the first of this
    one where the file covers no end of a day before.
    """

    start: int
    begin: int
    end: int
    trades: int
    goes_on_from: int


@dataclass(frozen=True, slots=True)
class Built:
    """A day that is done: ``bars`` written, 0 where it was proven complete before."""

    day: Day
    bars: int


class FlowBuild:
    """Builds flow bars of one exchange from files.

    ``step_ms`` and ``sub_ms`` are the lengths of bars and sub-bars; ``grid`` overrides the
    one that is known of the pair or read off its trades. Sub-bars and footprints that open
    before ``sub_bars_from`` and ``footprints_from`` (UTC ms) need not be there for a day to be
    done: they are older than they are kept.

    Raises DataError for a length that does not divide the day.
    """

    def __init__(
        self,
        database: Database,
        store: FlowStore,
        files: Files,
        *,
        step_ms: int = 60_000,
        sub_ms: int = 10_000,
        grid: TradeGrid | None = None,
        sub_bars_from: int = 0,
        footprints_from: int = 0,
    ) -> None:
        if step_ms <= 0 or DAY_MS % step_ms:
            raise DataError(f"step_ms: expected a divisor of a day, was {step_ms}")
        self._database, self._store, self._files = database, store, files
        self._step_ms, self._sub_ms, self._wanted = step_ms, sub_ms, grid
        self._sub_bars_from, self._footprints_from = sub_bars_from, footprints_from
        self._contiguous = store.markets.exchange in CONTIGUOUS

    def days(self, pair: str) -> list[Day]:
        """Return the days in which a file has trades, oldest first.

        The file is taken to be whole between days that follow each other, and from its first
        trade to its last; where a day has no trade at all, only between those beside it.
        """
        stamps = self._files.stamps(pair)
        starts, counts = np.unique(stamps // DAY_MS * DAY_MS, return_counts=True)
        edges = np.concatenate(([0], np.cumsum(counts))).tolist()
        present = set(starts.tolist())
        found = []
        for i, (start, count) in enumerate(zip(starts.tolist(), counts.tolist(), strict=True)):
            first, last = int(stamps[edges[i]]), int(stamps[edges[i + 1] - 1])
            goes_on = start - DAY_MS in present
            begin, before = (start, int(stamps[edges[i] - 1])) if goes_on else (first, first)
            end = start + DAY_MS if start + DAY_MS in present else last + 1
            found.append(Day(start, begin, end, count, before))
        return found

    def run(self, pair: str, days: Sequence[Day], *, anew: bool = False) -> Iterator[Built]:
        """Build days of a pair, and yield each when it is in the database.

        ``anew`` builds the days too that are proven complete.
        """
        market = self._store.markets.number(pair)
        grid = self._wanted or self._known_grid(pair)
        wanted = []
        for day in days:
            if not anew and self._is_done(market, day):
                yield Built(day, 0)
            else:
                wanted.append(day)
        for group in _groups(wanted):
            trades = self._files.trades(pair, group[0].goes_on_from, group[-1].start + DAY_MS)
            for day in group:
                first, stop = np.searchsorted(trades.time, [day.start, day.start + DAY_MS])
                part = trades.part(int(first), int(stop))
                grid = self._grid_for(part, grid)
                flow = self._folded(day, part, trades.part(None, int(first)), grid)
                self._store.put([(pair, flow)])
                yield Built(day, len(flow.bars))

    def _is_done(self, market: int, day: Day) -> bool:
        sub = self._sub_ms
        begin, end = -(-day.begin // sub) * sub, day.end // sub * sub
        with self._database.transaction() as connection:
            done = is_covered(connection, market, Feed.TRADES, begin, end)
        # Of bars of other lengths the same day may be proven too.
        if not (done and self._store.has_bar(market, self._step_ms, day.start, day.end)):
            return False
        # What had been kept too short a time is gone, the oldest first; it may be wanted again.
        if begin < end and begin >= self._sub_bars_from:
            done = self._store.has_bar(market, sub, begin, begin + sub)
        return done and (day.start < self._footprints_from or self._has_footprints(market, day))

    def _has_footprints(self, market: int, day: Day) -> bool:
        """Whether the first bar of a day in which anything traded has its footprint."""
        with self._database.transaction() as connection:
            first, first_cells = (
                connection.execute(
                    select(func.min(table.c.time))
                    .where(table.c.market == market, table.c.step_ms == self._step_ms)
                    .where(table.c.time >= day.start, table.c.time < day.end, *more)
                ).scalar_one()
                for table, more in ((FLOW_BARS, (FLOW_BARS.c.count > 0,)), (FOOTPRINTS, ()))
            )
        return bool(first == first_cells)

    def _known_grid(self, pair: str) -> TradeGrid | None:
        found = self._store.last(pair, self._step_ms, 1)
        return None if found is None else found.grid

    def _grid_for(self, part: Trades, grid: TradeGrid | None) -> TradeGrid:
        """Grid of the pair as long as its trades lie on it."""
        if grid is not None and (self._wanted or fits(grid, part.price, part.quantity)):
            return grid
        return grid_of(part.price, part.quantity)

    def _folded(self, day: Day, part: Trades, before: Trades, grid: TradeGrid) -> Flow:
        goes_on = day.begin == day.start and len(before) > 0
        last_id = int(before.id.max()) if goes_on and self._contiguous else NO_ID
        if last_id >= int(part.id.min()):
            last_id = NO_ID  # not in the order of the ids: what came before proves nothing
        price = UNKNOWN
        if goes_on:
            price = int(np.rint(before.price[-1] * grid.ticks_per_quote))
        folder = FlowFolder(
            grid,
            self._step_ms,
            self._sub_ms,
            covered_from=day.begin,
            contiguous_ids=self._contiguous,
            last_id=last_id,
            last_price_ticks=price,
        )
        folder.fold(part)
        return folder.finish(day.end)


def _groups(days: Sequence[Day]) -> Iterator[list[Day]]:
    """Days that are read together: neighbours, as long as there is room."""
    group: list[Day] = []
    for day in days:
        full = sum(one.trades for one in group) + day.trades > AT_ONCE
        if group and (full or group[-1].start + DAY_MS != day.start):
            yield group
            group = []
        group.append(day)
    if group:
        yield group
