"""Every number that goes into a size, with its bounds.

Shares are of the equity (closed balance plus open profit, in quote currency), fractions are of
the entry price, and R is what a position loses at its first stop, fees included.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le
from typing_extensions import Doc

from hydra_ft.errors import PolicyError
from hydra_ft.execution.bounds import check_bounds


@dataclass(frozen=True, slots=True)
class SizingRules:
    """From the equity to a stake; raises PolicyError when values contradict each other."""

    risk_per_trade: Annotated[
        float, Gt(0), Le(0.05), Doc("share of the equity lost at the stop, fees included")
    ] = 0.005
    round_trip_fee: Annotated[
        float, Ge(0), Le(0.01), Doc("fees of entry and exit together, of the price")
    ] = 0.001
    max_stake_share: Annotated[
        float, Gt(0), Le(1), Doc("greatest stake (margin) of one trade, of the equity")
    ] = 0.25
    max_notional_share: Annotated[
        float, Gt(0), Le(10), Doc("greatest position of one trade, of the equity")
    ] = 1.0
    max_leverage: Annotated[
        float, Ge(1), Le(20), Doc("greatest leverage; it sets the margin, never the risk")
    ] = 3.0
    max_stop_of_margin: Annotated[
        float, Gt(0), Le(0.9), Doc("share of its margin that a position may lose at the stop")
    ] = 0.5
    full_confidence: Annotated[
        float, Gt(0), Le(1), Doc("confidence of the signal from which on nothing is taken off")
    ] = 0.8
    bias_gain: Annotated[
        float, Ge(0), Le(1), Doc("added where the bias is aligned, times its strength")
    ] = 0.3
    regime_floor: Annotated[
        float, Gt(0), Le(1), Doc("factor of a regime of which nothing is sure")
    ] = 0.7
    regime_gain: Annotated[
        float, Ge(0), Le(1), Doc("added to it, times the confidence of the regime")
    ] = 0.4
    expanded_above: Annotated[
        float, Gt(0), Le(4), Doc("volatility ratio above which volatility is expanded")
    ] = 1.5
    expanded_factor: Annotated[float, Gt(0), Le(1), Doc("factor of expanded volatility")] = 0.7
    calm_below: Annotated[
        float, Ge(0), Le(4), Doc("volatility ratio below which the market is calm")
    ] = 0.7
    calm_factor: Annotated[float, Ge(1), Le(2), Doc("factor of a calm market")] = 1.2
    loss_step: Annotated[float, Ge(0), Le(0.5), Doc("taken off for each loss in a row")] = 0.1
    loss_floor: Annotated[float, Gt(0), Le(1), Doc("least factor that losses in a row leave")] = 0.5
    min_conviction: Annotated[
        float, Gt(0), Le(1), Doc("least product of bias, regime, expansion and losses")
    ] = 0.5
    max_conviction: Annotated[float, Ge(1), Le(2.5), Doc("greatest such product")] = 1.5
    volatility_target: Annotated[
        float, Gt(0), Le(5), Doc("yearly volatility above which a position shrinks in proportion")
    ] = 0.6
    kelly_fraction: Annotated[
        float, Ge(0), Le(0.25), Doc("cap on the risk as a part of Kelly's share; 0: no such cap")
    ] = 0.0

    def __post_init__(self) -> None:
        check_bounds(self)
        if self.calm_below >= self.expanded_above:
            raise PolicyError(
                f"expected calm_below under expanded_above ({self.expanded_above:g}), "
                f"was {self.calm_below:g}: a market cannot be both"
            )
