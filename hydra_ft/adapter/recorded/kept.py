"""Columns of a frame that are computed once and prolonged as bars close."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Protocol

import numpy as np

from hydra_ft.adapter.recorded.spans import changed_within, cut

if TYPE_CHECKING:
    from hydra_ft.adapter.recorded.spans import Span
    from hydra_ft.types import FloatArray

Columns = dict[str, "FloatArray"]

REVISED_MS = 600_000
"""How far back rows are always read anew, from the end of what is kept and around where coverage
has changed: a trade that was skipped is fetched within half a minute, and a vendor's history
goes on ten minutes before its old end. All else shows in what is proven complete."""


class Source(Protocol):
    """Where columns come from; what is computed of a bar depends on its times alone."""

    @property
    def step_ms(self) -> int:
        """Length of the bars."""

    def reach(self, start: int) -> int:
        """Time from which on the bars from ``start`` on depend on what happened."""

    def spans(self, start: int, stop: int) -> frozenset[Span]:
        """Return what is proven complete within an interval, cut at its ends."""

    def columns(self, start: int, stop: int) -> Columns:
        """Compute the columns of all bars that open within an interval."""


class KeptColumns:
    """Columns of the bars of a source, prolonged; the same as computed at once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._start = self._stop = 0
        self._spans: frozenset[Span] = frozenset()
        self._columns: Columns = {}

    def over(self, start: int, stop: int) -> Columns:
        """Return the columns of the bars that open within an interval, in whole bars."""
        spans = self._source.spans(self._source.reach(start), stop)
        parts: list[Columns] = []
        at = start
        for begin, end in self._stale(start, stop, spans):
            parts += [self._of(at, begin)] if at < begin else []
            parts.append(self._source.columns(begin, end))
            at = end
        parts += [self._of(at, stop)] if at < stop else []
        self._columns = {
            name: np.concatenate([part[name] for part in parts]) if parts[1:] else values
            for name, values in parts[0].items()
        }
        self._start, self._stop, self._spans = start, stop, spans
        return self._columns

    def _of(self, start: int, stop: int) -> Columns:
        """Return what is kept of the bars that open within an interval."""
        rows = slice(*((t - self._start) // self._source.step_ms for t in (start, stop)))
        return {name: values[rows] for name, values in self._columns.items()}

    def _stale(self, start: int, stop: int, spans: frozenset[Span]) -> list[tuple[int, int]]:
        """Return the intervals to be computed, oldest first: what is new or no longer holds.

        When what is old was dropped, that is the head of the frame, and its newest bars.
        """
        if not self._columns or not self._start <= start < self._stop <= stop:
            return [(start, stop)]
        step, reach = self._source.step_ms, self._source.reach
        scope = reach(start), self._stop
        changed = changed_within(cut(self._spans, *scope), cut(spans, *scope))
        found = [] if stop == self._stop else [(self._stop - REVISED_MS, stop)]
        if changed is not None:
            bars = range(start, stop, step)
            last = bisect_left(bars, changed[1] + REVISED_MS, key=reach)
            found.insert(0, (changed[0] - REVISED_MS, bars[last] if bars[last:] else stop))
        found = [(max(start, begin // step * step), end) for begin, end in found]
        if found[1:] and found[0][1] >= found[1][0]:
            found = [(min(found)[0], stop)]
        return [(begin, end) for begin, end in found if begin < end]
