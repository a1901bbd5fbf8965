"""What FreqUI draws below and over the candles: the very columns that gate.

FreqUI asks for the named columns of the analysed frame, and takes ``color``, ``type`` (line,
bar or scatter), ``fill_to`` and ``scatterSymbolSize`` of each. A line without a colour gets
another one on every load.
"""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any

from hydra_ft.decisions.rules import needed_features
from hydra_ft.features.registry import column_key

if TYPE_CHECKING:
    from collections.abc import Collection

    from hydra_ft.decisions.rules import HeadRules
    from hydra_ft.types import Feed

GREY, BLUE, GREEN, RED = "#8c8c8c", "#4285f4", "#26a65b", "#d64541"
ORANGE, PINK = "#f5a623", "#e08283"

STATE: dict[str, dict[str, dict[str, str]]] = {
    "regime": {
        "hydra_regime": {"type": "scatter", "color": BLUE},
        "hydra_regime_confidence": {"type": "line", "color": GREY},
        "hydra_trend_score": {"type": "line", "color": GREEN},
        "hydra_range_score": {"type": "line", "color": ORANGE},
        "hydra_chop_score": {"type": "line", "color": RED},
    },
    "bias": {
        "hydra_bias": {"type": "scatter", "color": BLUE},
        "hydra_bias_score": {"type": "line", "color": GREEN},
        "hydra_bias_strength": {"type": "line", "color": GREY},
    },
    "trend": {"hydra_trend": {"type": "line", "color": BLUE}},
    "entry state": {"hydra_entry_state": {"type": "scatter", "color": BLUE}},
    "distance from average": {"hydra_ema_distance": {"type": "line", "color": BLUE}},
    "decision": {
        "hydra_entry": {"type": "bar", "color": BLUE},
        "hydra_confidence": {"type": "scatter", "color": GREEN},
        "hydra_exit_long": {"type": "bar", "color": RED},
        "hydra_exit_short": {"type": "bar", "color": PINK},
        "hydra_reward_to_risk": {"type": "scatter", "color": ORANGE},
    },
    "reason": {
        "hydra_code": {"type": "scatter", "color": RED},
        "hydra_signal": {"type": "scatter", "color": BLUE},
    },
    "stop and target": {
        "hydra_stop": {"type": "scatter", "color": RED},
        "hydra_target": {"type": "scatter", "color": GREEN},
    },
}
"""Columns of the decision by panel, in the order that the panels are drawn in."""

PALETTE = (
    BLUE,
    ORANGE,
    GREEN,
    RED,
    "#9b59b6",
    "#16a2b8",
    "#8d6e63",
    "#e377c2",
    "#7f8c2d",
    "#5c6bc0",
    "#c0ca33",
    "#78909c",
)


def plot_config(rules: HeadRules, feeds: Collection[Feed] | None = None) -> dict[str, Any]:
    """Both keys that FreqUI expects: lines over the price, and one subplot per panel.

    First the state, then the features of these feeds (all that the head can use where
    none are given), by panel in alphabetical order; those of several timeframes share it.
    """
    chosen = rules.feeds if feeds is None else feeds
    panels: dict[str, dict[str, dict[str, str]]] = {"main": {}}
    for timeframe, features in needed_features(rules, chosen).items():
        for feature in features:
            key = column_key(feature.name, timeframe)
            panels.setdefault(feature.panel, {})[key] = {"type": "line"}
    for lines in panels.values():
        for line, color in zip(lines.values(), cycle(PALETTE), strict=False):
            line["color"] = color
    main = panels.pop("main")
    state = {name: {key: dict(how) for key, how in lines.items()} for name, lines in STATE.items()}
    return {"main_plot": main, "subplots": {**state, **dict(sorted(panels.items()))}}
