"""The trades of one pair: each folded once, in order; what is missing is marked.

Without a connection and without a clock: trades and moments are handed in. A trade that skips
ids is held back, and all after it, until the ids between have been fetched or given up; so
bars are folded in the order of ids, and none closes before what belongs to it has had its
chance to come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.flow import FlowFolder
from hydra_ft.feeds.gaps import Hole, IdLedger
from hydra_ft.feeds.normal import as_arrays
from hydra_ft.feeds.recorder_policy import PairCounts
from hydra_ft.feeds.sink import FeedGap, GapReason, Resume
from hydra_ft.types import Feed
from hydra_ft.types.flow import NO_ID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra_ft.feeds.normal import PublicTrade, Venue
    from hydra_ft.feeds.recorder_policy import RecorderPolicy
    from hydra_ft.types.flow import Flow, TradeGrid, Trades

_OFF_GRID = 1e-4
"""How far from a whole tick or lot a number may be, in ticks or lots, as a float is."""


class PairRecorder:
    """Folds the trades of a pair, and keeps account of its ids.

    ``begin`` is to be called once the feed is known to stand; before, trades are held.
    """

    def __init__(
        self,
        venue: Venue,
        pair: str,
        grid: TradeGrid,
        policy: RecorderPolicy,
        resume: Resume | None = None,
    ) -> None:
        self.venue, self.pair, self.grid = venue, pair, grid
        self.fresh: list[Trades] = []
        self._policy = policy
        self._resume = resume or Resume()
        self._ledger = IdLedger(
            has_id_ranges=venue.has_id_ranges,
            last_id=self._resume.last_id,
            last_time=self._resume.closed_until,
        )
        self._folder: FlowFolder | None = None
        self._held: list[PublicTrade] = []
        self._held_since_s: float | None = None
        self._reason = GapReason.RESTART if resume else GapReason.IDS
        self._doubt: tuple[int, int, GapReason] | None = None
        self._unproven_from: int | None = None
        self._gaps: list[FeedGap] = []
        self.counted = self.late = self.refetched = self.missing = 0

    # ---- coverage

    @property
    def has_begun(self) -> bool:
        """Whether bars are being folded."""
        return self._folder is not None

    def begin(self, time: int) -> None:
        """Begin to fold: the feed stands from this time (ms) on, or goes on where it was left."""
        left = self._resume.closed_until
        goes_on = 0 < time - left <= self._policy.resume_most_ms and left > 0
        self._folder = FlowFolder(
            self.grid,
            self._policy.step_ms,
            self._policy.sub_ms,
            covered_from=left if goes_on else time,
            contiguous_ids=self.venue.has_id_ranges and not self.venue.bunches_trades,
            last_id=self._resume.last_id if self.venue.has_id_ranges else NO_ID,
            last_price_ticks=self._resume.last_price_ticks,
        )
        if self.venue.has_id_ranges and self._ledger.last_id == NO_ID:
            self._unproven_from = time
        if left > 0 and time > left:
            self._interrupted(left, time, GapReason.RESTART)
        if not self._ledger.holes:
            self.release()

    def interrupted(self, start: int, stop: int) -> None:
        """Doubt a stretch (ms) in which the connection was lost, unless ids prove it whole."""
        if self.has_begun:
            self._interrupted(start, stop, GapReason.CONNECTION)

    def overflowed(self, start: int, stop: int) -> None:
        """Know that trades were dropped before those that come next: by id, or by time (ms)."""
        if self.venue.has_id_ranges:
            self._reason = GapReason.OVERFLOW
        else:
            self._mark(start, stop, GapReason.OVERFLOW)

    def _interrupted(self, start: int, stop: int, reason: GapReason) -> None:
        if not self.venue.has_id_ranges:
            self._mark(start, stop, reason)
            return
        if self._doubt is not None:
            start = min(start, self._doubt[0])
        self._doubt, self._reason = (start, stop, reason), reason

    def _prove(self, time: int, *, is_last: bool) -> None:
        """Take what was before the first trade of all for uncovered: no id tells of it."""
        if self._unproven_from is not None and self._folder is not None:
            if time > self._unproven_from:
                self._folder.lost(self._unproven_from, time)
            self._unproven_from = None if is_last else max(time, self._unproven_from)

    def _mark(self, start: int, stop: int, reason: GapReason, **ids: int) -> None:
        if self._folder is not None:
            self._folder.lost(start, stop)
        self._gaps.append(
            FeedGap(self.venue.name, self.pair, Feed.TRADES, reason, start, stop, **ids)
        )

    # ---- trades

    def take(self, trades: Sequence[PublicTrade], now_s: float) -> None:
        """Count trades that have come, in the order in which they came."""
        is_first = self._ledger.last_id == NO_ID
        admitted = self._ledger.admit(trades, self._reason)
        if not admitted:
            return
        if self._doubt is not None and is_first:  # no id to prove anything by
            self._mark(*self._doubt)
        self._prove(admitted[0].time, is_last=True)
        self._reason, self._doubt = GapReason.IDS, None
        self._held += admitted
        if not self._ledger.holes or len(self._held) > self._policy.most_held:
            self.release()
            return
        if self._held_since_s is None:
            self._held_since_s = now_s
        self.release(NO_ID)

    def wanted(self, now_s: float) -> tuple[int, int] | None:
        """First and last id to be fetched by now; None where nothing is, or cannot be.

        What cannot be fetched is given up here once it has waited.
        """
        if self._held_since_s is None or not self._ledger.holes or not self.has_begun:
            return None
        waited_s, policy = now_s - self._held_since_s, self._policy
        if waited_s < policy.refetch_after_s:
            return None
        if waited_s > policy.refetch_after_s + policy.refetch_within_s:
            self.release()
            return None
        first = self._ledger.holes[0]
        if self.venue.refetch is None or first.missing > policy.refetch_most:
            self.release(first.last)
            return None
        most = first.left[0][0] + self._policy.refetch_most if first.left else first.last
        reach = [hole.last for hole in self._ledger.holes if hole.last < most]
        begin = first.left[0][0] if first.left else first.first
        return begin, max(reach, default=first.last)

    def fetched(self, trades: Sequence[PublicTrade], up_to: int, now_s: float) -> None:
        """Count trades that were asked for; the holes up to this id are then settled."""
        wanted = [trade for trade in trades if self._ledger.is_missing(trade)]
        in_time = [trade for trade in wanted if not self._has_closed(trade)]
        admitted = self._ledger.admit(in_time)
        self.refetched += len(admitted)
        self._held += admitted
        self.release(up_to)
        self._held_since_s = now_s if self._ledger.holes else None

    def release(self, up_to: int | None = None) -> None:
        """Fold what is held, as far as no hole lies before it; those up to an id are given up."""
        if not self.has_begun:
            return
        for hole in self._ledger.settle(up_to):
            self._settle(hole)
        if self.venue.has_id_ranges:
            self._held.sort(key=lambda trade: trade.first_id)
        at = len(self._held)
        if self._ledger.holes:
            limit = self._ledger.holes[0].first
            at = next((i for i, one in enumerate(self._held) if one.first_id > limit), at)
        ready, self._held = self._held[:at], self._held[at:]
        if not self._ledger.holes:
            self._held_since_s = None
        self._fold(ready)

    def _settle(self, hole: Hole) -> None:
        missing = hole.missing
        self.missing += missing
        gap = FeedGap(
            self.venue.name, self.pair, Feed.TRADES, hole.reason, hole.start, hole.stop,
            hole.first, hole.last, missing,
        )  # fmt: skip
        self._gaps.append(gap)
        if missing and self._folder is not None:
            # What is missing may have the very time of either neighbour.
            self._folder.lost(hole.start, hole.stop + 1)

    def _has_closed(self, trade: PublicTrade) -> bool:
        closed = self._folder.closed_until if self._folder is not None else None
        return closed is not None and trade.time < closed

    def _fold(self, trades: list[PublicTrade]) -> None:
        if self._folder is None or not trades:
            return
        arrays = as_arrays(trades)
        fits = self._on_grid(arrays)
        in_time = arrays.time >= (self._folder.closed_until or 0)
        good = fits & in_time
        for at in np.flatnonzero(~good).tolist():
            self._refuse(trades[at])
        if not good.all():
            arrays = as_arrays([trades[at] for at in np.flatnonzero(good).tolist()])
        self._folder.fold(arrays)
        self.counted += len(arrays)
        if self._policy.keeps_trades:
            self.fresh.append(arrays)

    def _on_grid(self, trades: Trades) -> np.ndarray:
        ticks = trades.price * self.grid.ticks_per_quote
        lots = trades.quantity * self.grid.lots_per_base
        fits: np.ndarray = (np.abs(ticks - np.rint(ticks)) < _OFF_GRID) & (np.rint(ticks) >= 1)
        return fits & (np.abs(lots - np.rint(lots)) < _OFF_GRID) & (np.rint(lots) >= 1)

    def _refuse(self, trade: PublicTrade) -> None:
        """Write down a trade that came too late for its bar, or does not fit the grid."""
        self.late += 1
        count = trade.last_id - trade.first_id + 1
        self.missing += count
        ids = {"first_id": trade.first_id, "last_id": trade.last_id, "missing": count}
        told = ids if self.venue.has_id_ranges else {}
        self._mark(trade.time, trade.time + 1, GapReason.IDS, **told)

    # ---- what is handed over

    def close(self, until: int) -> Flow | None:
        """Close what ends by a time (ms) and is not waiting for ids; None if nothing does."""
        if self._folder is None:
            return None
        if self._ledger.holes:
            until = min(until, self._ledger.holes[0].start)
        closed = self._folder.closed_until
        if closed is None or until // self._policy.sub_ms <= closed // self._policy.sub_ms:
            return None
        if self._doubt is not None and until > self._doubt[0]:
            self._mark(*self._doubt)
            self._doubt = None
        self._prove(until, is_last=False)
        flow = self._folder.advance(until)
        return flow if len(flow.sub_bars) else None

    def finish(self, covered_to: int) -> Flow | None:
        """Give up what is missing and close all: the rest of the last bar is uncovered.

        Nothing is closed where ids can be fetched: what is open is then built anew from its
        first trade once the recorder goes on.
        """
        if self._folder is None or self.venue.refetch is not None:
            return None
        self.release()
        return self._folder.finish(max(covered_to, self._folder.closed_until or 0))

    def take_gaps(self) -> list[FeedGap]:
        """Take out the gaps that are new."""
        gaps, self._gaps = self._gaps, []
        return gaps

    def counts(self) -> PairCounts:
        """What has been counted so far."""
        folder = self._folder
        return PairCounts(
            self.pair,
            self.counted,
            self._ledger.duplicates,
            self.late,
            self.refetched,
            self.missing,
            len(self._held),
            self._ledger.last_id,
            None if folder is None else folder.closed_until,
        )
