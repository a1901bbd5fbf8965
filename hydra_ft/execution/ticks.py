"""Prices and quantities on the grids of the exchange.

Prices are compared as whole ticks and quantities as whole steps: floats that differ in
the last bit must not cause a requote, nor a remainder of nothing.
"""

from __future__ import annotations

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
    """Price of a number of ticks, rounded to the decimals that a double holds exactly."""
    return round(ticks * tick_size, 12)


def floor_steps(quantity: float, step_size: float) -> float:
    """Largest multiple of ``step_size`` that is not above ``quantity``."""
    return round(floor(quantity / step_size + _SLACK) * step_size, 12)


def is_dust(quantity: float, step_size: float) -> bool:
    """Whether ``quantity`` is less than one step, that is, cannot be traded."""
    return floor(quantity / step_size + _SLACK) < 1
