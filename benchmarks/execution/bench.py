"""The whole measurement: draw, execute on two processes, average."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import product
from multiprocessing import get_context
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.execution.drift import Drift, drift_of, generated_tape, joined, touch_fills
from benchmarks.execution.methods import CANDLE, STATIC, methods
from benchmarks.execution.recorded import recorded_drifts
from benchmarks.execution.rows import (
    DifferenceRow,
    MethodRow,
    TrendRow,
    difference_rows,
    method_rows,
    samples_of,
    trend_rows,
)
from benchmarks.execution.trial import Trial, run
from benchmarks.execution.windows import MARKETS, Window, draw_windows
from loopback_exchange.market import Market

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_CHUNK = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured; the same plan gives the same rows."""

    seed: int = 20
    market_seed: int = 7
    count: int = 1_000
    """Parents in each kind of market."""
    days: int = 400
    drift_windows: int = 200
    """Windows in each kind of market whose tape is read for the drift."""


FULL = Plan()
QUICK = Plan(count=40, days=40, drift_windows=20)


@dataclass(frozen=True, slots=True)
class Result:
    """Everything that the page shows, but for times."""

    plan: Plan
    methods: list[MethodRow]
    differences: list[DifferenceRow]
    trends: list[TrendRow]
    drifts: list[Drift]
    dropped_share: float
    """Share of parents whose rest once-a-candle re-pricing dropped."""


@cache
def _market(seed: int, symbol: str) -> Market:
    """Give the market of one symbol, kept for the life of a process."""
    return Market(seed=seed, symbols=[symbol])


def _trials(seed: int, windows: list[tuple[int, Window]]) -> list[Trial]:
    return [
        run(_market(seed, window.symbol), window, number, method)
        for number, window in windows
        for method in methods()
    ]


def measure(plan: Plan, processes: int = 2) -> Result:
    """Run a plan; progress goes to standard error."""
    market = Market(seed=plan.market_seed)
    windows = draw_windows(market, plan.seed, plan.count, plan.days)
    trials = _executed(plan, windows, processes)
    samples = samples_of(trials)
    _say("averaging")
    return Result(
        plan=plan,
        methods=method_rows(samples, plan.seed),
        differences=difference_rows(samples, plan.seed),
        trends=trend_rows(samples, plan.seed),
        drifts=_drifts(market, plan, windows, trials),
        dropped_share=float(np.mean([t.is_dropped for t in trials if t.method == CANDLE])),
    )


def _executed(plan: Plan, windows: Sequence[Window], processes: int) -> list[Trial]:
    # By symbol and time, so that a process finds its days in the cache of its market.
    order = sorted(enumerate(windows), key=lambda pair: (pair[1].symbol, pair[1].decided_at))
    chunks = [order[at : at + _CHUNK] for at in range(0, len(order), _CHUNK)]
    if processes == 1:
        return _gathered(map(_trials, [plan.market_seed] * len(chunks), chunks), len(chunks))
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        parts = pool.map(_trials, [plan.market_seed] * len(chunks), chunks)
        return _gathered(parts, len(chunks))


def _gathered(parts: Iterable[list[Trial]], count: int) -> list[Trial]:
    begun, trials = monotonic(), list[Trial]()
    for done, part in enumerate(parts, 1):
        trials += part
        _say(f"{100 * done / count:.0f} % executed, {monotonic() - begun:.0f} s")
    return trials


def _drifts(
    market: Market, plan: Plan, windows: Sequence[Window], trials: Sequence[Trial]
) -> list[Drift]:
    """Measure the drift of the tape by market, of the bench's own fills, and as recorded."""
    found = []
    for name in MARKETS:
        some = [window for window in windows if window.market == name][: plan.drift_windows]
        tapes = [generated_tape(market, window) for window in some]
        edges, owner = joined([touch_fills(tape) for tape in tapes])
        found.append(drift_of(f"generated tape, {name}", edges, owner, plan.seed, tapes))
    for name, method in product(MARKETS, (STATIC, "balanced")):
        rested = [t for t in trials if (t.market, t.method) == (name, method)]
        edges = np.array([edge for trial in rested for edge in trial.edges])
        owner = np.repeat([t.window for t in rested], [len(t.edges) for t in rested])
        if len(edges):
            found.append(drift_of(f"this bench, {method}, {name}", edges, owner, plan.seed))
    return found + recorded_drifts(plan.seed)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
