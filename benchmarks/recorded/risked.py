"""What an account risked: positions against the equity, losses at stops, days, results in R."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.execution.intervals import Interval, clustered_mean_of
from benchmarks.recorded.positions import close_times, equity_curve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.recorded.positions import Closes, Position
    from hydra_ft.types import FloatArray, IntArray

DAY_MS = 86_400_000
UNKNOWN = Interval(math.nan, math.nan, math.nan)
_SEED = 1

Extremes = tuple["IntArray", "FloatArray", "FloatArray"]
"""Open times of candles (UTC ms), their lowest and their highest prices, shape (n,) each."""


@dataclass(frozen=True, slots=True)
class Risked:
    """Figures of a run; shares are of the equity when the position was entered.

    ``mean_share`` and ``greatest_share`` are what would be lost at the first stop, fees
    included. Of the positions that ended at it, ``stopped`` counts them, and ``stop_r`` and
    ``candle_r`` are median and worst of what they lost in R: as booked, and at the worst price of
    the candle that hit the stop. ``mean_r`` has an interval by whole days of entry; ``weighted_r``
    is all profit over all that was risked. ``day`` and ``within_day`` are the worst change of the
    equity from midnight to midnight UTC, and to any close between. ``held_share`` is the mean
    over time of all positions, of the wallet.
    """

    mean_share: float
    greatest_share: float
    worst_share: float
    worst_r: float
    stopped: int
    stop_r: tuple[float, float]
    candle_r: tuple[float, float]
    greatest_stake_quote: float
    greatest_notional_share: float
    held_share: float
    sum_r: float
    mean_r: Interval
    weighted_r: float
    day: float
    within_day: float


def risked(
    positions: Sequence[Position],
    closes: Mapping[str, Closes],
    extremes: Mapping[str, Extremes],
    window: tuple[int, int],
    wallet: float,
) -> Risked:
    """All figures of the positions of a wallet in a window (UTC ms)."""
    times, equity = close_times(closes), equity_curve(positions, closes, wallet)
    before = [float(equity[np.searchsorted(times, one.opened_at, "right")]) for one in positions]
    own = list(zip(positions, before, strict=True))
    risks = [one.risk_quote / at for one, at in own if not math.isnan(one.stop)]
    stopping = [one for one in positions if not math.isnan(one.stop)]
    results = [one.result_r for one in stopping]
    first = [one for one in positions if one.is_stopped_first]
    day, within_day = worst_day(times, equity)
    return Risked(
        mean_share=float(np.mean(risks)) if risks else math.nan,
        greatest_share=max(risks, default=math.nan),
        worst_share=min((one.profit_quote / at for one, at in own), default=math.nan),
        worst_r=min(results, default=math.nan),
        stopped=len(first),
        stop_r=_middle_and_worst([one.result_r for one in first]),
        candle_r=_middle_and_worst([worst_of_candle_r(one, extremes[one.pair]) for one in first]),
        greatest_stake_quote=max((one.stake_quote for one in positions), default=math.nan),
        greatest_notional_share=max((one.notional_quote / at for one, at in own), default=math.nan),
        held_share=held_share(positions, window, wallet),
        sum_r=sum(results) if results else math.nan,
        mean_r=_mean_r(stopping),
        weighted_r=_weighted_r(stopping),
        day=day,
        within_day=within_day,
    )


def worst_day(times: IntArray, equity: FloatArray) -> tuple[float, float]:
    """Worst change within a UTC day: to its end, and to any close in it; 0 where none lost.

    ``times`` has shape (n,) (UTC ms), ``equity`` shape (n + 1,), its start first. A close at
    midnight ends the day before.
    """
    days = (times - 1) // DAY_MS
    ends = lows = 0.0
    for day in np.unique(days):
        rows = np.flatnonzero(days == day)
        begun, inside = float(equity[rows[0]]), equity[rows + 1]
        ends = min(ends, float(inside[-1]) / begun - 1)
        lows = min(lows, float(inside.min()) / begun - 1)
    return ends, lows


def held_share(positions: Sequence[Position], window: tuple[int, int], wallet: float) -> float:
    """Mean over a window of what was held, at the prices of the entries, of the wallet."""
    begin, end = window
    held = sum(
        one.notional_quote * max(0, min(one.closed_at, end) - max(one.opened_at, begin))
        for one in positions
    )
    return held / ((end - begin) * wallet)


def worst_of_candle_r(one: Position, extremes: Extremes) -> float:
    """Result in R, had a position been closed at the worst price of its last candle."""
    opened, lows, highs = extremes
    row = int(np.searchsorted(opened, one.closed_at))
    price = float((lows if one.sign > 0 else highs)[row])
    return one.result_r + one.sign * one.quantity * (price - one.close_price) / one.risk_quote


def _mean_r(positions: Sequence[Position]) -> Interval:
    """Mean result in R with its interval; trades of one day are no independent evidence."""
    if not positions:
        return UNKNOWN
    results = np.array([one.result_r for one in positions])
    days = np.array([one.opened_at // DAY_MS for one in positions], dtype=np.int64)
    return clustered_mean_of(results, days, _SEED)


def _weighted_r(positions: Sequence[Position]) -> float:
    """Profit of all positions over what all of them risked; NaN without any."""
    at_risk = sum(one.risk_quote for one in positions)
    return sum(one.profit_quote for one in positions) / at_risk if at_risk else math.nan


def _middle_and_worst(results: Sequence[float]) -> tuple[float, float]:
    """Median and worst of results in R; NaN without any."""
    if not results:
        return math.nan, math.nan
    return float(np.median(results)), min(results)
