"""What was liquidated within the bars of a frame, and where that is not known.

The exchange's own events win; where they do not cover a whole bar, a vendor's history does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from hydra_ft.adapter.recorded.spans import is_within
from hydra_ft.bars.candles import LIQUIDATED
from hydra_ft.feeds.coinalyze import SOURCE as VENDOR
from hydra_ft.store.flow_coverage import OWN

if TYPE_CHECKING:
    from hydra_ft.adapter.recorded.kept import Columns
    from hydra_ft.adapter.recorded.spans import Coverage, Span
    from hydra_ft.store.flow_derivatives import DerivativesStore
    from hydra_ft.types import IntArray

SOURCES: Final = (VENDOR, OWN)
"""The later one wins."""


@dataclass(frozen=True, slots=True)
class LiquidationSource:
    """Liquidations of the bars of a frame of ``step_ms``, whole minutes."""

    store: DerivativesStore
    coverage: Coverage
    step_ms: int

    def reach(self, start: int) -> int:
        """Nothing from before a bar belongs to it."""
        return start

    def spans(self, start: int, stop: int) -> frozenset[Span]:
        """Return what is proven complete of the liquidations within an interval."""
        return self.coverage.within(start, stop)

    def columns(self, start: int, stop: int) -> Columns:
        """Compute ``LIQUIDATED`` in quote: 0 where none were, NaN where that is not known."""
        times = np.arange(start, stop, self.step_ms)
        spans = self.spans(start, stop)
        found = {name: np.full(times.size, np.nan) for name in LIQUIDATED}
        for source in SOURCES:
            whole = is_within(spans, source, times, self.step_ms)
            if whole.any():
                sums = self._sums(times, stop, source)
                for name in LIQUIDATED:
                    found[name][whole] = sums[name][whole]
        return found

    def _sums(self, times: IntArray, stop: int, source: str) -> Columns:
        series = self.store.liquidation_minutes(self.coverage.pair, int(times[0]), stop, source)
        rows = (series.time - times[0]) // self.step_ms
        columns = (series.columns["long_notional"], series.columns["short_notional"])
        return {
            name: np.bincount(rows, values, minlength=times.size).astype(np.float64)
            for name, values in zip(LIQUIDATED, columns, strict=True)
        }
