"""Whether changes follow their own direction, or turn back, or neither.

The ratio of the variance of changes over 4 bars to 4 times that over one: 1 in a random
walk, above it where changes go on, below it where they turn back. Over 96 bars it strays
from 1 by chance alone, so its z-score stands beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.features import rolling
from hydra_ft.features.registry import feature, shared
from hydra_ft.features.volatility import log_returns
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from hydra_ft.types import Bars, FloatArray

_REFERENCE = "Lo and MacKinlay, Review of Financial Studies 1, 1988"
WINDOW, STEP = 96, 4
_COUNT = STEP * (WINDOW - STEP + 1) * (1 - STEP / WINDOW)
# Changes that deviate less than a millionth of their size are equal but for rounding.
_EQUAL = 1e-12


@shared
def _moments(bars: Bars) -> tuple[FloatArray, FloatArray]:
    """Mean of the 96 returns, and their sum of squares around it; NaN where nothing moved."""
    returns = log_returns(bars)
    centre = rolling.mean(returns, WINDOW)
    raw = rolling.total(returns**2, WINDOW)
    around = raw - WINDOW * centre**2
    return centre, np.where(around > _EQUAL * raw, around, np.nan)


@feature(
    feeds=(Feed.CANDLES,),
    formula="var(4 bars) / var(1 bar) of r = ln(close / close[-1]) around its mean m over 96 bars: "
    "sum((r + .. + r[-3] - 4 m)^2) / (4 * 93 * (1 - 4/96)) / (sum((r - m)^2) / 95)",
    reference=_REFERENCE,
    lookback=WINDOW,
    units="ratio",
    low=0.0,
    panel="variance_ratio",
)
@shared
def variance_ratio_96(bars: Bars) -> FloatArray:
    """Below 1 where changes turn back, above 1 where they go on; NaN where nothing moved."""
    centre, around = _moments(bars)
    longer = np.log(rolling.ratio(bars.close, rolling.shifted(bars.close, STEP)))
    pairs = WINDOW - STEP + 1
    squares = rolling.total(longer**2, pairs)
    drift = STEP * centre
    away = squares - 2 * drift * rolling.total(longer, pairs) + pairs * drift**2
    return np.maximum(away, 0.0) / _COUNT / (around / (WINDOW - 1))


@feature(
    feeds=(Feed.CANDLES,),
    formula="(variance_ratio_96 - 1) / sqrt(sum((2 (4 - j) / 4)^2 d_j, j = 1..3)), d_j = "
    "sum((r - m)^2 (r[-j] - m)^2) / sum((r - m)^2)^2 over 96 bars",
    reference=f"{_REFERENCE}, eq. 20; it holds when the volatility changes",
    lookback=WINDOW,
    units="sigma",
    panel="variance_ratio_z",
)
def variance_ratio_z_96(bars: Bars) -> FloatArray:
    """How many standard errors the variance ratio stands away from a random walk's 1."""
    around = _moments(bars)[1]
    squares = sum((2 * (STEP - lag) / STEP) ** 2 * _crossed(bars, lag) for lag in range(1, STEP))
    spread = np.sqrt(np.maximum(squares, 0.0)) / around
    return rolling.ratio(variance_ratio_96(bars) - 1, spread)


def _crossed(bars: Bars, lag: int) -> FloatArray:
    """Sum of (r - m)^2 (r[-lag] - m)^2 over the pairs within the window, shape (n,).

    Multiplied out in powers of m, since the mean is another one in every window.
    """
    new = log_returns(bars)
    old = rolling.shifted(new, lag)
    centre, pairs = _moments(bars)[0], WINDOW - lag
    product, both = new * old, new + old
    linear = rolling.total(product * both, pairs)
    square = rolling.total(both * both + 2 * product, pairs)
    cubic = rolling.total(both, pairs)
    found = centre * (square - centre * (2 * cubic - pairs * centre)) - 2 * linear
    return rolling.total(product * product, pairs) + centre * found
