"""How far the momentum has gone lately, not only where it stands now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra_ft.features import rolling
from hydra_ft.features.registry import feature
from hydra_ft.features.trend import rsi_14
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra_ft.features.registry import Compute
    from hydra_ft.types import Bars, FloatArray

WINDOW = 12
_RSI_LOOKBACK = 112


def _declared(formula: str) -> Callable[[Compute], Compute]:
    return feature(
        feeds=(Feed.CANDLES,),
        formula=formula,
        reference="Hydra V3 TrendExhaustionReversal, whose RSI had to be extreme at the bar itself",
        lookback=_RSI_LOOKBACK + WINDOW - 1,
        units="points",
        low=0.0,
        high=100.0 + 1e-9,
        panel="rsi",
    )


@_declared("max(rsi_14, 12)")
def rsi_high_12(bars: Bars) -> FloatArray:
    """Highest RSI of the last 12 bars."""
    return rolling.highest(rsi_14(bars), WINDOW)


@_declared("min(rsi_14, 12)")
def rsi_low_12(bars: Bars) -> FloatArray:
    """Lowest RSI of the last 12 bars."""
    return rolling.lowest(rsi_14(bars), WINDOW)
