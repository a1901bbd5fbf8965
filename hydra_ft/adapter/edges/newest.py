"""The newest bars of a pair that the scalper looks at, as few as its criteria need."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from hydra_ft.adapter.edges.hits import only_whole
from hydra_ft.adapter.frames import to_bars
from hydra_ft.bars.candles import timeframe_ms
from hydra_ft.bars.flow_columns import flow_columns
from hydra_ft.bars.flow_tables import candles
from hydra_ft.store.flow import bars_from

if TYPE_CHECKING:
    from freqtrade.data.dataprovider import DataProvider

    from hydra_ft.store.flow import FlowStore
    from hydra_ft.types import Bars

COUNT: Final = 120
"""Bars that are read: the 51 of the criteria, and as many as may have closed since the last look.

Whoever looks less often than every eleven minutes counts fewer bars in the hit rates.
"""


class Newest(Protocol):
    """Where the newest closed bars come from; ``step_ms`` is their length."""

    @property
    def step_ms(self) -> int:
        """Length of the bars."""

    def bars(self, pair: str) -> Bars | None:
        """Return the newest bars of a pair; None for none."""


class RecordedBars:
    """Bars of 10 seconds that a recorder wrote; NaN where they are not whole.

    They go on over a change of the exchange's ticks, also to coarser ones.
    """

    def __init__(self, store: FlowStore, timeframe: str) -> None:
        self._store = store
        self.step_ms = timeframe_ms(timeframe)

    def bars(self, pair: str) -> Bars | None:
        """Return the newest recorded bars; raises StoreError where they cannot be read."""
        flow = self._store.last_told(pair, self.step_ms, COUNT)
        if flow is None:
            return None
        made = candles(flow)
        known = bars_from(flow, len(flow) - len(made))
        return only_whole(replace(made, flow=flow_columns(known))) if len(made) else None


class CandleBars:
    """Freqtrade's own candles, where no trades are listed."""

    def __init__(self, dp: DataProvider, timeframe: str) -> None:
        self._dp, self._timeframe = dp, timeframe
        self.step_ms = timeframe_ms(timeframe)

    def bars(self, pair: str) -> Bars | None:
        """Return the newest closed candles."""
        frame = self._dp.get_pair_dataframe(pair, self._timeframe).tail(COUNT)
        return to_bars(frame, self._timeframe) if len(frame) else None
