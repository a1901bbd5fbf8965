"""Order flow and value of a recorded tape: known where they can be, and of the right size."""

from __future__ import annotations

import os

import numpy as np
import pytest
from bars.test_flow_recorded import BITFLYER, MINUTE, PERP_2020

from hydra_ft.bars.candles import same
from hydra_ft.bars.flow_columns import with_flow
from hydra_ft.bars.flow_tables import candles
from hydra_ft.features.registry import FEATURES
from hydra_ft.types import Feed

pytestmark = [
    pytest.mark.ci,
    pytest.mark.skipif(
        not os.environ.get("HYDRA_TEST_DATA"), reason="HYDRA_TEST_DATA does not name recorded data"
    ),
]
DAY = 288


def test_five_days_of_a_tape_have_every_feature() -> None:
    """Value of yesterday from the second day on; half hours without a trade have no value."""
    flow = BITFLYER.flow(5 * MINUTE)
    bars = with_flow(candles(flow.bars), flow)
    known = {
        name: np.isfinite(made(bars)).mean()
        for name, made in FEATURES.items()
        if made.feeds == (Feed.TRADES,)
    }
    late = ("previous", "time", "volume", "accepted", "rejected", "vpin")
    for name, share in known.items():
        assert share > (0.7 if name.startswith(late) else 0.85), name


def test_a_tape_is_accepted_above_value_and_below_and_mostly_neither() -> None:
    flow = BITFLYER.flow(5 * MINUTE)
    bars = with_flow(candles(flow.bars), flow)
    above, below = (FEATURES[f"accepted_{side}_12"](bars) for side in ("above", "below"))
    assert 0.02 < np.nanmean(above) < 0.5
    assert 0.02 < np.nanmean(below) < 0.5
    assert np.nanmax(above + below) == 1
    inside = FEATURES["time_inside_12"](bars)
    whole = inside + FEATURES["time_above_12"](bars) + FEATURES["time_below_12"](bars)
    np.testing.assert_allclose(whole[np.isfinite(whole)], 1, rtol=1e-12)


def test_flow_is_put_beside_the_candles_of_the_venue() -> None:
    """Volumes by side sum to what the venue's own candles say; others than its bars are NaN."""
    flow = PERP_2020.flow(MINUTE)
    frame = PERP_2020.candles("1m")
    bars = candles(flow.bars)
    times = frame["date"].dt.as_unit("ms").astype("int64").to_numpy()
    found = with_flow(bars, flow)
    assert found.flow is not None
    traded = found.flow.buy_volume + found.flow.sell_volume
    rows = np.flatnonzero(np.isin(bars.time, times) & np.isfinite(traded))
    beside = frame["volume"].to_numpy()[np.searchsorted(times, bars.time[rows])]
    np.testing.assert_allclose(traded[rows], beside, rtol=1e-12)
    assert rows.size > 100
    assert same(with_flow(bars, flow), found)
