"""No feature of the pack is told to drift on recorded candles and trades."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from bars.test_flow_recorded import BITFLYER, MINUTE, PERP_2020, Tape, name_of
from decisions.test_recorded import PAIRS, SETS, recorded
from features.test_carried import WANTED

from hydra_ft.bars.candles import part
from hydra_ft.bars.flow_columns import with_flow
from hydra_ft.bars.flow_tables import candles
from hydra_ft.features.carried import Carried
from hydra_ft.features.drift import Drift

if TYPE_CHECKING:
    from hydra_ft.types import Bars

pytestmark = [
    pytest.mark.ci,
    pytest.mark.skipif(
        not os.environ.get("HYDRA_TEST_DATA"), reason="HYDRA_TEST_DATA does not name recorded data"
    ),
]
SIZE = 999


def told(bars: Bars) -> list[str]:
    """What a bot says that starts here and there."""
    drift = Drift()
    for stop in range(min(SIZE, len(bars)), len(bars) + 1, max(1, len(bars) // 30)):
        window = part(bars, max(0, stop - SIZE), stop)
        found = Carried(drift=drift).columns(window, WANTED)
        for made in WANTED:
            drift.try_on(window, (made,), found)
    return drift.news()


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("pair", PAIRS[:2])
def test_nothing_is_told_of_on_recorded_candles(pair: str, name: str) -> None:
    for timeframe, bars in recorded(pair, name).items():
        assert told(bars) == [], timeframe


@pytest.mark.parametrize("tape", [BITFLYER, PERP_2020], ids=name_of)
def test_nothing_is_told_of_on_recorded_trades(tape: Tape) -> None:
    for step_ms in (MINUTE // 6, MINUTE, 5 * MINUTE):
        flow = tape.flow(step_ms)
        assert told(with_flow(candles(flow.bars), flow)) == [], step_ms
