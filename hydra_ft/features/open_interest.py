"""Open interest: how much is held, and how fast that changes.

An unknown value is replaced by the one of the bar before it, and no older one (2 periods);
beyond that, or when the feed is not carried, the features are NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.tolerance import exceeds, falls_below
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


def _participation(bars_back: int, held_by: float, moved_by: float) -> Compute:
    """Declare who moved the price over a number of bars, beyond these dead zones."""

    def compute(bars: Bars) -> FloatArray:
        values = held(bars)
        held_change = rolling.ratio(values, rolling.shifted(values, bars_back)) - 1
        held_change[: bars_back + 1] = np.nan
        moved = rolling.ratio(bars.close, rolling.shifted(bars.close, bars_back)) - 1
        more, less = exceeds(held_change, held_by), falls_below(held_change, -held_by)
        side = exceeds(moved, moved_by) * 1.0 - falls_below(moved, -moved_by)
        return np.where(np.isnan(held_change), np.nan, side * (2.0 * more + less))

    compute.__name__ = compute.__qualname__ = f"participation_{bars_back}"
    compute.__doc__ = (
        "Who moved the price: +2 new longs, +1 short covering, -1 long covering, -2 new shorts, "
        "0 neither."
    )
    return feature(
        feeds=(Feed.OPEN_INTEREST,),
        formula=f"sign of the price change x 2 where open interest rises, x 1 where it falls, over "
        f"{bars_back} bars; 0 within {moved_by:.2%} of the price or {held_by:.1%} of open interest",
        reference="Hydra V3 funding_oi, T7; dead zones of 24 bars from its bias",
        lookback=bars_back + 1,
        units="sign",
        low=-2.0,
        high=2.0,
        panel="participation",
    )(compute)


participation_1 = _participation(1, 0.001, 0.0005)
participation_24 = _participation(24, 0.02, 0.01)
