"""Open interest: how much is held, and how fast that changes.

An unknown value is replaced by the one of the bar before it, and no older one (2 periods);
beyond that, or when the feed is not carried, the features are NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.features import rolling
from hydra_ft.features.registry import feature
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from hydra_ft.features.registry import Compute
    from hydra_ft.types import Bars, FloatArray


def held(bars: Bars) -> FloatArray:
    """Open interest, shape (n,), at most one bar old; NaN where unknown."""
    if bars.open_interest is None:
        return rolling.empty_like(bars.close)
    values = bars.open_interest
    return np.where(np.isfinite(values), values, rolling.shifted(values, 1))


def _change(bars_back: int) -> Compute:
    """Declare the relative change of open interest over a number of bars."""

    def compute(bars: Bars) -> FloatArray:
        values = held(bars)
        change = rolling.ratio(values, rolling.shifted(values, bars_back)) - 1
        change[: bars_back + 1] = np.nan
        return change

    compute.__name__ = compute.__qualname__ = f"open_interest_change_{bars_back}"
    compute.__doc__ = f"Change of open interest from the value {bars_back} earlier."
    return feature(
        feeds=(Feed.OPEN_INTEREST,),
        formula=f"oi / oi[-{bars_back}] - 1",
        reference="formulas.md, OI impulse",
        lookback=bars_back + 1,
        units="ratio",
        low=-1.0,
        panel="open_interest",
    )(compute)


open_interest_change_1 = _change(1)
open_interest_change_4 = _change(4)
open_interest_change_24 = _change(24)
