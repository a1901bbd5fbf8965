"""Numbers of a risk policy as freqtrade parameters, beside those of the rules.

They are named by their place: ``risk_sizing_risk_per_trade``, ``risk_limits_day_loss`` in the
space ``protection``, ``risk_exits_break_even_at`` in ``sell``. None is searched unless a class of
the user says so; those of a ``<Head>.json`` file are read like any other.

Which callbacks a head has is settled when it is made, before a parameter is read. So a number that
would bring one in is no parameter: the shares of partial exits of a head that declares none, and
``target_r`` of one without signals.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import TypeAdapter, ValidationError

from hydra_ft.adapter.parameters.numbers import parameter
from hydra_ft.adapter.parameters.rule_parameters import RuleParameters
from hydra_ft.declared import leaves
from hydra_ft.errors import DeclarationError, PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hydra_ft.decisions.rules import HeadRules
    from hydra_ft.declared import Leaf
    from hydra_ft.risk.policy import RiskPolicy

EXITS = "exits"
SPACES = {"sizing": "protection", "limits": "protection", EXITS: "sell"}
"""Parts of a risk policy, with the space of their parameters."""


class RiskParameters(RuleParameters):
    """Declares the parameters of a head's risk policy, and reads those in force."""

    risk: ClassVar[RiskPolicy | None] = None
    """How much the head may lose; None leaves stakes to freqtrade.

    On a strategy that runs it is the policy in force, with the values of the parameters.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        policy = cls.__dict__.get("risk")
        for leaf in _tuned(cls) if policy is not None else ():
            name, value = _attribute(leaf.path), leaf.default
            if name not in cls.__dict__ and isinstance(value, int | float):
                search = (value * 0.5, value * 1.5)
                space = SPACES[leaf.path.split(".")[1]]
                setattr(cls, name, parameter(leaf.hint, value, space, search))

    def read_rules(self) -> HeadRules:
        """Read the parameters of the rules, and those of the risk policy with them."""
        read = super().read_rules()
        declared = type(self).risk
        if declared is not None:
            self.__dict__["risk"] = self._read_risk(declared)
        return read

    def _read_risk(self, declared: RiskPolicy) -> RiskPolicy:
        """Policy with the values of the parameters.

        Raises DeclarationError where a value is out of its bounds, or values contradict.
        """
        changed: dict[str, dict[str, Any]] = {section: {} for section in SPACES}
        for leaf in _tuned(type(self)):
            value = getattr(self, _attribute(leaf.path)).value
            if value != leaf.default:
                _, section, name = leaf.path.split(".")
                changed[section][name] = _checked(leaf, value)
        if not any(changed.values()):
            return declared
        try:
            parts = {name: replace(getattr(declared, name), **changed[name]) for name in SPACES}
            return replace(declared, **parts)
        except PolicyError as error:
            raise DeclarationError(f"risk: {error}") from error


def values_in_force(policy: RiskPolicy | None, *, sizes: bool) -> dict[str, Any]:
    """Value of every number of a policy, by path; those of the exits alone where it sizes nothing.

    What the ledger keeps beside the thresholds.
    """
    if policy is None:
        return {}
    exits = f"risk.{EXITS}."
    return {leaf.path: leaf.default for leaf in _leaves(policy) if sizes or exits in leaf.path}


def _leaves(policy: RiskPolicy) -> Iterator[Leaf]:
    for item in fields(policy):
        part = getattr(policy, item.name)
        yield from leaves(type(part), f"risk.{item.name}", part)


def _tuned(head: type[RiskParameters]) -> Iterator[Leaf]:
    """Numbers of a head's policy that are parameters."""
    policy = head.risk
    if policy is None:
        return
    exits, fixed = policy.exits, set()
    if not (exits.partial_1_share or exits.partial_2_share):
        fixed |= {"partial_1_share", "partial_2_share"}
    rules = getattr(head, "rules", None)
    if not (exits.target_r or (rules is not None and rules.signals)):
        fixed.add("target_r")
    for leaf in _leaves(policy):
        if leaf.path.removeprefix(f"risk.{EXITS}.") not in fixed:
            yield leaf


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
