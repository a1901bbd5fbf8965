"""Bootstrap intervals of means and medians, the same for the same seed (Efron 1979)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra_ft.types import FloatArray, IntArray

RESAMPLES = 2_000
LEVEL = 0.95


class Interval(NamedTuple):
    """A figure and the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of zero."""
        return self.low > 0 or self.high < 0


def mean_of(sample: FloatArray, seed: int) -> Interval:
    """Mean of a sample of shape (n,), by resampling its rows."""
    return _interval(sample, np.mean, seed)


def median_of(sample: FloatArray, seed: int) -> Interval:
    """Median of a sample of shape (n,), by resampling its rows."""
    return _interval(sample, np.median, seed)


def clustered_mean_of(sample: FloatArray, cluster: IntArray, seed: int) -> Interval:
    """Mean of a sample of shape (n,), by resampling whole clusters of rows."""
    _, member = np.unique(cluster, return_inverse=True)
    sums, counts = np.bincount(member, weights=sample), np.bincount(member)
    dice = np.random.default_rng([seed, 2])
    rows = dice.integers(len(sums), size=(RESAMPLES, len(sums)))
    means = sums[rows].sum(axis=1) / counts[rows].sum(axis=1)
    return _ends(float(sample.mean()), means)


def _interval(sample: FloatArray, figure: Callable[..., FloatArray], seed: int) -> Interval:
    dice = np.random.default_rng([seed, 2])
    rows = dice.integers(len(sample), size=(RESAMPLES, len(sample)))
    return _ends(float(figure(sample)), figure(sample[rows], axis=1))


def _ends(value: float, figures: FloatArray) -> Interval:
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(figures, [tail, 1 - tail])
    return Interval(value, float(low), float(high))
