"""Prices and quantities on the grids of the exchange.

Prices are compared as whole ticks and quantities as whole steps: floats that differ in
the last bit must not cause a requote, nor a remainder of nothing.
"""

from __future__ import annotations

from decimal import Decimal
from math import ceil, floor

# Half a millionth of a tick: far above the rounding error of a division of two
# doubles, far below anything an exchange can express.
_SLACK = 5e-7


def floor_ticks(price: float, tick_size: float) -> int:
    """Whole ticks at or below ``price``."""
    return floor(price / tick_size + _SLACK)


def ceil_ticks(price: float, tick_size: float) -> int:
    """Whole ticks at or above ``price``."""
    return ceil(price / tick_size - _SLACK)


def to_price(ticks: int, tick_size: float) -> float:
    """Price of a number of ticks: the double nearest to the decimal number meant."""
    return _times(ticks, tick_size)


def floor_steps(quantity: float, step_size: float) -> float:
    """Largest multiple of ``step_size`` that is not above ``quantity``."""
    return _times(floor(quantity / step_size + _SLACK), step_size)


def is_dust(quantity: float, step_size: float) -> bool:
    """Whether ``quantity`` is less than one step, that is, cannot be traded."""
    return floor(quantity / step_size + _SLACK) < 1


def _times(count: int, unit: float) -> float:
    """``count`` units in decimal arithmetic: 500001 ticks of 0.1 are 50000.1 to the bit."""
    return float(count * Decimal(repr(unit)))
