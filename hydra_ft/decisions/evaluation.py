"""Features and market state of every frame, aligned on the base bars."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from hydra_ft.bars.candles import PRICES, align, close_time, taken, timeframe_ms
from hydra_ft.decisions.rules import (
    PSEUDO,
    HeadRules,
    entry_features,
    listed,
    needed_features,
)
from hydra_ft.features.carried import Carried, read_only
from hydra_ft.features.registry import column_key
from hydra_ft.market.bias import LIQUIDATION, bias_columns, bias_features
from hydra_ft.market.regime import RegimeColumns, RegimeRules, regime_columns
from hydra_ft.market.trend import trend_score
from hydra_ft.signals.registry import MarketColumns
from hydra_ft.types import Bars, Feed, FloatArray, IntArray, Regime

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from hydra_ft.features.drift import Drift
    from hydra_ft.features.registry import Feature


@dataclass(frozen=True, slots=True)
class Frame:
    """One timeframe's bars and, for each base bar, the row of its last closed bar (or -1).

    ``features`` are those that entries depend on; what only exits read is not among them. Of
    fine bars there are only ``marks``.
    """

    bars: Bars
    rows: IntArray
    features: tuple[Feature, ...]


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything that is computed from bars without any threshold; one row per base bar.

    ``features`` holds the aligned feature columns (``ema_20_1h``), ``columns`` those and
    the raw ones (``close_5m``); ``native`` the columns of the market timeframe by plain
    name, one row per bar of that timeframe. All of these are read-only.
    """

    feeds: tuple[Feed, ...]
    base: Bars
    close: IntArray
    frames: Mapping[str, Frame]
    features: Mapping[str, FloatArray]
    columns: Mapping[str, FloatArray]
    native: Mapping[str, FloatArray]


@dataclass(frozen=True, slots=True)
class Evaluation(Observation):
    """All that the gates look at: an observation, and what the thresholds make of it.

    ``scores`` are the three scores of the regime: ``trend``, ``range`` and ``chop``.
    """

    rules: HeadRules
    market: MarketColumns
    scores: Mapping[str, FloatArray]


class Memory:
    """What was computed on the bars of one pair, for as long as those stay the same.

    A bot decides every 5 minutes on bars of 1h and 4h: eleven times of twelve they are those
    of the last time, and of 5m all but one are. What is kept is a pure function of the bars
    that it is kept for. ``drift`` looks after the features.
    """

    def __init__(self, drift: Drift | None = None) -> None:
        self._frames: dict[str, Carried] = {}
        self._drift = drift
        self._market: tuple[object, RegimeRules, RegimeColumns, FloatArray] | None = None

    def frame(self, timeframe: str) -> Carried:
        """Raw columns and features of a frame, not aligned; computed only for bars that are new."""
        return self._frames.setdefault(timeframe, Carried(PSEUDO, self._drift))

    def market(
        self, native: Mapping[str, FloatArray], rules: RegimeRules
    ) -> tuple[RegimeColumns, FloatArray]:
        """Regime and trend on columns that this memory gave out."""
        kept = self._market
        if kept is None or kept[0] is not native or kept[1] != rules:
            regime, trend = regime_columns(native, rules), trend_score(native)
            kept = self._market = (native, rules, regime, trend)
        return kept[2], kept[3]


def empty_bars(timeframe: str) -> Bars:
    """Bars without rows."""
    none = np.empty(0)
    time = np.empty(0, dtype=np.int64)
    return Bars(time, timeframe_ms(timeframe), none, none, none, none, none)


def marks(bars: Bars) -> Bars:
    """Fine bars with no more than gates look at: times, and what their flow lacks.

    Every worker of hyperopt holds those of all pairs, six times as many as of a minute. The
    rest is NaN, one array for all of it.
    """
    unknown = np.full(len(bars), np.nan)
    flow = bars.flow
    if flow is not None:
        columns = dict.fromkeys((f.name for f in fields(flow)), unknown)
        columns |= {"covered": flow.covered, "missing": flow.missing}
        flow = type(flow)(**columns)
    prices: dict[str, Any] = dict.fromkeys((*PRICES, "volume"), unknown)
    return Bars(time=bars.time, step_ms=bars.step_ms, flow=flow, **prices)


