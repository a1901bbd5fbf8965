"""What a bot says of its own features and signals: each thing once, not once a pair."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from decisions.test_newest import FIRST, PLAIN, RULES, window

from hydra_ft.adapter.decisions.memories import Memories
from hydra_ft.decisions.evaluation import observe
from hydra_ft.features import registry
from hydra_ft.features.registry import FEATURES

if TYPE_CHECKING:
    import pytest

    from hydra_ft.decisions.rules import HeadRules
    from hydra_ft.types import Bars, FloatArray

PAIRS = ("BTC/USDT:USDT", "ETH/USDT:USDT")


def decided(memories: Memories, rules: HeadRules = RULES) -> None:
    """Two pairs, two bars each."""
    for row in (FIRST, FIRST + 1):
        for pair in PAIRS:
            seen = observe(window(row), rules, PLAIN, memories.of(pair))
            memories.judge(pair, seen, rules)


def drifting(bars: Bars) -> FloatArray:
    out = np.cumsum(bars.close) / np.arange(1, len(bars) + 1) / 1e4
    out[:14] = np.nan
    return out


def test_a_feature_that_drifts_unsaid_is_warned_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = replace(FEATURES["natr_14"], compute=drifting, lookback=14)
    decided(Memories())
    assert caplog.messages == []
    monkeypatch.setitem(registry._REGISTERED, "natr_14", made)
    # Of other thresholds: which features a head needs is remembered.
    decided(Memories(), replace(RULES, vetoes=replace(RULES.vetoes, min_confidence=0.61)))
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith(f"{PAIRS[0]}: values of feature natr_14 depend on more")
