"""Numbers of sizes and limits as freqtrade parameters, beside those of the rules.

They are named by their place, ``risk_sizing_risk_per_trade``, ``risk_limits_day_loss``, in the
space ``protection``. None is searched unless a class of the user says so; those of a
``<Head>.json`` file are read like any other.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import TypeAdapter, ValidationError

from hydra_ft.adapter.numbers import parameter
from hydra_ft.adapter.rule_parameters import RuleParameters
from hydra_ft.declared import leaves
from hydra_ft.errors import DeclarationError, PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hydra_ft.decisions.rules import HeadRules
    from hydra_ft.declared import Leaf
    from hydra_ft.risk.policy import RiskPolicy

SECTIONS = ("sizing", "limits")
"""Parts of a risk policy whose numbers are parameters."""


class RiskParameters(RuleParameters):
    """Declares the parameters of a head's sizes and limits, and reads those in force."""

    risk: ClassVar[RiskPolicy | None] = None
    """How much the head may lose; None leaves stakes to freqtrade."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        policy = cls.__dict__.get("risk")
        for leaf in _leaves(policy) if policy is not None else ():
            name, value = _attribute(leaf.path), leaf.default
            if name not in cls.__dict__ and isinstance(value, int | float):
                search = (value * 0.5, value * 1.5)
                setattr(cls, name, parameter(leaf.hint, value, "protection", search))

    def read_rules(self) -> HeadRules:
        """Read the parameters of the rules, and those of sizes and limits with them."""
        read = super().read_rules()
        if self.risk is not None:
            self.__dict__["_risk_read"] = self._read_risk(self.risk)
        return read

    def _read_risk(self, declared: RiskPolicy) -> RiskPolicy:
        """Policy with the values of the parameters.

        Raises DeclarationError where a value is out of its bounds, or values contradict.
        """
        changed: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
        for leaf in _leaves(declared):
            value = getattr(self, _attribute(leaf.path)).value
            if value != leaf.default:
                _, section, name = leaf.path.split(".")
                changed[section][name] = _checked(leaf, value)
        if not any(changed.values()):
            return declared
        try:
            parts = {name: replace(getattr(declared, name), **changed[name]) for name in SECTIONS}
            return replace(declared, **parts)
        except PolicyError as error:
            raise DeclarationError(f"risk: {error}") from error


def _leaves(policy: RiskPolicy) -> Iterator[Leaf]:
    for item in fields(policy):
        part = getattr(policy, item.name)
        if item.name in SECTIONS:
            yield from leaves(type(part), f"risk.{item.name}", part)


def _attribute(path: str) -> str:
    return path.replace(".", "_")


def _checked(leaf: Leaf, value: object) -> object:
    hint: Any = leaf.hint
    try:
        return TypeAdapter(hint).validate_python(value)
    except ValidationError as error:
        raise DeclarationError(
            f"{leaf.path}: expected {leaf.allowed}, was {value!r}; change it "
            f"(declared: {leaf.default})"
        ) from error
