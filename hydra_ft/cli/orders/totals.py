"""What a set of parents cost: counts, means and medians, by pair, side and kind."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from statistics import fmean, median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hydra_ft.cli.orders.story import Story

PARTS = ("delay", "trading", "fee", "opportunity")
"""Parts of the cost, in the order in which they arise."""


@dataclass(frozen=True, slots=True)
class Total:
    """Cost of some parents in bps of their notional; positive is a cost.

    ``weighted_bps`` weighs each parent by its notional, and is the sum of the four parts,
    which are weighed the same way: it is what was paid in all, of what was wanted in all.
    """

    by: str
    name: str
    n: int
    mean_bps: float
    median_bps: float
    weighted_bps: float
    delay_bps: float
    trading_bps: float
    fee_bps: float
    opportunity_bps: float
    fill_ratio: float
    maker_share: float

    def part(self, name: str) -> float:
        """Return one of the four parts (bps)."""
        return float(getattr(self, f"{name}_bps"))


GROUPS: dict[str, Callable[[Story], str]] = {
    "all": lambda _: "all",
    "kind": lambda story: story.parent.kind.value,
    "side": lambda story: story.parent.side.value,
    "pair": lambda story: story.parent.pair,
}


def is_counted(story: Story) -> bool:
    """Whether the cost of a parent is known and final."""
    return not story.parent.is_open and isfinite(story.cost.total_bps)


def totals(stories: Sequence[Story]) -> list[Total]:
    """Totals of the parents that have ended: over all, then by kind, side and pair."""
    counted = [story for story in stories if is_counted(story)]
    found = []
    for by, name_of in GROUPS.items():
        names = sorted({name_of(story) for story in counted})
        found += [_total(by, name, [s for s in counted if name_of(s) == name]) for name in names]
    return found


def _total(by: str, name: str, stories: Sequence[Story]) -> Total:
    costs = [story.cost for story in stories]
    weights = [story.notional_quote for story in stories]
    parts = {part: [float(getattr(c, f"{part}_bps")) for c in costs] for part in PARTS}
    each = [cost.total_bps for cost in costs]
    filled = [s.filled * s.average_price for s in stories]
    made = [s.cost.maker_share * f if f else 0.0 for s, f in zip(stories, filled, strict=True)]
    return Total(
        by=by,
        name=name,
        n=len(stories),
        mean_bps=fmean(each),
        median_bps=median(each),
        weighted_bps=fmean(each, weights),
        delay_bps=fmean(parts["delay"], weights),
        trading_bps=fmean(parts["trading"], weights),
        fee_bps=fmean(parts["fee"], weights),
        opportunity_bps=fmean(parts["opportunity"], weights),
        fill_ratio=fmean([cost.fill_ratio for cost in costs], weights),
        maker_share=sum(made) / sum(filled) if sum(filled) else float("nan"),
    )
