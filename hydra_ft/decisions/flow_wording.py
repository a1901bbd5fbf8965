"""What the trades of a bar say, and what is missing of them, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra_ft.types import Feed

if TYPE_CHECKING:
    from collections.abc import Mapping


def takers(numbers: Mapping[str, float]) -> list[str]:
    """Say what takers do to the bias, and how often they turned, as far as it is known."""
    told = []
    part = numbers.get("flow_part")
    if part is not None:
        leaning = "a rise" if part > 0 else "a fall"
        told.append(f"takers speak for {leaning} ({part:+.2f})" if part else "takers are balanced")
    if "flips" in numbers:
        told.append(f"they changed sides in {100 * numbers['flips']:.0f} % of the last hours")
    return told


def lacking(feed: str, numbers: Mapping[str, float]) -> str:
    """Say what a bar lacks of its trades; "" for other feeds, and where it is not known.

    A bar that is whole itself is stale for a hole before it, or in a coarser bar.
    """
    covered, missing = numbers.get("trades_covered"), numbers.get("trades_missing", 0.0)
    if feed != Feed.TRADES or covered is None:
        return ""
    if covered == 0:
        return "no trades of this bar were recorded"
    told = [] if covered == 1 else [f"{100 * covered:.1f} % of its time is covered"]
    told += [f"{missing:g} trades are missing"] if missing else []
    if told:
        return f"the trades of this bar are not whole: {', '.join(told)}"
    return "trades are missing further back, where the features of entries look"
