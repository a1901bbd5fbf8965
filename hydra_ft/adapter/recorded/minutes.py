"""Flow of a pair by the minute, as the store has it; the last days of it stay in memory."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Final

import numpy as np

from hydra_ft.adapter.recorded.kept import REVISED_MS
from hydra_ft.adapter.recorded.spans import changed_within, cut
from hydra_ft.bars.flow_tables import joined
from hydra_ft.errors import DataError
from hydra_ft.types.flow import Flow, FlowBars, Footprint

if TYPE_CHECKING:
    from hydra_ft.adapter.recorded.spans import Coverage, Span
    from hydra_ft.store.flow import FlowStore

MINUTE_MS: Final = 60_000
"""Length of the bars that recorder and ``hydra data build`` keep footprints of."""
SUB_MS: Final = 10_000
"""Length of the bars that they consist of."""
DAY_MS: Final = 86_400_000


class Minutes:
    """Flow of one pair; the newest two days of what was read last are not read again."""

    def __init__(self, store: FlowStore, coverage: Coverage) -> None:
        self._store, self._pair, self._coverage = store, coverage.pair, coverage
        self._held: Flow | None = None
        self._from = self._until = 0
        self._spans: frozenset[Span] = frozenset()

    def changes(self, step_ms: int, start: int, stop: int) -> list[int]:
        """Times within an interval at which bars of a length begin to have another grid."""
        return self._store.changes(self._pair, step_ms, start, stop)

    def bars(self, start: int, stop: int) -> FlowBars | None:
        """Minutes from ``start`` on, or from the first that is kept; None for none at all."""
        return self._store.told(self._pair, MINUTE_MS, start, stop)

    def sub_bars(self, start: int, stop: int, *, has_changes: bool) -> FlowBars | None:
        """Bars of 10 s from ``start`` on, or from the first that is kept; None for none.

        ``has_changes`` says whether the grid changes within the part of the day in question,
        so that what is held may be in another one.
        """
        held = self._held
        if held is not None and len(held.sub_bars) and not has_changes:
            end = int(held.sub_bars.time[-1]) + SUB_MS
            if self._from <= start and stop == end:
                return _cut(held.sub_bars, start, stop)
        return self._store.told(self._pair, SUB_MS, start, stop)

    def flow(self, start: int, stop: int, fresh: int) -> Flow | None:
        """Flow from ``start`` on; what lies before ``fresh`` is as it was read before.

        But not what has been proven complete since, or is so no more. All times are whole
        minutes. It begins later where less is kept; None for none at all.
        """
        spans = self._coverage.within(start, stop)
        found = self._prolonged(start, stop, min(fresh, self._same_until(start, spans)))
        if found is None:
            found = self._read(start, stop)
        # The day of the newest bar and the one before it are all that the next ones need.
        self._from = max(start, (stop - 1) // DAY_MS * DAY_MS - DAY_MS)
        self._held = None if found is None else flow_part(found, self._from, stop)
        self._until, self._spans = stop, spans
        return found

    def _same_until(self, start: int, spans: frozenset[Span]) -> int:
        """Minute before which the proof of what is held, from ``start`` on, has not changed."""
        scope = max(start, self._from), self._until
        changed = changed_within(cut(self._spans, *scope), cut(spans, *scope))
        since = self._until if changed is None else changed[0] - REVISED_MS
        return since // MINUTE_MS * MINUTE_MS

    def _prolonged(self, start: int, stop: int, fresh: int) -> Flow | None:
        """Lengthen what is held by what is newer; None where that does not go."""
        held = self._held
        if held is None or not len(held.bars):
            return None
        begin, end = int(held.bars.time[0]), int(held.bars.time[-1]) + MINUTE_MS
        since = min(fresh, end)
        if self._from > start or since <= max(begin, start) or stop <= since:
            return None
        newer = self._read(since, stop)
        if newer is None:
            return None
        try:
            return joined([flow_part(held, start, since), newer])
        except DataError:
            # Another grid since then, or sub-bars that are no longer kept.
            return None

    def _read(self, start: int, stop: int) -> Flow | None:
        bars = self._store.between(self._pair, MINUTE_MS, start, stop)
        if bars is None:
            return None
        footprint = self._store.footprint(self._pair, bars)
        subs = self._store.between(self._pair, SUB_MS, int(bars.time[0]), stop, bars.grid)
        if subs is None:
            subs = flow_part_of(bars, 0, 0, step_ms=SUB_MS)
        return Flow(bars, footprint, subs)


def flow_part(flow: Flow, start: int, stop: int) -> Flow:
    """Flow of the minutes that open from ``start`` to ``stop`` (exclusive)."""
    begin, end = np.searchsorted(flow.bars.time, (start, stop)).tolist()
    offsets = flow.footprint.offsets[begin : end + 1]
    cells = slice(int(offsets[0]), int(offsets[-1]))
    footprint = Footprint(
        grid=flow.footprint.grid,
        offsets=offsets - offsets[0],
        bin=flow.footprint.bin[cells],
        buy=flow.footprint.buy[cells],
        sell=flow.footprint.sell[cells],
    )
    bars = flow_part_of(flow.bars, begin, end)
    return Flow(bars, footprint, _cut(flow.sub_bars, start, stop))


def flow_part_of(bars: FlowBars, begin: int, end: int, step_ms: int | None = None) -> FlowBars:
    """Rows ``begin`` to ``end`` of flow bars (as in slicing), as views."""
    names = [f.name for f in fields(FlowBars) if f.name not in {"grid", "step_ms"}]
    columns = {name: getattr(bars, name)[begin:end] for name in names}
    return FlowBars(grid=bars.grid, step_ms=step_ms or bars.step_ms, **columns)


def _cut(bars: FlowBars, start: int, stop: int) -> FlowBars:
    return flow_part_of(bars, *np.searchsorted(bars.time, (start, stop)).tolist())
