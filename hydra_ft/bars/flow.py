"""Trades into flow bars: one fold, the same from a file, a stream, or chunks of any size.

Bars are closed by time, never by the next trade: an interval without trades is a bar with
zero flow and the price carried. Sub-bars close one by one, a bar with the last of its own.
Every sum is of whole ticks and lots, so that the result is the same to the last digit however
the trades are cut; trades that come out of order within an open sub-bar change nothing but the
path of the running delta.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from hydra_ft.bars.flow_closing import close_rows, mark_holes
from hydra_ft.bars.flow_kernels import flush, fold_trades
from hydra_ft.bars.flow_lost import add_interval
from hydra_ft.bars.flow_rows import (
    BLOCK,
    CELLS,
    COLUMNS,
    CONTIGUOUS,
    DONE,
    FLOOR,
    GAPS,
    HIST_BAR,
    HIST_BASE,
    HIST_HIGH,
    HIST_LOW,
    MAX_ID,
    MORE_BINS,
    MORE_CELLS,
    MORE_ROWS,
    MOST,
    NO_LEVEL,
    OFF_LOT,
    OFF_TICK,
    ORIGIN,
    SEEN,
    SEEN_TIME,
    SUB_MS,
    SUBS,
    UNCOVERED,
)
from hydra_ft.bars.flow_tables import Closed, flow_from, refuse_overflow
from hydra_ft.errors import DataError
from hydra_ft.types.flow import NO_ID, UNKNOWN, Flow, TradeGrid, Trades

if TYPE_CHECKING:
    from hydra_ft.types import FloatArray, IntArray

GAP_ROOM: Final = 8_192
"""Runs of missing ids that are remembered; the older half is forgotten when there are more."""
MOST_ROWS: Final = 2_000_000
"""Sub-bars that one call may leave open: beyond it a stray time stamp is likelier than data."""
MOST_BINS: Final = 65_536
"""Levels that the histogram of a bar may span; a price farther off is written down apart."""


class FlowFolder:
    """Folds the trades of one pair, in the order of their arrival, into closed flow bars.

    ``step_ms`` is the length of a bar, ``sub_ms`` that of a sub-bar, a divisor of it;
    ``covered_from`` the time from which on the feed is whole (the first trade's, if it is
    not known). With ``contiguous_ids`` every missing id is counted. To go on after a
    restart, give the ``last_id`` and ``last_price_ticks`` of what was closed before: trades
    up to that id are then known, and ids that were missed in between are counted. Known ids
    with a time newer than all that was counted are of a venue that has begun to count anew.

    Raises DataError for lengths that do not divide each other.
    """

    def __init__(
        self,
        grid: TradeGrid,
        step_ms: int,
        sub_ms: int = 10_000,
        *,
        covered_from: int | None = None,
        contiguous_ids: bool = True,
        last_id: int = NO_ID,
        last_price_ticks: int = UNKNOWN,
    ) -> None:
        if sub_ms <= 0 or step_ms <= 0 or step_ms % sub_ms:
            raise DataError(f"step_ms: expected a multiple of sub_ms = {sub_ms}, was {step_ms}")
        self.grid, self.step_ms, self.sub_ms = grid, step_ms, sub_ms
        self._scale: FloatArray = np.array(
            [grid.ticks_per_quote, grid.lots_per_base, 1 / grid.bin_ticks]
        )
        self._clock: IntArray = np.zeros(5, dtype=np.int64)
        self._clock[[SUB_MS, SUBS]] = sub_ms, step_ms // sub_ms
        self._clock[CONTIGUOUS] = contiguous_ids
        self._seen: IntArray = np.full(SEEN, -1, dtype=np.int64)
        self._seen[[FLOOR, GAPS, CELLS, MAX_ID]] = max(last_id, 0), 0, 0, last_id
        self._gaps: IntArray = np.zeros((3, GAP_ROOM), dtype=np.int64)
        self._rows: IntArray = np.zeros((step_ms // sub_ms, COLUMNS), dtype=np.int64)
        self._bar: IntArray = np.zeros((1, COLUMNS), dtype=np.int64)
        self._cells: IntArray = np.zeros((4, 1_024), dtype=np.int64)
        self._stage: IntArray = np.zeros((4, BLOCK), dtype=np.int64)
        self._price, self._closed_id = last_price_ticks, last_id
        self._lost: list[tuple[int, int]] = []
        self._begun = False
        self._hist: IntArray = np.zeros(2 * 256, dtype=np.int64)
        self._seen[[HIST_LOW, HIST_HIGH]] = NO_LEVEL, -1
        if covered_from is not None:
            self.begin(covered_from)

    @property
    def closed_until(self) -> int | None:
        """Time up to which sub-bars have closed; None before the beginning."""
        return int(self._clock[ORIGIN]) * self.sub_ms if self._begun else None

    @property
    def last_id(self) -> int:
        """Highest id that was counted, ``NO_ID`` if none was."""
        return int(self._seen[MAX_ID])

    @property
    def latest_time(self) -> int:
        """Latest time of a trade that was counted, -1 if none was."""
        return int(self._seen[SEEN_TIME])

    def fold(self, trades: Trades) -> None:
        """Count trades that have arrived, in the order of their arrival.

        Raises DataError for a trade whose price, quantity or side cannot be; those before
        it have been counted, it and those after it have not.
        """
        if not len(trades):
            return
        if not self._begun:
            self.begin(int(trades.time[0]))
        at = 0
        while at < len(trades):
            at, why = fold_trades(
                at, trades.id, trades.time, trades.price, trades.quantity, trades.side,
                self._clock, self._scale, self._seen, self._gaps, self._rows, self._hist,
                self._cells, self._stage,
            )  # fmt: skip
            if why != DONE:
                self._answer(why, trades, at)

    def lost(self, start: int, stop: int) -> int:
        """Mark an interval in which the feed was not there; how much of it had closed before.

        Mark it before the bars of it close: what is closed stays as it was.
        """
        if not self._begun:
            self.begin(start)
        origin = int(self._clock[ORIGIN]) * self.sub_ms
        if stop > max(start, origin):
            for part in add_interval(self._lost, max(start, origin), stop):
                self._uncover(*part)
        return max(0, min(stop, origin) - start)

    def _uncover(self, begin: int, stop: int) -> None:
        first, last = begin // self.sub_ms, (stop - 1) // self.sub_ms
        self._make_rows(last - int(self._clock[ORIGIN]) + 1)
        for sub in range(first, last + 1):
            from_, until = max(begin, sub * self.sub_ms), min(stop, (sub + 1) * self.sub_ms)
            self._rows[sub - self._clock[ORIGIN], UNCOVERED] += until - from_

    def advance(self, until: int) -> Flow:
        """Close every sub-bar, and bar, that ends at or before ``until``; what closed.

        Raises DataError where notional does not fit its 63 bits: nothing has closed then.
        Trades of that time that come later are late: counted as such, and in no bar.
        """
        return flow_from([self.close(until)], self.grid, self.step_ms, self.sub_ms)

    def finish(self, covered_to: int) -> Flow:
        """Close everything: the rest of the bar in which ``covered_to`` lies is uncovered."""
        return self.advance(self.end_after(covered_to))

    def end_after(self, covered_to: int) -> int:
        """Mark the rest of the bar in which ``covered_to`` lies as lost; the end of that bar."""
        end = -(-covered_to // self.step_ms) * self.step_ms
        self.lost(covered_to, end)
        return end

    def close(self, until: int) -> Closed:
        """Do what ``advance`` does, and leave what closed as bare rows."""
        first, subs = int(self._clock[ORIGIN]), int(self._clock[SUBS])
        closing = max(0, until // self.sub_ms - first) if self._begun else 0
        self._make_rows(closing + 1)
        n_bars = (first + closing) // subs - first // subs
        bars = np.zeros((n_bars, COLUMNS), dtype=np.int64)
        if self._clock[CONTIGUOUS]:
            seen = self._rows[: max(closing, self._used_rows())]
            self._closed_id = mark_holes(seen, closing, self.sub_ms, self._closed_id)
        rows, bar = self._rows[:closing], self._bar.copy()
        price = close_rows(rows, bar, bars, first, subs, self._price)
        refuse_overflow(bars, self.grid)
        refuse_overflow(bar, self.grid)
        self._price, self._bar = price, bar
        closed = Closed(first, rows.copy(), bars, self._cells_before(first // subs + n_bars))
        self._forget_rows(closing)
        self._clock[ORIGIN] += closing
        until = int(self._clock[ORIGIN]) * self.sub_ms
        self._lost = [one for one in self._lost if one[1] > until]
        return closed

    def begin(self, covered_from: int) -> None:
        """Begin the bars; what of the first one lies before this time is uncovered."""
        self._begun = True
        origin = covered_from // self.sub_ms
        self._clock[ORIGIN] = origin
        begin = covered_from // self.step_ms * self.step_ms
        self._bar[0, UNCOVERED] = origin * self.sub_ms - begin
        self.lost(origin * self.sub_ms, covered_from)

    def _answer(self, why: int, trades: Trades, at: int) -> None:
        """Make room for what the fold lacks, or say what is wrong with a trade."""
        if why == MORE_ROWS:
            wanted = int(trades.time[at]) // self.sub_ms - int(self._clock[ORIGIN]) + 1
            self._make_rows(max(wanted, min(2 * len(self._rows), MOST_ROWS)))
        elif why == MORE_BINS:
            self._make_bins(float(trades.price[at]))
        elif why == MORE_CELLS:
            self._make_cells()
        else:
            raise DataError(_refusal(why, trades, at, self.grid))

    def _make_rows(self, wanted: int) -> None:
        if wanted > MOST_ROWS:
            raise DataError(
                f"trades: expected times within {MOST_ROWS} sub-bars of {self.sub_ms} ms after "
                f"{self.closed_until}, was {wanted}; is a time stamp in another unit?"
            )
        missing = wanted - len(self._rows)
        if missing > 0:
            more = np.zeros((missing, COLUMNS), dtype=np.int64)
            self._rows = np.concatenate([self._rows, more])

    def _forget_rows(self, closed: int) -> None:
        """Move the rows that are open to the front; what is let go is used again."""
        used = max(closed, self._used_rows())
        self._rows[: used - closed] = self._rows[closed:used].copy()
        self._rows[used - closed : used] = 0

    def _used_rows(self) -> int:
        """Count the rows that are open up to the last in which anything is."""
        lost_until = self._lost[-1][1] if self._lost else 0
        latest = max(int(self._seen[SEEN_TIME]), lost_until) // self.sub_ms
        return min(len(self._rows), latest - int(self._clock[ORIGIN]) + 1)

    def _make_bins(self, price: float) -> None:
        """Widen the histogram to hold this price too, or begin it anew where that is far off."""
        bin_ = int((int(price * self._scale[0] + 0.5) + 0.5) * self._scale[2])
        base = int(self._seen[HIST_BASE])
        low = min(bin_, base + int(self._seen[HIST_LOW]))
        high = max(bin_, base + int(self._seen[HIST_HIGH]))
        if self._seen[HIST_HIGH] < 0 or high - low >= MOST_BINS:
            self._flush()
            self._seen[HIST_BASE] = bin_ - self._hist.shape[0] // 4
            return
        width = 2 * (high - low + 1)
        fresh = np.zeros(2 * max(width, self._hist.shape[0] // 2), dtype=np.int64)
        first = low - width // 4
        used = slice(2 * int(self._seen[HIST_LOW]), 2 * int(self._seen[HIST_HIGH]) + 2)
        fresh[used.start + 2 * (base - first) : used.stop + 2 * (base - first)] = self._hist[used]
        self._hist = fresh
        self._seen[[HIST_LOW, HIST_HIGH]] += base - first
        self._seen[HIST_BASE] = first

    def _make_cells(self) -> None:
        more = np.zeros((4, max(self._cells.shape[1], self._hist.shape[0])), dtype=np.int64)
        self._cells = np.concatenate([self._cells, more], axis=1)

    def _flush(self) -> None:
        if self._seen[CELLS] + self._hist.shape[0] // 2 > self._cells.shape[1]:
            self._make_cells()
        flush(self._hist, self._cells, self._seen)

    def _cells_before(self, bar: int) -> IntArray:
        """Take out the cells of the bars before this one, shape (4, cells)."""
        if self._seen[HIST_BAR] < bar:
            self._flush()
        kept = self._cells[:, : self._seen[CELLS]]
        done = kept[0] < bar
        n = int(np.count_nonzero(done))
        if done[:n].all():  # as ever, but for trades out of order
            closed, rest = kept[:, :n].copy(), kept[:, n:].copy()
        else:
            closed, rest = kept[:, done], kept[:, ~done]
        self._cells[:, : rest.shape[1]] = rest
        self._seen[CELLS] = rest.shape[1]
        return closed


def _refusal(why: int, trades: Trades, at: int, grid: TradeGrid) -> str:
    trade = f"trade {trades.id[at]} at {trades.time[at]}"
    if why not in (OFF_TICK, OFF_LOT):
        return f"side: expected 1 (taker bought) or -1, was {trades.side[at]} ({trade})"
    name, step, value = "price", "tick_size", trades.price[at]
    if why == OFF_LOT:
        name, step, value = "quantity", "lot_size", trades.quantity[at]
    expected = f"{name}: expected a positive multiple of {step} = {getattr(grid, step)}"
    return f"{expected}, below {MOST:.0e} of it, was {value} ({trade}); give the {step} of then"
