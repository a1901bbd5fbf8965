"""Which ids of a pair have come, and which were skipped."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hydra_ft.bars.flow_rows import ANEW
from hydra_ft.feeds.sink import FeedGap, GapReason
from hydra_ft.types import Feed
from hydra_ft.types.flow import NO_ID

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hydra_ft.feeds.normal import PublicTrade

MOST_HOLES: Final = 4_096
"""Holes that are watched at once; the oldest is given up when there are more."""
UNKNOWN_IDS: Final = (NO_ID, NO_ID, -1)
"""First and last id of what is missing, and how many, where the venue has none that tell."""
MOST_KEYS: Final = 16_384
"""Names of trades without a number that are remembered, to know them when they come again."""


@dataclass(slots=True)
class Hole:
    """Ids that were skipped, between two trades that came at ``start`` and ``stop`` (ms).

    ``left`` are the stretches of it that have still not come. ``first`` and ``last`` are
    ``NO_ID`` where the venue began to count anew: nobody knows then what is missing.
    """

    first: int
    last: int
    start: int
    stop: int
    reason: GapReason
    left: list[tuple[int, int]]

    @property
    def missing(self) -> int:
        """Ids that have not come, -1 where nobody knows how many."""
        if self.first == NO_ID:
            return -1
        return sum(last - first + 1 for first, last in self.left)

    def take(self, first: int, last: int) -> bool:
        """Strike ids off; False where one of them is not missing."""
        for at, (begin, end) in enumerate(self.left):
            if begin <= first and last <= end:
                rest = [(begin, first - 1), (last + 1, end)]
                self.left[at : at + 1] = [part for part in rest if part[0] <= part[1]]
                return True
        return False


@dataclass(slots=True)
class Doubt:
    """A stretch (ms) without a connection, of which nobody knows yet whether ids were skipped.

    ``can_ask`` says that the venue may still tell, ``is_asked`` that it was asked; ``since_s``
    is when it was first looked at, on the recorder's clock.
    """

    start: int
    stop: int
    reason: GapReason
    can_ask: bool
    since_s: float | None = None
    is_asked: bool = False

    def after(self, before: Doubt | None) -> Doubt:
        """Return it with an earlier one that nothing came after; no bar waits the longer for it."""
        if before is not None:
            self.start, self.since_s = min(self.start, before.start), before.since_s
        return self

    def is_open(self, now_s: float, after_s: float, most_s: float) -> bool:
        """Whether it may still be settled: so long after the first look, and no longer."""
        if self.since_s is None:
            self.since_s = now_s
        return self.can_ask and after_s <= now_s - self.since_s <= most_s


class ToldGaps:
    """Gaps in the trades of a pair that have not been handed over yet."""

    def __init__(self, venue: str, pair: str) -> None:
        self._place = (venue, pair, Feed.TRADES)
        self._new: list[FeedGap] = []
        self._refused: FeedGap | None = None
        self._has_grown = False

    def tell(
        self,
        reason: GapReason,
        start: int,
        stop: int,
        first_id: int = NO_ID,
        last_id: int = NO_ID,
        missing: int = -1,
    ) -> None:
        """Add one; see ``FeedGap``."""
        self._new.append(FeedGap(*self._place, reason, start, stop, first_id, last_id, missing))

    def refused(
        self, start: int, stop: int, within_ms: int, ids: tuple[int, int, int] = UNKNOWN_IDS
    ) -> None:
        """Add what was not counted; that of one interval (ms) is one gap, which grows.

        Once a venue has changed a tick size most trades of a pair are refused. ``ids`` are the
        first, the last, and how many, ``UNKNOWN_IDS`` where they prove nothing.
        """
        first, last, missing = ids
        known = self._refused
        if known is not None and _follows(start, first, known, within_ms):
            count = known.missing + missing if missing >= 0 else -1
            stop = max(stop, known.stop)
            self._refused = replace(known, stop=stop, last_id=last, missing=count)
        else:
            self._put_refused()
            self._refused = FeedGap(*self._place, GapReason.IDS, start, stop, *ids)
        self._has_grown = True

    def _put_refused(self) -> None:
        if self._refused is not None and self._has_grown:
            self._new.append(self._refused)
        self._has_grown = False

    def take(self) -> list[FeedGap]:
        """Take out those that are new, or have grown."""
        self._put_refused()
        taken, self._new = self._new, []
        return taken


def _follows(time: int, first_id: int, gap: FeedGap, within_ms: int) -> bool:
    """Whether something comes after a gap's beginning and ids, in the same interval (ms)."""
    is_near = gap.start <= time and gap.start // within_ms == time // within_ms
    return is_near and (gap.last_id == NO_ID or first_id > gap.last_id)


