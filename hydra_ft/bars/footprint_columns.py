"""Imbalanced and stacked levels beside the bars, made once from their footprint.

By volume and by true adjacency (``footprint.imbalances``). What is too little to matter is
told by the bar itself: a share of what its levels traded on average, not a number of coins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.footprint import imbalances
from hydra_ft.bars.value_columns import lots_in_cells
from hydra_ft.types.flow import UNKNOWN
from hydra_ft.types.flow_columns import FootprintColumns

if TYPE_CHECKING:
    from hydra_ft.types import FloatArray, IntArray
    from hydra_ft.types.flow import Flow, TradeGrid


@dataclass(frozen=True, slots=True)
class ImbalanceRules:
    """What counts as a level out of balance, and as a stack of them.

    One side must be more than ``ratio`` times the other one a bin away; the level must hold
    ``least_share`` of the mean volume of the bar's levels; ``stack`` adjacent ones stack.
    """

    ratio: float = 3.0
    stack: int = 3
    least_share: float = 0.25


RULES = ImbalanceRules()


def footprint_columns(flow: Flow, rules: ImbalanceRules = RULES) -> FootprintColumns:
    """Imbalances of each flow bar, shape (n,) each.

    NaN where a bar is not whole, or its footprint is no longer kept.
    """
    bars, footprint = flow.bars, flow.footprint
    lots = lots_in_cells(footprint)
    known = bars.whole & (lots == bars.buy_lots + bars.sell_lots)
    levels = np.diff(footprint.offsets)
    least = np.ceil(rules.least_share * lots / np.maximum(levels, 1)).astype(np.int64)
    found = imbalances(footprint, rules.ratio, rules.stack, least)
    stacks = {
        "buy_stack": _middle(found.buy_stack_bin, found.buy_longest, footprint.grid),
        "sell_stack": _middle(found.sell_stack_bin, found.sell_longest, footprint.grid),
    }
    counts: dict[str, IntArray] = {"levels": levels} | {
        f"{side}_{name}": getattr(found, f"{side}_{name}")
        for side in ("buy", "sell")
        for name in ("levels", "stacks", "longest")
    }
    named: dict[str, FloatArray | IntArray] = {**counts, **stacks}
    return FootprintColumns(
        **{name: np.where(known, values, np.nan) for name, values in named.items()}
    )


def _middle(lowest: IntArray, bins: IntArray, grid: TradeGrid) -> FloatArray:
    """Price in the middle of ``bins`` bins from the lowest on; NaN where there are none."""
    ticks = lowest * grid.bin_ticks + (bins * grid.bin_ticks - 1) / 2
    return grid.prices(np.where(lowest == UNKNOWN, float(UNKNOWN), ticks))
