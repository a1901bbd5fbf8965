"""The numbers of a head as a flat list: for parameters, for searches, for the ledger.

A threshold is named by its place: ``regime.chop.efficiency_full``, ``vetoes.min_confidence``,
``signals.trend_pullback.rsi_low``. What is no number (timeframes, feeds, regimes) and what
changes how far back a bar looks is not among them: those belong to the declaration.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

from typing_extensions import get_type_hints

from hydra_ft.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hydra_ft.decisions.rules import HeadRules

SIGNALS = "signals"
SECTIONS = ("regime", "bias", "vetoes", "clock", "admission")
FIXED = ("regime.window_bars", "clock.usual_interval_h")
"""Not to be searched: the warm-up follows from the first, the venue sets the second."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """One number of a head: its path, its value, and its declared type with its bounds."""

    path: str
    value: float
    hint: Any


def thresholds(rules: HeadRules) -> dict[str, Threshold]:
    """Every number of a head that may be tuned, by path, in the order of the pipeline."""
    parts = [(name, getattr(rules, name)) for name in SECTIONS]
    parts += [(f"{SIGNALS}.{made.name}", made.rules) for made in rules.signals]
    found = (leaf for path, part in parts for leaf in _leaves(path, part))
    return {leaf.path: leaf for leaf in found}


def _leaves(path: str, part: Any) -> Iterator[Threshold]:
    hints = get_type_hints(type(part), include_extras=True)
    for item in fields(part):
        value, here = getattr(part, item.name), f"{path}.{item.name}"
        if is_dataclass(value):
            yield from _leaves(here, value)
        elif isinstance(value, int | float) and here not in FIXED:
            yield Threshold(here, value, hints[item.name])


def with_thresholds(rules: HeadRules, values: Mapping[str, float]) -> HeadRules:
    """Rules with some numbers replaced, by path.

    Raises DeclarationError for a path that is no threshold of the head, and where the
    values contradict each other.
    """
    unknown = values.keys() - thresholds(rules).keys()
    if unknown:
        raise DeclarationError(f"head {rules.name}: no threshold is named {min(unknown)!r}")
    sections = {name: _changed(getattr(rules, name), name, values) for name in SECTIONS}
    signals = tuple(
        replace(made, rules=_changed(made.rules, f"{SIGNALS}.{made.name}", values))
        for made in rules.signals
    )
    return replace(rules, signals=signals, **sections)


def _changed(part: Any, path: str, values: Mapping[str, float]) -> Any:
    changes = {}
    for item in fields(part):
        value, here = getattr(part, item.name), f"{path}.{item.name}"
        if is_dataclass(value):
            changes[item.name] = _changed(value, here, values)
        elif here in values:
            changes[item.name] = type(value)(values[here])
    return replace(part, **changes)
