"""The numbers of a head as a flat list: for parameters, for searches, for the ledger.

A threshold is named by its place: ``regime.chop.efficiency_full``, ``vetoes.min_confidence``,
``signals.trend_pullback.rsi_low``. What is no number (timeframes, feeds, regimes) and what
changes how far back a bar looks is not among them: those belong to the declaration.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from hydra_ft.decisions.flow_exits import unread
from hydra_ft.declared import Leaf, leaves
from hydra_ft.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra_ft.decisions.rules import HeadRules

SIGNALS = "signals"
SECTIONS = ("regime", "bias", "vetoes", "clock", "admission", "flow_exits")
FIXED = (
    "regime.window_bars",
    "clock.usual_interval_h",
    "flow_exits.by_value",
    "flow_exits.by_reversal",
)
"""Not to be tuned: the warm-up follows from the first, the venue sets the second, and what is
computed at all follows from the others."""


_EXITS = ("stop", "swing_factor", "atr_factor", "reward", "target", "exit_from")
"""First words of the numbers that say where a position ends."""


def attribute(path: str) -> str:
    """Name of the freqtrade parameter that holds a threshold."""
    return path.removeprefix(f"{SIGNALS}.").replace(".", "_")


def space(path: str) -> str:
    """Space of freqtrade that a threshold belongs to."""
    section, _, name = path.partition(".")
    if section == "admission":
        return "protection"
    if section == "flow_exits":
        return "sell"
    return "sell" if name.rpartition(".")[2].startswith(_EXITS) else "buy"


@lru_cache(maxsize=32)
def thresholds(rules: HeadRules) -> Mapping[str, Leaf]:
    """Every number of a head that may be tuned, by path, in the order of the pipeline.

    Those of an exit that is off are none: nothing would come of them.
    Kept for the heads that were asked about last: a bot asks for every pair and candle.
    """
    parts = {name: getattr(rules, name) for name in SECTIONS}
    parts |= {f"{SIGNALS}.{made.name}": made.rules for made in rules.signals}
    fixed = {*FIXED, *(f"flow_exits.{name}" for name in unread(rules.flow_exits))}
    found = {
        leaf.path: leaf
        for path, part in parts.items()
        for leaf in leaves(type(part), path, part)
        if isinstance(leaf.default, int | float) and leaf.path not in fixed
    }
    return MappingProxyType(found)


def values_of(rules: HeadRules) -> dict[str, Any]:
    """Value of every threshold, by path."""
    return {path: leaf.default for path, leaf in thresholds(rules).items()}


def with_thresholds(rules: HeadRules, values: Mapping[str, Any]) -> HeadRules:
    """Rules with some numbers replaced, by path.

    Raises DeclarationError for a path that is no threshold of the head, a value out of its
    bounds, and where values contradict each other.
    """
    known = thresholds(rules)
    for path, value in values.items():
        if path not in known:
            raise DeclarationError(f"head {rules.name}: no threshold is named {path!r}")
        _check(rules.name, known[path], value)
    sections = {name: _changed(getattr(rules, name), name, values) for name in SECTIONS}
    signals = tuple(
        replace(made, rules=_changed(made.rules, f"{SIGNALS}.{made.name}", values))
        for made in rules.signals
    )
    return replace(rules, signals=signals, **sections)


def _check(head: str, leaf: Leaf, value: object) -> None:
    hint: Any = leaf.hint
    try:
        TypeAdapter(hint).validate_python(value)
    except ValidationError as error:
        raise DeclarationError(
            f"head {head}: {leaf.path}: expected {leaf.allowed}, was {value!r}; change it "
            f"(declared: {leaf.default})"
        ) from error


def _changed(part: Any, path: str, values: Mapping[str, Any]) -> Any:
    changes = {}
    for item in fields(part):
        value, here = getattr(part, item.name), f"{path}.{item.name}"
        if is_dataclass(value):
            changes[item.name] = _changed(value, here, values)
        elif here in values:
            changes[item.name] = type(value)(values[here])
    return replace(part, **changes)
