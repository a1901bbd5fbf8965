"""One run of the whole measurement."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks.features import live, memory, order_flow, rolling, sixty, start

if TYPE_CHECKING:
    from collections.abc import Callable


class Plan(NamedTuple):
    """How much is measured."""

    days: tuple[int, ...]
    memory_trades: int
    bars: tuple[int, ...]
    rounds: int
    pairs: int


class Result(NamedTuple):
    """What was measured by a plan."""

    plan: Plan
    days: list[order_flow.Day]
    candles: list[order_flow.NewCandle]
    memory: memory.Peak
    windows: list[rolling.Rolling]
    lengths: list[rolling.Rolling]
    sixty: sixty.Sixty
    live: live.Live
    start: start.Start


FULL = Plan((100_000, 1_000_000), 5_000_000, (12_000, 48_000), rounds=7, pairs=250)
QUICK = Plan((5_000, 20_000), 50_000, (2_000, 4_000), rounds=1, pairs=4)


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
    said("sixty columns and their twin")
    twins = sixty.measure(3 * plan.rounds)
    cycles = live.measure(plan.pairs, said)
    starts = start.measure(plan.rounds, said)
    return Result(plan, days, candles, peak, windows, lengths, twins, cycles, starts)
