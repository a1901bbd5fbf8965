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
    found = np.zeros((8, len(footprint)), dtype=np.int64)
    imbalanced_levels(
        footprint.offsets, footprint.bin, footprint.buy, footprint.sell,
        np.ascontiguousarray(least), ratio, stack, found,
    )  # fmt: skip
    names = ("levels", "stacks", "longest", "stack_bin")
    sides = {f"buy_{name}": found[i] for i, name in enumerate(names)}
    return Imbalances(**sides, **{f"sell_{name}": found[4 + i] for i, name in enumerate(names)})


@inlined
def _count(bin_: int, run: int, stack: int, bar: int, found: IntArray) -> None:
    """Book an imbalanced level that is the last so far of a run of adjacent ones."""
    found[_LEVELS, bar] += 1
    found[_STACKS, bar] += run == stack
    if run > found[_LONGEST, bar]:
        found[_LONGEST, bar] = run
        if run >= stack:
            found[_STACK_BIN, bar] = bin_ - run + 1


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
    """Fill ``found``, shape (8, n): levels, stacks, longest run, bin of the stack; buy, sell."""
    for bar in range(offsets.shape[0] - 1):
        found[_STACK_BIN, bar] = found[4 + _STACK_BIN, bar] = UNKNOWN
        buys = sells = 0
        for i in range(offsets[bar], offsets[bar + 1]):
            lower = i > offsets[bar] and bins[i - 1] == bins[i] - 1
            upper = i + 1 < offsets[bar + 1] and bins[i + 1] == bins[i] + 1
            opposed = ratio * sell[i - 1] if lower else 0.0
            bought = i > offsets[bar] and buy[i] > opposed
            opposed = ratio * buy[i + 1] if upper else 0.0
            sold = i + 1 < offsets[bar + 1] and sell[i] > opposed
            enough = buy[i] + sell[i] >= least[bar]
            buys = (buys + 1 if lower else 1) if bought and enough else 0
            sells = (sells + 1 if lower else 1) if sold and enough else 0
            if buys:
                _count(bins[i], buys, stack, bar, found[:4])
            if sells:
                _count(bins[i], sells, stack, bar, found[4:])
