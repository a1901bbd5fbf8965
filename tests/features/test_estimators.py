"""Volatility, spread and impact from candles, and the variance ratio, by their papers."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from statistics import mean, variance
from typing import TYPE_CHECKING

import numpy as np
import pytest
import talib
from bars.synthetic import HOUR, random_bars

from hydra_ft.bars.candles import bars_from
from hydra_ft.features import rolling
from hydra_ft.features.registry import FEATURES

if TYPE_CHECKING:
    from hydra_ft.types import Bars, FloatArray

BARS = random_bars(400, seed=12)
O, H, L, C, V = BARS.open, BARS.high, BARS.low, BARS.close, BARS.volume  # noqa: E741 - as papers do
ROWS = (24, 130, 399)


def value(name: str, bars: Bars = BARS) -> FloatArray:
    return FEATURES[name](bars)


def closes(prices: FloatArray) -> Bars:
    n = len(prices)
    return bars_from(HOUR * np.arange(n), HOUR, (prices,) * 4, np.ones(n))


def gapped(seed: int = 12) -> Bars:
    """Bars that do not begin where the ones before ended."""
    jumps = 1 + np.random.default_rng(seed).normal(0, 0.01, len(BARS))
    return replace(BARS, open=O * jumps, high=H * jumps, low=L * jumps, close=C * jumps)


def returns(prices: FloatArray) -> list[float]:
    return [math.log(new / old) for old, new in pairwise(prices)]


def rogers_satchell(bars: Bars, last: int) -> float:
    return mean(
        math.log(h / c) * math.log(h / o) + math.log(low / c) * math.log(low / o)
        for o, h, low, c in zip(
            *(getattr(bars, p)[last - 23 : last + 1] for p in ("open", "high", "low", "close")),
            strict=True,
        )
    )


@pytest.mark.parametrize("bars", [BARS, gapped()], ids=["joined", "gapped"])
@pytest.mark.parametrize("last", ROWS)
def test_drift_free_volatilities_follow_their_papers(bars: Bars, last: int) -> None:
    ranges = rogers_satchell(bars, last)
    rows = range(last - 23, last + 1)
    gaps = variance(math.log(bars.open[i] / bars.close[i - 1]) for i in rows)
    bodies = variance(math.log(bars.close[i] / bars.open[i]) for i in rows)
    k = 0.34 / (1.34 + 25 / 23)
    assert value("rogers_satchell_24", bars)[last] == pytest.approx(math.sqrt(ranges))
    expected = math.sqrt(gaps + k * bodies + (1 - k) * ranges)
    assert value("yang_zhang_24", bars)[last] == pytest.approx(expected)


def test_a_drift_moves_parkinson_and_not_rogers_satchell() -> None:
    """A straight rise within each bar: range without any volatility around the drift."""
    base = 100 * 1.01 ** np.arange(60.0)
    rise = bars_from(HOUR * np.arange(60), HOUR, (base, base * 1.01, base, base * 1.01), V[:60])
    assert value("rogers_satchell_24", rise)[-1] == pytest.approx(0, abs=1e-9)
    assert value("yang_zhang_24", rise)[-1] == pytest.approx(0, abs=1e-7)
    assert value("parkinson_24", rise)[-1] > 0.005


def test_all_volatilities_find_the_volatility_that_was_put_in() -> None:
    """Bars of 200 steps of a random walk; a range of so few steps falls 6 % short (GK, 1980)."""
    random = np.random.default_rng(4)
    steps = np.cumsum(random.normal(0, 0.01 / math.sqrt(200), 400 * 200)).reshape(400, 200)
    path = 100 * np.exp(steps)
    opened = np.r_[100.0, path[:-1, -1]]
    ends = np.c_[opened, path]
    prices = (opened, ends.max(axis=1), ends.min(axis=1), path[:, -1])
    bars = bars_from(HOUR * np.arange(400), HOUR, prices, np.ones(400))
    names = ("parkinson_24", "garman_klass_24", "rogers_satchell_24", "yang_zhang_24")
    for name in (*names, "realised_vol_24"):
        assert np.nanmean(value(name, bars)) == pytest.approx(0.01, rel=0.08), name


# --- spread and impact -----------------------------------------------------------------


@pytest.mark.parametrize("last", ROWS)
def test_amihud_is_the_mean_move_for_a_million(last: int) -> None:
    rows = range(last - 23, last + 1)
    expected = 1e6 * mean(abs(C[i] / C[i - 1] - 1) / (C[i] * V[i]) for i in rows)
    assert value("amihud_24")[last] == pytest.approx(expected)


def test_amihud_leaves_out_bars_without_trades_and_is_unknown_without_any() -> None:
    some = V.copy()
    some[380] = 0.0
    rows = [i for i in range(376, 400) if i != 380]
    expected = 1e6 * mean(abs(C[i] / C[i - 1] - 1) / (C[i] * V[i]) for i in rows)
    assert value("amihud_24", replace(BARS, volume=some))[399] == pytest.approx(expected)
    assert np.isnan(value("amihud_24", replace(BARS, volume=np.zeros(400)))).all()


@pytest.mark.parametrize("last", [25, 130, 399])
def test_roll_is_the_root_of_the_serial_covariance(last: int) -> None:
    new, old = returns(C[last - 24 : last + 1]), returns(C[last - 25 : last])
    covariance = float(np.cov(new, old)[0, 1])
    expected = 2 * math.sqrt(-covariance) if covariance < 0 else 0.0
    assert value("roll_spread_24")[last] == pytest.approx(expected)


def test_roll_finds_the_spread_that_closes_bounce_over() -> None:
    sides = np.random.default_rng(6).choice([-1.0, 1.0], 3000)
    found = value("roll_spread_24", closes(100 * np.exp(0.001 * sides)))[25:]
    assert math.sqrt(np.mean(found**2)) == pytest.approx(0.002, rel=0.1)


def test_roll_of_a_trend_is_zero_and_not_unknown() -> None:
    turns = np.repeat([0.01, -0.01], 20)
    trend = closes(100 * np.exp(np.cumsum(np.tile(turns, 3))))
    assert value("roll_spread_24", trend)[-1] == 0


def corwin_schultz(bars: Bars, i: int) -> float:
    gap = max(bars.low[i] - bars.close[i - 1], 0) + min(bars.high[i] - bars.close[i - 1], 0)
    high, low = bars.high[i] - gap, bars.low[i] - gap
    beta = math.log(bars.high[i - 1] / bars.low[i - 1]) ** 2 + math.log(high / low) ** 2
    gamma = math.log(max(high, bars.high[i - 1]) / min(low, bars.low[i - 1])) ** 2
    scale = 3 - 2 * math.sqrt(2)
    alpha = (math.sqrt(2 * beta) - math.sqrt(beta)) / scale - math.sqrt(gamma / scale)
    return max(2 * (math.exp(alpha) - 1) / (1 + math.exp(alpha)), 0.0)


@pytest.mark.parametrize("bars", [BARS, gapped()], ids=["joined", "gapped"])
@pytest.mark.parametrize("last", ROWS)
def test_corwin_schultz_follows_its_paper(bars: Bars, last: int) -> None:
    expected = mean(corwin_schultz(bars, i) for i in range(last - 23, last + 1))
    assert value("corwin_schultz_24", bars)[last] == pytest.approx(expected)


def test_corwin_schultz_of_a_market_that_only_bounces_is_its_spread() -> None:
    """Bid 99.9, ask 100.1 and nothing else: the range does not grow with time."""
    high, low = np.full(40, 100.1), np.full(40, 99.9)
    bars = bars_from(HOUR * np.arange(40), HOUR, (low, high, low, high), np.ones(40))
    assert value("corwin_schultz_24", bars)[-1] == pytest.approx(0.2 / 100)


@pytest.mark.parametrize("window", [2, 24, 96])
def test_variances_and_covariances_agree_with_talib_and_numpy(window: int) -> None:
    moves = np.diff(np.log(C))
    others = np.diff(np.log(O))
    found = rolling.variance(moves, window)[window - 1 :]
    # TA-Lib divides by n.
    oracle = talib.VAR(moves, window)[window - 1 :] * window / (window - 1)
    np.testing.assert_allclose(found, oracle, rtol=1e-6, atol=1e-12)
    both = rolling.covariance(moves, others, window)
    for row in (window - 1, 200, 398):
        part = slice(row - window + 1, row + 1)
        assert both[row] == pytest.approx(np.cov(moves[part], others[part])[0, 1])
    assert np.isnan(both[: window - 1]).all()


# --- variance ratio --------------------------------------------------------------------


def variance_ratio(prices: FloatArray, q: int) -> tuple[float, float]:
    """Ratio and z of Lo and MacKinlay (1988), eq. 13, 18 and 20, on len(prices) - 1 returns."""
    x = [math.log(price) for price in prices]
    n = len(x) - 1
    mu = (x[-1] - x[0]) / n
    squares = [(x[k] - x[k - 1] - mu) ** 2 for k in range(1, n + 1)]
    single = sum(squares) / (n - 1)
    m = q * (n - q + 1) * (1 - q / n)
    longer = sum((x[k] - x[k - q] - q * mu) ** 2 for k in range(q, n + 1)) / m
    theta = 0.0
    for j in range(1, q):
        delta = sum(squares[k] * squares[k - j] for k in range(j, n)) / sum(squares) ** 2
        theta += (2 * (q - j) / q) ** 2 * delta
    return longer / single, (longer / single - 1) / math.sqrt(theta)


@pytest.mark.parametrize("last", [96, 200, 399])
def test_the_variance_ratio_follows_its_paper(last: int) -> None:
    ratio, z = variance_ratio(C[last - 96 : last + 1], 4)
    assert value("variance_ratio_96")[last] == pytest.approx(ratio)
    assert value("variance_ratio_z_96")[last] == pytest.approx(z)


def walk(persistence: float, n: int = 6000) -> Bars:
    shocks = np.random.default_rng(8).normal(0, 0.01, n)
    moves = np.zeros(n)
    for row in range(1, n):
        moves[row] = persistence * moves[row - 1] + shocks[row]
    return closes(100 * np.exp(np.cumsum(moves)))


def test_the_variance_ratio_tells_following_from_turning_back() -> None:
    """An AR(1) of 0.3 has 1 + 2 (0.75 * 0.3 + 0.5 * 0.09 + 0.25 * 0.027) = 1.55."""
    following, turning, neither = (walk(p) for p in (0.3, -0.3, 0.0))
    assert np.nanmean(value("variance_ratio_96", following)) == pytest.approx(1.55, abs=0.12)
    assert np.nanmean(value("variance_ratio_96", turning)) == pytest.approx(0.63, abs=0.08)
    assert np.nanmean(value("variance_ratio_96", neither)) == pytest.approx(1.0, abs=0.05)


def test_a_random_walk_is_rarely_significant_even_if_its_volatility_changes() -> None:
    """The reason for the robust standard error."""
    loud = np.repeat(np.random.default_rng(1).choice([1.0, 3.0], 300), 20)
    moves = np.random.default_rng(8).normal(0, 0.005, 6000) * loud
    z = value("variance_ratio_z_96", closes(100 * np.exp(np.cumsum(moves))))[96:]
    assert 0.85 < np.mean(np.abs(z) < 1.96) < 0.99


def test_the_variance_ratio_of_what_does_not_move_is_unknown() -> None:
    for prices in (np.full(120, 100.0), 100 * 1.001 ** np.arange(120.0)):
        assert np.isnan(value("variance_ratio_96", closes(prices))).all()
        assert np.isnan(value("variance_ratio_z_96", closes(prices))).all()
