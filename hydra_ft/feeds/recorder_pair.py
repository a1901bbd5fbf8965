"""The trades of one pair: each folded once, in order; what is missing is marked.

Without a connection and without a clock: trades and moments are handed in. A trade that skips
ids is held back, and all after it, until the ids between have been fetched or given up; so
bars are folded in the order of ids, and none closes before what belongs to it has had its
chance to come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from hydra_ft.feeds.gaps import UNKNOWN_IDS, Doubt, Hole, IdLedger, ToldGaps
from hydra_ft.feeds.normal import as_arrays
from hydra_ft.feeds.recorder_folds import GridFolder, folder_of
from hydra_ft.feeds.recorder_policy import PairCounts
from hydra_ft.feeds.sink import GapReason, Resume
from hydra_ft.types.flow import NO_ID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra_ft.feeds.normal import PublicTrade, Venue
    from hydra_ft.feeds.recorder_policy import RecorderPolicy
    from hydra_ft.feeds.sink import FeedGap
    from hydra_ft.types.flow import Flow, TradeGrid, Trades

OPEN: Final = 1 << 62
"""Last id of what is wanted up to the newest trade there is."""


class PairRecorder:
    """Folds the trades of a pair, and keeps account of its ids.

    ``begin`` is to be called once the feed is known to stand; before, trades are held. How long
    they are held for missing ids is that of ``policy``, which may be replaced.
    """

    def __init__(
        self,
        venue: Venue,
        pair: str,
        grid: TradeGrid,
        policy: RecorderPolicy,
        resume: Resume | None = None,
    ) -> None:
        self.venue, self.pair, self.grid, self.policy = venue, pair, grid, policy
        self.fresh: list[Trades] = []
        self._resume = left = resume or Resume()
        self._ledger = IdLedger(has_id_ranges=venue.has_id_ranges)
        self._ledger.last_id, self._ledger.last_time = left.last_id, left.closed_until
        self._folder: GridFolder | None = None
        self._held: list[PublicTrade] = []
        self._held_since_s: float | None = None
        self._reason = GapReason.RESTART if resume else GapReason.IDS
        self._doubt: Doubt | None = None
        self._unproven_from: int | None = None
        self._told = ToldGaps(venue.name, pair)
        self.counted = self.late = self.off_grid = self.refetched = self.missing = 0

    # ---- coverage

    @property
    def has_begun(self) -> bool:
        """Whether bars are being folded."""
        return self._folder is not None

    def begin(self, time: int) -> None:
        """Begin to fold: the feed stands from this time (ms) on, or goes on where it was left."""
        left = self._resume.closed_until
        goes_on = 0 < time - left <= self.policy.resume_most_ms and left > 0
        start = (left if goes_on else time, time)
        self._folder = folder_of(self.venue, self.grid, self.policy, self._resume, *start)
        if self.venue.has_id_ranges and self._ledger.last_id == NO_ID:
            self._unproven_from = time
        if left > 0 and time > left:
            self.interrupted(left, time, GapReason.RESTART)
        if self._doubt is not None:
            self._doubt.can_ask &= goes_on
        if not self._ledger.holes:
            self.release()

    def regrid(self, named: TradeGrid) -> bool:
        """Count in the steps that the venue names, from the next bar on; whether they are new."""
        before, folder = self.grid, self._folder
        self.grid = named if folder is None else folder.change(named, self._ledger.last_time)
        return self.grid != before

    def interrupted(self, start: int, stop: int, reason: GapReason = GapReason.CONNECTION) -> None:
        """Doubt a stretch (ms) in which nothing was received, unless ids prove it whole."""
        if self.has_begun and not self.venue.has_id_ranges:
            self._mark(start, stop, reason)
        elif self.has_begun:
            can_ask = self.venue.refetch is not None and self._ledger.last_id != NO_ID
            self._doubt = Doubt(start, stop, reason, can_ask).after(self._doubt)
            self._reason = reason

    def overflowed(self, start: int, stop: int) -> None:
        """Know that trades were dropped before those that come next: by id, or by time (ms)."""
        self._reason = GapReason.OVERFLOW
        if not self.venue.has_id_ranges:
            self._mark(start, stop, GapReason.OVERFLOW)

    def _prove(self, time: int, *, is_last: bool) -> None:
        """Take what was before the first trade of all for uncovered: no id tells of it."""
        if self._unproven_from is not None and self._folder is not None:
            if time > self._unproven_from:
                self._folder.lost(self._unproven_from, time)
            self._unproven_from = None if is_last else max(time, self._unproven_from)

    def _give_up_doubt(self) -> None:
        if self._doubt is not None:
            self._mark(self._doubt.start, self._doubt.stop, self._doubt.reason)
            self._doubt = None

    def _mark(self, start: int, stop: int, reason: GapReason, **ids: int) -> None:
        if self._folder is not None:
            self._folder.lost(start, stop)
        self._told.tell(reason, start, stop, **ids)

    # ---- trades

    def take(self, trades: Sequence[PublicTrade], now_s: float) -> None:
        """Count trades that have come, in the order in which they came."""
        is_first = self._ledger.last_id == NO_ID
        admitted = self._ledger.admit(trades, self._reason)
        if not admitted:
            return
        if is_first:  # no id to prove anything by
            self._give_up_doubt()
        self._prove(admitted[0].time, is_last=True)
        self._reason, self._doubt = GapReason.IDS, None
        anew = self._ledger.anew_at(admitted)
        if anew >= 0:  # what came before is folded before, and waits for nothing
            self._held += admitted[:anew]
            self.release()
        self._held += admitted[max(anew, 0) :]
        if not self._ledger.holes or len(self._held) > self.policy.most_held:
            self.release()
            return
        if self._held_since_s is None:
            self._held_since_s = now_s
        self.release(NO_ID)

    def wanted(self, now_s: float) -> tuple[int, int] | None:
        """First and last id to be fetched by now; None where nothing is, or cannot be.

        What cannot be fetched is given up here once it has waited. After an interruption a
        pair that does not trade is asked for too, from its last id on (up to ``OPEN``).
        """
        policy = self.policy
        if not self._ledger.holes:
            return self._asked(now_s)
        if self._held_since_s is None or not self.has_begun:
            return None
        waited_s = now_s - self._held_since_s
        if waited_s < policy.refetch_after_s:
            return None
        if waited_s > policy.refetch_after_s + policy.refetch_within_s:
            self.release()
            return None
        first = self._ledger.holes[0]
        if self.venue.refetch is not None and first.missing <= policy.refetch_most:
            return self._ledger.stretch(policy.refetch_most)
        self.release(first.last)
        return None

    def _waits_for_doubt(self, now_s: float, after_s: float = 0.0) -> bool:
        """Whether a doubt may be settled yet, so many seconds after it arose."""
        most_s = self.policy.refetch_after_s + self.policy.refetch_within_s
        doubt = self._doubt
        return self.has_begun and doubt is not None and doubt.is_open(now_s, after_s, most_s)

    def _asked(self, now_s: float) -> tuple[int, int] | None:
        if self._doubt and self._waits_for_doubt(now_s, self.policy.refetch_after_s):
            self._doubt.is_asked = True
            return self._ledger.last_id + 1, OPEN
        return None

    def caught_up(self, trades: Sequence[PublicTrade] | None) -> None:
        """Count all that was traded after the last id, as the venue now tells it.

        That settles the doubt, unless a trade has. None: it is more than can be fetched.
        """
        if self._doubt is None or not self._doubt.is_asked or self._ledger.holes:
            return
        if trades is None:
            self._doubt.can_ask = False
            return
        doubt, self._doubt, self._reason = self._doubt, None, GapReason.IDS
        admitted = self._ledger.admit(trades, doubt.reason)
        if admitted:
            self.refetched += len(admitted)
            ids = (admitted[0].first_id, admitted[-1].last_id, 0)
            self._told.tell(doubt.reason, doubt.start, doubt.stop, *ids)
            self._held += admitted
            self.release()

    def fetched(self, trades: Sequence[PublicTrade], up_to: int, now_s: float) -> None:
        """Count trades that were asked for; the holes up to this id are then settled."""
        closed = self._folder.closed_until if self._folder else 0
        wanted = [one for one in trades if one.time >= closed and self._ledger.is_missing(one)]
        admitted = self._ledger.admit(wanted)
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
        at = self._ledger.ready(self._held)
        ready, self._held = self._held[:at], self._held[at:]
        if not self._ledger.holes:
            self._held_since_s = None
        self._fold(ready)

    def _settle(self, hole: Hole) -> None:
        missing = hole.missing
        self.missing += max(missing, 0)
        self._told.tell(hole.reason, hole.start, hole.stop, hole.first, hole.last, missing)
        if missing and self._folder is not None:
            self._folder.lost(hole.start, hole.stop + 1)  # both neighbours' own times too

    def _fold(self, trades: list[PublicTrade]) -> None:
        if self._folder is None or not trades:
            return
        arrays = as_arrays(trades)
        fits, in_time = self._folder.look(arrays)
        good = fits & in_time
        self.off_grid += int((~fits).sum())
        self.late += int((fits & ~in_time).sum())
        for at in np.flatnonzero(~good).tolist():
            self._refuse(trades[at])
        if not good.all():
            arrays = as_arrays([trades[at] for at in np.flatnonzero(good).tolist()])
        self._folder.fold(arrays)
        self.counted += len(arrays)
        if self.policy.keeps_trades:
            self.fresh.append(arrays)

    def _refuse(self, trade: PublicTrade) -> None:
        """Write down a trade that came too late for its bar, or does not fit the grid."""
        count = trade.last_id - trade.first_id + 1
        self.missing += count
        ids = (trade.first_id, trade.last_id, count) if self.venue.has_id_ranges else UNKNOWN_IDS
        self.unread(trade.time, trade.time + 1, ids)

    def unread(self, start: int, stop: int, ids: tuple[int, int, int] = UNKNOWN_IDS) -> None:
        """Doubt a stretch (ms) in which something was traded that is not counted."""
        if self._folder is not None:
            self._folder.lost(start, stop)
        self._told.refused(start, stop, self.policy.sub_ms, ids)

    # ---- what is handed over

    def close(self, until: int, now_s: float) -> Flow | None:
        """Close what ends by a time (ms) and is not waiting for ids; None if nothing does."""
        if self._folder is None:
            return None
        if self._ledger.holes:
            until = min(until, self._ledger.holes[0].start)
        if self._doubt and self._waits_for_doubt(now_s):
            until = min(until, self._doubt.start - self.policy.grace_ms)
        closed = self._folder.closed_until
        if until // self.policy.sub_ms <= closed // self.policy.sub_ms:
            return None
        if self._doubt is not None and until > self._doubt.start:
            self._give_up_doubt()
        self._prove(until, is_last=False)
        flow = self._folder.advance(until)
        return flow if len(flow.sub_bars) else None

    def finish(self, covered_to: int) -> Flow | None:
        """Give up what is missing and close all: the rest of the last bar is uncovered.

        Nothing is closed where ids can be fetched: what is open is built anew at the next start.
        """
        if self._folder is None or self.venue.refetch is not None:
            return None
        self.release()
        return self._folder.finish(max(covered_to, self._folder.closed_until))

    def take_gaps(self) -> list[FeedGap]:
        """Take out the gaps that are new."""
        return self._told.take()

    def counts(self) -> PairCounts:
        """What has been counted so far."""
        sums = (self.counted, self._ledger.duplicates, self.late, self.refetched, self.missing)
        last = self._folder.closed_until if self._folder else None
        held, last_id = len(self._held), self._ledger.last_id
        return PairCounts(self.pair, *sums, held, last_id, last, self.off_grid)
