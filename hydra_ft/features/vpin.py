"""VPIN: how one-sided the trade is, on a clock that ticks with volume.

Easley, López de Prado and O'Hara, Review of Financial Studies 25, 2012. What it says of
toxicity beyond volume and volatility is contested: Andersen and Bondarenko, Journal of
Financial Markets 17, 2014.

The functions of arrays have one row per trade, oldest first. Their buckets begin anew each
UTC day, and one that the day leaves unfilled is dropped: otherwise every value would depend on
the first trade that was loaded. The feature has no days: it cuts the volume of its own window
into fifty buckets, counted back from the close, each filled from the bars in it.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.errors import DataError
from hydra_ft.features import rolling
from hydra_ft.features.order_flow import taken_volumes
from hydra_ft.features.registry import feature
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from hydra_ft.types import Bars, FloatArray, IntArray

DAY_MS = 86_400_000
BUCKETS = 50
WINDOW_BARS = 240
_ROUNDING = 1e-9
_ROWS = 10_000
"""Bars of which the buckets are made at a time."""


def bucket_imbalance(
    time_ms: IntArray, quantity: FloatArray, signs: FloatArray, bucket: float
) -> tuple[IntArray, FloatArray]:
    """Trade that fills each bucket, and |buys - sells| / ``bucket`` of it, shape (m,) each.

    ``quantity`` and ``bucket`` are in the same unit; ``signs`` is +1 where the buyer, -1
    where the seller was the aggressor, 0 where that is not known (half to each side). A
    trade that fills a bucket goes on into the next ones. The paper takes a fiftieth of a
    mean day's volume for the bucket. Raises DataError unless that is positive.
    """
    if not bucket > 0:
        raise DataError(f"bucket: expected a positive volume, was {bucket}")
    days = time_ms // DAY_MS
    starts = np.flatnonzero(np.diff(days, prepend=-1))
    rows, found = [np.empty(0, dtype=np.int64)], [np.empty(0)]
    for start, stop in pairwise((*starts, days.size)):
        traded = quantity[start:stop]
        volume = np.concatenate(([0.0], np.cumsum(traded)))
        signed = np.concatenate(([0.0], np.cumsum(traded * signs[start:stop])))
        full = bucket * np.arange(1 + int(volume[-1] / bucket + _ROUNDING))
        at_edges = np.interp(full, volume, signed)
        found.append(np.minimum(np.abs(np.diff(at_edges)) / bucket, 1.0))
        filled = np.searchsorted(volume, full[1:] - _ROUNDING * bucket, side="left")
        rows.append(start + np.minimum(filled, traded.size) - 1)
    return np.concatenate(rows).astype(np.int64), np.concatenate(found)


def vpin(
    time_ms: IntArray,
    quantity: FloatArray,
    signs: FloatArray,
    bucket: float,
    buckets: int = BUCKETS,
) -> tuple[IntArray, FloatArray]:
    """Trade at which each value is known, and the mean imbalance of the last ``buckets``.

    Arguments as of ``bucket_imbalance``; shape (m,) each, values within 0..1, NaN before
    there are enough buckets. For bars take the last value known by their close
    (``align`` and ``taken`` of ``hydra_ft.bars.candles``).
    """
    rows, found = bucket_imbalance(time_ms, quantity, signs, bucket)
    return rows, rolling.mean(found, buckets)


def bulk_buy_share(changes: FloatArray, sigma: FloatArray) -> FloatArray:
    """Share of a bar's volume taken for bought where sides are not known, Phi(change / sigma).

    Bulk classification of the same paper: ``sigma`` is the deviation of the changes before;
    shape (n,); a half where nothing moved, NaN where the deviation is not known or 0.
    """
    z = rolling.ratio(changes, sigma * math.sqrt(2))
    share: FloatArray = 0.5 * (1 + np.array([math.erf(value) for value in z], dtype=np.float64))
    return share


def windowed(
    bought: FloatArray, sold: FloatArray, window: int, buckets: int = BUCKETS
) -> FloatArray:
    """Mean |buys - sells| of ``buckets`` equal volumes of the last ``window`` bars, shape (n,).

    As a share of a bucket, 0..1; what a bar traded is taken for evenly mixed. NaN where the
    window holds a bar that is not known, or no volume.
    """
    volumes = rolling.total(bought + sold, window)
    known = ~np.isnan(bought + sold)
    volume = np.concatenate(([0.0], np.cumsum(np.where(known, bought + sold, 0.0))))
    signed = np.concatenate(([0.0], np.cumsum(np.where(known, bought - sold, 0.0))))
    back = np.arange(buckets, -1, -1) / buckets
    found = np.full(volumes.shape, np.nan)
    rows = np.flatnonzero(volumes > 0)
    for start in range(0, rows.size, _ROWS):
        some = rows[start : start + _ROWS]
        edges = volume[some + 1, None] - volumes[some, None] * back
        moved = np.abs(np.diff(np.interp(edges, volume, signed), axis=1))
        found[some] = np.minimum(moved.sum(axis=1) / volumes[some], 1.0)
    return found


@feature(
    feeds=(Feed.TRADES,),
    formula="mean |B - S| / bucket over 50 buckets, each a fiftieth of the volume of 240 bars",
    reference="Easley, Lopez de Prado and O'Hara, Review of Financial Studies 25, 2012",
    lookback=WINDOW_BARS - 1,
    units="ratio",
    low=0.0,
    high=1.0,
    panel="vpin",
    drifts=True,
)
def vpin_240(bars: Bars) -> FloatArray:
    """How one-sided the trade of 20 hours of 5m bars was, on a clock that ticks with volume."""
    return windowed(*taken_volumes(bars), WINDOW_BARS)
