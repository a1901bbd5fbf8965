"""How far the price goes with what takers buy or sell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.features import rolling
from hydra_ft.features.order_flow import delta
from hydra_ft.features.registry import feature
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from hydra_ft.types import Bars, FloatArray

_FEEDS = (Feed.TRADES,)
IMPACT_BARS = 48
MILLION = 1e6

# A deviation below a millionth of the size is that of equal values, but for rounding.
_EQUAL = 1e-12


def kyle_lambda(changes: FloatArray, signed: FloatArray, window: int) -> FloatArray:
    """Slope of the price change on the signed volume of the same bar, shape (n,).

    Least squares with an intercept over the last ``window`` bars: cov(x, dp) / var(x). Kyle,
    Econometrica 53, 1985. ``changes`` are in quote currency or log returns, ``signed`` is
    bought less sold by the aggressor; the unit is that of one over the other. With log
    returns and notional it compares across pairs. NaN where ``signed`` did not vary.
    """
    spread = rolling.variance(signed, window)
    varied = spread > _EQUAL * rolling.mean(signed**2, window)
    slope = rolling.ratio(rolling.covariance(signed, changes, window), spread)
    return np.where(varied, slope, np.nan)


def signed_root(signed: FloatArray) -> FloatArray:
    """sign(x) sqrt(|x|), shape (n,): for ``kyle_lambda``, as impact grows with the root.

    Hasbrouck, Journal of Finance 64, 2009.
    """
    return np.sign(signed) * np.sqrt(np.abs(signed))


def _moved_bps(bars: Bars) -> FloatArray:
    return 1e4 * np.log(rolling.ratio(bars.close, rolling.shifted(bars.close, 1)))


@feature(
    feeds=_FEEDS,
    formula="cov(x, r, 48) / var(x, 48), r = 1e4 ln(close / close[-1]), x = close delta / 1e6",
    reference="Kyle, Econometrica 53, 1985",
    lookback=IMPACT_BARS,
    units="bps per million quote",
    panel="impact",
)
def kyle_lambda_48(bars: Bars) -> FloatArray:
    """How far the price went for each million that takers bought; NaN where delta did not vary."""
    return kyle_lambda(_moved_bps(bars), bars.close * delta(bars) / MILLION, IMPACT_BARS)


@feature(
    feeds=_FEEDS,
    formula="cov(x, r, 48) / var(x, 48), x = sign(delta) sqrt(close |delta| / 1e6)",
    reference="Hasbrouck, Journal of Finance 64, 2009",
    lookback=IMPACT_BARS,
    units="bps per root of a million quote",
    panel="impact_root",
)
def root_lambda_48(bars: Bars) -> FloatArray:
    """The same for the root of what was bought, as impact grows slower than size."""
    signed = signed_root(bars.close * delta(bars) / MILLION)
    return kyle_lambda(_moved_bps(bars), signed, IMPACT_BARS)
