"""Single liquidations second by second beside the bars of a frame.

The exchange's own events alone: a vendor tells of minutes. What is computed of a bar depends on
the four hours of events and bars before it, so that bots and tests with a frame of that lead
know the same. It is computed anew of the whole frame: some 15 ms for 1,000 candles of 5m.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hydra_ft.adapter.recorded.spans import Coverage
from hydra_ft.bars.beside import with_forced
from hydra_ft.bars.forced_columns import MEMORY_S, MINUTE_MS, USUAL_MINUTES
from hydra_ft.store.flow_closures import ClosureStore
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from hydra_ft.store.database import Database
    from hydra_ft.store.flow_markets import Markets
    from hydra_ft.types import Bars

LEAD_MS: Final = (USUAL_MINUTES + 2) * MINUTE_MS + MEMORY_S * 1000
"""What happened longer before the first bar makes no difference."""


def with_recorded_closures(bars: Bars, database: Database, markets: Markets, pair: str) -> Bars:
    """Bars with ``forced``: NaN where not proven, or where single events have been dropped.

    Raises StoreError where the database cannot be read.
    """
    begin = int(bars.time[0]) - LEAD_MS if len(bars) else 0
    stop = int(bars.time[-1]) + bars.step_ms if len(bars) else 0
    store = ClosureStore(database, markets)
    known_from = max(begin, store.kept_from(pair))
    spans = Coverage(database, markets, pair, Feed.LIQUIDATIONS).within(known_from, stop)
    covered = sorted((start, end) for _, start, end in spans)
    return with_forced(bars, store.between(pair, known_from, stop), covered)
