"""What lies beside the prices of bars, put there: the book, forced closures, a reference price.

Each gives bars with one group of columns more, known where its feed covers them (as
``flow_columns.with_flow`` does for trades).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.book_columns import book_columns
from hydra_ft.bars.candles import taken
from hydra_ft.bars.forced_columns import forced_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra_ft.types import Bars, BookSamples, FloatArray, ForcedClosures, IntArray
    from hydra_ft.types.flow import FlowBars


def with_book(
    bars: Bars,
    samples: BookSamples,
    *,
    tick: float,
    covered: Sequence[tuple[int, int]] | None = None,
    trades: FlowBars | None = None,
) -> Bars:
    """Bars with the columns of ``book_columns``, whose arguments these are."""
    return replace(
        bars, book=book_columns(bars, samples, tick=tick, covered=covered, trades=trades)
    )


def with_forced(bars: Bars, closures: ForcedClosures, covered: Sequence[tuple[int, int]]) -> Bars:
    """Bars with the columns of ``forced_columns``, whose arguments these are."""
    return replace(bars, forced=forced_columns(bars, closures, covered))


def with_reference(bars: Bars, time: IntArray, close: FloatArray) -> Bars:
    """Bars with the close of what the contract follows, from candles of the same length.

    ``time`` (UTC ms, not falling) and ``close`` have shape (m,): candles of the mark, the index
    or the spot. NaN for a bar of whose time there is none, or whose close is not positive.
    """
    if not time.size:
        return replace(bars, reference=np.full(len(bars), np.nan))
    rows = np.minimum(np.searchsorted(time, bars.time), time.size - 1)
    found = taken(close, np.where(time[rows] == bars.time, rows, -1).astype(np.int64))
    return replace(bars, reference=np.where(found > 0, found, np.nan))
