"""What the last state of a child means for its parent (reference table T6)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from hydra_ft.execution.ticks import floor_steps, is_dust

if TYPE_CHECKING:
    from hydra_ft.types import ParentOrder


class Progress(StrEnum):
    """Where a parent stands, given what its children have filled."""

    DONE = "done"
    REST = "rest"
    DUST = "dust"


def remaining(parent: ParentOrder, filled: float, step_size: float) -> float:
    """Quantity that is still missing, in whole steps (base units, never negative)."""
    return floor_steps(max(0.0, parent.quantity - filled), step_size)


def progress(parent: ParentOrder, filled: float, step_size: float) -> Progress:
    """Whether the parent is complete, has a rest to trade, or one too small to trade."""
    missing = parent.quantity - filled
    if missing <= parent.quantity * 1e-9:
        return Progress.DONE
    return Progress.DUST if is_dust(missing, step_size) else Progress.REST
