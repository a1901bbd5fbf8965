"""Order flow of the trades: who took, how one-sidedly, and how that changes.

The side is the taker's. Raw deltas are in coins and meant for pictures; what is compared
across pairs and times is a share or a multiple (F-A3). A window with a bar of which trades
are missing is NaN, and so is everything when trades are not carried: a gap must not look
like balance. A bar that was covered and in which nothing traded is balance. Only what looks
back on 24 bars may leave out older ones, a twentieth of them, as the profile of a day does:
it is told by the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.tolerance import TOLERANCE
from hydra_ft.features import rolling
from hydra_ft.features.registry import feature, shared
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from hydra_ft.features.registry import Compute
    from hydra_ft.types import Bars, FloatArray

_FEEDS = (Feed.TRADES,)
_SOURCE = "F-A3; Hydra V3 order_flow"
SPAN = 4
ALPHA = 0.3
VELOCITY_BARS = 24
"""Changes that a velocity looks back on: the weight that is cut off is 0.7**24 = 2e-4."""
PERSISTENCE_BARS = 60
FLIP_BARS = 48
DAY_BARS = 24
"""A day of hourly bars, as long as the efficiency that flips stand beside in the regime."""
LEAST_KNOWN = 0.95
USUAL_BARS = 48
HOUR_MS = 3_600_000
EQUAL = 1e-6


def taken_volumes(bars: Bars) -> tuple[FloatArray, FloatArray]:
    """What takers bought and sold in each bar, base currency; NaN where it is not known."""
    if bars.flow is None:
        unknown = rolling.empty_like(bars.close)
        return unknown, unknown
    return bars.flow.buy_volume, bars.flow.sell_volume


@feature(
    feeds=_FEEDS,
    formula="buy_volume - sell_volume",
    reference="formulas.md, delta; Lee and Ready, Journal of Finance 46, 1991",
    lookback=0,
    units="base",
    panel="delta",
)
def delta(bars: Bars) -> FloatArray:
    """Bought less sold by takers."""
    bought, sold = taken_volumes(bars)
    return bought - sold


def _cvd(window: int) -> Compute:
    """Declare the sum of the deltas over a number of bars."""

    def compute(bars: Bars) -> FloatArray:
        return rolling.total(delta(bars), window)

    compute.__name__ = compute.__qualname__ = f"cvd_{window}"
    compute.__doc__ = f"Cumulative delta of the last {window} bars, not since some start."
    return feature(
        feeds=_FEEDS,
        formula=f"sum(delta, {window})",
        reference="formulas.md, CVD; over a window",
        lookback=window - 1,
        units="base",
        panel="delta",
    )(compute)


cvd_12 = _cvd(12)
cvd_48 = _cvd(48)


@feature(
    feeds=_FEEDS,
    formula="delta / median(buy_volume + sell_volume of the 48 bars before)",
    reference=_SOURCE,
    lookback=USUAL_BARS,
    units="multiple",
    panel="delta_multiple",
)
def delta_multiple_48(bars: Bars) -> FloatArray:
    """Delta as a multiple of the pair's usual volume; NaN where that is 0."""
    bought, sold = taken_volumes(bars)
    usual = rolling.percentile(bought + sold, USUAL_BARS, 0.5)
    return rolling.ratio(bought - sold, rolling.shifted(usual, 1))


def _imbalance(window: int) -> Compute:
    """Declare the balance of buyers and sellers over a number of bars."""

    @shared
    def compute(bars: Bars) -> FloatArray:
        bought, sold = (rolling.total(side, window) for side in taken_volumes(bars))
        both = bought + sold
        return np.where(both == 0, 0.0, rolling.ratio(bought - sold, both))

    compute.__name__ = compute.__qualname__ = f"trade_imbalance_{window}"
    compute.__doc__ = "Who took: +1 only buyers, -1 only sellers, 0 balance or no trade."
    return feature(
        feeds=_FEEDS,
        formula=f"(B - S) / (B + S) of the sums over {window} bars; 0 where nothing traded",
        reference=_SOURCE,
        lookback=window - 1,
        units="ratio",
        low=-1.0,
        high=1.0,
        panel="trade_imbalance",
    )(compute)


