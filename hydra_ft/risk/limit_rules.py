"""Every limit of an open book and of a day, with its bounds.

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
class LimitRules:
    """What the open positions and the losses of an account may come to."""

    day_loss: Annotated[
        float,
        Gt(0),
        Le(0.5),
        Doc("budget of a UTC day: what is closed, and the loss if every stop is hit"),
    ] = 0.02
    day_pause_s: Annotated[
        int, Ge(60), Le(7 * 86_400), Doc("how long entries pause once the budget is lost")
    ] = 4 * 3600
    day_flatten_loss: Annotated[
        float, Ge(0), Le(0.5), Doc("loss of a UTC day at which everything is closed; 0: never")
    ] = 0.03
    flatten_pause_s: Annotated[
        int, Ge(60), Le(7 * 86_400), Doc("how long entries pause after that")
    ] = 8 * 3600
    day_gain: Annotated[
        float, Ge(0), Le(10), Doc("gain of a UTC day after which entries pause; 0: never")
    ] = 0.0
    gain_pause_s: Annotated[
        int, Ge(60), Le(7 * 86_400), Doc("how long entries pause after such a gain")
    ] = 8 * 3600
    max_drawdown: Annotated[
        float, Gt(0), Le(0.9), Doc("drawdown at which sizes reach zero and entries pause")
    ] = 0.15
    drawdown_pause_s: Annotated[
        int, Ge(3600), Le(60 * 86_400), Doc("how long; the peak is then counted anew")
    ] = 24 * 3600
    drawdown_window_s: Annotated[
        int, Ge(86_400), Le(366 * 86_400), Doc("how far back the peak is looked for")
    ] = 30 * 86_400
    max_open_risk: Annotated[
        float, Gt(0), Le(0.5), Doc("loss if every stop is hit, fees included, of the equity")
    ] = 0.015
    max_side_share: Annotated[
        float, Gt(0), Le(20), Doc("positions on one side together, of the equity")
    ] = 2.0
    max_head_share: Annotated[
        float, Gt(0), Le(1), Doc("stakes (margin) of one head together, of the equity")
    ] = 1.0
    max_correlated_share: Annotated[
        float, Gt(0), Le(20), Doc("correlated positions on the same side, of the equity")
    ] = 1.0
    correlation_from: Annotated[
        float, Ge(0), Le(1), Doc("correlation, signed by side, from which on a position counts")
    ] = 0.5
    min_correlation_bars: Annotated[
        int, Ge(10), Le(5000), Doc("common returns below which a correlation is taken as 1")
    ] = 48
    var_confidence: Annotated[
        float, Ge(0.5), Le(0.999), Doc("confidence of value at risk and expected shortfall")
    ] = 0.95
    max_var: Annotated[
        float, Gt(0), Le(1), Doc("value at risk of all positions over a day, of the equity")
    ] = 0.05
    max_cvar: Annotated[
        float, Gt(0), Le(1), Doc("expected shortfall of all positions over a day, of the equity")
    ] = 0.08

    def __post_init__(self) -> None:
        check_bounds(self)
        if self.day_flatten_loss and self.day_flatten_loss < self.day_loss:
            raise PolicyError(
                f"expected day_flatten_loss 0 or from day_loss ({self.day_loss:g}) up, "
                f"was {self.day_flatten_loss:g}: the pause comes before the closing"
            )
        if self.max_open_risk > self.day_loss:
            raise PolicyError(
                f"expected max_open_risk up to day_loss ({self.day_loss:g}), was "
                f"{self.max_open_risk:g}: what is open at midnight would not fit into the new day"
            )
        if self.drawdown_pause_s > self.drawdown_window_s:
            raise PolicyError(
                f"expected drawdown_pause_s up to drawdown_window_s ({self.drawdown_window_s}), "
                f"was {self.drawdown_pause_s}: the drawdown would be forgotten before its pause"
            )
        if self.max_cvar < self.max_var:
            raise PolicyError(
                f"expected max_cvar from max_var ({self.max_var:g}) up, was {self.max_cvar:g}: "
                "the mean of the tail is never less than where it begins"
            )
