"""Order flow and absorption: worked numbers, plain Python beside it, gaps."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise
from statistics import mean, median, pstdev
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.synthetic import MINUTE, random_bars

from hydra_ft.bars.candles import part
from hydra_ft.features import battery
from hydra_ft.features.absorption import absorbed
from hydra_ft.features.order_flow import flips, persistence, velocity
from hydra_ft.features.registry import FEATURES
from hydra_ft.types import Feed, FlowColumns

if TYPE_CHECKING:
    from hydra_ft.types import Bars, FloatArray

OF_A_DAY = ("trade_imbalance_24", "delta_flip_share_24")
"""Stand while 95 % of their bars are whole."""
NAMES = [
    name
    for name, made in FEATURES.items()
    if Feed.TRADES in made.feeds and made.family not in {"footprint", "sweeps", "vpin"}
]
"""Features of what was traded and where; those of other columns have tests of their own."""
BARS = random_bars(300, 5 * MINUTE, seed=9)
LAST = len(BARS) - 1


def flow_of(bars: Bars) -> FlowColumns:
    assert bars.flow is not None
    return bars.flow


def traded(bought: list[float], sold: list[float]) -> Bars:
    """5m bars at the prices of made-up ones, in which takers bought and sold so much."""
    bars = random_bars(len(bought), 5 * MINUTE)
    volumes = {"buy_volume": np.array(bought, float), "sell_volume": np.array(sold, float)}
    return replace(bars, flow=replace(flow_of(bars), **volumes))


def value(name: str, bars: Bars = BARS) -> FloatArray:
    return FEATURES[name](bars)


def test_sums_of_deltas_end_with_the_window() -> None:
    """X01: of 2, -1, 3, 4, -2, 1 the last three sum to 3, the last four to 6."""
    deltas = np.array([2, -1, 3, 4, -2, 1] * 3)
    bars = traded([max(d, 0.0) for d in deltas], [max(-d, 0.0) for d in deltas])
    assert value("delta", bars).tolist() == deltas.tolist()
    assert value("cvd_12", bars)[-1] == sum([2, -1, 3, 4, -2, 1] * 2) == 14
    assert value("trade_imbalance_4", bars)[-1] == pytest.approx(6 / 10)
    assert value("trade_imbalance_1", bars)[-2:].tolist() == [-1, 1]


def test_velocity_is_that_of_the_example() -> None:
    """X02: 0, 10, 10, 4 with alpha 0.3 move at 3, 2.1, -0.33, but for the weight cut off."""
    found = velocity(np.array([0.0] * 30 + [10, 10, 4]))
    assert found[-4:] == pytest.approx([0, 3.0, 2.1, -0.33], rel=2.1e-4)


def test_persistence_is_that_of_the_example() -> None:
    """X03: sizes of 1 to 10 have 5.5 / 2.8723."""
    sizes = np.array([1.0, -2, 3, -4, 5, -6, 7, -8, 9, -10])
    assert persistence(sizes, 10)[-1] == pytest.approx(1.9149, abs=5e-5)
    assert np.isnan(persistence(np.full(60, 2.7), 60)[-1])


def test_absorption_is_that_of_the_example() -> None:
    """X11, F-A9: 100,000 to 100,010 is one basis point."""
    moved = np.array([1e4 * (100_010 / 100_000 - 1)])
    assert absorbed(np.array([5.0]), moved)[0] == pytest.approx(4.5455, abs=5e-5)


def test_absorption_that_never_varied_has_no_z() -> None:
    """Or the rounding of equal values would make a signal of thousands of deviations."""
    still = {name: np.full(120, 0.1) for name in ("open", "high", "low", "close")}
    bars = replace(traded([0.27] * 120, [0.0] * 120), **still)
    flow = replace(flow_of(bars), vwap=np.full(120, 1.0))
    flow.buy_volume[-1] = 0.2701
    assert np.isnan(value("absorption_z_100", replace(bars, flow=flow))).all()


@pytest.mark.parametrize(
    ("signs", "times"),
    [
        ([1, -1, 1, -1], 3),
        ([1, 0, -1, 0], 1),
        ([1, 0, 0, 1], 0),
        ([0, 0, 0, 0], 0),
        ([0, 0, 0, -1], 0),
        ([-1, 1, 1, 1e-12], 1),
    ],
)
def test_a_run_through_zero_is_one_flip(signs: list[float], times: int) -> None:
    """A2: the original counted it twice."""
    assert flips(np.array(signs, float), 4)[-1] == times


def test_flips_agree_with_a_plain_count() -> None:
    random = np.random.default_rng(4)
    values = random.integers(-1, 2, 500) * random.random(500)
    found = flips(values, 20)
    for t in range(19, 500):
        signs = [v > 0 for v in values[t - 19 : t + 1] if v]
        assert found[t] == sum(a != b for a, b in pairwise(signs))


def test_flips_are_of_an_hour_whatever_the_bars() -> None:
    """F-A14: a rate with a unit, not one of bars that is compared to one of minutes."""
    slow = replace(BARS, step_ms=15 * MINUTE)
    assert value("flip_rate_48")[-1] == 3 * value("flip_rate_48", slow)[-1] > 0


def plain() -> dict[str, float]:
    """All features of order flow at the last bar, once more in plain Python."""
    flow = flow_of(BARS)
    bought, sold = flow.buy_volume.tolist(), flow.sell_volume.tolist()
    close = BARS.close.tolist()
    delta = [b - s for b, s in zip(bought, sold, strict=True)]
    volume = [b + s for b, s in zip(bought, sold, strict=True)]

    def balance(t: int, n: int) -> float:
        return sum(delta[t - n + 1 : t + 1]) / sum(volume[t - n + 1 : t + 1])

    def usual(values: list[float]) -> float:
        return values[-1] / pstdev(values[:-1])

    def speed(t: int) -> float:
        weights = [0.7**k for k in range(24)]
        moved = [balance(t - k, 4) - balance(t - k - 1, 4) for k in range(24)]
        return sum(w * m for w, m in zip(weights, moved, strict=True)) / sum(weights)

    def held(t: int) -> float:
        bps = 1e4 * abs(close[t] / close[t - 1] - 1)
        return flow.vwap[t] * volume[t] / (bps + 0.1)

    sums = [abs(sum(delta[t - 3 : t + 1])) for t in range(LAST - 59, LAST + 1)]
    signs = [speed(t) > 0 for t in range(LAST - 47, LAST + 1)]
    before = [held(t) for t in range(LAST - 100, LAST)]
    against = (close[LAST] - close[LAST - 1]) * delta[LAST] < 0
    return {
        "delta": delta[LAST],
        "cvd_12": sum(delta[-12:]),
        "cvd_48": sum(delta[-48:]),
        "delta_multiple_48": delta[LAST] / median(volume[-49:-1]),
        "trade_imbalance_1": balance(LAST, 1),
        "trade_imbalance_4": balance(LAST, 4),
        "trade_imbalance_12": balance(LAST, 12),
        "trade_imbalance_24": balance(LAST, 24),
        "imbalance_z_60": usual([balance(t, 4) for t in range(LAST - 60, LAST + 1)]),
        "velocity_z_60": usual([speed(t) for t in range(LAST - 60, LAST + 1)]),
        "delta_flip_share_24": sum(a * b < 0 for a, b in pairwise(delta[-24:])) / 23,
        "imbalance_deviation_60": pstdev(balance(t, 4) for t in range(LAST - 59, LAST + 1)),
        "delta_velocity_4": speed(LAST),
        "aggression_persistence_60": mean(sums) / pstdev(sums),
        "flip_rate_48": sum(a != b for a, b in pairwise(signs)) / 4,
        "absorption": held(LAST),
        "absorption_z_100": (held(LAST) - mean(before)) / pstdev(before),
        "signed_absorption_100": -np.sign(delta[LAST]) * against * held(LAST) / mean(before),
    }


@pytest.mark.parametrize(("name", "expected"), plain().items())
def test_features_agree_with_plain_python(name: str, expected: float) -> None:
    assert value(name)[LAST] == pytest.approx(expected, rel=1e-9)


def test_every_feature_of_order_flow_has_its_plain_twin() -> None:
    families = {FEATURES[name].family for name in plain()}
    assert {name for name in NAMES if FEATURES[name].family in families} == set(plain())


def test_a_bar_in_which_nothing_traded_is_balance() -> None:
    """F-A1: time without trades is time, with zero flow, and no gap."""
    bars = traded([0.0] * 120, [0.0] * 120)
    empty = replace(flow_of(bars), empty=np.ones(120), vwap=np.full(120, np.nan))
    bars = replace(bars, flow=empty)
    for name in ("delta", "cvd_12", "trade_imbalance_12", "absorption", "flip_rate_48"):
        assert value(name, bars)[-1] == 0, name
    assert np.isnan(value("delta_multiple_48", bars)[-1])


def test_bids_that_take_sellers_in_are_positive() -> None:
    still = {name: np.full(300, 100.0) for name in ("open", "high", "low", "close")}
    sold = replace(flow_of(BARS), buy_volume=np.zeros(300), sell_volume=BARS.volume)
    bars = replace(BARS, **still, flow=sold)
    assert (value("signed_absorption_100", bars)[101:] > 0).all()
    held = value("absorption", bars)
    expected = held[-1] / mean(held[-101:-1])
    assert value("signed_absorption_100", bars)[-1] == pytest.approx(expected)
    bought = replace(sold, buy_volume=BARS.volume, sell_volume=np.zeros(300))
    turned = value("signed_absorption_100", replace(bars, flow=bought))
    assert np.array_equal(turned[101:], -value("signed_absorption_100", bars)[101:])


@pytest.mark.parametrize(
    ("step", "holds"), [(0.01, 0), (2e-5, 0), (9e-6, -1), (0, -1), (-1e-3, -1)]
)
def test_nobody_holds_against_takers_with_whom_the_price_goes(step: float, holds: int) -> None:
    """Buyers that lift the price are not absorbed by the asks; a tenth of a basis point is none."""
    close = 100 * np.exp(step * np.arange(300))
    prices = dict.fromkeys(("open", "high", "low", "close"), close)
    for taker, side in (("buy_volume", 1), ("sell_volume", -1)):
        alone = {"buy_volume": np.zeros(300), "sell_volume": np.zeros(300), taker: BARS.volume}
        flow = replace(flow_of(BARS), vwap=close**side, **alone)
        turned = {name: values**side for name, values in prices.items()}
        found = value("signed_absorption_100", replace(BARS, **turned, flow=flow))
        assert set(np.sign(found[101:]).tolist()) == {holds * side}


@pytest.mark.parametrize("name", NAMES)
def test_a_bar_that_is_not_whole_is_unknown_for_as_long_as_a_window_holds_it(name: str) -> None:
    """Never a silent zero, and never a gap that is taken for calm."""
    row = 150
    flow, area = flow_of(BARS), BARS.value
    assert area is not None
    torn = {
        group: {f.name: getattr(columns, f.name).copy() for f in fields(columns)}
        for group, columns in (("flow", flow), ("value", area))
    }
    for columns in torn.values():
        for values in columns.values():
            values[row] = np.nan
    bars = replace(BARS, flow=FlowColumns(**torn["flow"]), value=type(area)(**torn["value"]))
    found, healthy = value(name, bars), value(name)
    gone = np.isnan(found) & ~np.isnan(healthy)
    assert gone[row]
    assert not gone[:row].any()
    after = row + FEATURES[name].lookback + 1
    assert not gone[after:].any()
    known = ~np.isnan(found)
    if name in OF_A_DAY:
        known[row:after] = False
    np.testing.assert_allclose(found[known], healthy[known], rtol=1e-12)


def test_a_cumulative_delta_since_the_start_is_caught() -> None:
    """4-03: the usual CVD; and one that is centred, which sees trades that have not come."""
    cvd = FEATURES["cvd_12"]

    def since_start(bars: Bars) -> FloatArray:
        found = np.cumsum(FEATURES["delta"](bars))
        found[:11] = np.nan
        return found

    def centred(bars: Bars) -> FloatArray:
        return np.append(cvd(bars)[6:], np.full(min(6, len(bars)), cvd(bars)[-1:].sum()))

    assert battery.faults(cvd, BARS) == []
    begun, ahead = (battery.faults(replace(cvd, compute=c), BARS) for c in (since_start, centred))
    assert any(text.startswith("start") for text in begun)
    assert any(text.startswith("prefix") for text in ahead)


def test_a_feature_that_writes_into_the_flow_is_caught() -> None:
    def spoil(bars: Bars) -> FloatArray:
        flow_of(bars).buy_volume[3] += 1
        return FEATURES["delta"](bars)

    bars = random_bars(60)
    spoiled = battery.input_faults(replace(FEATURES["delta"], compute=spoil), bars)
    assert spoiled == ["input: flow.buy_volume was changed"]


@pytest.mark.parametrize("name", NAMES)
def test_trades_that_are_not_carried_are_unknown(name: str) -> None:
    assert np.isnan(value(name, replace(BARS, flow=None, value=None))).all()
    assert np.isfinite(value(name, part(BARS, 0, 200))[-1])
