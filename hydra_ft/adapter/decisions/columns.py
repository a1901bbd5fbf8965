"""Columns that a head puts into freqtrade's frame: decisions, signals and their tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.decisions.exits import EXIT_TAGS
from hydra_ft.types import Bias, Regime

if TYPE_CHECKING:
    import pandas as pd

    from hydra_ft.decisions.pipeline import Decisions, HeadRules

NOT_PLOTTED_TWICE = ("vol_expansion", "funding_z", "open_interest_change")
"""Numbers that stand in the frame under their feature's name already."""


def decision_columns(decisions: Decisions) -> dict[str, np.ndarray]:
    """What was decided and compared on every bar, numeric, shape (n,) each."""
    numbers = {
        f"hydra_{name}": values
        for name, values in decisions.numbers.items()
        if name not in NOT_PLOTTED_TWICE
    }
    return {
        "hydra_regime": decisions.regime,
        "hydra_regime_confidence": decisions.regime_confidence,
        "hydra_bias": decisions.bias,
        "hydra_bias_strength": decisions.bias_strength,
        "hydra_trend": decisions.trend,
        "hydra_entry_state": decisions.entry_state,
        "hydra_code": decisions.code,
        "hydra_signal": decisions.signal,
        "hydra_entry": decisions.side,
        "hydra_confidence": decisions.confidence,
        "hydra_stop": decisions.stop,
        "hydra_target": decisions.target,
        "hydra_max_hold_s": decisions.max_hold_s,
        "hydra_exit_long": decisions.exit_long_tag,
        "hydra_exit_short": decisions.exit_short_tag,
        **numbers,
    }


def enter_tags(
    frame: pd.DataFrame, side: np.ndarray, rules: HeadRules, *, light: bool
) -> np.ndarray:
    """``signal|regime|bias`` of every entry, and ``light`` where a feed is not listed."""
    tags = np.full(len(side), None, dtype=object)
    mark = "|light" if light else ""
    regime, bias = frame["hydra_regime"].to_numpy(), frame["hydra_bias"].to_numpy()
    chosen = frame["hydra_signal"].to_numpy()
    for row in np.flatnonzero(side):
        name = rules.signals[int(chosen[row])].name
        state = f"{Regime(int(regime[row])).name}|{Bias(int(bias[row])).name}"
        tags[row] = f"{name}|{state}{mark}"
    return tags


def exit_tags(long: np.ndarray, short: np.ndarray) -> np.ndarray:
    """Why positions leave, from the indices into ``EXIT_TAGS`` of both sides.

    One tag column serves both sides; a bar that closes both names both reasons.
    """
    return _EXIT_TAGS[long, short]


def _both(long: str, short: str) -> str | None:
    return "+".join(sorted({long, short} - {""})) or None


_EXIT_TAGS = np.array([[_both(a, b) for b in EXIT_TAGS] for a in EXIT_TAGS], dtype=object)
