"""What all positions together may lose on a bad day: value at risk and expected shortfall."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.risk.correlation import shrunk_correlation

if TYPE_CHECKING:
    from hydra_ft.types import FloatArray


@dataclass(frozen=True, slots=True)
class TailRisk:
    """Losses (quote, positive) over a horizon: value at risk, and the mean beyond it."""

    var_quote: float
    cvar_quote: float


def value_at_risk(mean: float, sigma: float, value_quote: float, confidence: float) -> float:
    """Z * sigma * V - mean * V: a loss is positive, and a rising market lowers it (F-C11)."""
    z = NormalDist().inv_cdf(confidence)
    return z * sigma * value_quote - mean * value_quote


def expected_shortfall(returns: FloatArray, confidence: float) -> float:
    """Mean loss of the worst 1 - confidence of returns, shape (t,), as a positive fraction.

    NaN without returns. Reference: Rockafellar & Uryasev 2000, in the discrete form: the
    return at the quantile counts with the part of it that lies in the tail.
    """
    count = returns.shape[0]
    if not count:
        return float("nan")
    tail = (1 - confidence) * count
    ordered = np.sort(returns)
    whole = min(int(tail), count - 1)
    part = tail - whole
    lost = float(ordered[:whole].sum() + part * ordered[whole])
    return float(-lost / tail)


def tail_risk(
    returns: FloatArray, positions_quote: FloatArray, confidence: float, horizon_bars: float
) -> TailRisk:
    """Tail of a book whose positions, shape (n,), are signed by side (short negative).

    ``returns`` are log returns of a bar, shape (t, n). Sigma comes from the shrunk correlation
    (formulas: sqrt(w' S w)), the shortfall from the history itself; both grow with the square
    root of the horizon. A mean is used only where it hurts: that of a few days is noise.
    NaN where returns are missing.
    """
    if not positions_quote.any():
        return TailRisk(0.0, 0.0)
    if returns.shape[0] < 2 or not np.isfinite(returns).all():
        return TailRisk(float("nan"), float("nan"))
    spread = returns.std(axis=0)
    weighted = positions_quote * spread
    # Identity shrinkage keeps it positive; the ones of a flat series need not, and weigh 0.
    sigma = sqrt(max(0.0, float(weighted @ shrunk_correlation(returns) @ weighted)))
    history = returns @ positions_quote
    mean = min(0.0, float(history.mean())) * horizon_bars
    grown = sqrt(horizon_bars)
    return TailRisk(
        max(0.0, value_at_risk(mean, sigma * grown, 1.0, confidence)),
        max(0.0, expected_shortfall(history - history.mean(), confidence) * grown - mean),
    )
