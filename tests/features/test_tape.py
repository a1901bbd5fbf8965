"""VPIN and price impact: volume buckets by hand, regressions by plain code."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.synthetic import random_bars

from hydra_ft.errors import DataError
from hydra_ft.features.impact import kyle_lambda, signed_root
from hydra_ft.features.registry import FEATURES
from hydra_ft.features.vpin import DAY_MS, bucket_imbalance, bulk_buy_share, vpin, windowed

if TYPE_CHECKING:
    from hydra_ft.types import FloatArray, IntArray

START = 20_000 * DAY_MS


def tape(
    n: int = 3000, days: float = 2.5, seed: int = 1
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Times, quantities and sides of trades."""
    random = np.random.default_rng(seed)
    time = START + np.sort(random.integers(0, int(days * DAY_MS), n))
    return time, random.gamma(1.0, 2.0, n).round(3) + 0.001, random.choice([-1.0, 1.0], n)


def plain_buckets(
    time: IntArray, quantity: FloatArray, signs: FloatArray, bucket: float
) -> list[tuple[int, float]]:
    """Fill bucket after bucket, trade after trade, in thousandths."""
    size = round(bucket * 1000)
    found, day, filled, signed = [], None, 0, 0
    for row, (now, traded, sign) in enumerate(zip(time, quantity, signs, strict=True)):
        if now // DAY_MS != day:
            day, filled, signed = now // DAY_MS, 0, 0
        left = round(traded * 1000)
        while left:
            taken = min(left, size - filled)
            left, filled, signed = left - taken, filled + taken, signed + taken * int(sign)
            if filled == size:
                found.append((row, abs(signed) / size))
                filled = signed = 0
    return found


def test_buckets_of_a_few_trades_by_hand() -> None:
    """Volume 10 each: 6 bought and 4 sold; 2 sold, 8 bought; the rest of the big trade; open."""
    quantity = np.array([6.0, 6.0, 30.0, 1.0])
    signs = np.array([1.0, -1.0, 1.0, -1.0])
    rows, found = bucket_imbalance(START + np.arange(4), quantity, signs, 10.0)
    assert list(rows) == [1, 2, 2, 2]
    np.testing.assert_allclose(found, [0.2, 0.6, 1.0, 1.0])


@pytest.mark.parametrize("bucket", [0.5, 7.0, 50.0, 1e6])
def test_buckets_agree_with_filling_one_after_another(bucket: float) -> None:
    trades = tape()
    rows, found = bucket_imbalance(*trades, bucket)
    expected = plain_buckets(*trades, bucket)
    assert list(rows) == [row for row, _ in expected]
    np.testing.assert_allclose(found, [value for _, value in expected], atol=1e-6)


def test_vpin_is_the_mean_of_the_last_buckets_and_known_with_the_last_of_them() -> None:
    trades = tape()
    filled, found = bucket_imbalance(*trades, 20.0)
    rows, values = vpin(*trades, 20.0, buckets=50)
    np.testing.assert_array_equal(rows, filled)
    assert np.isnan(values[:49]).all()
    assert values[49] == pytest.approx(found[:50].mean())
    assert values[-1] == pytest.approx(found[-50:].mean())
    assert ((values[49:] >= 0) & (values[49:] <= 1)).all()


def test_vpin_tells_one_sided_trade_from_balanced() -> None:
    time, quantity, _ = tape()
    assert vpin(time, quantity, np.ones(3000), 20.0)[1][-1] == pytest.approx(1)
    unknown = vpin(time, quantity, np.zeros(3000), 20.0)[1]
    assert unknown[-1] == 0


def test_buckets_do_not_know_the_future_nor_the_days_before_their_own() -> None:
    """P1: prefix invariance, and start invariance from the first midnight on."""
    time, quantity, signs = tape()
    rows, found = bucket_imbalance(time, quantity, signs, 20.0)
    for cut in (1, 700, 2999):
        some = bucket_imbalance(time[:cut], quantity[:cut], signs[:cut], 20.0)
        np.testing.assert_array_equal(some[0], rows[rows < cut])
        np.testing.assert_array_equal(some[1], found[rows < cut])
    second = int(np.flatnonzero(time >= START + DAY_MS)[0])
    later = bucket_imbalance(time[second:], quantity[second:], signs[second:], 20.0)
    np.testing.assert_array_equal(later[0] + second, rows[rows >= second])
    np.testing.assert_array_equal(later[1], found[rows >= second])


def test_no_trades_fill_no_bucket_and_a_bucket_has_a_size() -> None:
    none = np.empty(0)
    rows, found = bucket_imbalance(none.astype(np.int64), none, none, 1.0)
    assert rows.shape == found.shape == (0,)
    for size in (0.0, -1.0, np.nan):
        with pytest.raises(DataError, match="bucket: expected a positive volume"):
            bucket_imbalance(*tape(10), size)


def test_bulk_classification_is_the_normal_distribution_of_the_move() -> None:
    changes = np.array([0.0, 1.0, -2.0, 1.0, 1.0])
    sigma = np.array([1.0, 0.5, 1.0, 0.0, np.nan])
    phi = NormalDist().cdf
    expected = [0.5, phi(2), phi(-2), np.nan, np.nan]
    np.testing.assert_allclose(bulk_buy_share(changes, sigma), expected)


