"""What a footprint says about one bar: coarser bins, and imbalances by volume.

The classic diagonal comparison: what takers bought at a level is held against what they sold
one level lower, since those two met the same spread. Freqtrade's own columns of that name
divide numbers of trades, and take the next level that traded for the next level.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.compiled import FLOAT, INT, INTS_2D, READ_INTS, inlined, kernel
from hydra_ft.bars.flow_tables import footprint_of
from hydra_ft.errors import DataError
from hydra_ft.types.flow import UNKNOWN, Footprint
from hydra_ft.types.profiles import Imbalances

if TYPE_CHECKING:
    from hydra_ft.types import IntArray

_LEVELS, _STACKS, _LONGEST, _STACK_BIN = range(4)


def rebinned(footprint: Footprint, bins: int) -> Footprint:
    """Sum the footprint up to bins of ``bins`` of its own; bin b becomes floor(b / bins)."""
    if bins < 1:
        raise DataError(f"bins: expected 1 or more, was {bins}")
    bar = np.repeat(np.arange(len(footprint)), np.diff(footprint.offsets))
    cells = np.stack([bar, footprint.bin // bins, footprint.buy, footprint.sell])
    grid = replace(footprint.grid, bin_ticks=footprint.grid.bin_ticks * bins)
    return footprint_of(cells, np.arange(len(footprint)), grid)


def imbalances(
    footprint: Footprint, ratio: float = 3.0, stack: int = 3, least_lots: IntArray | int = 0
) -> Imbalances:
    """Imbalanced and stacked levels of each bar, by volume and true adjacency.

    A level has a buy imbalance when takers bought more than ``ratio`` times what they sold
    one bin lower, a sell imbalance when they sold more than ``ratio`` times what they bought
    one bin higher, and at least ``least_lots`` traded at the level (one number, or one a
    bar). A bin between the bar's low and high that did not trade counts as none; beyond them
    there is nothing to compare with. ``stack`` or more such levels in adjacent bins stack.
    """
    least = np.broadcast_to(np.asarray(least_lots, dtype=np.int64), (len(footprint),))
    rows = np.zeros((len(footprint), 8), dtype=np.int64)
    imbalanced_levels(
        footprint.offsets, footprint.bin, footprint.buy, footprint.sell,
        np.ascontiguousarray(least), ratio, stack, rows,
    )  # fmt: skip
    found = np.ascontiguousarray(rows.T)
    names = ("levels", "stacks", "longest", "stack_bin")
    sides = {f"buy_{name}": found[i] for i, name in enumerate(names)}
    return Imbalances(**sides, **{f"sell_{name}": found[4 + i] for i, name in enumerate(names)})


@inlined
def _runs(
    first: int,
    last: int,
    step: int,
    bins: IntArray,
    own: IntArray,
    others: IntArray,
    least: int,
    ratio: float,
    stack: int,
    row: IntArray,
) -> None:
    """Count one side's imbalanced levels of a bar against the bin ``step`` away (-1 or 1).

    At the bar's edge on that side there is nothing to compare with. Without ways to turn but for
    a new longest run: whether a level is imbalanced nobody foresees, a processor neither.
    """
    run = levels = stacks = longest = 0
    row[_STACK_BIN] = UNKNOWN
    for i in range(first + (step < 0), last - (step > 0)):
        met = ratio * others[i + step]
        opposed = met if bins[i + step] == bins[i] + step else 0.0
        counts = (own[i] > opposed) & (own[i] + others[i] >= least)
        run = run + 1 if counts & (bins[i - 1] == bins[i] - 1) else int(counts)
        levels += counts
        stacks += counts & (run == stack)
        if run > longest:
            longest = run
            if run >= stack:
                row[_STACK_BIN] = bins[i] - run + 1
    row[_LEVELS], row[_STACKS], row[_LONGEST] = levels, stacks, longest


@kernel(READ_INTS, READ_INTS, READ_INTS, READ_INTS, READ_INTS, FLOAT, INT, INTS_2D)
def imbalanced_levels(
    offsets: IntArray,
    bins: IntArray,
    buy: IntArray,
    sell: IntArray,
    least: IntArray,
    ratio: float,
    stack: int,
    found: IntArray,
) -> None:
    """Fill ``found``, shape (n, 8): levels, stacks, longest run, bin of the stack; buy, sell."""
    for bar in range(offsets.shape[0] - 1):
        first, last, row = offsets[bar], offsets[bar + 1], found[bar]
        _runs(first, last, -1, bins, buy, sell, least[bar], ratio, stack, row[:4])
        _runs(first, last, 1, bins, sell, buy, least[bar], ratio, stack, row[4:])
