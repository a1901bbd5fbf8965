"""How long one decision takes."""

from __future__ import annotations

from time import perf_counter_ns
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hydra_ft.execution.chase import decide
from hydra_ft.execution.policy import PRESETS
from hydra_ft.types import Kind, ParentOrder, Quote, Side, WorkingOrder

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra_ft.execution.policy import ChasePolicy

CALLS = 40_000
_START = 1_700_000_000_000


class Speed(NamedTuple):
    """Times of single calls in microseconds, the clock's own time included."""

    name: str
    median_us: float
    p99_us: float


def _timed(name: str, call: Callable[[int], object], calls: int) -> Speed:
    times = np.empty(calls)
    for index in range(calls):
        begin = perf_counter_ns()
        call(index)
        times[index] = perf_counter_ns() - begin
    return Speed(name, float(np.median(times)) / 1e3, float(np.quantile(times, 0.99)) / 1e3)


def decision_speeds(calls: int = CALLS) -> list[Speed]:
    """Time ``decide`` by each preset, after the bare making of a quote as a yardstick."""

    def quote(index: int) -> Quote:
        bid = 50_000.0 + index % 40 / 10
        return Quote(
            best_bid=bid,
            best_ask=bid + 0.2,
            bid_size=5.0,
            ask_size=3.0,
            tick_size=0.1,
            at=_START + index % 100 * 1000,
            volatility_bps=0.5,
            next_bid=bid - 0.1,
            next_ask=bid + 0.3,
        )

    quotes = [quote(index) for index in range(4_000)]
    parent = ParentOrder("k", "BTC/USDT:USDT", Side.LONG, Kind.ENTRY, 0.01, 50_000.0, _START)
    working = WorkingOrder("1", 50_001.0, 0.01, 0.0, _START)
    speeds = [_timed("making a quote", quote, calls)]
    for name, policies in PRESETS.items():

        def call(index: int, policy: ChasePolicy = policies.entry) -> object:
            seen = quotes[index % len(quotes)]
            return decide(parent, working, seen, policy, seen.at)

        speeds.append(_timed(f"decide, {name}", call, calls))
    return speeds
