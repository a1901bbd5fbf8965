"""Columns of a frame that are computed once and prolonged as bars close."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from hydra_ft.adapter.recorded.spans import changed_from, cut

if TYPE_CHECKING:
    from hydra_ft.adapter.recorded.spans import Span
    from hydra_ft.types import FloatArray

Columns = dict[str, "FloatArray"]

REVISED_MS = 600_000
"""How far back rows are always read anew, from the end of what is kept and from where coverage
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
        since = self._since(start, stop, spans)
        if since < stop or not self._columns:
            fresh = self._source.columns(since, stop)
            begin, end = ((t - self._start) // self._source.step_ms for t in (start, since))
            self._columns = {
                name: np.concatenate((self._columns[name][begin:end], values))
                if end > begin
                else values
                for name, values in fresh.items()
            }
        else:
            begin = (start - self._start) // self._source.step_ms
            self._columns = {name: values[begin:] for name, values in self._columns.items()}
        self._start, self._stop, self._spans = start, stop, spans
        return self._columns

    def _since(self, start: int, stop: int, spans: frozenset[Span]) -> int:
        """Return where what is kept ends, or no longer holds; ``stop`` where all of it does."""
        if not self._columns or not self._start <= start < self._stop <= stop:
            return start
        step = self._source.step_ms
        since = stop if stop == self._stop else self._stop - REVISED_MS
        scope = self._source.reach(start), self._stop
        changed = changed_from(cut(self._spans, *scope), cut(spans, *scope))
        if changed is not None:
            since = min(since, changed - REVISED_MS)
        return max(start, since // step * step)
