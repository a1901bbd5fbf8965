"""The compiled loop that ranks each value among those before it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hydra_ft.bars.compiled import FLOATS, INT, READ_FLOATS, kernel
from hydra_ft.bars.tolerance import TOLERANCE

if TYPE_CHECKING:
    from hydra_ft.types import FloatArray


@kernel(READ_FLOATS, READ_FLOATS, INT, FLOATS)
def ranks_before(values: FloatArray, noise: FloatArray, window: int, ranks: FloatArray) -> None:
    """Fill ``ranks``, which come as NaN, with ``features.scalper.rank_before`` of the values."""
    for i in range(window, values.shape[0]):
        value, known, lower = values[i], math.isfinite(values[i]), 0
        floor, ceiling = -math.inf, math.inf
        for k in range(i - window, i):
            past = values[k]
            known = known and math.isfinite(past)
            if past * (1 + TOLERANCE) + noise[i] < value:
                lower += 1
                floor = max(floor, past)
            else:
                ceiling = min(ceiling, past)
        if not known:
            continue
        place = float(lower)
        if 0 < lower < window:
            place = lower - 1 + min((value - floor) / (ceiling - floor), 1.0)
        ranks[i] = place / (window - 1)
