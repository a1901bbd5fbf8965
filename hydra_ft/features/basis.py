"""How far a perpetual or future stands from what it is a contract on.

Bars carry that other price as ``reference``: the close of the mark, the index or the spot at the
same times. NaN where it is not carried or not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.features import rolling
from hydra_ft.features.registry import feature
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from hydra_ft.types import Bars, FloatArray

_YEAR_MS = 365 * 86_400_000
# Equal values have a deviation of a rounding error, not of 0.
_EQUAL = 1e-12
WEEK = 168


def premium(price: FloatArray, reference: FloatArray) -> FloatArray:
    """``price / reference - 1``, shape (n,), a ratio; NaN where the reference is not known.

    ``reference`` is the spot, index or mark price at the same times; above 0 the contract
    is dearer than that, so longs pay for their leverage.
    """
    return rolling.ratio(price, reference) - 1


def annualised_basis(
    price: FloatArray, reference: FloatArray, expires_in_ms: FloatArray
) -> FloatArray:
    """Basis of a dated future as a simple yearly rate, shape (n,); NaN from expiry on.

    Hull, Options, Futures and Other Derivatives, ch. 5 (cost of carry).
    """
    left = np.where(expires_in_ms > 0, expires_in_ms, np.nan)
    return premium(price, reference) * (_YEAR_MS / left)


def unusual(values: FloatArray, window: int) -> FloatArray:
    """How unusual the last basis is among the last ``window``, shape (n,), in sigma.

    (x - mean) / pop_sigma, 0 where nothing changed; bounded by sqrt(window - 1).
    """
    held = rolling.windows(values, window)
    centre, sigma = held.mean(axis=-1), held.std(axis=-1)
    z = np.where(sigma > _EQUAL, rolling.ratio(held[:, -1] - centre, sigma), 0 * sigma)
    return rolling.warmed(z, values.shape[0])


@feature(
    feeds=(Feed.CANDLES,),
    groups=("reference",),
    formula="close / reference - 1, reference the close of the mark, index or spot",
    reference="Hull, Options, Futures and Other Derivatives, ch. 5",
    lookback=0,
    units="ratio",
    low=-1.0,
    panel="basis",
)
def basis(bars: Bars) -> FloatArray:
    """How far the contract is above what it follows."""
    if bars.reference is None:
        return rolling.empty_like(bars.close)
    return premium(bars.close, bars.reference)


@feature(
    feeds=(Feed.CANDLES,),
    groups=("reference",),
    formula="(basis - mean) / pop_sigma of the last 168; 0 where nothing changed",
    reference="formulas.md, z-score",
    lookback=WEEK - 1,
    units="sigma",
    low=-np.sqrt(WEEK - 1),
    high=np.sqrt(WEEK - 1),
    panel="basis_z",
)
def basis_z_168(bars: Bars) -> FloatArray:
    """How unusual the basis is beside the last week of 1h bars."""
    return unusual(basis(bars), WEEK)
