"""One run of the whole measurement."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.backtest import cycle, exits, loop
from benchmarks.backtest.home import opened

if TYPE_CHECKING:
    from collections.abc import Callable


class Plan(NamedTuple):
    """How much is measured."""

    pairs: int
    own_days: float
    columns_days: float
    callback_days: float
    exit_days: float
    rounds: int


class Result(NamedTuple):
    """What was measured by a plan."""

    plan: Plan
    cycle: cycle.Cycle
    own: loop.Own
    columns: loop.Always
    callbacks: loop.Always
    exits: exits.Exits


FULL = Plan(pairs=250, own_days=20, columns_days=20, callback_days=3, exit_days=10, rounds=5)
QUICK = Plan(pairs=8, own_days=1, columns_days=1, callback_days=0.5, exit_days=1, rounds=1)


def measure(plan: Plan, said: Callable[[str], None]) -> Result:
    """Measure everything in a home that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as home:
        said("writing candles of the generated market")
        home.store(max(plan.own_days, plan.columns_days, plan.callback_days, plan.exit_days))
        live = cycle.measure(home, plan.pairs, said)
        own = loop.measure_own(home, plan.own_days, plan.rounds, said)
        columns, callbacks = (
            loop.measure_always(home, days, live.columns, plan.rounds, said, variants)
            for days, variants in (
                (plan.columns_days, loop.WHOLE),
                (plan.callback_days, loop.VARIANTS),
            )
        )
        left = exits.measure_exits(home, plan.own_days, plan.exit_days, plan.rounds, said)
    return Result(plan, live, own, columns, callbacks, left)
