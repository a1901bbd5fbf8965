"""How fast a market moves, as the chase needs it: per second, not per bar."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from hydra_ft.types import FloatArray

WINDOW = 50
"""Bars that the measure looks back on."""


def volatility_bps(close: FloatArray, step_ms: int) -> float:
    """Typical move of the price within one second, in bps; 0 with fewer than three bars.

    Standard deviation of the log returns of the last ``WINDOW`` bars, scaled from the bar
    to the second by the square root of time. ``close`` has shape (n,), quote currency.
    """
    recent = close[-WINDOW - 1 :]
    if len(recent) < 3 or not np.all(recent > 0):
        return 0.0
    return float(np.std(np.diff(np.log(recent))) * 1e4 / sqrt(step_ms / 1e3))
