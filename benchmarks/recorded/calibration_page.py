"""The page of the calibration; every sentence with a number in it is made from the numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.execution.tables import table
from benchmarks.recorded.dwell import WHIPSAW_BARS, Dwell
from benchmarks.recorded.sets import minute, wrapped
from benchmarks.recorded.standing import PERCENTILES, percentiles, standing, thresholds
from benchmarks.recorded.takers_page import section
from hydra_ft.bars.candles import timeframe_ms
from hydra_ft.types import Bias, Regime

if TYPE_CHECKING:
    from collections.abc import Sequence
    from enum import IntEnum

    from benchmarks.recorded.market_states import SetState
    from benchmarks.recorded.takers import Takers
    from hydra_ft.decisions.rules import HeadRules
    from hydra_ft.types import IntArray

EXPECTED_SHARE = (0.20, 0.30)
"""What the bias gate is expected to remove of the bars on which a signal fires."""

_OPENING = """\
Written by `make calibration`; do not edit. What the thresholds of regime and bias were set from, on
the earlier set, and where the same values stand on the later one, on which nothing was chosen. Past
markets say nothing about future ones."""

_STANDS = """\
The percentile of a default is the share of hourly bars whose value is at or below it. These sets
have no trades: what is set from those stands under order flow."""

_DWELL = f"""\
A stay is a run of equal states between two switches; stays at the edges of a recording are left
out. A switch is undone (a whipsaw) when the state before it comes back within {WHIPSAW_BARS} bars.
Without hysteresis is what each bar proposes by its scores alone, on the same bars."""

_GATE = """\
Base bars on which a signal fires in a regime that permits it, and the share of them on which the
bias blocks its side; `any` counts the bars on which at least one signal fires, and on which at
least one is blocked."""


def render(states: Sequence[SetState], head: HeadRules, takers: Takers | None = None) -> str:
    """Write the whole page; the section on order flow where that was measured."""
    hours = timeframe_ms(head.market) / 3_600_000
    parts = ["# Calibration of regime and bias", _OPENING, "## Data", _data(states)]
    parts += ["## Where each default stands", _STANDS, _standings(states, head)]
    parts += [_moved(states, head), "## Quantiles"]
    for state in states:
        parts += [f"### {_title(state)}", _quantiles(state)]
    parts += ["## Regime", _shares(states, Regime, [state.regime for state in states])]
    parts += [_DWELL, _dwells(states, hours), _steadier(states, hours)]
    parts += ["## Bias", _shares(states, Bias, [state.bias for state in states])]
    parts += [_GATE, _fired(states), _expected(states)]
    parts += [section(takers, head)] if takers else []
    parts += ["## How to reproduce it", _reproduce(states)]
    return "\n\n".join(parts) + "\n"


def _title(state: SetState) -> str:
    return f"{state.about.name} ({state.about.place})"


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4g}"


def _percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.1f} %"


def _days(state: SetState) -> str:
    first = min(begin for begin, _ in state.spans.values())
    last = max(end for _, end in state.spans.values())
    return f"{minute(first):.10} to {minute(last):.10}"


def _data(states: Sequence[SetState]) -> str:
    rows = [
        (
            f"{_title(state)}: {state.about.role}",
            ", ".join(symbol.removesuffix("USDT") for symbol in state.spans),
            _days(state),
            f"{len(next(iter(state.columns.values()))):,}",
            f"{state.regime.size:,}",
        )
        for state in states
    ]
    return table(("set", "pairs", "days", "bars of 1h", "with a known regime"), rows)


def _standings(states: Sequence[SetState], head: HeadRules) -> str:
    rows = [
        (
            f"`{one.name}`",
            _number(one.value),
            one.column,
            *(f"P{standing(state.columns[one.column], one.value):.0f}" for state in states),
        )
        for one in thresholds(head)
    ]
    return table(("default", "value", "of", *map(_title, states)), rows)


def _moved(states: Sequence[SetState], head: HeadRules) -> str:
    """Name the default whose percentile differs most between the first and the last set."""
    first, last = states[0], states[-1]
    moves = [
        (abs(b - a), one.name, a, b)
        for one in thresholds(head)
        for a, b in [
            [standing(state.columns[one.column], one.value) for state in (first, last)],
        ]
    ]
    size, name, a, b = max(moves)
    return wrapped(
        f"Between {first.about.name} and {last.about.name} `{name}` moves most: from P{a:.0f} to "
        f"P{b:.0f}, by {size:.0f} points."
    )


def _quantiles(state: SetState) -> str:
    rows = [
        (name, f"{np.isfinite(values).sum():,}", *map(_number, percentiles(values)))
        for name, values in state.columns.items()
    ]
    return table(("column", "bars", *(f"P{at}" for at in PERCENTILES)), rows)


def _shares(states: Sequence[SetState], kind: type[IntEnum], found: Sequence[IntArray]) -> str:
    rows = [
        (one.name, *(_percent(float(np.mean(values == one))) for values in found)) for one in kind
    ]
    return table(("share of bars", *map(_title, states)), rows)


def _dwells(states: Sequence[SetState], hours: float) -> str:
    rows = [
        (f"{state.about.name}, {name} hysteresis", *_dwell_cells(found, hours))
        for state in states
        for name, found in (("with", state.held), ("without", state.proposed))
    ]
    head = ("set", "stays", "P10, h", "median, h", "P90, h", "switches a day", "undone")
    return table(head, rows)


def _dwell_cells(found: Dwell, hours: float) -> tuple[str, ...]:
    lengths = (f"{found.length_at(at) * hours:.0f}" for at in (10, 50, 90))
    per_day = found.switches_per_bar * 24 / hours
    return (f"{found.lengths.size:,}", *lengths, f"{per_day:.2f}", _percent(found.whipsaw_rate))


def _steadier(states: Sequence[SetState], hours: float) -> str:
    lines = [
        f"On {state.about.name} hysteresis takes the switches of a pair from "
        f"{state.proposed.switches_per_bar * 24 / hours:.2f} to "
        f"{state.held.switches_per_bar * 24 / hours:.2f} a day, and those that are undone from "
        f"{_percent(state.proposed.whipsaw_rate)} to {_percent(state.held.whipsaw_rate)}."
        for state in states
    ]
    return wrapped(" ".join(lines))


def _fired(states: Sequence[SetState]) -> str:
    rows = [
        (
            same[0].name,
            *(cell for one in same for cell in (f"{one.fired:,}", _percent(one.share))),
        )
        for same in zip(*(state.fired for state in states), strict=True)
    ]
    heads = [cell for state in states for cell in (f"{state.about.name}: fires", "removed")]
    return table(("signal", *heads), rows)


def _expected(states: Sequence[SetState]) -> str:
    """Say of each set whether the gate removes what is expected of it, and which signals not."""
    low, high = EXPECTED_SHARE
    lines = []
    for state in states:
        *signals, total = state.fired
        off = [
            f"{one.name} {_percent(one.share)}"
            for one in signals
            if one.fired and not low <= one.share <= high
        ]
        lines.append(
            f"On {state.about.name} a signal fires on {_percent(total.fired / state.base_bars)} of "
            f"{state.base_bars:,} base bars, and the gate acts on {_percent(total.share)} of those "
            f"(expected: {100 * low:.0f} to {100 * high:.0f} %). Outside of that range: "
            f"{', '.join(off) or 'none'}."
        )
    return wrapped(" ".join(lines))


def _reproduce(states: Sequence[SetState]) -> str:
    sets = " and ".join(f"`ohlcv/{state.about.name}`" for state in states)
    return f"""\
With {sets} in the folder `HYDRA_TEST_DATA` (and,
for order flow, `ohlcv/okx_2026jun_sol`, `derivs/okx_sol_2026jun` and `trades/bitflyer_201801`); the
candles of 1h and 4h are sums of those of 5m:

```
HYDRA_TEST_DATA=/path/to/data make calibration
```"""
