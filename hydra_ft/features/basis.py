"""How far a perpetual or future stands from what it is a contract on.

Functions of arrays, not features: bars do not carry the other price yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.features import rolling

if TYPE_CHECKING:
    from hydra_ft.types import FloatArray

_YEAR_MS = 365 * 86_400_000
# Equal values have a deviation of a rounding error, not of 0.
_EQUAL = 1e-12


def basis(price: FloatArray, reference: FloatArray) -> FloatArray:
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
    return basis(price, reference) * (_YEAR_MS / left)


def basis_z(values: FloatArray, window: int) -> FloatArray:
    """How unusual the last basis is among the last ``window``, shape (n,), in sigma.

    (x - mean) / pop_sigma, 0 where nothing changed; bounded by sqrt(window - 1).
    """
    held = rolling.windows(values, window)
    centre, sigma = held.mean(axis=-1), held.std(axis=-1)
    z = np.where(sigma > _EQUAL, rolling.ratio(held[:, -1] - centre, sigma), 0 * sigma)
    return rolling.warmed(z, values.shape[0])
