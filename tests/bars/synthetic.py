"""Made-up bars for tests: healthy, reproducible, and with every feed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.candles import bars_from, resample

if TYPE_CHECKING:
    from hydra_ft.types import Bars

MINUTE, HOUR = 60_000, 3_600_000
START = 1_735_689_600_000  # 2025-01-01 00:00 UTC


def random_bars(n: int, step_ms: int = HOUR, seed: int = 1, volatility: float = 0.004) -> Bars:
    """Bars of a random walk whose drift turns now and then, with every feed."""
    random = np.random.default_rng(seed)
    turns = np.repeat(random.normal(0, 0.25 * volatility, n // 40 + 1), 40)[:n]
    close = 100 * np.exp(np.cumsum(random.normal(0, volatility, n) + turns))
    opened = np.r_[100.0, close[:-1]][:n]
    wick = np.abs(random.normal(0, volatility / 2, (2, n))) * close
    time = START + step_ms * np.arange(n)
    bars = bars_from(
        time,
        step_ms,
        (
            opened,
            np.maximum(opened, close) + wick[0],
            np.minimum(opened, close) - wick[1],
            close,
        ),
        random.gamma(2.0, 50.0, n),
    )
    return with_liquidations(with_feeds(bars, seed), seed)


def with_feeds(bars: Bars, seed: int = 1, every_h: int = 8) -> Bars:
    """The bars with a rate settled every ``every_h`` hours and open interest in each bar."""
    random = np.random.default_rng(seed + 1000)
    n = len(bars)
    settles = bars.time % (every_h * HOUR) < bars.step_ms
    rate = np.where(settles, random.normal(0.0001, 0.0002, n), np.nan)
    held = 1e5 * np.exp(np.cumsum(random.normal(0, 0.003, n)))
    return replace(bars, funding_rate=rate, open_interest=held)


def with_liquidations(bars: Bars, seed: int = 1) -> Bars:
    """The bars with a trickle of liquidations, and now and then a cascade of one side.

    A trickle is about a thousandth of the turnover, in two bars of three; a cascade is 20
    to 60 times that for three bars.
    """
    random = np.random.default_rng(seed + 2000)
    n = len(bars)
    usual = 1e-3 * bars.volume * bars.close
    sides = usual * random.gamma(1.0, 0.5, (2, n)) * (random.random((2, n)) < 2 / 3)
    for row in np.flatnonzero(random.random(n) < 1 / 150):
        hit = slice(int(row), int(row) + 3)
        sides[random.integers(2), hit] += random.uniform(20, 60) * usual[hit]
    return replace(bars, long_liquidated=sides[0], short_liquidated=sides[1])


def random_frames(days: int, seed: int = 1, volatility: float = 0.0012) -> dict[str, Bars]:
    """5m bars with liquidations, their sums over 1h and 4h; the other feeds are on 1h."""
    base = random_bars(days * 288, 5 * MINUTE, seed, volatility)
    base = replace(base, funding_rate=None, open_interest=None)
    hour = with_feeds(resample(base, HOUR), seed)
    return {"5m": base, "1h": hour, "4h": resample(base, 4 * HOUR)}
