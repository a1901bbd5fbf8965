"""How much a head may lose, and how it lets go: one frozen value, checked when it is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from typing_extensions import Doc

from hydra_ft.errors import PolicyError
from hydra_ft.risk.exit_rules import LADDER, ExitRules
from hydra_ft.risk.limit_rules import LimitRules
from hydra_ft.risk.sizing_rules import SizingRules

__all__ = ["LADDER", "ExitRules", "LimitRules", "RiskPolicy", "SizingRules", "check_levels"]


@dataclass(frozen=True, slots=True)
class RiskPolicy:
    """Sizing, limits and exits of a head.

    Raises
    ------
    PolicyError
        When a value is out of its bounds, or two values contradict each other.
    """

    sizing: Annotated[SizingRules, Doc("from the equity to a stake")] = field(default=SizingRules())
    limits: Annotated[LimitRules, Doc("what may be open and lost at all")] = field(
        default=LimitRules()
    )
    exits: Annotated[ExitRules, Doc("how a position ends")] = field(default=ExitRules())

    def __post_init__(self) -> None:
        fee, gain = self.sizing.round_trip_fee, self.exits.break_even_at
        if gain and gain <= fee:
            raise PolicyError(
                f"expected exits.break_even_at above sizing.round_trip_fee ({fee:g}), was "
                f"{gain:g}: the stop would stand beyond the price"
            )
        for name in ("day_loss", "max_open_risk"):
            if getattr(self.limits, name) < self.sizing.risk_per_trade:
                raise PolicyError(
                    f"expected limits.{name} from sizing.risk_per_trade "
                    f"({self.sizing.risk_per_trade:g}) up, was {getattr(self.limits, name):g}: "
                    "not one whole trade would fit"
                )


def check_levels(name: str, stop: float, target: float, policy: RiskPolicy) -> None:
    """Compare the least stop and target that a signal declares (fractions) with a policy.

    Raises
    ------
    PolicyError
        When the target does not pay the fees, the stop is nearer than twice the fees, or the
        break-even lies beyond the target.
    """
    fee, gain = policy.sizing.round_trip_fee, policy.exits.break_even_at
    if target <= fee:
        raise PolicyError(
            f"{name}: expected a target above the round-trip fee ({fee:g}), was {target:g}"
        )
    if stop < 2 * fee:
        raise PolicyError(
            f"{name}: expected a stop from twice the round-trip fee ({2 * fee:g}) up, was {stop:g}"
        )
    if gain >= target:
        raise PolicyError(
            f"{name}: expected break_even_at below the target ({target:g}), was {gain:g}: "
            "it would never be reached; lower it, or set it to 0"
        )
