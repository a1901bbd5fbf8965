"""Folds the trades of a pair on one grid after another: no bar lies on two."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hydra_ft.bars.flow import FlowFolder
from hydra_ft.feeds.normal import on_grid
from hydra_ft.store.flow_rows import in_steps_of
from hydra_ft.types.flow import NO_ID

if TYPE_CHECKING:
    from hydra_ft.feeds.normal import Venue
    from hydra_ft.feeds.recorder_policy import RecorderPolicy
    from hydra_ft.feeds.sink import Resume
    from hydra_ft.types import BoolArray
    from hydra_ft.types.flow import Flow, TradeGrid, Trades


class Start(NamedTuple):
    """What a ``FlowFolder`` begins with; ``contiguous_ids``: ids prove what is missing."""

    step_ms: int
    sub_ms: int
    covered_from: int
    contiguous_ids: bool
    last_id: int
    last_price_ticks: int


class GridFolder:
    """Folds as ``FlowFolder`` does; the steps of prices and quantities may change meanwhile.

    A change waits for the end of the bar that is open: what comes after that moment is held
    until the bar has closed, and is counted on the new grid. ``previous`` is the grid before,
    if there was one; ``wants_previous`` says that trades came which lie on that one only: what
    was ordered before a change may trade long after it.
    """

    def __init__(self, grid: TradeGrid, start: Start, previous: TradeGrid | None = None) -> None:
        self.grid, self.previous, self.wants_previous = grid, previous, False
        self._start = start
        self._folder = self._made(grid, start)
        self._next: TradeGrid | None = None
        self._next_from = 0
        self._held: list[Trades] = []
        self._lost: list[tuple[int, int]] = []
        self._last_id, self._latest = start.last_id, start.covered_from

    @staticmethod
    def _made(grid: TradeGrid, start: Start) -> FlowFolder:
        return FlowFolder(
            grid,
            start.step_ms,
            start.sub_ms,
            covered_from=start.covered_from,
            contiguous_ids=start.contiguous_ids,
            last_id=start.last_id,
            last_price_ticks=start.last_price_ticks,
        )

    @property
    def closed_until(self) -> int:
        """Time (ms) up to which sub-bars have closed."""
        return self._folder.closed_until or 0

    def change(self, named: TradeGrid, latest: int) -> TradeGrid:
        """Take the grid that the venue names from the bar on after ``latest`` (ms) and all so far.

        The grid before is taken where it is wanted, and the venue names no other. Returns the
        grid of the bars to come: that of now while trades of an earlier change are held.
        """
        newest = self._next or self.grid
        grid = named
        if (named.tick_size, named.lot_size) == (newest.tick_size, newest.lot_size):
            is_wanted = self.wants_previous and self._next is None
            grid = self.previous if self.previous and is_wanted else newest
        if self._held or grid == newest:
            return newest
        self.wants_previous = False
        step_ms, last = self._start.step_ms, max(latest, self._latest, self.closed_until)
        self._next, self._next_from = grid, (last // step_ms + 1) * step_ms
        lost, self._lost = self._lost, []
        for start, stop in lost:
            self.lost(start, stop)
        return grid

    # ---- trades

    def look(self, trades: Trades) -> tuple[BoolArray, BoolArray]:
        """Whether each trade lies on the grid of its time, and is in time, shape (n,)."""
        in_time = trades.time >= self.closed_until
        if not len(trades):
            return in_time, in_time
        self._latest = max(self._latest, int(trades.time.max()))
        first = self._first_of_next(trades)
        if first:
            self._last_id = int(trades.id[:first].max())
        fits = on_grid(trades, self.grid)
        if self._next is not None:
            fits[first:] = on_grid(trades.part(first, None), self._next)
            in_time[first:] &= trades.time[first:] >= self._next_from
        self._look_back(trades, ~fits, first)
        return fits, in_time

    def _look_back(self, trades: Trades, odd: BoolArray, first: int) -> None:
        """See whether trades that do not fit their grid lie on the one before."""
        before = self.previous
        if self._next is not None:
            before, odd = self.grid, odd & (np.arange(len(odd)) >= first)
        if before is not None and odd.any():
            self.wants_previous |= bool(on_grid(trades, before)[odd].any())

    def _first_of_next(self, trades: Trades) -> int:
        """Position from which on trades are of the next grid; what comes out of order is late."""
        if self._next is None:
            return len(trades)
        if self._held:
            return 0
        after = trades.time >= self._next_from
        return int(np.argmax(after)) if after.any() else len(trades)

    def fold(self, trades: Trades) -> None:
        """Count trades that are in time, and lie on the grid of their time."""
        first = self._first_of_next(trades)
        self._folder.fold(trades.part(0, first))
        if first < len(trades):
            self._held.append(trades.part(first, None))

    def lost(self, start: int, stop: int) -> None:
        """Mark an interval (ms) in which something is missing, in the bars of both grids."""
        if self._next is not None and stop > self._next_from:
            self._lost.append((max(start, self._next_from), stop))
            stop = self._next_from
        if stop > start:
            self._folder.lost(start, stop)

    # ---- what is handed over

    def advance(self, until: int) -> Flow:
        """Close what ends by ``until``, and not yet what lies on another grid than its first."""
        if self._next is None or until < self._next_from:
            return self._folder.advance(until)
        flow = self._folder.advance(self._next_from)
        self._change_over(self._next, flow)
        return flow

    def finish(self, covered_to: int) -> Flow:
        """Close the bar that is open: the rest of it is uncovered."""
        return self._folder.finish(min(covered_to, self._next_from or covered_to))

    def _change_over(self, grid: TradeGrid, closed: Flow) -> None:
        ticks = int(closed.bars.close_ticks[-1])
        self._start = self._start._replace(
            covered_from=self._next_from,
            last_id=self._last_id,
            last_price_ticks=in_ticks_of(grid, self.grid, ticks),
        )
        self.previous = self.grid
        self.grid, self._next, self._next_from = grid, None, 0
        self._folder = self._made(grid, self._start)
        held, lost, self._held, self._lost = self._held, self._lost, [], []
        for start, stop in lost:
            self._folder.lost(start, stop)
        for trades in held:
            self._folder.fold(trades)


def folder_of(
    venue: Venue, grid: TradeGrid, policy: RecorderPolicy, left: Resume, covered_from: int, now: int
) -> GridFolder:
    """Folder of a pair that goes on from where it was left, which may be on another grid.

    Where that cannot be told in the new one, the bar that is open ``now`` (ms) lies on it still:
    what was missed is fetched, and has its prices.
    """
    before = left.grid or grid
    goes_on_before = covered_from < now and in_steps_of(grid, before) is None
    first = before if goes_on_before else grid
    start = Start(
        policy.step_ms,
        policy.sub_ms,
        covered_from,
        venue.has_id_ranges and not venue.bunches_trades,
        left.last_id if venue.has_id_ranges else NO_ID,
        in_ticks_of(first, before, left.last_price_ticks),
    )
    folder = GridFolder(first, start, before if before != first else None)
    if goes_on_before:
        folder.change(grid, now)
    return folder


def in_ticks_of(grid: TradeGrid, other: TradeGrid, ticks: int) -> int:
    """Give a price in ticks of another grid in those of ``grid``, the nearest there is."""
    if ticks < 0 or grid.tick_size == other.tick_size:
        return ticks
    return max(1, round(ticks * other.tick_size / grid.tick_size))