def plain_windowed(bought: FloatArray, sold: FloatArray, buckets: int) -> float:
    """Fill buckets from the bars of a window, bar after bar, each evenly mixed."""
    size = (bought + sold).sum() / buckets
    sizes, filled, signed = [], 0.0, 0.0
    for up, down in zip(bought, sold, strict=True):
        left = up + down
        while left > 1e-12:
            taken = min(left, size - filled)
            signed += (up - down) / (up + down) * taken
            left, filled = left - taken, filled + taken
            if filled > size * (1 - 1e-9):
                sizes.append(abs(signed) / size)
                filled = signed = 0.0
    assert len(sizes) == buckets
    return sum(sizes) / buckets


def test_buckets_of_a_window_of_bars_agree_with_filling_one_after_another() -> None:
    bars = random_bars(330, seed=8)
    assert bars.flow is not None
    bought, sold = bars.flow.buy_volume, bars.flow.sell_volume
    found = windowed(bought, sold, 40, 7)
    assert np.isnan(found[:39]).all()
    for t in (39, 40, 200, 329):
        rows = slice(t - 39, t + 1)
        assert found[t] == pytest.approx(plain_windowed(bought[rows], sold[rows], 7))
    day = FEATURES["vpin_240"](bars)
    assert day[-1] == pytest.approx(plain_windowed(bought[-240:], sold[-240:], 50))


def test_vpin_of_bars_is_one_for_one_sided_trade_and_unknown_with_a_gap_or_without_trade() -> None:
    ones, none = np.ones(60), np.zeros(60)
    assert windowed(ones, none, 50)[-1] == pytest.approx(1)
    assert windowed(ones, ones, 50)[-1] == 0
    assert np.isnan(windowed(none, none, 50)).all()
    gap = ones.copy()
    gap[20] = np.nan
    assert np.isfinite(windowed(gap, ones, 20)).tolist() == [t == 19 or t >= 40 for t in range(60)]


# --- impact ----------------------------------------------------------------------------


def test_kyles_lambda_is_the_slope_of_least_squares() -> None:
    random = np.random.default_rng(3)
    signed = random.normal(2, 10, 300)
    changes = 0.03 * signed + random.normal(0, 0.2, 300)
    found = kyle_lambda(changes, signed, 60)
    assert np.isnan(found[:59]).all()
    for row in range(59, 300, 20):
        window = slice(row - 59, row + 1)
        assert found[row] == pytest.approx(np.polyfit(signed[window], changes[window], 1)[0])
    assert found[-1] == pytest.approx(0.03, abs=0.01)


def test_kyles_lambda_depends_on_its_window_alone() -> None:
    random = np.random.default_rng(3)
    signed, changes = random.normal(0, 1e6, 300), random.normal(0, 1e-4, 300)
    whole = kyle_lambda(changes, signed, 60)
    np.testing.assert_array_equal(kyle_lambda(changes[:200], signed[:200], 60), whole[:200])
    np.testing.assert_array_equal(kyle_lambda(changes[70:], signed[70:], 60)[59:], whole[129:])


@pytest.mark.parametrize("volume", [0.0, 0.1, 1e6])
def test_an_impact_of_nothing_that_varies_is_unknown(volume: float) -> None:
    changes = np.random.default_rng(3).normal(0, 1, 100)
    assert np.isnan(kyle_lambda(changes, np.full(100, volume), 60)).all()


def test_an_unknown_bar_is_unknown_for_as_long_as_the_window_holds_it() -> None:
    random = np.random.default_rng(3)
    signed, changes = random.normal(0, 1, 100), random.normal(0, 1, 100)
    signed[20] = np.nan
    assert list(np.flatnonzero(np.isnan(kyle_lambda(changes, signed, 10)))) == [
        *range(9),
        *range(20, 30),
    ]


def test_the_signed_root_keeps_the_side() -> None:
    np.testing.assert_array_equal(signed_root(np.array([-9.0, 0.0, 4.0])), [-3.0, 0.0, 2.0])


def test_impact_of_bars_is_in_bps_for_each_million_that_takers_bought() -> None:
    bars = random_bars(120, seed=4)
    assert bars.flow is not None
    signed = bars.close * (bars.flow.buy_volume - bars.flow.sell_volume) / 1e6
    moved = 1e4 * np.diff(np.log(bars.close), prepend=np.nan)
    for name, x in (("kyle_lambda_48", signed), ("root_lambda_48", signed_root(signed))):
        found = FEATURES[name](bars)
        for t in (48, 77, 119):
            rows = slice(t - 47, t + 1)
            assert found[t] == pytest.approx(np.polyfit(x[rows], moved[rows], 1)[0]), name


def test_a_rank_of_volatility_counts_what_was_calmer_before() -> None:
    bars = random_bars(430)
    found, ranges = FEATURES["volatility_rank_120"](bars), FEATURES["natr_14"](bars)
    for t in (400, 415, 429):
        before = ranges[t - 120 : t]
        wanted = (sum(before < ranges[t]) + sum(before == ranges[t]) / 2) / 120
        assert found[t] == pytest.approx(wanted)
