"""Volume-weighted prices over a rolling window.

Rolling, never anchored at the first bar loaded: a cumulative sum sees no future, but its
value depends on where the data begins, so backtest and live would disagree (4-03).
NaN where the window holds no volume.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.features import rolling
from hydra_ft.features.registry import feature, shared
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra_ft.features.registry import Compute
    from hydra_ft.types import Bars, FloatArray

_REFERENCE = "Berkowitz, Logue and Noser, Journal of Finance 43, 1988"
_BAND = 2.0


def _declared(formula: str, window: int, units: str, panel: str) -> Callable[[Compute], Compute]:
    return feature(
        feeds=(Feed.CANDLES,),
        formula=formula,
        reference=_REFERENCE,
        lookback=window - 1,
        units=units,
        low=-1.0 if units == "ratio" else -np.inf,
        panel=panel,
    )


@shared
def typical(bars: Bars) -> FloatArray:
    """Typical price (high + low + close) / 3, shape (n,)."""
    return (bars.high + bars.low + bars.close) / 3


def _vwap(bars: Bars, window: int) -> FloatArray:
    traded = rolling.total(typical(bars) * bars.volume, window)
    return rolling.ratio(traded, rolling.total(bars.volume, window))


@shared
def _spread_24(bars: Bars) -> FloatArray:
    """Volume-weighted standard deviation of the typical price around the VWAP of 24 bars."""
    prices, weights = rolling.windows(typical(bars), 24), rolling.windows(bars.volume, 24)
    centre = vwap_24(bars)[23:, None]
    squares = (weights * (prices - centre) ** 2).sum(axis=-1)
    return rolling.warmed(np.sqrt(rolling.ratio(squares, weights.sum(axis=-1))), len(bars))


@_declared("sum(typical * volume, 20) / sum(volume, 20)", 20, "quote", "main")
def vwap_20(bars: Bars) -> FloatArray:
    """Volume-weighted typical price of the last 20 bars."""
    return _vwap(bars, 20)


@_declared("sum(typical * volume, 24) / sum(volume, 24)", 24, "quote", "main")
@shared
def vwap_24(bars: Bars) -> FloatArray:
    """Volume-weighted typical price of the last 24 bars."""
    return _vwap(bars, 24)


@_declared("close / vwap_24 - 1", 24, "ratio", "vwap_distance")
def vwap_distance_24(bars: Bars) -> FloatArray:
    """How far the close stands from the VWAP."""
    return rolling.ratio(bars.close, vwap_24(bars)) - 1


@_declared("vwap_24 + 2 sigma_v", 24, "quote", "main")
def vwap_upper_24(bars: Bars) -> FloatArray:
    """Upper band: VWAP plus two volume-weighted deviations."""
    return vwap_24(bars) + _BAND * _spread_24(bars)


@_declared("vwap_24 - 2 sigma_v", 24, "quote", "main")
def vwap_lower_24(bars: Bars) -> FloatArray:
    """Lower band: VWAP less two volume-weighted deviations."""
    return vwap_24(bars) - _BAND * _spread_24(bars)
