"""Moving averages, changes and extremes of the price."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra_ft.features import rolling
from hydra_ft.features.registry import feature
from hydra_ft.features.torn import torn
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra_ft.features.registry import Compute
    from hydra_ft.types import Bars, FloatArray

_CANDLES = (Feed.CANDLES,)


def _named(name: str, text: str, compute: Compute) -> Compute:
    compute.__name__ = compute.__qualname__ = name
    compute.__doc__ = text
    return compute


def _main(formula: str, reference: str, lookback: int) -> Callable[[Compute], Compute]:
    return feature(
        feeds=_CANDLES,
        formula=formula,
        reference=reference,
        lookback=lookback,
        units="quote",
        low=0.0,
        panel="main",
    )


def _ema(span: int) -> Compute:
    """Declare the exponential mean of a span."""
    window = rolling.EXPONENTIAL_SPANS * span

    def compute(bars: Bars) -> FloatArray:
        return rolling.exponential(bars.close, span)

    named = _named(f"ema_{span}", f"Exponential mean of the close, cut to {window} bars.", compute)
    formula = f"sum(q^k close[-k]) / sum(q^k), q = 1 - 2/{span + 1}, k < {window}"
    return _main(formula, "Hunter, Journal of Quality Technology 18, 1986", window - 1)(named)


def _sma(window: int) -> Compute:
    """Declare the arithmetic mean of a window."""

    def compute(bars: Bars) -> FloatArray:
        return rolling.mean(bars.close, window)

    named = _named(f"sma_{window}", f"Arithmetic mean of the last {window} closes.", compute)
    return _main(f"mean(close, {window})", "elementary", window - 1)(named)


def _high(window: int) -> Compute:
    """Declare the highest high of a window."""

    def compute(bars: Bars) -> FloatArray:
        return rolling.highest(bars.high, window)

    named = _named(f"high_{window}", f"Highest high of the last {window} bars.", compute)
    return _main(f"max(high, {window})", "Hydra V3 alpha_state", window - 1)(named)


def _low(window: int) -> Compute:
    """Declare the lowest low of a window."""

    def compute(bars: Bars) -> FloatArray:
        return rolling.lowest(bars.low, window)

    named = _named(f"low_{window}", f"Lowest low of the last {window} bars.", compute)
    return _main(f"min(low, {window})", "Hydra V3 alpha_state", window - 1)(named)


def _change(bars_back: int) -> Compute:
    """Declare the relative change over a number of bars."""

    def compute(bars: Bars) -> FloatArray:
        close = bars.close + torn(bars)
        return rolling.ratio(close, rolling.shifted(close, bars_back)) - 1

    named = _named(
        f"change_{bars_back}", f"Change of the close from the close {bars_back} earlier.", compute
    )
    return feature(
        feeds=_CANDLES,
        formula=f"close / close[-{bars_back}] - 1",
        reference="elementary; the audited system looked one bar too short (F-A11)",
        lookback=bars_back,
        units="ratio",
        low=-1.0,
        panel="change",
    )(named)


ema_20, ema_50 = _ema(20), _ema(50)
sma_10, sma_100, sma_200 = _sma(10), _sma(100), _sma(200)
high_4, high_24 = _high(4), _high(24)
low_4, low_24 = _low(4), _low(24)
change_1, change_4, change_24, change_48 = _change(1), _change(4), _change(24), _change(48)
change_50 = _change(50)
