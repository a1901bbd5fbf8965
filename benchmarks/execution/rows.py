"""From trials to the rows of the tables: averages, and paired differences with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.execution.intervals import Interval, mean_of, median_of
from benchmarks.execution.methods import CANDLE, MARKET
from benchmarks.execution.windows import MARKETS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.execution.trial import Trial
    from hydra_ft.types import BoolArray, FloatArray

REFERENCES = (MARKET, CANDLE)


@dataclass(frozen=True, slots=True)
class MethodRow:
    """What one method did in one market, over ``n`` parents; costs in bps.

    ``filled``, ``requotes``, ``cost`` and ``median_bps`` are those at the time limit, the rest
    is of the completed parent. ``seconds`` is the median, ``late_s`` the 95th percentile;
    ``requotes`` and the shares are means.
    """

    market: str
    method: str
    n: int
    filled: float
    seconds: float
    late_s: float
    requotes: float
    maker_share: float
    fee_bps: float
    cost: Interval
    median_bps: float
    completed: Interval
    completed_median_bps: float


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """How much more a method cost than a reference on the same parents, in bps.

    ``price`` is the mean difference of ``completed`` without fees, ``filled`` that of the
    filled share (0..1) at the time limit.
    """

    market: str
    method: str
    reference: str
    n: int
    cost: Interval
    cost_median: Interval
    completed: Interval
    completed_median: Interval
    price: Interval
    filled: Interval


@dataclass(frozen=True, slots=True)
class TrendRow:
    """Mean extra cost against the market order in trending hours, split in hindsight."""

    method: str
    with_trend: Interval
    with_n: int
    against_trend: Interval
    against_n: int


class Sample:
    """All trials of one method in one market, in the order of their windows."""

    def __init__(self, trials: Iterable[Trial]) -> None:
        self.trials = sorted(trials, key=lambda trial: trial.window)
        self.cost = _column(trial.cost.total_bps for trial in self.trials)
        self.completed = _column(trial.completed.total_bps for trial in self.trials)
        self.fee = _column(trial.completed.fee_bps for trial in self.trials)
        self.filled = _column(trial.cost.fill_ratio for trial in self.trials)

    @property
    def is_with_trend(self) -> BoolArray:
        """Which parents went the way of their hour."""
        return np.array([trial.is_with_trend for trial in self.trials])


Samples = dict[tuple[str, str], Sample]


def samples_of(trials: Sequence[Trial]) -> Samples:
    """Group trials by market and method, in the order of the tables."""
    methods = dict.fromkeys(trial.method for trial in trials)
    return {
        (market, method): Sample(t for t in trials if (t.market, t.method) == (market, method))
        for market in MARKETS
        for method in methods
    }


def method_rows(samples: Samples, seed: int) -> list[MethodRow]:
    """Average each method in each market."""
    return [_method_row(market, method, one, seed) for (market, method), one in samples.items()]


def _method_row(market: str, method: str, one: Sample, seed: int) -> MethodRow:
    limited = [trial.cost for trial in one.trials]
    completed = [trial.completed for trial in one.trials]
    seconds = [cost.seconds for cost in completed]
    return MethodRow(
        market=market,
        method=method,
        n=len(one.trials),
        filled=float(np.mean([cost.fill_ratio for cost in limited])),
        seconds=float(np.median(seconds)),
        late_s=float(np.quantile(seconds, 0.95)),
        requotes=float(np.mean([cost.requotes for cost in limited])),
        maker_share=float(np.nanmean([cost.maker_share for cost in completed])),
        fee_bps=float(one.fee.mean()),
        cost=mean_of(one.cost, seed),
        median_bps=float(np.median(one.cost)),
        completed=mean_of(one.completed, seed),
        completed_median_bps=float(np.median(one.completed)),
    )


def difference_rows(samples: Samples, seed: int) -> list[DifferenceRow]:
    """Compare each method with each reference on the same parents."""
    rows = []
    for (market, method), one in samples.items():
        for reference in REFERENCES:
            if method != reference:
                row = _difference_row(one, samples[market, reference], seed)
                rows.append(DifferenceRow(market, method, reference, len(one.trials), **row))
    return rows


def _difference_row(one: Sample, other: Sample, seed: int) -> dict[str, Interval]:
    cost, completed = one.cost - other.cost, one.completed - other.completed
    return {
        "cost": mean_of(cost, seed),
        "cost_median": median_of(cost, seed),
        "completed": mean_of(completed, seed),
        "completed_median": median_of(completed, seed),
        "price": mean_of(completed - (one.fee - other.fee), seed),
        "filled": mean_of(one.filled - other.filled, seed),
    }


def trend_rows(samples: Samples, seed: int) -> list[TrendRow]:
    """Split the trending market by whether it ran away from the order."""
    rows = []
    for (market, method), one in samples.items():
        if market != "trending" or method == MARKET:
            continue
        extra = one.completed - samples[market, MARKET].completed
        away = one.is_with_trend
        with_trend, against = mean_of(extra[away], seed), mean_of(extra[~away], seed)
        rows.append(TrendRow(method, with_trend, int(away.sum()), against, int((~away).sum())))
    return rows


def _column(values: Iterable[float]) -> FloatArray:
    return np.array(list(values), dtype=np.float64)
