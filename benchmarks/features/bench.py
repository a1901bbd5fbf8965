"""One run of the whole measurement."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks.features import memory, order_flow, rolling

if TYPE_CHECKING:
    from collections.abc import Callable


class Plan(NamedTuple):
    """How much is measured."""

    days: tuple[int, ...]
    memory_trades: int
    bars: tuple[int, ...]
    rounds: int


class Result(NamedTuple):
    """What was measured by a plan."""

    plan: Plan
    days: list[order_flow.Day]
    candles: list[order_flow.NewCandle]
    memory: memory.Peak
    windows: list[rolling.Rolling]
    lengths: list[rolling.Rolling]


FULL = Plan(days=(100_000, 1_000_000), memory_trades=5_000_000, bars=(12_000, 48_000), rounds=7)
QUICK = Plan(days=(5_000, 20_000), memory_trades=50_000, bars=(2_000, 4_000), rounds=1)


def measure(plan: Plan, said: Callable[[str], None]) -> Result:
    """Measure everything, one thing after the other."""
    days, candles = [], []
    for n in plan.days:
        said(f"a day of {n:,} trades")
        day, candle = order_flow.measure(n, plan.rounds)
        days.append(day)
        candles.append(candle)
    said("rolling profiles")
    windows = [rolling.measure(plan.bars[0], w, plan.rounds) for w in rolling.WINDOWS]
    lengths = [rolling.measure(n, rolling.WINDOWS[1], plan.rounds) for n in plan.bars]
    said(f"memory for {plan.memory_trades:,} trades")
    peak = memory.measured(plan.memory_trades)
    return Result(plan, days, candles, peak, windows, lengths)
