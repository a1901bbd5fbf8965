"""Columns of flow and value of a frame, from the minutes that are kept.

What a bar gets depends on its own UTC day and the one before, wherever the frame begins, and
never on a grid that came after it: a backtest over a year and a bot that has just started give
the same. Sums and prices are known across a change of the grid. Value is told in the bins of
the bar: of what came before a change it is known where that can be told in these.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import numpy as np

from hydra_ft.adapter.recorded.minutes import DAY_MS, MINUTE_MS
from hydra_ft.adapter.recorded.stretches import parts_of
from hydra_ft.bars.candles import grouped
from hydra_ft.bars.flow_coarser import coarser_bars, coarser_footprint
from hydra_ft.bars.flow_columns import flow_columns, with_flow
from hydra_ft.bars.value_columns import ROLLING_MS
from hydra_ft.types import Bars
from hydra_ft.types.flow import Flow
from hydra_ft.types.flow_columns import FlowColumns, FootprintColumns, ValueColumns

if TYPE_CHECKING:
    from hydra_ft.adapter.recorded.kept import Columns
    from hydra_ft.adapter.recorded.minutes import Minutes
    from hydra_ft.adapter.recorded.spans import Coverage, Span
    from hydra_ft.types import IntArray

GROUPS: Final = {"flow": FlowColumns, "value": ValueColumns, "footprint": FootprintColumns}
"""Groups of columns by the fields of the bars."""
AT_ONCE_MS: Final = 7 * DAY_MS
"""How much of the past is read at once: 10-second bars of a week are 60,000 rows."""


@dataclass(frozen=True, slots=True)
class FlowSource:
    """Flow of the bars of a frame of ``step_ms``, whole minutes; value too up to half an hour.

    A rolling profile of half an hour has no meaning within a bar that is longer.
    """

    minutes: Minutes
    coverage: Coverage
    step_ms: int

    @property
    def has_value(self) -> bool:
        """Whether value is told for bars of this length."""
        return ROLLING_MS % self.step_ms == 0

    def reach(self, start: int) -> int:
        """Begin of the day before, whose value is held against the bar."""
        return start // DAY_MS * DAY_MS - DAY_MS if self.has_value else start

    def spans(self, start: int, stop: int) -> frozenset[Span]:
        """Return what is proven complete of the trades within an interval."""
        return self.coverage.within(start, stop)

    def columns(self, start: int, stop: int) -> Columns:
        """Compute the columns by names such as ``flow.count``, shape (n,) each."""
        groups = GROUPS if self.has_value else {"flow": FlowColumns}
        names = [f"{name}.{f.name}" for name, group in groups.items() for f in fields(group)]
        n = (stop - start) // self.step_ms
        found = {name: np.full(n, np.nan) for name in names}
        found["flow.covered"][:] = 0.0
        changes = self.minutes.changes(MINUTE_MS, start, stop)
        at_once = range(start // DAY_MS * DAY_MS + AT_ONCE_MS, stop, AT_ONCE_MS)
        for begin, end, is_mixed in parts_of(start, stop, self.step_ms, changes, at_once):
            if self.has_value:
                self._place(self._valued(begin, end), found, start, begin)
            if is_mixed or not self.has_value:
                self._place(self._summed(begin, end), found, start, begin)
        return found

    def _place(
        self, part: tuple[IntArray, Columns] | None, found: Columns, start: int, begin: int
    ) -> None:
        """Put in the columns of the bars from ``begin`` on."""
        if part is None:
            return
        times, columns = part
        first = int(np.searchsorted(times, begin))
        rows = (times[first:] - start) // self.step_ms
        for name, values in columns.items():
            found[name][rows] = values[first:]

    def _valued(self, begin: int, end: int) -> tuple[IntArray, Columns] | None:
        flow = self.minutes.flow(self.reach(begin), end, begin // MINUTE_MS * MINUTE_MS)
        if flow is None:
            return None
        bars = coarser_bars(flow.bars, self.step_ms)
        footprint = coarser_footprint(flow.footprint, flow.bars, self.step_ms)
        price = np.full(len(bars), np.nan)
        plain = Bars(bars.time, self.step_ms, price, price, price, price, price)
        beside = with_flow(plain, Flow(bars, footprint, flow.sub_bars))
        return bars.time, grouped(beside)

    def _summed(self, begin: int, end: int) -> tuple[IntArray, Columns] | None:
        minutes = self.minutes.bars(begin, end)
        if minutes is None:
            return None
        bars = coarser_bars(minutes, self.step_ms)
        columns = flow_columns(bars)
        return bars.time, {f"flow.{f.name}": getattr(columns, f.name) for f in fields(columns)}


def groups_of(columns: Columns) -> dict[str, object]:
    """Groups of columns that were computed, by the fields of the bars."""
    return {
        name: group(**{f.name: columns[f"{name}.{f.name}"] for f in fields(group)})
        for name, group in GROUPS.items()
        if f"{name}.{fields(group)[0].name}" in columns
    }