trade_imbalance_1 = _imbalance(1)
trade_imbalance_4 = _imbalance(4)
trade_imbalance_12 = _imbalance(12)


@feature(
    feeds=_FEEDS,
    formula="(B - S) / (B + S) of the sums over 24 bars, of which 95 % must be whole",
    reference=_SOURCE,
    lookback=DAY_BARS - 1,
    units="ratio",
    low=-1.0,
    high=1.0,
    panel="trade_imbalance",
)
def trade_imbalance_24(bars: Bars) -> FloatArray:
    """Who took over a day of hourly bars; an older bar of which trades are missing is left out."""
    sides = taken_volumes(bars)
    bought, sold = (rolling.total(np.nan_to_num(side), DAY_BARS) for side in sides)
    both = bought + sold
    balance = np.where(both == 0, 0.0, rolling.ratio(bought - sold, both))
    return np.where(rolling.known(sides[0] + sides[1], DAY_BARS, LEAST_KNOWN), balance, np.nan)


def deviations(values: FloatArray, window: int) -> FloatArray:
    """Values in standard deviations (n) of the ``window`` before; NaN where those are equal.

    Not from their mean: a balance of 0 is the calm that is measured from.
    """
    spread = rolling.shifted(population_deviation(values, window), 1)
    return np.where(spread > EQUAL, rolling.ratio(values, spread), np.nan)


@feature(
    feeds=_FEEDS,
    formula="std(trade_imbalance_4, 60, n); sums overlap, so a scale and no test",
    reference=_SOURCE,
    lookback=PERSISTENCE_BARS + SPAN - 2,
    units="ratio",
    low=0.0,
    high=1.0 + TOLERANCE,
    panel="trade_imbalance",
)
def imbalance_deviation_60(bars: Bars) -> FloatArray:
    """How much the balance of buyers and sellers swings."""
    return population_deviation(trade_imbalance_4(bars), PERSISTENCE_BARS)


def population_deviation(values: FloatArray, window: int) -> FloatArray:
    """Standard deviation (n) of the last ``window`` values, shape (n,).

    From sums of squares: below ``EQUAL`` times the mean it is that of equal values.
    """
    return np.sqrt(rolling.variance(values, window) * (window - 1) / window)


def velocity(values: FloatArray) -> FloatArray:
    """Exponential mean of the changes, shape (n,): weights 0.7**age over 24 of them."""
    return rolling.decayed(values - rolling.shifted(values, 1), 1 - ALPHA, VELOCITY_BARS)


@feature(
    feeds=_FEEDS,
    formula="sum(0.7^k d[-k]) / sum(0.7^k), k < 24, d the change of trade_imbalance_4",
    reference=_SOURCE,
    lookback=VELOCITY_BARS + SPAN - 1,
    units="ratio per bar",
    low=-2.0,
    high=2.0,
    panel="delta_velocity",
)
@shared
def delta_velocity_4(bars: Bars) -> FloatArray:
    """Which way the balance of buyers and sellers is moving."""
    return velocity(trade_imbalance_4(bars))


def persistence(values: FloatArray, window: int) -> FloatArray:
    """Mean over deviation (n) of the sizes |x|, shape (n,); NaN where they did not vary."""
    sizes = np.abs(values)
    usual, spread = rolling.mean(sizes, window), population_deviation(sizes, window)
    return np.where(spread > EQUAL * usual, rolling.ratio(usual, spread), np.nan)


