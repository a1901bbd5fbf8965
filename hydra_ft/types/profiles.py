"""What is read from footprints: imbalances and volume profiles, one row a bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.types.flow import UNKNOWN

if TYPE_CHECKING:
    from hydra_ft.types.flow import TradeGrid
    from hydra_ft.types.market import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Imbalances:
    """Imbalanced levels of the footprint of each bar, by side, shape (n,) each.

    ``*_levels`` counts them, ``*_stacks`` the runs of adjacent ones that are long enough,
    ``*_longest`` is the length of the longest run, ``*_stack_bin`` the lowest bin of the
    longest stack (the lower one of two), ``UNKNOWN`` without one.
    """

    buy_levels: IntArray
    sell_levels: IntArray
    buy_stacks: IntArray
    sell_stacks: IntArray
    buy_longest: IntArray
    sell_longest: IntArray
    buy_stack_bin: IntArray
    sell_stack_bin: IntArray


@dataclass(frozen=True, slots=True)
class Profiles:
    """Volume profiles, one a row, shape (n,) each; bins are ``UNKNOWN`` where none is known.

    Bin b of row i holds the ticks from b * bin_ticks[i] on. Prices are in quote currency:
    point of control and nodes are the middle of their bin, value area high and low its
    outer ticks. ``node_below`` and ``node_above`` are the low-volume nodes nearest to the
    reference price of the row (all ``UNKNOWN`` where none was given).
    """

    grid: TradeGrid
    bin_ticks: IntArray
    poc_bin: IntArray
    high_bin: IntArray
    low_bin: IntArray
    volume_lots: IntArray
    node_below_bin: IntArray
    node_above_bin: IntArray

    def __len__(self) -> int:
        return int(self.poc_bin.shape[0])

    @property
    def poc(self) -> FloatArray:
        """Point of control: middle of the bin that traded most; NaN where not known."""
        return self._middle(self.poc_bin)

    @property
    def value_area_high(self) -> FloatArray:
        """Highest tick of the value area; NaN where not known."""
        top = (self.high_bin + 1) * self.bin_ticks - 1
        return self.grid.prices(np.where(self.high_bin == UNKNOWN, UNKNOWN, top))

    @property
    def value_area_low(self) -> FloatArray:
        """Lowest tick of the value area; NaN where not known."""
        bottom = self.low_bin * self.bin_ticks
        return self.grid.prices(np.where(self.low_bin == UNKNOWN, UNKNOWN, bottom))

    @property
    def node_below(self) -> FloatArray:
        """Nearest low-volume node at or below the reference price; NaN where there is none."""
        return self._middle(self.node_below_bin)

    @property
    def node_above(self) -> FloatArray:
        """Nearest low-volume node above the reference price; NaN where there is none."""
        return self._middle(self.node_above_bin)

    def _middle(self, bins: IntArray) -> FloatArray:
        middle = bins * self.bin_ticks + (self.bin_ticks - 1) / 2
        return self.grid.prices(np.where(bins == UNKNOWN, float(UNKNOWN), middle))
