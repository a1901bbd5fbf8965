"""Sixty feature columns on one frame: Hydra's beside their twin of talib.abstract and pandas."""

from __future__ import annotations

import warnings
from functools import cache
from statistics import median
from time import process_time
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

import hydra_ft.features  # noqa: F401 - registers them
from benchmarks.backtest import market as frames
from benchmarks.features import twin
from hydra_ft.adapter.frames import to_bars, with_columns
from hydra_ft.features.carried import Carried
from hydra_ft.features.registry import selected
from loopback_exchange import Market

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from hydra_ft.features.registry import Feature

CANDLES: Final = 1_000
TIMEFRAME: Final = "5m"
EQUAL: Final = 1e-6
PAIRS: Final = 4
"""Frames that are looked at; their times are much the same."""


class Sixty(NamedTuple):
    """Seconds of CPU a frame, and the greatest difference of a value (of 1, or of its size)."""

    columns: int
    candles: int
    ours_s: float
    twin_s: float
    difference: float

    @property
    def ratio(self) -> float:
        """How often ours fit into the twin's time."""
        return self.twin_s / self.ours_s


@cache
def columns() -> tuple[Feature, ...]:
    """The features that the twin has."""
    frame = made_candles(0)
    made = _twin(frame)
    return selected(name for name in made.columns if name not in frame.columns)


@cache
def _market() -> Market:
    return Market(seed=7)


@cache
def made_candles(symbol: int) -> pd.DataFrame:
    """Candles of the generated market."""
    name = _market().symbols[symbol]
    days = (CANDLES + 1) * 5 / 1_440
    whole = frames.candles(_market(), name, TIMEFRAME, days)[frames.CANDLES]
    return whole.iloc[-CANDLES:].reset_index(drop=True)


def added(frame: pd.DataFrame, carried: Carried | None = None) -> pd.DataFrame:
    """Return the candles with the sixty columns, as a strategy of Hydra adds them.

    A bot gives what it has ``carried`` from the last candle of the pair.
    """
    found = (carried or Carried()).columns(to_bars(frame, TIMEFRAME), columns())
    return with_columns(frame, found)


def difference(ours: pd.DataFrame, theirs: pd.DataFrame) -> float:
    """Greatest difference of two values; infinite where one of them alone is unknown."""
    most = 0.0
    for each in columns():
        own, other = (frame[each.name].to_numpy(np.float64) for frame in (ours, theirs))
        known = np.isfinite(own)
        if not np.array_equal(known, np.isfinite(other)):
            return float("inf")
        gaps = np.abs(own - other)[known] / np.maximum(1.0, np.abs(own[known]))
        most = max(most, float(gaps.max(initial=0.0)))
    return most


def _twin(frame: pd.DataFrame) -> pd.DataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas: a frame of so many columns is fragmented
        return twin.populated(frame)


def measure(rounds: int) -> Sixty:
    """Both ways on a few frames, in turns."""
    candles = [made_candles(symbol) for symbol in range(PAIRS)]
    apart = max(difference(added(frame), _twin(frame)) for frame in candles)
    times: dict[Callable[[pd.DataFrame], object], list[float]] = {added: [], _twin: []}
    for _ in range(rounds):
        for way, spent in times.items():
            begun = process_time()
            for frame in candles:
                way(frame)
            spent.append((process_time() - begun) / PAIRS)
    own, other = (median(spent) for spent in times.values())
    return Sixty(len(columns()), CANDLES, own, other, apart)
