"""Where a threshold stands among measured values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.tolerance import TOLERANCE

if TYPE_CHECKING:
    from hydra_ft.decisions.rules import HeadRules
    from hydra_ft.types import FloatArray

BIAS_SIZE = "size of bias score"
PERCENTILES = (5, 10, 20, 25, 40, 50, 60, 75, 80, 90, 95)


@dataclass(frozen=True, slots=True)
class Threshold:
    """A default, and the column whose values are compared with it."""

    name: str
    value: float
    column: str


def standing(values: FloatArray, threshold: float) -> float:
    """Percentile of a threshold: share of the known values at or below it, in 0..100.

    NaN without known values. Numbers that only rounding sets apart are equal.
    """
    known = values[np.isfinite(values)]
    return 100 * float(np.mean(known <= threshold + TOLERANCE)) if known.size else float("nan")


def percentiles(values: FloatArray) -> tuple[float, ...]:
    """Known values at ``PERCENTILES``; NaN without any."""
    known = values[np.isfinite(values)]
    if not known.size:
        return (float("nan"),) * len(PERCENTILES)
    return tuple(float(at) for at in np.percentile(known, PERCENTILES))


def thresholds(head: HeadRules) -> list[Threshold]:
    """Return the defaults of regime and bias that a measured column is compared with."""
    regime, bias = head.regime, head.bias
    chop, size = regime.chop, BIAS_SIZE
    return [
        Threshold("chop.efficiency_full", chop.efficiency_full, "efficiency_24"),
        Threshold("chop.efficiency_none", chop.efficiency_none, "efficiency_24"),
        Threshold("chop.choppiness_none", chop.choppiness_none, "choppiness_14"),
        Threshold("chop.choppiness_full", chop.choppiness_full, "choppiness_14"),
        Threshold("regime.chop_above", regime.chop_above, "chop score"),
        Threshold("regime.trend_above", regime.trend_above, "trend score"),
        Threshold("regime.range_above", regime.range_above, "range score"),
        Threshold("bias.neutral_below", bias.neutral_below, size),
        Threshold("bias.block_from x full_strength", bias.block_from * bias.full_strength, size),
        Threshold("bias.exit_from x full_strength", bias.exit_from * bias.full_strength, size),
    ]
