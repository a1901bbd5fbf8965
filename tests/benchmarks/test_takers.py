"""Order flow's part of the calibration: what is read, and the section made of it."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.recorded.stage_a import rules
from benchmarks.recorded.takers import FLIPS, Takers, flow_thresholds, hours_of, measured
from benchmarks.recorded.takers_page import section

HOME = os.environ.get("HYDRA_TEST_DATA", "")
NEEDS_DATA = pytest.mark.skipif(
    not HOME, reason="HYDRA_TEST_DATA does not name the folder of recorded market data"
)


def made(**changes: object) -> Takers:
    """A result in which every column is the numbers from 0 to 1."""
    ramp = np.linspace(0, 1, 101)
    names = {one.column for one in flow_thresholds(rules())}
    sizes = {f"size of bias score {how} trades": ramp for how in ("without", "with")}
    found = Takers((0, 3_600_000), 101, dict.fromkeys(names, ramp) | sizes, 1440, 1000, {})
    return replace(found, **changes)  # type: ignore[arg-type]


def test_the_section_tells_where_each_threshold_stands() -> None:
    page = section(made(exits={"value_rejected": (3, 4)}), rules())
    assert f"| chop.flips_none | 0.48 | {FLIPS} | P49 |" in page
    assert "`bias.block_from x full_strength` from P18 to P18" in page
    assert "| `value_rejected` | 3 | 4 |" in page
    assert not re.search(r"\bnan\b", page)


@pytest.mark.ci
@NEEDS_DATA
def test_hours_of_takers_are_those_of_the_candles() -> None:
    """The venue stamps takers with the end of their hour: beside the right candle they agree."""
    bars = hours_of(Path(HOME))
    assert bars.flow is not None
    both = bars.flow.buy_volume + bars.flow.sell_volume
    turnover = bars.volume * (bars.high + bars.low + bars.close) / 3
    known = np.isfinite(both)
    assert known.mean() > 0.99
    assert np.corrcoef(both[known], turnover[known])[0, 1] > 0.99
    assert np.corrcoef(both[known][1:], turnover[known][:-1])[0, 1] < 0.8


@pytest.mark.ci
@NEEDS_DATA
def test_exits_by_flow_ask_on_a_tape_and_seldom() -> None:
    """P3, A8-7: neither is dead on real trades, and neither is noise."""
    found = measured(Path(HOME), rules())
    assert set(found.exits) == {"value_rejected", "flow_reversal"}
    for counts in found.exits.values():
        assert 0 < sum(counts) < 0.02 * found.known
    assert not re.search(r"\bnan\b", section(found, rules()))
