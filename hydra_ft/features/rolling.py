"""Sums, means, percentiles and extremes over the last ``window`` bars.

All functions take and give shape (n,) and float64, with NaN where the window is not full
or holds a NaN. Each value is computed from its own window alone, not by updating a running
sum: so it does not depend on where the data begins (start invariance), not even in the
last digits. Sums are put together from those of 1, 2, 4, 8 ... bars, in the same way in
every window: a sum over 200 bars takes nine additions of whole columns.

The averages that are usually recursive are cut to a finite window as well: the weights
q**k of an exponential mean are taken for the last W bars and divided by their sum. With
W = 4 spans (exponential) or 8 periods (Wilder) the weight that is cut off is q**W = 3.3e-4
or 2.5e-4 of the whole.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import bottleneck
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from hydra_ft.bars.tolerance import reaches
from hydra_ft.bars.window_kernels import window_sums

if TYPE_CHECKING:
    from hydra_ft.types import BoolArray, FloatArray

EXPONENTIAL_SPANS = 4
WILDER_PERIODS = 8


def empty_like(values: FloatArray) -> FloatArray:
    """All NaN, in the shape of ``values``."""
    return np.full(values.shape, np.nan)


def windows(values: FloatArray, window: int) -> FloatArray:
    """View of shape (n - window + 1, window); no rows when there are too few values."""
    if values.shape[0] < window:
        return np.empty((0, window))
    return sliding_window_view(values, window)


def warmed(tail: FloatArray, n: int) -> FloatArray:
    """Values of full windows, with NaN put in front up to length ``n``."""
    out = np.full(n, np.nan)
    if tail.shape[0]:
        out[n - tail.shape[0] :] = tail
    return out


def shifted(values: FloatArray, bars: int) -> FloatArray:
    """The value ``bars`` bars earlier."""
    return warmed(values[: max(0, values.shape[0] - bars)], values.shape[0])


@cache
def _weights(window: int, decay: float) -> tuple[FloatArray, FloatArray]:
    """Weights of ``window_sums``: of the older half at each doubling, of a block when joined."""
    powers = range(window.bit_length())
    doubled = np.array([decay ** (1 << k) for k in powers])
    joined = np.array([decay ** (window & ((1 << k) - 1)) for k in powers])
    return doubled, joined


def _sums(values: FloatArray, window: int, decay: float) -> FloatArray:
    """Sum of decay**age * value over each window, shape (n,); there are ``window`` at least."""
    found = np.ascontiguousarray(values, dtype=np.float64)
    doubled, joined = _weights(window, decay)
    room, sums = np.empty((2, found.shape[0]))
    window_sums(found, window, doubled, joined, room, sums)
    return sums


def total(values: FloatArray, window: int) -> FloatArray:
    """Sum of the last ``window`` values."""
    if values.shape[0] < window:
        return empty_like(values)
    return _sums(values, window, 1.0)


def mean(values: FloatArray, window: int) -> FloatArray:
    """Arithmetic mean of the last ``window`` values."""
    return total(values, window) / window


def deviation(values: FloatArray, window: int) -> FloatArray:
    """Sample standard deviation (n - 1) of the last ``window`` values."""
    return warmed(windows(values, window).std(axis=-1, ddof=1), values.shape[0])


def covariance(left: FloatArray, right: FloatArray, window: int) -> FloatArray:
    """Sample covariance (n - 1) over the last ``window`` rows.

    From sums of products: meant for changes, whose mean does not dwarf their deviation.
    """
    both = total(left * right, window)
    return (both - total(left, window) * total(right, window) / window) / (window - 1)


def variance(values: FloatArray, window: int) -> FloatArray:
    """Sample variance (n - 1) over the last ``window`` rows, as ``covariance``; never below 0."""
    return np.maximum(covariance(values, values, window), 0.0)


def known(values: FloatArray, window: int, least: float) -> BoolArray:
    """Whether a value is known, and at least that share of the last ``window``, shape (n,)."""
    finite = np.isfinite(values)
    mostly: BoolArray = finite & reaches(mean(finite.astype(np.float64), window), least)
    return mostly


def percentile(values: FloatArray, window: int, share: float) -> FloatArray:
    """Value below which ``share`` of the last ``window`` values lie, linearly interpolated.

    The rank is share * (window - 1), counted from 0, as numpy's default (Hyndman and Fan,
    American Statistician 50, 1996, type 7).
    """
    ordered = np.sort(windows(values, window), axis=-1)
    if not ordered.shape[0]:
        return empty_like(values)
    below = min(int(share * (window - 1)), window - 2)
    part = share * (window - 1) - below
    found = (1 - part) * ordered[:, below] + part * ordered[:, below + 1]
    # What is not known is sorted to the end.
    return warmed(np.where(np.isnan(ordered[:, -1]), np.nan, found), values.shape[0])


def highest(values: FloatArray, window: int) -> FloatArray:
    """Greatest of the last ``window`` values."""
    if values.shape[0] < window:
        return empty_like(values)
    return np.asarray(bottleneck.move_max(values, window), dtype=np.float64)


def lowest(values: FloatArray, window: int) -> FloatArray:
    """Least of the last ``window`` values."""
    if values.shape[0] < window:
        return empty_like(values)
    return np.asarray(bottleneck.move_min(values, window), dtype=np.float64)


@cache
def _weight(decay: float, window: int) -> float:
    return float(_sums(np.ones(window), window, decay)[-1])


def decayed(values: FloatArray, decay: float, window: int) -> FloatArray:
    """Mean of the last ``window`` values with weights decay**age, divided by their sum."""
    if values.shape[0] < window:
        return empty_like(values)
    return _sums(values, window, decay) / _weight(decay, window)


def exponential(values: FloatArray, span: int) -> FloatArray:
    """Exponential mean (decay 1 - 2/(span + 1)) over the last 4 spans."""
    return decayed(values, 1 - 2 / (span + 1), EXPONENTIAL_SPANS * span)


def wilder(values: FloatArray, period: int) -> FloatArray:
    """Wilder's mean (decay 1 - 1/period) over the last 8 periods."""
    return decayed(values, 1 - 1 / period, WILDER_PERIODS * period)


def ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Quotient, NaN where the denominator is 0."""
    out = np.full(np.broadcast(numerator, denominator).shape, np.nan)
    np.divide(numerator, denominator, out=out, where=denominator != 0)
    return out
