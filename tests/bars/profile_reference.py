"""Profiles and imbalances once more, in plain Python, from dictionaries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.types.flow import Footprint, TradeGrid

if TYPE_CHECKING:
    from collections.abc import Sequence

Levels = dict[int, tuple[int, int]]
PLAIN = TradeGrid(1.0, 1.0)


def footprint_from(bars: Sequence[Levels], grid: TradeGrid = PLAIN) -> Footprint:
    """A footprint from the levels (bin -> bought, sold) of each bar."""
    cells = [(b, *bar[b]) for bar in bars for b in sorted(bar)]
    columns = np.array(cells, dtype=np.int64).reshape(-1, 3).T
    bin_, buy, sell = (np.ascontiguousarray(c) for c in columns)
    offsets = np.cumsum([0, *(len(bar) for bar in bars)])
    return Footprint(grid, offsets.astype(np.int64), bin_, buy, sell)


def volumes(bars: Sequence[Levels], size: int) -> dict[int, int]:
    """Volume at each bin of the profile of some bars, those between without any included."""
    found: dict[int, int] = {}
    for bar in bars:
        for bin_, (bought, sold) in bar.items():
            found[bin_ // size] = found.get(bin_ // size, 0) + bought + sold
    if found:
        found = {b: found.get(b, 0) for b in range(min(found), max(found) + 1)}
    return found


def point_of_control(profile: dict[int, int]) -> int:
    """Most volume; of several the nearest to the middle, then the lower."""
    middle = (min(profile) + max(profile)) / 2
    return min(profile, key=lambda b: (-profile[b], abs(b - middle), b))


def value_area(profile: dict[int, int], share_percent: int = 70) -> tuple[int, int]:
    """Steidlmayer and Dalton: two rows above against two below, the upper pair if equal."""
    low = high = point_of_control(profile)
    held, total = profile[low], sum(profile.values())
    while 100 * held < share_percent * total:
        above = [b for b in (high + 1, high + 2) if b in profile]
        below = [b for b in (low - 1, low - 2) if b in profile]
        up, down = (sum(profile[b] for b in rows) for rows in (above, below))
        if above and (up >= down or not below):
            high, held = above[-1], held + up
        else:
            low, held = below[-1], held + down
    return low, high


def low_volume_nodes(profile: dict[int, int], share_percent: int = 20) -> list[int]:
    """Middles of the local minima of the profile smoothed by 1-2-1, below a share of its peak."""
    at = sorted(profile)
    volume = [0, *(profile[b] for b in at), 0]
    smooth = [volume[i - 1] + 2 * volume[i] + volume[i + 1] for i in range(1, len(volume) - 1)]
    limit = 4 * share_percent * max(profile.values())
    found, i = [], 0
    while i < len(at):
        last = i
        while last + 1 < len(at) and smooth[last + 1] == smooth[i]:
            last += 1
        inside = i > 0 and last + 1 < len(at)
        if inside and smooth[i - 1] > smooth[i] < smooth[last + 1] and 100 * smooth[i] < limit:
            found.append((at[i] + at[last]) // 2)
        i = last + 1
    return found


def imbalanced(levels: Levels, ratio: float, least: int) -> tuple[list[int], list[int]]:
    """Bins with a buy imbalance and with a sell imbalance."""
    low, high = min(levels), max(levels)
    bought, sold = [], []
    for bin_, (buy, sell) in sorted(levels.items()):
        if buy + sell < least:
            continue
        if bin_ > low and buy > ratio * levels.get(bin_ - 1, (0, 0))[1]:
            bought.append(bin_)
        if bin_ < high and sell > ratio * levels.get(bin_ + 1, (0, 0))[0]:
            sold.append(bin_)
    return bought, sold


def runs(bins: list[int]) -> list[list[int]]:
    """Stretches of adjacent bins."""
    found: list[list[int]] = []
    for bin_ in bins:
        if found and found[-1][-1] == bin_ - 1:
            found[-1].append(bin_)
        else:
            found.append([bin_])
    return found
