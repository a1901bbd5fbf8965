"""Thresholds of a head as freqtrade parameters, for ``<Head>.json`` files and for hyperopt.

Every number of the head's rules becomes a class attribute named by its place:
``regime_chop_above``, ``bias_block_from``, ``trend_pullback_rsi_low``. What decides on entries
is in the space ``buy``; stops, targets and what closes a position in ``sell``; limits on
trades and losses in ``protection``. A head names in ``searched`` the few that hyperopt looks
at by itself; any other is searched where a class of the user says so::

    class MyFlow(HydraFlow):
        vetoes_min_confidence = DecimalParameter(0.5, 0.8, default=0.5, space="buy")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from freqtrade.exceptions import OperationalException
from freqtrade.strategy import IStrategy

from hydra_ft.adapter.parameters.numbers import parameter
from hydra_ft.decisions.thresholds import (
    attribute,
    space,
    thresholds,
    values_of,
    with_thresholds,
)
from hydra_ft.errors import DeclarationError

if TYPE_CHECKING:
    from hydra_ft.decisions.rules import HeadRules


class RuleParameters(IStrategy):
    """Declares the parameters of every head, and reads the rules in force from them."""

    rules: ClassVar[HeadRules]
    searched: ClassVar[tuple[str, ...]] = ()
    """Paths of the thresholds that hyperopt searches without being told."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "rules" in cls.__dict__ or "searched" in cls.__dict__:
            _declare(cls)

    @property
    def rules_in_force(self) -> HeadRules:
        """The head's rules with the values that its parameters had when they were last read."""
        kept: HeadRules | None = self.__dict__.get("_rules_in_force")
        return self.rules if kept is None else kept

    def read_rules(self) -> HeadRules:
        """Read the parameters: once at the start, and in each epoch of hyperopt.

        Raises DeclarationError when values are out of bounds or contradict each other.
        """
        declared = values_of(self.rules)
        found = {path: getattr(self, attribute(path)).value for path in declared}
        changed = {path: value for path, value in found.items() if value != declared[path]}
        read = with_thresholds(self.rules, changed) if changed else self.rules
        self.__dict__["_rules_in_force"] = read
        return read

    def ft_load_hyper_params(self, hyperopt: bool = False) -> None:
        """Load the parameters as freqtrade does, then refuse what contradicts itself."""
        super().ft_load_hyper_params(hyperopt)
        try:
            self.read_rules()
        except DeclarationError as error:
            raise OperationalException(f"the parameters of the head: {error}") from error


def _declare(head: type[RuleParameters]) -> None:
    """Give a class one parameter per threshold, but those that its own body declares."""
    known = thresholds(head.rules)
    unknown = set(head.searched) - known.keys()
    if unknown:
        raise DeclarationError(f"{head.__name__}.searched: no threshold is named {min(unknown)!r}")
    for path, leaf in known.items():
        name, value = attribute(path), leaf.default
        if name not in head.__dict__:
            search = (value * 0.5, value * 1.5) if isinstance(value, int | float) else (0, 0)
            made = parameter(leaf.hint, value, space(path), search, optimize=path in head.searched)
            setattr(head, name, made)
