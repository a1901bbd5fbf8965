"""Bounds that stand beside a field's type, checked when the value is made."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Any, get_type_hints

from annotated_types import Ge, Gt, Le

from hydra_ft.errors import PolicyError

_FINEST = 1e-9
"""No unit here is finer: "above 0" is "from a billionth"."""


def check_bounds(policy: Any) -> None:
    """Compare every number of a frozen dataclass with its declared bounds.

    Raises
    ------
    PolicyError
        Naming the first number that is out of its bounds.
    """
    for name, low, high in _bounds(policy.__class__):
        value = getattr(policy, name)
        if not low <= value <= high:
            raise PolicyError(
                f"expected {name} from {low:g} to {high:g}, was {value}; set it within them"
            )


@cache
def _bounds(policy: type[Any]) -> tuple[tuple[str, float, float], ...]:
    """Name, least and greatest value of every number that has both bounds."""
    hints = get_type_hints(policy, include_extras=True)
    rows = []
    for item in fields(policy):
        limits: dict[Any, Any] = {
            type(limit): limit for limit in getattr(hints[item.name], "__metadata__", ())
        }
        if Le in limits and (Ge in limits or Gt in limits):
            low = float(limits[Ge].ge) if Ge in limits else float(limits[Gt].gt) + _FINEST
            rows.append((item.name, low, float(limits[Le].le)))
    return tuple(rows)
