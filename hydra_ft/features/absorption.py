"""Absorption: much traded, and the price stays where it is.

F-A9: the move is in basis points of the price and the volume in quote currency, so that pairs
compare. Bars have no mid, so the move is that of the close. The usual is that of the 100 bars
before: what is judged is no part of what it is judged by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.tolerance import exceeds
from hydra_ft.features import rolling
from hydra_ft.features.order_flow import EQUAL, delta, population_deviation, taken_volumes
from hydra_ft.features.registry import feature, shared
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from hydra_ft.types import Bars, FloatArray

_FEEDS = (Feed.TRADES,)
_SOURCE = "F-A9; Hydra V3 absorption"
USUAL_BARS = 100
LEAST_BPS = 0.1


def absorbed(volume_quote: FloatArray, moved_bps: FloatArray) -> FloatArray:
    """Volume per basis point that the price moved, V / (|move| + 0.1), shape (n,)."""
    return volume_quote / (np.abs(moved_bps) + LEAST_BPS)


def _moved_bps(bars: Bars) -> FloatArray:
    """Move of the close since the bar before, basis points, shape (n,)."""
    return 1e4 * (rolling.ratio(bars.close, rolling.shifted(bars.close, 1)) - 1)


@feature(
    feeds=_FEEDS,
    formula="vwap (buy_volume + sell_volume) / (1e4 |close / close[-1] - 1| + 0.1)",
    reference=_SOURCE,
    lookback=1,
    units="quote per bp",
    low=0.0,
    panel="absorption",
)
@shared
def absorption(bars: Bars) -> FloatArray:
    """Turnover for each basis point that the price went."""
    if bars.flow is None:
        return rolling.empty_like(bars.close)
    bought, sold = taken_volumes(bars)
    turnover = np.where(bars.flow.empty == 1, 0.0, bars.flow.vwap * (bought + sold))
    return absorbed(turnover, _moved_bps(bars))


@feature(
    feeds=_FEEDS,
    formula="(absorption - mean) / std (n) of absorption over the 100 bars before",
    reference=_SOURCE,
    lookback=USUAL_BARS + 1,
    units="z",
    panel="absorption_z",
)
@shared
def absorption_z_100(bars: Bars) -> FloatArray:
    """How unusual the absorption is; NaN where it did not vary before."""
    found = absorption(bars)
    usual = rolling.shifted(rolling.mean(found, USUAL_BARS), 1)
    spread = rolling.shifted(population_deviation(found, USUAL_BARS), 1)
    return np.where(spread > EQUAL * usual, rolling.ratio(found - usual, spread), np.nan)


@feature(
    feeds=_FEEDS,
    formula="-sign(delta) absorption / mean(absorption of the 100 bars before); 0 where "
    "sign(delta) 1e4 (close / close[-1] - 1) > 0.1",
    reference=_SOURCE,
    lookback=USUAL_BARS + 1,
    units="multiple",
    panel="absorption_side",
)
def signed_absorption_100(bars: Bars) -> FloatArray:
    """Who held: bids where positive, asks where negative; 0 where the price went with the takers.

    A move of a tenth of a basis point or less is none.
    """
    found, side = absorption(bars), np.sign(delta(bars))
    usual = rolling.shifted(rolling.mean(found, USUAL_BARS), 1)
    held = ~exceeds(side * _moved_bps(bars), LEAST_BPS)
    return -side * held * rolling.ratio(found, usual)
