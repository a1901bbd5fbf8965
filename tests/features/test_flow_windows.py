"""Order flow across pairs and over a day: shares, multiples, and what may be missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from features.test_order_flow import BARS, OF_A_DAY, flow_of, traded, value

from hydra_ft.features.registry import FEATURES
from hydra_ft.types import Feed

FAMILIES = ("order_flow", "absorption")


def test_what_is_compared_across_pairs_does_not_change_with_the_size_of_a_coin() -> None:
    """F-A3: raw deltas are in coins: a thousand coins for one make a thousand times the delta."""
    flow = flow_of(BARS)
    split = {
        name: 1000 * getattr(flow, name)
        for name in ("buy_volume", "sell_volume", "max_delta", "min_delta")
    }
    bars = replace(BARS, flow=replace(flow, **split, vwap=flow.vwap / 1000))
    raw = {"delta", "cvd_12", "cvd_48"}
    names = [name for name, made in FEATURES.items() if made.family in FAMILIES]
    assert all(Feed.TRADES in FEATURES[name].feeds for name in names)
    for name in names:
        times = 1000 if name in raw else 1
        np.testing.assert_allclose(value(name, bars), times * value(name), rtol=1e-9, atol=1e-12)
    assert {FEATURES[name].units for name in raw} == {"base"}


@pytest.mark.parametrize("name", OF_A_DAY)
def test_a_day_is_told_by_23_of_its_bars_and_not_by_22(name: str) -> None:
    """As the profile of a day: 95 % of the bars, and the newest, or it is not known."""
    flow = flow_of(BARS)
    one = {field: getattr(flow, field).copy() for field in ("buy_volume", "sell_volume")}
    for values in one.values():
        values[150] = np.nan
    found = value(name, replace(BARS, flow=replace(flow, **one)))
    assert np.isnan(found[150])
    assert np.isfinite(found[151:]).all()
    for row in (151, 160, 173):
        rest = [t for t in range(row - 23, row + 1) if t != 150]
        bought, sold = (getattr(flow, field)[rest] for field in one)
        signs = np.sign(bought - sold)
        expected = {
            "trade_imbalance_24": (bought - sold).sum() / (bought + sold).sum(),
            "delta_flip_share_24": (signs[1:] != signs[:-1]).sum() / 23,
        }
        assert found[row] == pytest.approx(expected[name], rel=1e-12)
    for values in one.values():
        values[155] = np.nan
    twice = value(name, replace(BARS, flow=replace(flow, **one)))
    gone = np.flatnonzero(np.isnan(twice[100:]))
    assert list(gone + 100) == [150, *range(155, 174)]


def test_takers_on_one_side_all_day_never_change_sides_and_by_turns_they_always_do() -> None:
    """F-A14: a share of the bars, which is 0 to 1 whatever their length."""
    steady, turning = traded([2.0] * 30, [1.0] * 30), traded([2.0, 0.0] * 15, [1.0, 1.0] * 15)
    assert value("delta_flip_share_24", steady)[-1] == 0
    assert value("delta_flip_share_24", turning)[-1] == 1
    silent = traded([0.0] * 30, [0.0] * 30)
    assert value("delta_flip_share_24", silent)[-1] == value("trade_imbalance_24", silent)[-1] == 0


def test_a_sustained_press_is_measured_from_balance_and_has_its_sign() -> None:
    """F-A26: the original took the size, so that its rules for falling flow never held."""
    bought, sold = np.random.default_rng(6).uniform(0.8, 1.2, (2, 120)).tolist()
    press = traded([*bought, 0.1], [*sold, 2.0])
    lift = traded([*sold, 2.0], [*bought, 0.1])
    assert value("imbalance_z_60", press)[-1] < -3
    assert value("imbalance_z_60", lift)[-1] == pytest.approx(-value("imbalance_z_60", press)[-1])
    assert np.isnan(value("imbalance_z_60", traded([1.0] * 90, [1.0] * 90))).all()
