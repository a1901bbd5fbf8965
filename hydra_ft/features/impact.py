"""How far the price goes with what is bought or sold: functions of arrays, a row per bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.features import rolling

if TYPE_CHECKING:
    from hydra_ft.types import FloatArray

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
