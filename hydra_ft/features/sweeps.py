"""Levels of the book that trades cleared at once, and how fast that side came back.

F-A10: levels are compared by price, and trades must have gone through them
(``bars.book_columns.sweeps``). NaN where the book or the trades are not carried or not whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.features import rolling
from hydra_ft.features.order_book import column
from hydra_ft.features.registry import feature
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from hydra_ft.features.registry import Compute
    from hydra_ft.types import Bars, FloatArray

_FEEDS = (Feed.BOOK, Feed.TRADES)
_SOURCE = "F-A10; Hydra V3 absorption"
HOUR = 12
MOST_REFILL_PER_S = 10.0
LEAST_REFILL_PER_S = -2.0
"""Everything that was left is gone half a second later."""


def _swept(side: str, takers: str) -> Compute:
    """Declare the levels of a side that were swept within an hour of 5m bars."""

    def compute(bars: Bars) -> FloatArray:
        return rolling.total(column(bars, f"{side}_swept"), HOUR)

    compute.__name__ = compute.__qualname__ = f"{side}_swept_{HOUR}"
    compute.__doc__ = f"Levels of the {side} that {takers} cleared in sweeps."
    return feature(
        feeds=_FEEDS,
        formula=f"levels of the {side} in sweeps, summed over {HOUR} bars; a sweep: 4 of the best "
        "5 prices hold < 10 % of a sample before, trades went through them and took half of it",
        reference=_SOURCE,
        lookback=HOUR - 1,
        units="levels",
        low=0.0,
        panel="swept",
    )(compute)


bid_swept_12 = _swept("bid", "sellers")
ask_swept_12 = _swept("ask", "buyers")


@feature(
    feeds=_FEEDS,
    formula="(A - B) / (A + B) of the levels swept over 12 bars; 0 where none were",
    reference=_SOURCE,
    lookback=HOUR - 1,
    units="ratio",
    low=-1.0,
    high=1.0,
    panel="sweep_balance",
)
def sweep_balance_12(bars: Bars) -> FloatArray:
    """Who swept: +1 only buyers the ask, -1 only sellers the bid, 0 balance or no sweep."""
    asks, bids = ask_swept_12(bars), bid_swept_12(bars)
    both = asks + bids
    return np.where(both == 0, 0.0, rolling.ratio(asks - bids, both))


def _refill(side: str) -> Compute:
    """Declare how fast a side came back after its sweeps."""

    def compute(bars: Bars) -> FloatArray:
        return column(bars, f"{side}_refill_per_s")

    compute.__name__ = compute.__qualname__ = f"{side}_refill_per_s"
    compute.__doc__ = f"How fast the {side} grew again after it was swept; 0 without a sweep."
    return feature(
        feeds=_FEEDS,
        formula="mean of (D - D') / max(D', 5 % of the depth before) / t over the samples of the "
        "bar 0.5 to 10 s after a sweep; D notional up to what was the tenth price, D' after it",
        reference=_SOURCE,
        lookback=0,
        units="per second",
        low=LEAST_REFILL_PER_S,
        high=MOST_REFILL_PER_S,
        panel="refill",
    )(compute)


bid_refill_per_s = _refill("bid")
ask_refill_per_s = _refill("ask")