@feature(
    feeds=_FEEDS,
    formula="mean(|x|, 60) / std(|x|, 60, n), x = sum(delta, 4)",
    reference="Hydra V3 order_flow",
    lookback=PERSISTENCE_BARS + SPAN - 2,
    units="ratio",
    low=0.0,
    panel="aggression",
)
def aggression_persistence_60(bars: Bars) -> FloatArray:
    """How steadily takers press, whichever way: high when every bar is about as one-sided."""
    return persistence(rolling.total(delta(bars), SPAN), PERSISTENCE_BARS)


@feature(
    feeds=_FEEDS,
    formula="trade_imbalance_4 / std(trade_imbalance_4 of the 60 bars before, n)",
    reference=f"{_SOURCE}, there without its sign (F-A26)",
    lookback=PERSISTENCE_BARS + SPAN - 1,
    units="z",
    panel="flow_z",
)
def imbalance_z_60(bars: Bars) -> FloatArray:
    """How one-sided takers are, and to which side, by what is usual."""
    return deviations(trade_imbalance_4(bars), PERSISTENCE_BARS)


@feature(
    feeds=_FEEDS,
    formula="delta_velocity_4 / std(delta_velocity_4 of the 60 bars before, n)",
    reference=_SOURCE,
    lookback=PERSISTENCE_BARS + VELOCITY_BARS + SPAN - 1,
    units="z",
    panel="flow_z",
)
def velocity_z_60(bars: Bars) -> FloatArray:
    """How fast, and to which side, the balance of takers moves, by what is usual."""
    return deviations(delta_velocity_4(bars), PERSISTENCE_BARS)


def flips(values: FloatArray, window: int) -> FloatArray:
    """How often the sign changed within the last ``window`` values, shape (n,).

    Values within 1e-9 of 0 have no sign: a run through 0 is one change, not two, and one
    that comes back from it is none. NaN where a value of the window is.
    """
    n = values.shape[0]
    signs = np.where(values > TOLERANCE, 1, np.where(values < -TOLERANCE, -1, 0))
    rows = np.flatnonzero(signs)
    found = np.zeros(n, dtype=np.int64)
    found[rows[1:]] = signs[rows[1:]] != signs[rows[:-1]]
    turned = np.cumsum(found)
    # The first sign within the window has none before it to differ from.
    oldest = np.maximum(np.arange(n) - window + 1, 0)
    at = np.searchsorted(rows, oldest)
    first = np.append(rows, n)[at]
    within = first <= np.arange(n)
    count = np.where(within, turned - turned[np.where(within, first, 0)], 0) if n else found
    return np.where(np.isnan(rolling.total(values, window)), np.nan, count)


@feature(
    feeds=_FEEDS,
    formula="sign changes of delta_velocity_4 in 48 bars / their hours; 0 has no sign",
    reference="Hydra V3 order_flow, there a run through 0 counts twice",
    lookback=FLIP_BARS + VELOCITY_BARS + SPAN - 2,
    units="per hour",
    low=0.0,
    panel="flip_rate",
)
def flip_rate_48(bars: Bars) -> FloatArray:
    """How often an hour the balance turns round."""
    return flips(delta_velocity_4(bars), FLIP_BARS) / (FLIP_BARS * bars.step_ms / HOUR_MS)


@feature(
    feeds=_FEEDS,
    formula="sign changes of delta in 24 bars / 23; 0 has no sign; 95 % of the bars must be whole",
    reference="F-A14, F3 A3: of the bar, and told per bar",
    lookback=DAY_BARS - 1,
    units="ratio",
    low=0.0,
    high=1.0,
    panel="flip_share",
)
def delta_flip_share_24(bars: Bars) -> FloatArray:
    """How often the takers' side changed from bar to bar: a half where it is by chance."""
    signed = delta(bars)
    share = flips(np.nan_to_num(signed), DAY_BARS) / (DAY_BARS - 1)
    return np.where(rolling.known(signed, DAY_BARS, LEAST_KNOWN), share, np.nan)
