"""What a bot says of its own features and signals: each thing once, not once a pair."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from decisions.test_newest import FIRST, FRAMES, PLAIN, RULES, window

from hydra_ft.adapter.decisions.memories import Memories
from hydra_ft.adapter.strategy import HydraStrategy
from hydra_ft.decisions.evaluation import observe
from hydra_ft.decisions.pipeline import decide
from hydra_ft.features import registry
from hydra_ft.features.registry import FEATURES

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def writes(columns: Mapping[str, FloatArray], *_: object) -> None:
    columns["close_5m"][0] = 0.0


WRITING = replace(
    RULES,
    signals=(replace(RULES.signals[0], detect=writes),),  # type: ignore[arg-type]
)
WHY = (
    f"{PAIRS[0]}: signal {WRITING.signals[0].name} could not be computed and was left out: "
    "ValueError: assignment destination is read-only"
)


def test_why_a_signal_could_not_be_computed_is_said_once_of_all_pairs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    decided(Memories(), WRITING)
    assert caplog.messages == [WHY]
    assert caplog.records[0].levelname == "ERROR"


def test_a_backtest_says_it_too(caplog: pytest.LogCaptureFixture) -> None:
    head = object.__new__(HydraStrategy)
    head.rules, head.feeds = WRITING, frozenset(PLAIN)
    head._reviewed, head._memories = set(), Memories()
    for pair in PAIRS:
        head._review(pair, FRAMES, decide(FRAMES, WRITING, PLAIN))
    assert caplog.messages.count(WHY) == 1
    assert sum("could not be computed" in said for said in caplog.messages) == 1


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
