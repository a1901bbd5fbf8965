"""Columns that a head puts into freqtrade's frame: decisions, signals and their tags."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hydra_ft.adapter.frames import with_columns
from hydra_ft.decisions.exits import EXIT_TAGS
from hydra_ft.types import Bias, Regime

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pandas.api.extensions import ExtensionArray

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
) -> ExtensionArray:
    """``signal|regime|bias`` of every entry, and ``light`` where a feed is not listed."""
    rows = np.flatnonzero(side)
    chosen, regime, bias = (
        frame[name].to_numpy()[rows].astype(np.int64)
        for name in ("hydra_signal", "hydra_regime", "hydra_bias")
    )
    states = (chosen * len(Regime) + regime) * len(Bias) + bias - min(Bias)
    first, which = np.unique(states, return_index=True, return_inverse=True)[1:]
    mark = "|light" if light else ""
    words = [
        f"{rules.signals[chosen[row]].name}|{Regime(regime[row]).name}|{Bias(bias[row]).name}{mark}"
        for row in first
    ]
    tags = np.zeros(len(side), dtype=np.int64)
    tags[rows] = which + 1
    return _texts(None, *words).take(tags)


def exit_tags(long: np.ndarray, short: np.ndarray) -> ExtensionArray:
    """Why positions leave, from the indices into ``EXIT_TAGS`` of both sides.

    One tag column serves both sides; a bar that closes both names both reasons.
    """
    return _EXIT_TAGS.take(long * len(EXIT_TAGS) + short)


def signal_columns(decisions: Decisions) -> dict[str, np.ndarray]:
    """Freqtrade's four signals, shape (n,)."""
    signals = {
        "enter_long": decisions.side == 1,
        "enter_short": decisions.side == -1,
        "exit_long": decisions.exit_long,
        "exit_short": decisions.exit_short,
    }
    return {name: flags.astype(np.int8) for name, flags in signals.items()}


@lru_cache(maxsize=4)
def no_tags(n: int) -> pd.DataFrame:
    """Freqtrade's tags with nothing in them, n rows: what stands in a frame is quickly replaced."""
    empty = np.zeros(n, dtype=np.int64)
    return pd.DataFrame({name: _texts("").take(empty) for name in ("enter_tag", "exit_tag")})


def with_signals(
    frame: pd.DataFrame, columns: Mapping[str, np.ndarray], decisions: Decisions
) -> pd.DataFrame:
    """Return the frame with columns and with all that the steps of entry and exit look up."""
    tags = no_tags(len(frame))
    beside = tags if frame.index.equals(tags.index) else None
    return with_columns(frame, {**columns, **signal_columns(decisions)}, beside)


@lru_cache(maxsize=1024)
def _texts(*words: str | None) -> ExtensionArray:
    """Texts as pandas keeps them in a frame, to be taken from; few of them come up."""
    return pd.array(words, dtype="str")


def _both(long: str, short: str) -> str | None:
    return "+".join(sorted({long, short} - {""})) or None


_EXIT_TAGS = _texts(*(_both(long, short) for long in EXIT_TAGS for short in EXIT_TAGS))
