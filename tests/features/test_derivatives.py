"""Crowding by settled rates, who moved the price, and the basis, by worked numbers."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from statistics import mean, pstdev
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from bars.synthetic import HOUR, START, random_bars

from hydra_ft.bars.candles import bars_from
from hydra_ft.features.basis import annualised_basis, premium, unusual
from hydra_ft.features.funding import paid_within
from hydra_ft.features.registry import FEATURES

if TYPE_CHECKING:
    from hydra_ft.types import Bars

DAY = 24 * HOUR
HOME = os.environ.get("HYDRA_TEST_DATA", "")


def last(name: str, bars: Bars) -> float:
    return float(FEATURES[name](bars)[-1])


def settled(rates: list[float], every: int = 8) -> Bars:
    """Hourly bars with a rate every so many bars, the last in the last bar."""
    n = max(240, every * len(rates))
    column = np.full(n, np.nan)
    column[n - 1 - every * np.arange(len(rates))] = rates[::-1]
    return replace(random_bars(n), funding_rate=column)


# --- crowding --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("newest", "crowd"),
    [(0.0005, 1), (-0.0008, -1), (-0.0005, 0), (0.0001, 0), (0.00009, 0)],
    ids=["longs pay", "shorts pay", "shorts pay no more", "as ever", "a hair below"],
)
def test_a_crowd_pays_unusually_much_and_more_than_the_base_rate(newest: float, crowd: int) -> None:
    assert last("funding_crowd_168", settled([0.0001] * 20 + [newest])) == crowd


def test_an_unusual_rate_that_is_still_small_is_no_crowd() -> None:
    """A2: the z-score explodes when rates are constant, so the rate itself must be large."""
    bars = settled([-0.0001] * 20 + [0.0001])
    assert last("funding_z_168", bars) > 4
    assert last("funding_crowd_168", bars) == 0


def test_the_crowd_is_judged_by_a_day_whatever_the_interval() -> None:
    """F-A2: the same day's payment, settled hourly, every 4 h and every 8 h."""
    for every in (1, 4, 8):
        rates = [0.00004 * every / 8] * (168 // every - 24 // every)
        bars = settled([*rates, *[0.0004 * every / 8] * (24 // every)], every)
        assert last("funding_sum_24", bars) == pytest.approx(0.0012)
        assert last("funding_crowd_168", bars) == 1


def test_an_unknown_rate_makes_the_crowd_unknown_and_not_absent() -> None:
    assert np.isnan(last("funding_crowd_168", settled([0.0001] * 5)))
    assert np.isnan(last("funding_crowd_168", replace(random_bars(200), funding_rate=None)))


def test_hours_at_an_extreme_count_the_bars_since_its_settlement() -> None:
    bars = settled([0.0001] * 20 + [0.0005])
    assert last("funding_extreme_24", bars) == 1
    late = replace(bars, funding_rate=np.r_[bars.funding_rate[5:], [np.nan] * 5])
    assert last("funding_extreme_24", late) == 6


@pytest.mark.parametrize("every", [1, 4, 8])
def test_what_was_paid_in_a_day_is_summed_by_time(every: int) -> None:
    """F-A2: the sum of the records with t > now - 24 h, though they come late by a jitter."""
    random = np.random.default_rng(every)
    times = START + every * HOUR * np.arange(60) + random.integers(0, 3, 60)
    rates = random.normal(1e-4, 1e-4, 60)
    at = START + HOUR * np.arange(30, 60 * every, 7) + 5 * 60_000
    found = paid_within(times, rates, at, DAY)
    for now, value in zip(at, found, strict=True):
        inside = [r for t, r in zip(times, rates, strict=True) if now - DAY < t <= now]
        assert value == pytest.approx(sum(inside)) if inside else np.isnan(value)
    assert np.isfinite(found).all()


def test_a_settlement_counts_from_its_own_time_for_exactly_a_day() -> None:
    times, rates = np.array([START]), np.array([0.0002])
    at = START + np.array([-1, 0, DAY - 1, DAY])
    np.testing.assert_array_equal(
        paid_within(times, rates, at, DAY), [np.nan, 0.0002, 0.0002, np.nan]
    )


@pytest.mark.parametrize("every", [1, 4, 8])
def test_the_sum_over_24_hourly_bars_is_the_sum_by_time(every: int) -> None:
    """At the close of a bar the settlement at that very moment is not known to it yet."""
    bars = settled(list(np.random.default_rng(5).normal(1e-4, 1e-4, 200 // every)), every)
    assert bars.funding_rate is not None
    known = np.isfinite(bars.funding_rate)
    closes = bars.time + bars.step_ms
    expected = paid_within(bars.time[known], bars.funding_rate[known], closes - 1, DAY)
    np.testing.assert_allclose(FEATURES["funding_sum_24"](bars)[72:], expected[72:])


def paid_after(hours: list[int], until: int) -> list[float]:
    """Sums over a day at each hour until then, of rates of 1 in 1e4 settled at these hours."""
    column = np.full(until, np.nan)
    column[hours] = 1e-4
    found = FEATURES["funding_sum_24"](replace(random_bars(until), funding_rate=column))
    return [float(value) for value in np.round(1e4 * found, 9)]


EIGHTS = list(range(7, 200, 8))


@pytest.mark.parametrize("every", [1, 2, 4, 8])
def test_a_day_of_which_a_settlement_is_missing_is_unknown(every: int) -> None:
    """F-A2: two of three rates are no sum of a day."""
    hours = list(range(every - 1, 200, every))
    missing = 120 // every * every + every - 1
    found = paid_after([hour for hour in hours if hour != missing], 200)
    whole = paid_after(hours, 200)
    assert found[missing] == found[missing - 1], "it may still come"
    wrong = [t for t in range(72, 200) if not (found[t] == whole[t] or np.isnan(found[t]))]
    assert not wrong
    unknown = [t for t in range(72, 200) if np.isnan(found[t])]
    assert unknown == list(range(missing + 1, missing + every + 24))
    assert set(whole[72:]) == {24 / every}


def test_a_settlement_that_is_due_and_has_not_come_makes_the_day_unknown() -> None:
    found = paid_after(EIGHTS[:20], 200)
    assert EIGHTS[19] == 159
    assert found[160:168] == [3.0] * 8
    assert np.isnan(found[168:]).all()


def test_an_interval_may_shrink_at_once_and_grows_with_the_second_long_one() -> None:
    """Exchanges settle every 4 h when a crowd pays, and every 8 h again when it has gone."""
    shorter = paid_after([*EIGHTS[:15], *range(EIGHTS[14] + 4, 200, 4)], 200)
    assert np.isfinite(shorter[72:]).all()
    assert (shorter[119], shorter[123], shorter[143]) == (3.0, 4.0, 6.0)
    changed = 119
    longer = paid_after([*range(3, changed + 1, 4), *range(changed + 8, 200, 8)], 200)
    unknown = [t for t in range(72, 200) if np.isnan(longer[t])]
    assert unknown == list(range(changed + 5, changed + 16))
    assert (longer[changed], longer[-1]) == (6.0, 3.0)


def test_one_unknown_rate_spoils_no_sum_but_its_own() -> None:
    times = START + 8 * HOUR * np.arange(9)
    rates = np.full(9, 1e-4)
    rates[3] = np.nan
    found = paid_within(times, rates, times[2:], DAY)
    assert np.isnan(found).tolist() == [False, True, True, True, False, False, False]
    np.testing.assert_allclose(found[[0, 4, 5, 6]], 3e-4)


# --- who moved the price ----------------------------------------------------------------


def moved(held: float, price: float, n: int = 2) -> Bars:
    """Three bars or more, of which the last changes both by these shares over ``n`` - 1."""
    close = np.full(n + 1, 100.0)
    held_at = np.full(n + 1, 5e4)
    close[-1] *= 1 + price
    held_at[-1] *= 1 + held
    time = START + 5 * 60_000 * np.arange(n + 1)
    return bars_from(time, 5 * 60_000, (close,) * 4, np.ones(n + 1), open_interest=held_at)


@pytest.mark.parametrize(
    ("held", "price", "code"),
    [
        (0.002, 0.001, 2),
        (-0.002, 0.001, 1),
        (0.002, -0.001, -2),
        (-0.002, -0.001, -1),
        (0.0005, 0.001, 0),
        (0.002, 0.0004, 0),
        (0.001, 0.001, 0),
        (0.0011, 0.0006, 2),
    ],
)
def test_participation_follows_its_table(held: float, price: float, code: int) -> None:
    """T7: new longs +2, short covering +1, long covering -1, new shorts -2, neutral 0."""
    assert last("participation_1", moved(held, price)) == code


@pytest.mark.parametrize(
    ("held", "price", "code"),
    [(0.03, 0.02, 2), (-0.03, -0.02, -1), (0.019, 0.02, 0), (0.03, 0.009, 0)],
)
def test_participation_of_a_day_has_the_dead_zones_of_a_day(
    held: float, price: float, code: int
) -> None:
    bars = moved(held, price, 25)
    assert last("participation_24", bars) == code


def test_participation_without_open_interest_is_unknown_and_not_neutral() -> None:
    bars = moved(0.002, 0.001)
    gap = replace(bars, open_interest=np.array([5e4, np.nan, np.nan]))
    assert np.isnan(last("participation_1", gap))
    assert np.isnan(last("participation_1", replace(bars, open_interest=None)))


# --- basis ------------------------------------------------------------------------------


def test_the_basis_is_the_premium_over_the_reference() -> None:
    price, reference = np.array([101.0, 99.0, 100.0]), np.array([100.0, 100.0, np.nan])
    np.testing.assert_allclose(premium(price, reference), [0.01, -0.01, np.nan])


def test_a_dated_basis_is_a_yearly_rate_until_it_expires() -> None:
    left = np.array([73 * DAY, DAY, 0, -DAY], dtype=np.float64)
    found = annualised_basis(np.full(4, 101.0), np.full(4, 100.0), left)
    np.testing.assert_allclose(found, [0.05, 3.65, np.nan, np.nan])


def test_the_basis_is_unusual_beside_its_own_window() -> None:
    values = np.random.default_rng(1).normal(0, 1e-4, 60)
    found = unusual(values, 24)
    assert np.isnan(found[:23]).all()
    for row in range(23, 60):
        held = values[row - 23 : row + 1]
        assert found[row] == pytest.approx((held[-1] - mean(held)) / pstdev(held))
    assert unusual(np.full(30, 0.1), 24)[-1] == 0
    assert unusual(np.r_[np.zeros(23), 1.0], 24)[-1] == pytest.approx(np.sqrt(23))


# --- recorded ---------------------------------------------------------------------------


def milliseconds(dates: pd.Series) -> np.ndarray:
    return dates.dt.as_unit("ms").astype("int64").to_numpy()


@pytest.mark.ci
@pytest.mark.skipif(not HOME, reason="HYDRA_TEST_DATA does not name the recorded data")
@pytest.mark.parametrize("pair", ["BTC_USDT_USDT", "SOL_USDT_USDT"])
def test_recorded_rates_are_summed_alike_by_bars_and_by_time(pair: str) -> None:
    folder = Path(HOME) / "ohlcv" / "binance_2025mar" / "binance" / "futures"
    records = pd.read_feather(folder / f"{pair}-1h-funding_rate.feather")
    times, rates = milliseconds(records["date"]), records["funding_rate"].to_numpy(float)
    start, stop = times[0] // HOUR * HOUR, times[-1] // HOUR * HOUR
    n = int((stop - start) // HOUR) + 1
    column = np.full(n, np.nan)
    column[(times - start) // HOUR] = rates
    bars = replace(random_bars(n), time=start + HOUR * np.arange(n), funding_rate=column)
    closes = bars.time + HOUR
    expected = paid_within(times, rates, closes - 1, DAY)
    np.testing.assert_allclose(FEATURES["funding_sum_24"](bars)[72:], expected[72:], atol=1e-15)
    crowd = FEATURES["funding_crowd_168"](bars)[168:]
    assert np.isfinite(crowd).all()
    assert (crowd != 0).mean() < 0.2
