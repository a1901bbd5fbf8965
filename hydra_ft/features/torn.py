"""Which bars that are made of trades are torn: not all of their trades are there.

Bars shorter than a minute are: no exchange gives candles of them. A torn one looks like a
quiet one with the price of before, so whoever reads its prices or its volume must ask here.
Longer bars are the exchange's own candles, whole whether the trades beside them are or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from hydra_ft.types import Bars, FloatArray

CANDLE_MS: Final = 60_000
"""Length of the shortest candles of an exchange."""


def torn(bars: Bars) -> FloatArray:
    """NaN for torn bars, else 0, shape (n,): to be added to what is read of them."""
    if bars.flow is None or bars.step_ms >= CANDLE_MS:
        return np.zeros(len(bars))
    return np.where(np.isnan(bars.flow.count), np.nan, 0.0)
