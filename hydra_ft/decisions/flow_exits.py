"""Exits by the trades of the base bars: value that is not accepted, a flow that has turned.

Stage 7 of Hydra V3 in its sound form: told by side, on closed bars, and closed is nothing on
what is not known. What asks there for the gain of the trade in R (the market's chop, a node or
the point of control that is reached, liquidations that are exhausted) is no column and not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from typing_extensions import Doc

from hydra_ft.bars.tolerance import exceeds, falls_below, reaches
from hydra_ft.features import rolling
from hydra_ft.types import BoolArray, FloatArray, Side

if TYPE_CHECKING:
    from collections.abc import Mapping

ABSORPTION, HELD = "absorption_z_100", "signed_absorption_100"
BY_VALUE = (
    "previous_value_high_distance_14",
    "previous_value_low_distance_14",
    "rejected_above_12",
    "rejected_below_12",
    ABSORPTION,
    HELD,
)
BY_REVERSAL = ("imbalance_z_60", "velocity_z_60", ABSORPTION)


@dataclass(frozen=True, slots=True)
class FlowExitRules:
    """Thresholds of the exits by flow; bars are those of the base timeframe.

    The numbers are those of Hydra V3; its 5 and 15 seconds of quarters of a second are 2 and 3
    bars of 5m here, at which they still occur (docs/calibration.md).
    """

    by_value: Annotated[bool, Doc("whether value that is not accepted closes")] = True
    by_reversal: Annotated[bool, Doc("whether a flow that has turned closes")] = True
    beyond_atr: Annotated[
        float, Ge(0), Le(5), Doc("distance beyond the value area, in ranges of a bar")
    ] = 0.15
    value_absorption: Annotated[
        float, Ge(0), Le(10), Doc("absorption, as z, above which value is not accepted")
    ] = 1.0
    fast_bars: Annotated[int, Ge(1), Le(12), Doc("bars that a strong reversal lasts")] = 2
    fast_z: Annotated[float, Gt(0), Le(10), Doc("imbalance and velocity of it, as z")] = 1.5
    fast_absorption: Annotated[float, Ge(0), Le(10), Doc("absorption at its end, as z")] = 1.5
    slow_bars: Annotated[int, Ge(1), Le(12), Doc("bars that a weaker reversal lasts")] = 3
    slow_z: Annotated[float, Gt(0), Le(10), Doc("imbalance and velocity of it, as z")] = 1.0
    slow_absorption: Annotated[float, Ge(0), Le(10), Doc("absorption at its end, as z")] = 1.2


def exit_features(rules: FlowExitRules) -> tuple[str, ...]:
    """Features of the base bars that these exits read, where trades are listed."""
    found = (*(BY_VALUE if rules.by_value else ()), *(BY_REVERSAL if rules.by_reversal else ()))
    return tuple(dict.fromkeys(found))


def unread(rules: FlowExitRules) -> tuple[str, ...]:
    """Fields that nothing reads, since their exit is off."""
    by_value = ("beyond_atr", "value_absorption")
    by_reversal = tuple(
        f"{speed}_{name}" for speed in ("fast", "slow") for name in ("bars", "z", "absorption")
    )
    return (*(() if rules.by_value else by_value), *(() if rules.by_reversal else by_reversal))


def value_rejected(
    columns: Mapping[str, FloatArray], side: Side, rules: FlowExitRules
) -> BoolArray:
    """Bars at which a position's side of value has had its chance and fails, shape (n,).

    For a long: the close is 0.15 ranges above yesterday's value area, the price has come back
    into value within the hour or stood above it without volume, and now buyers are absorbed
    (z > 1, with the asks holding). ``columns`` are those of the base bars by plain name.
    """
    if not rules.by_value:
        return np.zeros(columns["close"].shape, dtype=np.bool_)
    edge, where = ("high", "above") if side is Side.LONG else ("low", "below")
    beyond = reaches(columns[f"previous_value_{edge}_distance_14"] * side.sign, rules.beyond_atr)
    refused = columns[f"rejected_{where}_12"] == 1
    held = exceeds(columns[ABSORPTION], rules.value_absorption) & (columns[HELD] * side.sign < 0)
    found: BoolArray = beyond & refused & held
    return found


def flow_reversed(columns: Mapping[str, FloatArray], side: Side, rules: FlowExitRules) -> BoolArray:
    """Bars at the end of a stretch in which takers went against the side, shape (n,).

    Imbalance and its velocity are both beyond the threshold on every bar of the stretch, of
    which each must be known, and the last bar absorbs.
    """
    if not rules.by_reversal:
        return np.zeros(columns["close"].shape, dtype=np.bool_)
    stretches = (
        (rules.fast_bars, rules.fast_z, rules.fast_absorption),
        (rules.slow_bars, rules.slow_z, rules.slow_absorption),
    )
    pushes = np.maximum(*(columns[name] * side.sign for name in BY_REVERSAL[:2]))
    found = np.zeros(pushes.shape, dtype=np.bool_)
    for bars, least, absorbs in stretches:
        against = falls_below(pushes, -least).astype(np.float64)
        # An unknown bar is none that is against: a stretch counts only where all of it is known.
        found |= (rolling.total(against, bars) == bars) & exceeds(columns[ABSORPTION], absorbs)
    return found
