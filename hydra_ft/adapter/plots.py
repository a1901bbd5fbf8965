"""What FreqUI draws: the features of a head, by the panel that each declares."""

from __future__ import annotations

from typing import Any

from hydra_ft.decisions.pipeline import HeadRules, needed_features
from hydra_ft.features.registry import column_key

_STATE = {
    "regime": {"hydra_regime": {"type": "scatter"}, "hydra_regime_confidence": {}},
    "bias": {"hydra_bias": {"type": "scatter"}, "hydra_bias_strength": {}},
    "decision": {"hydra_code": {"type": "scatter"}, "hydra_entry": {"type": "bar"}},
}


def plot_config(rules: HeadRules) -> dict[str, Any]:
    """Both keys that FreqUI expects: lines over the price, and one subplot per panel."""
    main: dict[str, Any] = {}
    subplots: dict[str, dict[str, Any]] = {name: dict(lines) for name, lines in _STATE.items()}
    for timeframe, features in needed_features(rules, rules.feeds).items():
        for feature in features:
            key = column_key(feature.name, timeframe)
            if feature.panel == "main":
                main[key] = {}
            else:
                subplots.setdefault(feature.panel, {})[key] = {}
    return {"main_plot": main, "subplots": subplots}
