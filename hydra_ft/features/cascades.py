"""Forced closures of the last seconds of a bar, and cascades of them within it.

From single liquidations (``bars.forced_columns``), by the side of the position (F-A7), as
multiples of the pair's own usual minute (F-A8). The forms of hours are in ``liquidations``.
Everything is NaN where single liquidations are not carried or a window is not covered, and
cascades where the usual is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.features import rolling
from hydra_ft.features.registry import feature
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from hydra_ft.features.registry import Compute
    from hydra_ft.types import Bars, FloatArray

_FEEDS = (Feed.LIQUIDATIONS,)
_GROUPS = ("forced",)
_SOURCE = "Hydra V3 liquidations; F-A7"
_SCALED = "Hydra V3 liquidations, there by absolute floors (F-A8) and its own usual (F-A13)"


def _column(bars: Bars, name: str) -> FloatArray:
    if bars.forced is None:
        return rolling.empty_like(bars.close)
    found: FloatArray = getattr(bars.forced, name)
    return found


def _sides(bars: Bars, seconds: int) -> tuple[FloatArray, FloatArray]:
    return _column(bars, f"long_{seconds}_s"), _column(bars, f"short_{seconds}_s")


def _total(seconds: int) -> Compute:
    """Declare what was liquidated in the last seconds of a bar."""

    def compute(bars: Bars) -> FloatArray:
        longs, shorts = _sides(bars, seconds)
        return longs + shorts

    compute.__name__ = compute.__qualname__ = f"liquidated_{seconds}_s"
    compute.__doc__ = f"Notional of all positions liquidated in the last {seconds} s of the bar."
    return feature(
        feeds=_FEEDS,
        groups=_GROUPS,
        formula=f"L + S of the {seconds} s before the close",
        reference=_SOURCE,
        lookback=0,
        units="quote",
        low=0.0,
        panel="liquidated",
    )(compute)


liquidated_30_s = _total(30)
liquidated_120_s = _total(120)
liquidated_300_s = _total(300)


def _imbalance(seconds: int) -> Compute:
    """Declare the balance of the sides liquidated in the last seconds of a bar."""

    def compute(bars: Bars) -> FloatArray:
        longs, shorts = _sides(bars, seconds)
        both = longs + shorts
        return np.where(both == 0, 0.0, rolling.ratio(longs - shorts, both))

    compute.__name__ = compute.__qualname__ = f"liquidated_imbalance_{seconds}_s"
    compute.__doc__ = "Which side was liquidated: +1 only longs, -1 only shorts, 0 none or both."
    return feature(
        feeds=_FEEDS,
        groups=_GROUPS,
        formula=f"(L - S) / (L + S) of the {seconds} s before the close; 0 where both are 0",
        reference=_SOURCE,
        lookback=0,
        units="ratio",
        low=-1.0,
        high=1.0,
        panel="liquidated_imbalance",
    )(compute)


liquidated_imbalance_30_s = _imbalance(30)
liquidated_imbalance_120_s = _imbalance(120)
liquidated_imbalance_300_s = _imbalance(300)


@feature(
    feeds=_FEEDS,
    groups=_GROUPS,
    formula="max over the bar of L + S of 30 s / max(usual, 1e-4 turnover per minute); usual = "
    "exponential mean (span 60) of the minutes before the one in which the 30 s began; known where "
    "the usual is in every second",
    reference=_SCALED,
    lookback=0,
    units="multiple",
    low=0.0,
    panel="liquidation_peak",
)
def liquidation_peak_30_s(bars: Bars) -> FloatArray:
    """The most that was liquidated in any 30 s of the bar, in usual minutes of the pair."""
    return _column(bars, "peak_30_s")


@feature(
    feeds=_FEEDS,
    groups=_GROUPS,
    formula="sign(L - S) of the last 30 s in the bar that hold > 5 usual minutes with "
    "|L - S| > 0.6 (L + S); 0 without any; known where the usual is in every second",
    reference=_SCALED,
    lookback=0,
    units="sign",
    low=-1.0,
    high=1.0,
    panel="cascade",
)
def cascade_30_s(bars: Bars) -> FloatArray:
    """Whose positions cascaded within the bar: +1 longs, -1 shorts, 0 none."""
    return _column(bars, "cascade")


@feature(
    feeds=_FEEDS,
    groups=_GROUPS,
    formula="side of a cascade that was on 10 to 180 s before, when 30 s hold < 0.3 of the most "
    "within 300 s while 120 s still hold > 5 usual minutes of one side; once a cascade, else 0; "
    "known where the usual is in every second of the bar and of the 180 s before it",
    reference="Hydra V3 liquidations, there by absolute floors (F-A8)",
    lookback=0,
    units="sign",
    low=-1.0,
    high=1.0,
    panel="cascade",
)
def exhaustion_30_s(bars: Bars) -> FloatArray:
    """Whose cascade ran out within the bar: +1 longs, -1 shorts, 0 none."""
    return _column(bars, "exhaustion")
