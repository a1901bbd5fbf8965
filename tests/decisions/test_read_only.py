"""What signals and gates read cannot be written to, and the bars stay as they were."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from decisions.flow_frames import flow_frames
from decisions.test_newest import PLAIN, RULES

from hydra_ft.bars.candles import PRICES
from hydra_ft.decisions.evaluation import Memory, Observation, observe
from hydra_ft.decisions.pipeline import judge
from hydra_ft.decisions.sight import tail

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra_ft.signals.registry import SignalColumns
    from hydra_ft.types import FloatArray


def writeable(seen: Observation) -> list[str]:
    groups = (seen.features, seen.columns, seen.native)
    return [name for group in groups for name, values in group.items() if values.flags.writeable]


def test_every_column_of_an_observation_is_read_only_and_no_bar_is() -> None:
    """Of a test and of a bot, whole and of the newest bars alone."""
    frames = flow_frames(20, seed=1)
    for memory in (None, Memory()):
        seen = observe(frames, RULES, PLAIN, memory)
        assert len(seen.columns) > 30
        assert writeable(seen) == writeable(tail(seen, 30)) == []
        for bars in frames.values():
            assert all(getattr(bars, name).flags.writeable for name in (*PRICES, "volume"))
        assert writeable(observe({"5m": frames["5m"]}, RULES, PLAIN, memory)) == []


@pytest.mark.parametrize("key", ["close_5m", "high_24_1h"])
def test_a_signal_that_writes_into_a_column_is_left_out_and_changes_nothing(key: str) -> None:
    made = RULES.signals[0]

    def detect(columns: Mapping[str, FloatArray], *others: object) -> SignalColumns:
        columns[key][-1] += 1
        return made.detect(columns, *others)  # type: ignore[arg-type]

    needs = tuple(dict.fromkeys((*made.needs, key)))
    rules = replace(RULES, signals=(replace(made, detect=detect, needs=needs),))
    frames = flow_frames(20, seed=1)
    before = {name: np.copy(bars.close) for name, bars in frames.items()}
    seen = observe(frames, rules, PLAIN)
    error = judge(seen, rules).errors[made.name]
    assert "read-only" in error
    for name, close in before.items():
        np.testing.assert_array_equal(frames[name].close, close)
