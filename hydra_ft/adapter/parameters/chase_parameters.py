"""Chase policies as freqtrade parameters, for ``<Head>.json`` files and for hyperopt.

Every value of a head's two policies becomes a class attribute, ``chase_entry_deadline_s`` in
the space ``buy`` and ``chase_exit_deadline_s`` in ``sell``, with the head's value as its
default. None is searched unless a head or a user says so::

    class MyFlow(HydraFlow):
        chase_entry_deadline_s = IntParameter(30, 300, default=120, space="buy", optimize=True)

A key that the configuration sets wins over its parameter.
"""

from __future__ import annotations

import logging
from dataclasses import fields, replace
from typing import Any, ClassVar

from freqtrade.exceptions import OperationalException
from freqtrade.strategy import IStrategy
from typing_extensions import get_type_hints

from hydra_ft.adapter.parameters.numbers import bounds, parameter
from hydra_ft.declared import read_tree
from hydra_ft.errors import SettingsError
from hydra_ft.execution.policy import ChasePolicies, ChasePolicy
from hydra_ft.settings import SECTION, Settings, configured_keys

logger = logging.getLogger(__name__)

SPACES = {"entry": "buy", "exit": "sell"}

SEARCHED: dict[str, tuple[float, float]] = {
    "offset_ticks": (-2, 5),
    "requote_threshold_ticks": (1, 10),
    "min_requote_interval_s": (1, 30),
    "max_requotes": (0, 50),
    "max_chase_bps": (5, 100),
    "max_slippage_bps": (0, 30),
    "max_spread_bps": (5, 100),
    "max_quote_age_s": (2, 30),
    "deadline_s": (15, 600),
    "urgency_time": (0, 2),
    "urgency_imbalance": (0, 2),
    "urgency_volatility": (0, 2),
    "max_rejections": (1, 10),
}
"""Least and greatest value worth a search; the declared bounds are far wider."""

CHOSEN: dict[str, tuple[str, ...]] = {"peg": ("own", "micro", "mid")}
"""Choices worth a search: a peg at the far touch is no chase, and contradicts post-only."""


def parameter_name(side: str, key: str) -> str:
    """Class attribute that holds a key of the policy of a side (``entry`` or ``exit``)."""
    return f"chase_{side}_{key}"


def keys() -> tuple[str, ...]:
    """Keys of a policy that are parameters: all but the preset they started from."""
    return tuple(item.name for item in fields(ChasePolicy) if item.name != "preset")


def declare_parameters(head: type, policies: ChasePolicies) -> None:
    """Give a class one parameter per key and side, but those that its own body declares."""
    hints = get_type_hints(ChasePolicy, include_extras=True)
    for side, space in SPACES.items():
        policy = getattr(policies, side)
        for key in keys():
            name = parameter_name(side, key)
            if name not in head.__dict__:
                search = SEARCHED.get(key, bounds(hints[key]))
                made = parameter(
                    hints[key], getattr(policy, key), space, search, choices=CHOSEN.get(key, ())
                )
                setattr(head, name, made)


class ChaseParameters(IStrategy):
    """Declares the parameters of every head, and reads the policies in force from them."""

    chase: ClassVar[ChasePolicies] = ChasePolicies()
    settings: Settings

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "rules" in cls.__dict__ or "chase" in cls.__dict__:
            if not isinstance(cls.chase, ChasePolicies):
                return  # said at the start, where freqtrade shows it without a traceback
            declare_parameters(cls, cls.chase)

    @property
    def policies(self) -> ChasePolicies:
        """The policies in force: the configuration over the parameters over the head.

        Raises OperationalException when parameters are out of bounds or contradict each
        other.
        """
        found = tuple(self._parameter_values(side) for side in SPACES)
        kept: tuple[Any, ChasePolicies] | None = self.__dict__.get("_kept_policies")
        if kept is None or kept[0] != found:
            try:
                chase = self.settings.chase
                entry, leave = (
                    read_tree(values, ChasePolicy, name=f"chase_{side}", default=policy)
                    for side, policy, values in (
                        ("entry", chase.entry, found[0]),
                        ("exit", chase.exit, found[1]),
                    )
                )
            except SettingsError as error:
                raise OperationalException(f"the chase parameters of the head: {error}") from error
            kept = found, replace(chase, entry=entry, exit=leave)
            self.__dict__["_kept_policies"] = kept
        return kept[1]

    def _parameter_values(self, side: str) -> dict[str, Any]:
        """Values of the parameters of a side that the configuration does not stand over."""
        configured = configured_keys(self.config.get(SECTION), side)
        return {
            key: getattr(self, parameter_name(side, key)).value
            for key in keys()
            if key not in configured
        }

    def ft_load_hyper_params(self, hyperopt: bool = False) -> None:
        """Load the parameters as freqtrade does, then refuse what contradicts itself."""
        super().ft_load_hyper_params(hyperopt)
        _ = self.policies
        for side in SPACES:
            for key in configured_keys(self.config.get(SECTION), side) & set(keys()):
                self._say_what_stands(side, key)

    def _say_what_stands(self, side: str, key: str) -> None:
        """Log that the configuration stands over a parameter that somebody has set."""
        parameter = getattr(self, parameter_name(side, key))
        stands = getattr(getattr(self.settings.chase, side), key)
        if parameter.optimize or parameter.value not in (stands, _declared(self.chase, side, key)):
            logger.warning(
                "hydra.chase.%s sets %s to %s: the parameter %s (%s) has no effect",
                side,
                key,
                stands,
                parameter_name(side, key),
                parameter.value,
            )


def _declared(policies: ChasePolicies, side: str, key: str) -> Any:
    """What a head declares for a key of a side."""
    return getattr(getattr(policies, side), key)
