"""What FreqUI draws below and over the candles: the very columns that gate.

FreqUI asks for the named columns of the analysed frame, and takes ``color``, ``type`` (line,
bar or scatter), ``fill_to`` and ``scatterSymbolSize`` of each. A line without a colour gets
another one on every load. Every subplot, the volume among them, takes 8 % of the height from
the candles, so there are seven here and no more: columns share one where their scales fit.
"""

from __future__ import annotations

from itertools import cycle
from math import isfinite
from typing import TYPE_CHECKING, Any

from hydra_ft.decisions.rules import needed_features
from hydra_ft.features.registry import column_key

if TYPE_CHECKING:
    from collections.abc import Collection

    from hydra_ft.decisions.rules import HeadRules
    from hydra_ft.features.registry import Feature
    from hydra_ft.types import Feed

PANELS: dict[str, dict[str, str]] = {
    "state": {
        "hydra_regime": "scatter",
        "hydra_bias": "scatter",
        "hydra_entry_state": "scatter",
        "hydra_entry": "bar",
        "hydra_exit_long": "bar",
        "hydra_exit_short": "bar",
    },
    "strength": {
        "hydra_regime_confidence": "line",
        "hydra_trend_score": "line",
        "hydra_range_score": "line",
        "hydra_chop_score": "line",
        "hydra_bias_score": "line",
        "hydra_bias_strength": "line",
        "hydra_trend": "line",
        "hydra_confidence": "scatter",
    },
    "reason": {"hydra_code": "scatter", "hydra_signal": "scatter"},
    "shares": {
        "hydra_ema_distance": "line",
        "hydra_stop": "scatter",
        "hydra_target": "scatter",
    },
    "multiples": {"hydra_reward_to_risk": "scatter"},
    "points": {},
    "amounts": {},
}
"""Subplots in the order that they are drawn in, each with its columns of the decision."""

UNITS = {
    "points": "points",
    "flag": "multiples",
    "sign": "multiples",
    "sigma": "multiples",
    "multiple": "multiples",
    "quote": "amounts",
    "hours": "amounts",
    "bars": "amounts",
}
"""Subplot of a feature by its unit; shares of the price, the rest, have a subplot of their own."""

PALETTE = (
    "#4285f4",
    "#f5a623",
    "#26a65b",
    "#d64541",
    "#9b59b6",
    "#16a2b8",
    "#8d6e63",
    "#e377c2",
    "#7f8c2d",
    "#5c6bc0",
    "#c0ca33",
    "#78909c",
    "#ff7043",
    "#66bb6a",
    "#ab47bc",
    "#29b6f6",
    "#ffca28",
    "#a1887f",
    "#ec407a",
    "#26c6da",
)


def plot_config(rules: HeadRules, feeds: Collection[Feed] | None = None) -> dict[str, Any]:
    """Both keys that FreqUI expects: lines over the price, and the subplots of ``PANELS``.

    Drawn are the columns of the decision and the features of these feeds (all that the head
    can use where none are given); a subplot without any is left out.
    """
    chosen = rules.feeds if feeds is None else feeds
    panels = {"main": {}, **{name: dict(columns) for name, columns in PANELS.items()}}
    for timeframe, features in needed_features(rules, chosen).items():
        for feature in features:
            panels[panel_of(feature)][column_key(feature.name, timeframe)] = "line"
    drawn = {
        name: {
            key: {"type": kind, "color": color}
            for (key, kind), color in zip(columns.items(), cycle(PALETTE), strict=False)
        }
        for name, columns in panels.items()
    }
    main = drawn.pop("main")
    return {"main_plot": main, "subplots": {name: lines for name, lines in drawn.items() if lines}}


def panel_of(feature: Feature) -> str:
    """``main`` where the feature is drawn over the price, else its subplot."""
    if feature.panel == "main":
        return "main"
    if feature.units == "ratio" and isfinite(feature.high):
        return "multiples"
    return UNITS.get(feature.units, "shares")
