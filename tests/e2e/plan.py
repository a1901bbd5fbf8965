"""What the test head does on its next bar; the tests write it, the head reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hydra_ft.types import Side


@dataclass
class Plan:
    """Pairs to enter, and sides to leave."""

    enter: dict[str, Side] = field(default_factory=dict)
    leave: dict[str, Side] = field(default_factory=dict)

    def clear(self) -> None:
        self.enter.clear()
        self.leave.clear()


PLAN = Plan()
