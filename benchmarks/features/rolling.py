"""Rolling point of control and value area: rolled along, and built anew in two ways."""

from __future__ import annotations

from math import log
from time import process_time
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from benchmarks.features.order_flow import spent
from hydra_ft.bars.profile import VALUE_SHARE, range_profiles, rolling_profiles
from hydra_ft.types.flow import Footprint, TradeGrid

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra_ft.types import IntArray

WINDOWS: Final = (72, 288, 1_152)
GRID: Final = TradeGrid(0.1, 0.001, 30)
"""Bins of 3 at prices of 60,000: half a ten-thousandth."""


class Rolling(NamedTuple):
    """Microseconds a bar, for ``bars`` bars and a window of ``window``."""

    bars: int
    window: int
    rolled_us: float
    rebuilt_us: float
    numpy_us: float
    python_us: float
    same: bool


def made_footprint(n: int, seed: int = 2) -> Footprint:
    """Bars whose volume lies on all bins between low and high, about a dozen."""
    random = np.random.default_rng(seed)
    middle = 20_000 + np.cumsum(random.normal(0, 8, n))
    reach = 1 + random.gamma(3.0, 2.0, n)
    low, high = np.floor(middle - reach).astype(int), np.ceil(middle + reach).astype(int)
    sizes = high - low + 1
    offsets = np.r_[0, np.cumsum(sizes)]
    bins = np.arange(offsets[-1]) - np.repeat(offsets[:-1] - low, sizes)
    lots = random.integers(1, 5_000, (2, offsets[-1]))
    return Footprint(GRID, offsets.astype(np.int64), bins.astype(np.int64), lots[0], lots[1])


def rebuilt_with_numpy(footprint: Footprint, window: int, row: int) -> tuple[int, int, int]:
    """Point of control, value-area high and low of one window; the adding up is numpy's."""
    cells = slice(footprint.offsets[row - window + 1], footprint.offsets[row + 1])
    bins = footprint.bin[cells]
    low = int(bins.min())
    volume = np.bincount(bins - low, footprint.buy[cells] + footprint.sell[cells])
    return _described(volume, low)


def rebuilt_in_python(footprint: Footprint, window: int, row: int) -> tuple[int, int, int]:
    """Do the same with a dictionary of volumes, as the systems that were audited do."""
    first, last = int(footprint.offsets[row - window + 1]), int(footprint.offsets[row + 1])
    volumes: dict[int, int] = {}
    columns = (c[first:last].tolist() for c in (footprint.bin, footprint.buy, footprint.sell))
    for bin_, buy, sell in zip(*columns, strict=True):
        volumes[bin_] = volumes.get(bin_, 0) + buy + sell
    low = min(volumes)
    dense = [volumes.get(b, 0) for b in range(low, max(volumes) + 1)]
    return _described(np.array(dense), low)


def _described(volume: np.ndarray, low: int) -> tuple[int, int, int]:
    """Find point of control and value area of a dense profile, row by row."""
    poc = _nearest_to_the_middle(volume)
    top = bottom = poc
    held, wanted = volume[poc], VALUE_SHARE * volume.sum()
    while held < wanted:
        up = volume[top + 1 : top + 3].sum()
        down = volume[max(bottom - 2, 0) : bottom].sum()
        if top + 1 < len(volume) and (up >= down or bottom == 0):
            top, held = min(top + 2, len(volume) - 1), held + up
        else:
            bottom, held = max(bottom - 2, 0), held + down
    return poc + low, top + low, bottom + low


def _nearest_to_the_middle(volume: np.ndarray) -> int:
    peaks = np.flatnonzero(volume == volume.max())
    return int(peaks[np.argmin(np.abs(2 * peaks - (len(volume) - 1)))])


def measure(n: int, window: int, rounds: int, sample: int = 200) -> Rolling:
    """All three ways for one window; Python on a sample of the bars."""
    footprint = made_footprint(n)
    stops = np.arange(window, n + 1)
    starts = stops - window
    found = rolling_profiles(footprint, window)
    rolled = spent(lambda: rolling_profiles(footprint, window), rounds)
    anew = range_profiles(footprint, starts, stops)
    rebuilt = spent(lambda: range_profiles(footprint, starts, stops), max(1, rounds // 2))
    rows: IntArray = np.linspace(window - 1, n - 1, sample).astype(np.int64)
    with_numpy, numpy_s = _sampled(rebuilt_with_numpy, footprint, window, rows)
    in_python, python_s = _sampled(rebuilt_in_python, footprint, window, rows)
    columns = (found.poc_bin, found.high_bin, found.low_bin)
    same = all(
        np.array_equal(ours[window - 1 :], theirs)
        for ours, theirs in zip(columns, (anew.poc_bin, anew.high_bin, anew.low_bin), strict=True)
    )
    of_sample = [tuple(int(c[row]) for c in columns) for row in rows]
    return Rolling(
        bars=n,
        window=window,
        rolled_us=1e6 * rolled / n,
        rebuilt_us=1e6 * rebuilt / len(stops),
        numpy_us=1e6 * numpy_s / sample,
        python_us=1e6 * python_s / sample,
        same=same and of_sample == with_numpy == in_python,
    )


def _sampled(
    way: Callable[[Footprint, int, int], tuple[int, int, int]],
    footprint: Footprint,
    window: int,
    rows: IntArray,
) -> tuple[list[tuple[int, int, int]], float]:
    begun = process_time()
    found = [way(footprint, window, int(row)) for row in rows]
    return [(int(a), int(b), int(c)) for a, b, c in found], process_time() - begun


def exponent(few: float, many: float, factor: float) -> float:
    """How the time grows: as the power of what grew by ``factor``."""
    return log(many / few) / log(factor)
