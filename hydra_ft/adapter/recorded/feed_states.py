"""How good the recorded feeds of a bot are, pair by pair; said when it changes."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.candles import close_time
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from hydra_ft.types import Bars, BoolArray

logger = logging.getLogger(__name__)

MANY = {Feed.BOOK: "books"}
"""What is said of more than one, where that is not the name of the feed."""
_NAMED = 5
"""Pairs that are named in one line."""


@dataclass(frozen=True, slots=True)
class FeedState:
    """One recorded feed of one pair on the bars in use.

    ``age_s`` is the age of the end of the last bar that is whole, None where none is;
    ``covered`` the share of the newest bar that the feed covered, ``missing`` the trades missed
    in it; ``whole`` the share of all bars in use of which nothing is missing.
    """

    is_fresh: bool
    age_s: float | None
    covered: float
    missing: float
    whole: float

    def __str__(self) -> str:
        age = "none whole" if self.age_s is None else f"last whole bar {self.age_s:.0f} s old"
        lost = f", {self.missing:.0f} trades missed" if self.missing else ""
        share = f"{100 * self.covered:.0f} % of the newest bar{lost}"
        return f"{age}, {share}, {100 * self.whole:.1f} % of the bars in use"


class FeedStates:
    """States of all pairs; what has changed is logged together, a line for each feed."""

    def __init__(self) -> None:
        self.states: dict[tuple[Feed, str], FeedState] = {}
        self._changed: dict[tuple[Feed, bool], list[str]] = {}

    def see(self, pair: str, bars: Bars, now: int) -> None:
        """Take in the base bars of a pair with what lies beside them, at a time (UTC ms)."""
        for feed, state in _states(bars, now):
            before = self.states.get((feed, pair))
            self.states[feed, pair] = state
            if before is None or before.is_fresh != state.is_fresh:
                self._changed.setdefault((feed, state.is_fresh), []).append(pair)

    def keep(self, pairs: Collection[str]) -> None:
        """Forget all pairs but these; what was not told of the others is not."""
        self.states = {key: state for key, state in self.states.items() if key[1] in pairs}
        for changed in self._changed.values():
            changed[:] = [pair for pair in changed if pair in pairs]

    def tell(self) -> None:
        """Log what has changed since the last time."""
        for (feed, is_fresh), pairs in self._changed.items():
            if not pairs:
                continue
            named = ", ".join(
                pair if is_fresh else f"{pair} ({self.states[feed, pair]})"
                for pair in pairs[:_NAMED]
            )
            rest = f" and {len(pairs) - _NAMED} more" if len(pairs) > _NAMED else ""
            if is_fresh:
                logger.info("%s are complete: %s%s", MANY.get(feed, feed), named, rest)
            else:
                logger.warning(
                    "%s are not complete, nothing is entered (data_stale:%s): %s%s",
                    MANY.get(feed, feed), feed, named, rest,
                )  # fmt: skip
        self._changed.clear()


def whole_bars(bars: Bars, feed: Feed) -> BoolArray:
    """Bars of which nothing of a recorded feed is missing, shape (n,)."""
    if feed is Feed.TRADES and bars.flow is not None:
        return np.logical_and(bars.flow.covered == 1, bars.flow.missing == 0)
    if feed is Feed.LIQUIDATIONS and bars.long_liquidated is not None:
        return np.isfinite(bars.long_liquidated)
    if feed is Feed.BOOK and bars.book is not None:
        # Without a sample to begin with nothing is known of a bar in which the feed stood.
        return np.logical_and(bars.book.covered == 1, np.isfinite(bars.book.touch))
    return np.zeros(len(bars), dtype=np.bool_)


def _states(bars: Bars, now: int) -> Iterator[tuple[Feed, FeedState]]:
    if not len(bars):
        return
    if bars.flow is not None:
        covered, missing = bars.flow.covered, np.nan_to_num(bars.flow.missing)
        yield Feed.TRADES, _state(bars, Feed.TRADES, now, covered[-1], missing[-1])
    if bars.long_liquidated is not None:
        known = float(np.isfinite(bars.long_liquidated[-1]))
        yield Feed.LIQUIDATIONS, _state(bars, Feed.LIQUIDATIONS, now, known, 0.0)
    if bars.book is not None:
        yield Feed.BOOK, _state(bars, Feed.BOOK, now, bars.book.covered[-1], 0.0)


def _state(bars: Bars, feed: Feed, now: int, covered: float, missing: float) -> FeedState:
    whole = whole_bars(bars, feed)
    rows = np.flatnonzero(whole)
    age = (now - int(close_time(bars)[rows[-1]])) / 1000 if rows.size else None
    return FeedState(bool(whole[-1]), age, float(covered), float(missing), float(whole.mean()))
