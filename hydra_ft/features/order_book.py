"""What rested in the book during each bar, from samples of it (``bars.book_columns``).

Samples are a second apart as a rule: what came and went between two of them is not seen, so the
order flow is that of net changes. The exact one, event by event, is ``book.order_flow_events``.
Everything is NaN where the book is not carried or the bar was not covered whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.features import rolling
from hydra_ft.features.order_flow import EQUAL, population_deviation
from hydra_ft.features.registry import feature
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from hydra_ft.features.registry import Compute
    from hydra_ft.types import Bars, FloatArray

_FEEDS = (Feed.BOOK,)
_CONT = "Cont, Kukanov and Stoikov, Journal of Financial Econometrics 12, 2014"
_XU = "Xu, Gould and Howison, Market Microstructure and Liquidity 4, 2018"
_GOULD = "Gould and Bonart, Market Microstructure and Liquidity 2, 2016"
_STOIKOV = "Stoikov, Quantitative Finance 18, 2018"
USUAL_BARS = 48


def column(bars: Bars, name: str) -> FloatArray:
    """A column of the book, NaN where it is not carried, shape (n,)."""
    if bars.book is None:
        return rolling.empty_like(bars.close)
    found: FloatArray = getattr(bars.book, name)
    return found


@feature(
    feeds=_FEEDS,
    formula="order flow of the bar / mean size of the two best queues; order flow = sum of "
    "1{b >= b'} q_b - 1{b <= b'} q_b' - 1{a <= a'} q_a + 1{a >= a'} q_a' between samples",
    reference=_CONT,
    lookback=0,
    units="queues",
    panel="book_flow",
)
def ofi(bars: Bars) -> FloatArray:
    """What came to the bid or left the ask, as a multiple of a usual best queue."""
    return rolling.ratio(column(bars, "order_flow"), column(bars, "touch"))


@feature(
    feeds=_FEEDS,
    formula="sum of the order flow of the ten best levels / mean size of the two best queues",
    reference=_XU,
    lookback=0,
    units="queues",
    panel="book_flow",
)
def ofi_deep(bars: Bars) -> FloatArray:
    """The same of the ten best levels, each by its own prices."""
    return rolling.ratio(column(bars, "deep_flow"), column(bars, "touch"))


@feature(
    feeds=_FEEDS,
    formula="(ofi - mean) / std (n) of ofi over the 48 bars before",
    reference=_CONT,
    lookback=USUAL_BARS,
    units="z",
    panel="book_flow_z",
)
def ofi_z_48(bars: Bars) -> FloatArray:
    """How unusual the order flow of the book is; NaN where it did not vary before."""
    found = ofi(bars)
    usual = rolling.shifted(rolling.mean(found, USUAL_BARS), 1)
    spread = rolling.shifted(population_deviation(found, USUAL_BARS), 1)
    size = rolling.shifted(rolling.mean(np.abs(found), USUAL_BARS), 1)
    return np.where(spread > EQUAL * size, rolling.ratio(found - usual, spread), np.nan)


def _plain(
    name: str, kept: str, text: str, formula: str, reference: str, units: str, panel: str
) -> Compute:
    """Declare a column of the book as a feature."""

    def compute(bars: Bars) -> FloatArray:
        return column(bars, kept)

    compute.__name__ = compute.__qualname__ = name
    compute.__doc__ = text
    bounds = {"ratio": (-1.0, 1.0), "bps": (-1e4, 1e4), "bps of spread": (0.0, 1e4)}[units]
    return feature(
        feeds=_FEEDS,
        formula=formula,
        reference=reference,
        lookback=0,
        units="bps" if units.startswith("bps") else units,
        low=bounds[0],
        high=bounds[1],
        panel=panel,
    )(compute)


queue_imbalance = _plain(
    "queue_imbalance", "queue_imbalance",
    "Whose best queue was longer over the bar: +1 all bid, -1 all ask.",
    "mean over the bar's time of (q_b - q_a) / (q_b + q_a) at the best prices",
    _GOULD, "ratio", "queues",
)  # fmt: skip
queue_imbalance_close = _plain(
    "queue_imbalance_close", "queue_imbalance_close",
    "Whose best queue is longer when the bar closes.",
    "(q_b - q_a) / (q_b + q_a) at the best prices, last state of the bar",
    _GOULD, "ratio", "queues",
)  # fmt: skip
depth_imbalance = _plain(
    "depth_imbalance", "depth_imbalance",
    "Which side held more notional over the bar: +1 all bid, -1 all ask.",
    "mean over the bar's time of (B - A) / (B + A), B and A the sums of price * size of 10 levels",
    "Hydra V3 inputs", "ratio", "queues",
)  # fmt: skip
weighted_offset_bps = _plain(
    "weighted_offset_bps", "weighted_offset_bps_close",
    "How far the mid weighed by the queues stands above the mid when the bar closes.",
    "1e4 ((a q_b + b q_a) / (q_a + q_b) - mid) / mid, last state of the bar",
    _STOIKOV, "bps", "offset",
)  # fmt: skip
microprice_offset_bps = _plain(
    "microprice_offset_bps", "micro_offset_bps_close",
    "How far the mid is expected to go from where it is when the bar closes.",
    "1e4 (microprice - mid) / mid, last state of the bar, by the table of the hour (UTC) before",
    _STOIKOV, "bps", "offset",
)  # fmt: skip
spread_bps = _plain(
    "spread_bps", "spread_bps",
    "How far the best prices were apart over the bar.",
    "mean over the bar's time of 1e4 (a - b) / mid",
    "elementary", "bps of spread", "spread",
)  # fmt: skip


@feature(
    feeds=_FEEDS,
    formula="notional of 10 levels of both sides, mean of the bar / median of the 48 bars before",
    reference="elementary; the usual is the pair's own (F-A8)",
    lookback=USUAL_BARS,
    units="ratio",
    low=0.0,
    panel="depth",
)
def depth_ratio_48(bars: Bars) -> FloatArray:
    """How much rests in the book, as a multiple of the usual."""
    depth = column(bars, "depth")
    usual = rolling.percentile(depth, USUAL_BARS, 0.5)
    return rolling.ratio(depth, rolling.shifted(usual, 1))
