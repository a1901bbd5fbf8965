"""The section of the calibration on order flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.execution.tables import table
from benchmarks.recorded.sets import minute, wrapped
from benchmarks.recorded.standing import (
    BIAS_SIZE,
    PERCENTILES,
    percentiles,
    standing,
    thresholds,
)
from benchmarks.recorded.takers import flow_thresholds

if TYPE_CHECKING:
    from benchmarks.recorded.takers import Takers
    from hydra_ft.decisions.rules import HeadRules


def section(found: Takers, head: HeadRules) -> str:
    """Write the section; every number in it is measured."""
    parts = ["## Order flow", _opening(found), _standings(found, head), _quantiles(found)]
    parts += [_bias_text(found, head), _exit_text(found), _exits(found)]
    return "\n\n".join(parts)


def _opening(found: Takers) -> str:
    first, last = (minute(at) for at in found.span)
    return wrapped(
        f"The only hours with the sides of trades are {found.hours} of one coin, SOL on OKX, "
        f"{first} to {last}: what is read from them is the least founded of this page. Thresholds "
        "were chosen on all of them; there is no later set."
    )


def _standings(found: Takers, head: HeadRules) -> str:
    rows = [
        (
            one.name,
            f"{one.value:.3g}",
            one.column,
            f"P{standing(found.columns[one.column], one.value):.0f}",
        )
        for one in flow_thresholds(head)
    ]
    return table(("default", "value", "of", "stands at"), rows)


def _quantiles(found: Takers) -> str:
    rows = [
        (name, f"{np.isfinite(values).sum():,}", *(f"{at:.4g}" for at in percentiles(values)))
        for name, values in found.columns.items()
    ]
    return table(("column", "bars", *(f"P{at}" for at in PERCENTILES)), rows)


def _bias_text(found: Takers, head: HeadRules) -> str:
    told = []
    for one in thresholds(head):
        if one.column == BIAS_SIZE:
            places = [
                standing(found.columns[f"{BIAS_SIZE} {name} trades"], one.value)
                for name in ("without", "with")
            ]
            told.append(f"`{one.name}` from P{places[0]:.0f} to P{places[1]:.0f}")
    return wrapped(
        f"Listing trades beside candles and funding moves, in the size of the bias score, "
        f"{', '.join(told)}."
    )


def _exit_text(found: Takers) -> str:
    return wrapped(
        f"How often the exits by flow ask: bars of 5m of a tape of five days (BTC/JPY on bitFlyer, "
        f"2018), {found.tape_bars:,} of them, {found.known:,} of which tell of both. The bias and "
        "the regime, which come first, are not looked at."
    )


def _exits(found: Takers) -> str:
    rows = [(f"`{tag}`", f"{long}", f"{short}") for tag, (long, short) in found.exits.items()]
    return table(("exit", "of longs", "of shorts"), rows)