class IdLedger:
    """Admits each trade of a pair once, and knows which ids were skipped.

    With ``has_id_ranges`` every id above the first is expected; without, trades are known by
    their keys and nothing is ever missing. ``last_id`` and ``last_time`` are those of what
    was kept by an earlier run. A known id whose trade is newer than all before is of a venue
    that has begun to count anew (a pair that was listed again): all holes are given up then.
    """

    def __init__(self, *, has_id_ranges: bool, last_id: int = NO_ID, last_time: int = 0) -> None:
        self.last_id, self.last_time = last_id, last_time
        self.duplicates = 0
        self.holes: list[Hole] = []
        self.given_up: list[Hole] = []
        self._has_id_ranges = has_id_ranges
        self._keys: dict[str, None] = {}
        self._has_admitted = False
        self._anew: PublicTrade | None = None

    def admit(
        self, trades: Iterable[PublicTrade], reason: GapReason = GapReason.IDS
    ) -> list[PublicTrade]:
        """Trades that have not come before, in their order; ids that they skip are holes."""
        if self._has_id_ranges:
            return [trade for trade in trades if self._admit(trade, reason)]
        return [trade for trade in trades if self._is_new(trade.key)]

    def _admit(self, trade: PublicTrade, reason: GapReason) -> bool:
        if self._begins_anew(trade):
            hole = Hole(NO_ID, NO_ID, self.last_time, trade.time, reason, [])
            self.given_up += [*self.holes, hole]
            self.holes, self._anew = [], trade
        elif trade.first_id <= self.last_id:
            return self._admit_late(trade)
        elif self.last_id != NO_ID and trade.first_id > self.last_id + 1:
            first, last = self.last_id + 1, trade.first_id - 1
            start = min(self.last_time, trade.time)
            self.holes.append(Hole(first, last, start, trade.time, reason, [(first, last)]))
            if len(self.holes) > MOST_HOLES:
                self.given_up.append(self.holes.pop(0))
        self.last_id, self.last_time = trade.last_id, max(self.last_time, trade.time)
        self._has_admitted = True
        return True

    def _begins_anew(self, trade: PublicTrade) -> bool:
        if trade.last_id > self.last_id or trade.time <= self.last_time:
            return False
        if not self._has_admitted and trade.last_id >= self.last_id - ANEW:
            return False  # of an earlier run too, whose last trades came out of order
        return not self.is_missing(trade)

    def anew_at(self, admitted: Sequence[PublicTrade]) -> int:
        """Return which of the trades that were just admitted begins to count anew, -1 if none."""
        return next((i for i, trade in enumerate(admitted) if trade is self._anew), -1)

    def _admit_late(self, trade: PublicTrade) -> bool:
        for hole in reversed(self.holes):
            if hole.first <= trade.first_id and trade.last_id <= hole.last:
                if hole.take(trade.first_id, trade.last_id):
                    self.last_time = max(self.last_time, trade.time)
                    return True
                break
        self.duplicates += 1
        return False

    def _is_new(self, key: str) -> bool:
        if key in self._keys:
            self.duplicates += 1
            return False
        self._keys[key] = None
        if len(self._keys) > MOST_KEYS:
            del self._keys[next(iter(self._keys))]
        return True

    def settle(self, up_to: int | None = None) -> list[Hole]:
        """Take out the holes up to an id, or all: what is missing of them is missing for good."""
        done = [hole for hole in self.holes if up_to is None or hole.last <= up_to]
        settled = [*self.given_up, *done]
        self.holes, self.given_up = self.holes[len(done) :], []
        return settled

    def ready(self, held: Sequence[PublicTrade]) -> int:
        """How many trades of a list, in the order of their ids, have no hole before them."""
        if not self.holes:
            return len(held)
        limit = self.holes[0].first
        return next((i for i, one in enumerate(held) if one.first_id > limit), len(held))

    def stretch(self, most: int) -> tuple[int, int]:
        """First and last id of holes that are asked for together, about ``most`` ids at a time."""
        first = self.holes[0]
        begin = first.left[0][0] if first.left else first.first
        limit = begin + most if first.left else first.last
        reach = [hole.last for hole in self.holes if hole.last < limit]
        return begin, max(reach, default=first.last)

    def is_missing(self, trade: PublicTrade) -> bool:
        """Whether a trade lies in a hole."""
        return any(hole.first <= trade.first_id <= hole.last for hole in self.holes)
