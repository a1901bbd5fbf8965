"""The grid of a pair, read off its prices and quantities where nobody tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from hydra_ft.errors import DataError
from hydra_ft.types.flow import TradeGrid

if TYPE_CHECKING:
    from hydra_ft.types import FloatArray

MOST_DECIMALS: Final = 12
NOISE: Final = 1e-12
"""What the floats of decimals, and products of a few of them, are off by, as a share."""
BIN_SHARE: Final = 1e-4
"""A bin of a footprint is about so wide, as a share of the price: one basis point."""


def grid_of(prices: FloatArray, quantities: FloatArray) -> TradeGrid:
    """Grid that all prices and quantities lie on, its bins about a basis point wide.

    The steps are the coarsest that fit, so they may be multiples of the venue's own.
    Raises DataError where there are no values, or none with 12 decimals or fewer.
    """
    tick_size, lot_size = step_of(prices, "price"), step_of(quantities, "quantity")
    return TradeGrid(tick_size, lot_size, bin_ticks(tick_size, float(np.median(prices))))


def step_of(values: FloatArray, name: str) -> float:
    """Coarsest decimal step of which all values are multiples."""
    if not values.size or not (values > 0).all():
        raise DataError(f"{name}: expected positive numbers, was none or another")
    for decimals in range(MOST_DECIMALS + 1):
        if _fits(values, 10.0**decimals):
            steps = np.rint(values * 10.0**decimals).astype(np.int64)
            return float(np.gcd.reduce(np.unique(steps))) / 10.0**decimals
    raise DataError(
        f"{name}: expected multiples of a decimal step, was {values[0]!r}; give the step"
    )


def fits(grid: TradeGrid, prices: FloatArray, quantities: FloatArray) -> bool:
    """Whether all prices and quantities lie on a grid."""
    return _fits(prices, grid.ticks_per_quote) and _fits(quantities, grid.lots_per_base)


def bin_ticks(tick_size: float, price: float) -> int:
    """Ticks of a bin that is a basis point of the price, rounded to 1, 2 or 5 times 10^n."""
    wanted = max(1.0, price * BIN_SHARE / tick_size)
    decade = 10 ** int(np.floor(np.log10(wanted)))
    return int(min((1, 2, 5, 10), key=lambda times: abs(times * decade - wanted)) * decade)


def _fits(values: FloatArray, steps_per_unit: float) -> bool:
    steps = values * steps_per_unit
    off = np.abs(steps - np.rint(steps))
    return bool((off <= 1e-9 + NOISE * steps).all() and (np.rint(steps) > 0).all())
