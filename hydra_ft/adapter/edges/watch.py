"""Looks at the newest bars of every pair, and says what changed since it last looked."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Final

import numpy as np

from hydra_ft.adapter.edges.hits import HitCounts
from hydra_ft.adapter.edges.states import SignalStates
from hydra_ft.adapter.fail_closed import fail_closed
from hydra_ft.signals.scalp import TTL_BARS, ScalpRules, flags
from hydra_ft.store.reading import NotAskedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hydra_ft.adapter.edges.newest import Newest
    from hydra_ft.adapter.edges.states import Edge
    from hydra_ft.types import Bars, FloatArray

logger = logging.getLogger(__name__)

MOST_TOLD: Final = 5
"""Edges that are told in one look; pairs that it does not come to are the first of the next."""
HOUR_MS: Final = 3_600_000


class EdgeWatch:
    """The scalper's signal of every pair, bar by bar; ``tell`` is given each edge once.

    ``rules`` gives the thresholds in force. Times are UTC ms.
    """

    def __init__(
        self, newest: Newest, rules: Callable[[], ScalpRules], tell: Callable[[Edge], None]
    ) -> None:
        self._newest, self._rules, self._tell = newest, rules, tell
        self.ttl_ms = TTL_BARS * newest.step_ms
        self._states = SignalStates(self.ttl_ms)
        self._last: dict[str, tuple[int, int]] = {}
        """Closes of the newest bar and of the one that fires; 0 for none."""
        self._hits: dict[str, HitCounts] = {}
        self._hits_since = 0
        self._turn: deque[str] = deque()

    def look(self, pairs: Iterable[str], now: int) -> None:
        """Look at the pairs; log the hit rates of each once an hour.

        The signal of a pair that is asked for no longer is ended, and the pair forgotten. An
        empty list is a pairlist that has failed, as a rule for one loop: it ends nothing.
        """
        asked = list(pairs) or sorted({*self._last, *self._states.pairs})
        told = self._leave(asked)
        waiting = [pair for pair in self._turn if pair in asked]
        self._turn = deque([*waiting, *(pair for pair in asked if pair not in waiting)])
        for _ in range(len(self._turn)):
            if told == MOST_TOLD:
                break
            told += self._look_at(pair=self._turn[0], now=now)
            self._turn.rotate(-1)
        self._log_hits(now)

    def end(self) -> int:
        """End every signal that stands; return how many that were."""
        ended = list(self._states.end())
        for edge in ended:
            self._tell(edge)
        return len(ended)

    @fail_closed(answer=0)
    def _leave(self, asked: list[str]) -> int:
        """Forget pairs that are not asked for; return how many signals that ended."""
        told = 0
        for pair in sorted({*self._last, *self._states.pairs}.difference(asked)):
            if told == MOST_TOLD:
                break
            self._last.pop(pair, None)
            edge = self._states.leave(pair)
            if edge is not None:
                told += 1
                self._tell(edge)
        return told

    @fail_closed(answer=False)
    def _look_at(self, *, pair: str, now: int) -> bool:
        """Look at one pair; return whether anything was told.

        Where its bars cannot be read, what stands is told to have ended once its time is over.
        """
        closed_at, fired_at = self._last.get(pair, (0, 0))
        if now >= closed_at + self._newest.step_ms:
            fired_at = self._read(pair=pair)
        edge = self._states.see(pair, fired_at, now)
        if edge is not None:
            self._tell(edge)
        return edge is not None

    def _read(self, *, pair: str) -> int:
        """Close of the newest bar that fires among those whose signal may still live; 0 for none.

        None fires where the newest bar is not known, as the head's own signal needs it to be.
        """
        closed_at, fired_at = self._last.get(pair, (0, 0))
        bars = self._bars(pair=pair)
        if bars is None or not len(bars):
            return fired_at
        newest = int(bars.time[-1]) + bars.step_ms
        if newest > closed_at:
            found = flags(bars, self._rules())
            if closed_at:
                fresh = bars.time >= closed_at
                counted = {name: values[fresh] for name, values in found.items()}
                self._hits.setdefault(pair, HitCounts()).add(counted)
            fired_at = _fired_at(bars, found["signal"])
            self._last[pair] = newest, fired_at
        return fired_at

    @fail_closed(answer=None)
    def _bars(self, *, pair: str) -> Bars | None:
        try:
            return self._newest.bars(pair)
        except NotAskedError:
            return None  # Why was said of the pair before.

    def _log_hits(self, now: int) -> None:
        self._hits_since = self._hits_since or now
        if now - self._hits_since >= HOUR_MS:
            for pair, hits in self._hits.items():
                logger.info("%s", hits.sentence(pair, self._newest.step_ms))
            self._hits.clear()
            self._hits_since = now


def _fired_at(bars: Bars, signal: FloatArray) -> int:
    """Close of the newest of the last ``TTL_BARS`` bars at which the flag is 1; 0 for none."""
    rows = np.flatnonzero(signal[-TTL_BARS:] == 1)
    if not rows.size or np.isnan(signal[-1]):
        return 0
    return int(bars.time[-TTL_BARS:][rows[-1]]) + bars.step_ms
