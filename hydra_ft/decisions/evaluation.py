"""Features and market state of every frame, aligned on the base bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.candles import align, close_time, taken, timeframe_ms
from hydra_ft.decisions.rules import PSEUDO, HeadRules, listed, needed_features
from hydra_ft.features.registry import column_key
from hydra_ft.market.bias import bias_columns
from hydra_ft.market.regime import regime_columns
from hydra_ft.market.trend import trend_score
from hydra_ft.signals.registry import MarketColumns
from hydra_ft.types import Bars, Feed, FloatArray, IntArray, Regime

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from hydra_ft.features.registry import Feature


@dataclass(frozen=True, slots=True)
class Frame:
    """One timeframe's bars and, for each base bar, the row of its last closed bar (or -1)."""

    bars: Bars
    rows: IntArray
    features: tuple[Feature, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All that the gates look at; arrays have one row per base bar.

    ``features`` holds the aligned feature columns (``ema_20_1h``), ``columns`` those and
    the raw ones (``close_5m``).
    """

    rules: HeadRules
    feeds: tuple[Feed, ...]
    base: Bars
    close: IntArray
    frames: Mapping[str, Frame]
    features: Mapping[str, FloatArray]
    columns: Mapping[str, FloatArray]
    market: MarketColumns


def empty_bars(timeframe: str) -> Bars:
    """Bars without rows."""
    none = np.empty(0)
    time = np.empty(0, dtype=np.int64)
    return Bars(time, timeframe_ms(timeframe), none, none, none, none, none)


def native_columns(bars: Bars, features: tuple[Feature, ...]) -> dict[str, FloatArray]:
    """Raw columns and features of one frame by plain name, not aligned."""
    columns = {name: getattr(bars, name) for name in PSEUDO}
    columns.update({feature.name: feature(bars) for feature in features})
    return columns


def market_state(
    columns: Mapping[str, FloatArray], rules: HeadRules, feeds: tuple[Feed, ...]
) -> MarketColumns:
    """Regime, bias and trend on the closed bars of the market timeframe, not aligned."""
    with np.errstate(invalid="ignore", divide="ignore"):
        regime = regime_columns(columns, rules.regime)
        bias = bias_columns(columns, rules.bias, feeds)
        trend = trend_score(columns)
    return MarketColumns(
        regime=regime.regime,
        regime_confidence=regime.confidence,
        bias=bias.bias,
        bias_score=bias.score,
        bias_strength=bias.strength,
        trend=trend,
    )


def _aligned_market(native: MarketColumns, rows: IntArray) -> MarketColumns:
    def whole(values: IntArray, unknown: int) -> IntArray:
        if not values.size:
            return np.full(rows.shape, unknown, dtype=np.int64)
        return np.where(rows >= 0, values[rows], unknown)

    return MarketColumns(
        regime=whole(native.regime, int(Regime.CHOPPY)),
        regime_confidence=taken(native.regime_confidence, rows),
        bias=whole(native.bias, 0),
        bias_score=taken(native.bias_score, rows),
        bias_strength=taken(native.bias_strength, rows),
        trend=taken(native.trend, rows),
    )


def evaluate(frames: Mapping[str, Bars], rules: HeadRules, feeds: Collection[Feed]) -> Evaluation:
    """Compute every column once, on its own timeframe, and align it on the base bars."""
    available = listed(rules, feeds)
    base = frames.get(rules.base) or empty_bars(rules.base)
    close = close_time(base)
    features: dict[str, FloatArray] = {}
    raw: dict[str, FloatArray] = {}
    aligned: dict[str, Frame] = {}
    native: dict[str, FloatArray] = {}
    for timeframe, wanted in needed_features(rules, feeds).items():
        bars = frames.get(timeframe) or empty_bars(timeframe)
        rows = align(close_time(bars), close)
        aligned[timeframe] = Frame(bars, rows, wanted)
        columns = native_columns(bars, wanted)
        if timeframe == rules.market:
            native = columns
        for name, values in columns.items():
            target = raw if name in PSEUDO else features
            target[column_key(name, timeframe)] = taken(values, rows)
    market = _aligned_market(market_state(native, rules, available), aligned[rules.market].rows)
    return Evaluation(rules, available, base, close, aligned, features, {**raw, **features}, market)
