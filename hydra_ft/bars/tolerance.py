"""Comparisons with a threshold that survive binary rounding.

Every threshold in Hydra is compared with a tolerance of 1e-9, so that 0.3 + 0.2 reaches
0.5 whatever the order of the additions. NaN compares False in every function here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hydra_ft.types import BoolArray, FloatArray

TOLERANCE = 1e-9


def exceeds(values: FloatArray, threshold: FloatArray | float) -> BoolArray:
    """Elementwise ``values > threshold`` by more than the tolerance."""
    return values > threshold + TOLERANCE


def reaches(values: FloatArray, threshold: FloatArray | float) -> BoolArray:
    """Elementwise ``values >= threshold`` within the tolerance."""
    return values >= threshold - TOLERANCE


def falls_below(values: FloatArray, threshold: FloatArray | float) -> BoolArray:
    """Elementwise ``values < threshold`` by more than the tolerance."""
    return values < threshold - TOLERANCE


def within(values: FloatArray, low: float, high: float) -> BoolArray:
    """Elementwise ``low < values < high``, both strict beyond the tolerance."""
    return exceeds(values, low) & falls_below(values, high)
