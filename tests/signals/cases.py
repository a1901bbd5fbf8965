"""One-row columns on which each signal fires, for both sides."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.signals.registry import MarketColumns
from hydra_ft.types import Bias, Regime

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra_ft.signals.registry import SignalColumns, SignalDeclaration

STRUCTURE_UP = {
    "higher_high_30_1h": 1.0,
    "higher_low_30_1h": 0.0,
    "lower_high_30_1h": 0.0,
    "lower_low_30_1h": 0.0,
    "higher_high_30_4h": 0.0,
    "higher_low_30_4h": 0.0,
    "lower_high_30_4h": 0.0,
    "lower_low_30_4h": 0.0,
}
LONG: dict[str, float] = {
    "close_5m": 100.0,
    "ema_20_1h": 99.8,
    "ema_50_1h": 99.0,
    "natr_14_1h": 0.01,
    "atr_14_1h": 1.0,
    "rsi_14_1h": 55.0,
    "low_4_1h": 98.5,
    "high_4_1h": 101.0,
    "vol_expansion_20_1h": 1.0,
    "funding_z_168_1h": -2.0,
    "funding_sum_24_1h": -0.0012,
    "funding_last_24_1h": -0.0006,
    "adx_14_1h": 27.0,
    "adx_prior_low_4_1h": 19.0,
    "plus_di_14_1h": 30.0,
    "minus_di_14_1h": 15.0,
    **STRUCTURE_UP,
}
SHORT: dict[str, float] = {
    **LONG,
    "ema_20_1h": 100.2,
    "ema_50_1h": 101.0,
    "rsi_14_1h": 45.0,
    "funding_z_168_1h": 2.0,
    "funding_sum_24_1h": 0.0012,
    "funding_last_24_1h": 0.0006,
    "plus_di_14_1h": 15.0,
    "minus_di_14_1h": 30.0,
    "higher_high_30_1h": 0.0,
    "lower_low_30_1h": 1.0,
}


def market(
    regime: Regime = Regime.UP,
    trend: float = 0.7,
    bias: Bias = Bias.LONG,
    confidence: float = 0.8,
) -> MarketColumns:
    """State of the market at one bar."""
    return MarketColumns(
        regime=np.array([int(regime)]),
        regime_confidence=np.array([confidence]),
        bias=np.array([int(bias)]),
        bias_score=np.array([0.3 * int(bias)]),
        bias_strength=np.array([0.8]),
        trend=np.array([trend]),
    )


UP = market()
DOWN = replace(market(Regime.DOWN, -0.7, Bias.SHORT))


def run(
    made: SignalDeclaration, values: Mapping[str, float], state: MarketColumns = UP
) -> SignalColumns:
    """The signal on one bar."""
    return made({name: np.array([value]) for name, value in values.items()}, state)


def fires(
    made: SignalDeclaration, values: Mapping[str, float], state: MarketColumns = UP
) -> tuple[bool, bool]:
    """Whether it fires long and short on one bar."""
    found = run(made, values, state)
    return bool(found.long[0]), bool(found.short[0])
