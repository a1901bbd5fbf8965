"""The rules of the drill as pure functions over what was recorded.

Each yields a violation for every time it did not hold; none yields none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra_ft.cli.drill.audit.ladder import left_twice, parts_taken_twice
from hydra_ft.cli.drill.audit.liveness import lost_fills, slow_outcomes, unnamed_parents
from hydra_ft.cli.drill.audit.quiet import Snapshot, unsettled
from hydra_ft.cli.drill.audit.safety import (
    exits_beyond_position,
    hasty_children,
    overfills,
    two_at_once,
    unnoted_orders,
)
from hydra_ft.cli.drill.audit.stops import bare_positions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hydra_ft.cli.drill.facts import Facts, Violation

SAFETY: tuple[Callable[[Facts], Iterable[Violation]], ...] = (
    overfills,
    hasty_children,
    two_at_once,
    unnoted_orders,
    exits_beyond_position,
    left_twice,
    parts_taken_twice,
)
LIVENESS: tuple[Callable[[Facts], Iterable[Violation]], ...] = (
    slow_outcomes,
    unnamed_parents,
    lost_fills,
    bare_positions,
)

__all__ = ["LIVENESS", "SAFETY", "Snapshot", "audit", "unsettled"]


def audit(facts: Facts, *, whole: bool = True) -> list[Violation]:
    """Return every violation, safety first; of a drill that was cut short, of safety only."""
    rules = (*SAFETY, *LIVENESS) if whole else SAFETY
    return [found for rule in rules for found in rule(facts)]
