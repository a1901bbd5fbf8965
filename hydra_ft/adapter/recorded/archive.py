"""Open interest that was archived, of the time before freqtrade's own: exchanges keep 30 days.

It stands for what a bot was told in those days. After freqtrade's first value nothing is filled:
where that has a hole a bot that trades blocks, and so does the test.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from hydra_ft.feeds.coinalyze import SOURCE as VENDOR
from hydra_ft.store.flow_coverage import OWN
from hydra_ft.store.flow_derivatives import DerivativesStore
from hydra_ft.store.flow_markets import Markets

if TYPE_CHECKING:
    from hydra_ft.store.database import Database
    from hydra_ft.types import Bars, FloatArray

SOURCES: Final = (OWN, VENDOR)
"""The first one that has a value wins."""


def with_archived(bars: Bars, database: Database, exchange: str, pair: str) -> Bars:
    """Bars whose open interest (base currency) is archived before the first that is not NaN.

    Freqtrade's candles of open interest stand at the time of their value, so the first value
    within a bar is taken. One in quote currency is divided by the price of the bar's open.
    Raises StoreError where the database cannot be read.
    """
    if bars.open_interest is None or not len(bars):
        return bars
    values = bars.open_interest.copy()
    store = DerivativesStore(database, Markets(database, exchange))
    before = np.logical_and.accumulate(np.isnan(values))
    for source in SOURCES:
        absent = np.isnan(values) & before
        if not absent.any():
            break
        values[absent] = _archived(bars, store, pair, source)[absent]
    return replace(bars, open_interest=values)


def _archived(bars: Bars, store: DerivativesStore, pair: str, source: str) -> FloatArray:
    """First value within each bar, shape (n,), in base currency; NaN where there is none."""
    stop = int(bars.time[-1]) + bars.step_ms
    series = store.open_interest(pair, int(bars.time[0]), stop, source)
    rows = np.searchsorted(bars.time, series.time, side="right") - 1
    amounts = series.columns["amount"]
    quoted = series.columns["value"] / bars.open[rows]
    amounts = np.where(np.isnan(amounts), quoted, amounts)
    known = np.isfinite(amounts) & (series.time < bars.time[rows] + bars.step_ms)
    found = np.full(len(bars), np.nan)
    # Backwards, so that of several values in a bar the first one stays.
    found[rows[known][::-1]] = amounts[known][::-1]
    return found