def observe(
    frames: Mapping[str, Bars],
    rules: HeadRules,
    feeds: Collection[Feed],
    memory: Memory | None = None,
) -> Observation:
    """Compute every column once, on its own timeframe, and align it on the base bars."""
    memory = memory or Memory()
    base = frames.get(rules.base) or empty_bars(rules.base)
    close = close_time(base)
    features: dict[str, FloatArray] = {}
    raw: dict[str, FloatArray] = {}
    aligned: dict[str, Frame] = {}
    native: Mapping[str, FloatArray] = {}
    gating = entry_features(rules, feeds)
    for timeframe, wanted in needed_features(rules, feeds).items():
        bars = frames.get(timeframe) or empty_bars(timeframe)
        rows = align(close_time(bars), close)
        kept = marks(bars) if timeframe == rules.fine else bars
        aligned[timeframe] = Frame(kept, rows, gating[timeframe])
        # Fine bars are many: to keep them takes more room than their few features are worth.
        is_kept = timeframe != rules.fine and (wanted or timeframe != rules.base)
        columns = (memory.frame(timeframe) if is_kept else Carried(PSEUDO)).columns(bars, wanted)
        if timeframe == rules.market:
            native = columns
        unknown = np.flatnonzero(rows < 0)
        for name, values in columns.items():
            target = raw if name in PSEUDO else features
            at_base = values if timeframe == rules.base else _aligned(values, rows, unknown)
            target[column_key(name, timeframe)] = at_base
    both = {**raw, **features}
    return Observation(listed(rules, feeds), base, close, aligned, features, both, native)


def _aligned(values: FloatArray, rows: IntArray, unknown: IntArray) -> FloatArray:
    """What ``taken`` gives, read-only; the rows that are -1 are looked for once a frame."""
    if not values.shape[0] or values.dtype != np.float64:
        return read_only(taken(values, rows))
    found = values.take(rows)
    if unknown.size:
        found[unknown] = np.nan
    return read_only(found)


def evaluate(seen: Observation, rules: HeadRules, memory: Memory | None = None) -> Evaluation:
    """Regime, bias and trend by these thresholds; regime and trend on closed market bars.

    The bias is looked at on every base bar, because liquidations come in on that timeframe:
    it changes as soon as their bucket does (F-A20), the other parts on market bars.
    """
    rows = seen.frames[rules.market].rows
    with np.errstate(invalid="ignore", divide="ignore"):
        regime, trend = (memory or Memory()).market(seen.native, rules.regime)
        bias = bias_columns(_bias_inputs(seen, rules), rules.bias, seen.feeds)
    market = MarketColumns(
        regime=_whole(regime.regime, rows, int(Regime.CHOPPY)),
        regime_confidence=taken(regime.confidence, rows),
        bias=bias.bias,
        bias_score=bias.score,
        bias_strength=bias.strength,
        trend=taken(trend, rows),
    )
    return Evaluation(
        **{item.name: getattr(seen, item.name) for item in fields(Observation)},
        rules=rules,
        market=market,
        scores=_scores(regime, rows),
    )


def scores_of(seen: Observation, rules: HeadRules, memory: Memory) -> dict[str, FloatArray]:
    """The three scores of the regime alone, on the base bars."""
    with np.errstate(invalid="ignore", divide="ignore"):
        regime, _ = memory.market(seen.native, rules.regime)
    return _scores(regime, seen.frames[rules.market].rows)


def _scores(regime: RegimeColumns, rows: IntArray) -> dict[str, FloatArray]:
    return {
        "trend": taken(regime.trend_score, rows),
        "range": taken(regime.range_score, rows),
        "chop": taken(regime.chop_score, rows),
    }


def _bias_inputs(seen: Observation, rules: HeadRules) -> dict[str, FloatArray]:
    """Columns of the bias by plain name, aligned on the base bars."""
    names = bias_features(seen.feeds)
    inputs = {name: seen.columns[column_key(name, rules.market)] for name in names}
    if Feed.LIQUIDATIONS in seen.feeds:
        inputs[LIQUIDATION] = seen.columns[column_key(LIQUIDATION, rules.base)]
    return inputs


def _whole(values: IntArray, rows: IntArray, unknown: int) -> IntArray:
    if not values.size:
        return np.full(rows.shape, unknown, dtype=np.int64)
    return np.where(rows >= 0, values[rows], unknown)
