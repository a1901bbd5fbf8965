"""Made-up bars for tests: healthy, reproducible, and with every feed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from bars.made_columns import with_made_columns

from hydra_ft.bars.candles import bars_from, resample
from hydra_ft.types import FlowColumns, ValueColumns

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
    full = with_made_flow(with_liquidations(with_feeds(bars, seed), seed), seed)
    return with_made_columns(full, seed)


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


def with_made_flow(bars: Bars, seed: int = 1) -> Bars:
    """The bars with columns of flow and of value, all known, that go with their prices."""
    random = np.random.default_rng(seed + 3000)
    n = len(bars)
    bought = bars.volume * random.random(n)
    sold = bars.volume - bought
    delta = bought - sold
    flow = FlowColumns(
        buy_volume=bought,
        sell_volume=sold,
        count=random.integers(1, 500, n).astype(np.float64),
        max_delta=np.maximum(delta, 0) + bars.volume * 0.1,
        min_delta=np.minimum(delta, 0) - bars.volume * 0.1,
        vwap=(bars.high + bars.low + bars.close) / 3,
        empty=np.zeros(n),
        covered=np.ones(n),
        missing=np.zeros(n),
    )
    return replace(bars, flow=flow, value=_made_value(bars, random))


def _made_value(bars: Bars, random: np.random.Generator) -> ValueColumns:
    """Value areas about the first price of each day, two to four percent wide, and time by them.

    The rolling ones are a half to one percent away, and move with every bar.
    """
    n = len(bars)
    wide = bars.close * random.uniform(0.005, 0.01, (4, n))
    days, of = np.unique(bars.time // (24 * HOUR), return_inverse=True)
    first = bars.open[np.searchsorted(of, np.arange(days.size))]
    previous = first * (1 + random.uniform(-0.002, 0.002, days.size))
    high = (previous * (1 + random.uniform(0.01, 0.02, days.size)))[of]
    low = (previous * (1 - random.uniform(0.01, 0.02, days.size)))[of]
    where = np.where(bars.close > high, 1, np.where(bars.close < low, 2, 0))
    shares = np.stack([np.where(where == side, 0.9, 0.05) for side in range(3)])
    back = np.stack([(where == side) & (random.random(n) < 0.02) for side in (1, 2)])
    beyond = np.where(random.random(n) < 0.8, shares, np.roll(shares, 1, axis=0))
    volume = beyond * bars.volume
    return ValueColumns(
        poc=bars.close + wide[0] - wide[1],
        high=bars.close + wide[1],
        low=bars.close - wide[0],
        width=wide[0] + wide[1],
        node_below=bars.close - wide[2],
        node_above=bars.close + wide[3],
        previous_poc=previous[of],
        previous_high=high,
        previous_low=low,
        time_above=shares[1],
        time_below=shares[2],
        time_inside=1 - shares[1] - shares[2],
        volume_above=volume[1],
        volume_below=volume[2],
        returns_above=back[0].astype(np.float64),
        returns_below=back[1].astype(np.float64),
    )


def random_frames(days: int, seed: int = 1, volatility: float = 0.0012) -> dict[str, Bars]:
    """5m bars with liquidations, their sums over 1h and 4h; the other feeds are on 1h."""
    base = random_bars(days * 288, 5 * MINUTE, seed, volatility)
    base = replace(base, funding_rate=None, open_interest=None)
    hour = with_feeds(resample(base, HOUR), seed)
    return {"5m": base, "1h": hour, "4h": resample(base, 4 * HOUR)}
