"""The reference page of the features, rendered from their declarations."""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING

from hydra_ft.bars import microprice
from hydra_ft.features import (
    absorption,
    audited,
    basis,
    book,
    footprint,
    funding,
    impact,
    order_flow,
    scalper,
    value,
    vpin,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hydra_ft.features.registry import Feature

_HEAD = """# Features

Written by `hydra_ft.features.documentation` from the registry: change a declaration, then
run `python -m hydra_ft.features.documentation > docs/features.md`.

A value at a bar depends on that bar and the `lookback` bars before it, and on nothing else;
before that it is NaN. Where it is named with the lookback that a feature drifts, the last digits of
its values depend on where the bars begin: a bot computes it on all bars each time, the others on
the newest alone. Of which older trades the columns of those bars are made is named there, too:
bins of a volume profile have the size that goes with the first trade of their day, and the previous
profile is that of a whole day. So value is known from the first day (UTC) on of which the beginning
is there, and the previous one from the second. Windows are in bars of the feature's own timeframe
and stand at the end of its name. Exponential means are cut to 4 spans and Wilder's to 8 periods,
with their weights divided by their sum. A column is named feature and timeframe, as `ema_20_1h`.

What needs trades reads the columns that `bars.flow_columns.with_flow` puts beside the bars,
one row a bar: what is not whole is NaN there, but a profile may lack half a per cent of its
time, trades and volume. Time and volume beyond value are those of each bar by the value of its
own day: 12 bars across midnight are by two of them, and nothing is accepted then, nor rejected.
On bars shorter than a minute, which are made of trades themselves, the scalper's features and
changes of the close are unknown where trades are missing. The rolling profile is that of the
last half hour, the previous one that of the day before (UTC); its value is what acceptance is held
against. What needs the book reads those of `bars.book_columns`, from samples a second apart: a
head that lists `book` has them. What needs single liquidations reads those of
`bars.forced_columns`: a head that lists `liquidations` has them where one of its columns does. The
basis needs a price to hold the close against: a head has the mark's, of freqtrade's candles; other
code may give the index or the spot (`bars.beside.with_reference`). Hours in the names are those of
5m bars: 12 are one, 48 are four.
"""
_AUDITED = """## what was asked for, and where it is

Each row of the audited systems' features, in its sound form, and what was asked for beside them.

"""
_TAIL = """## functions of arrays

What has no bars for its input: the tape, the book, records of a venue. Sides, units, shapes
and sources stand in their docstrings. No value sees a later row; `microprice.fitted` makes a
table of the past, for rows after it.

![book](pictures/book.svg)

![tape](pictures/tape.svg)

| function | what it gives |
|---|---|
"""
ARRAY_FUNCTIONS: tuple[Callable[..., object], ...] = (
    book.order_flow_events,
    book.summed,
    book.imbalance,
    book.depth,
    book.weighted_mid,
    microprice.fitted,
    microprice.microprice,
    vpin.bucket_imbalance,
    vpin.vpin,
    vpin.bulk_buy_share,
    impact.kyle_lambda,
    impact.signed_root,
    vpin.windowed,
    basis.premium,
    basis.annualised_basis,
    basis.unusual,
    footprint.nearest,
    funding.paid_within,
    scalper.hit_rates,
    order_flow.velocity,
    order_flow.persistence,
    order_flow.flips,
    absorption.absorbed,
    value.accepted,
)
PICTURES = (
    *("averages", "crosses", "funding", "liquidity", "momentum", "open_interest", "ranges"),
    *("retests", "scalper", "structure", "trend", "variance_ratio", "volatility", "vwap"),
    *("absorption", "order_flow", "value", "footprint", "impact", "vpin"),
    *("order_book", "sweeps", "cascades", "liquidations", "basis"),
    *("book", "tape"),
)
"""Families that ``benchmarks.recorded.pictures`` draws: all of them, and functions of arrays."""
_COLUMNS = ("feature", "what it says", "formula", "lookback", "units", "range", "feeds", "source")


def _bound(value: float) -> str:
    return "" if math.isinf(value) else f"{round(value, 6):g}"


def _row(feature: Feature) -> str:
    text = (feature.compute.__doc__ or "").strip().splitlines()[0]
    drifts = "drifts in its last digits" if feature.drifts else ""
    cells = (
        f"`{feature.name}`",
        text,
        f"`{feature.formula}`",
        "; ".join(filter(None, (str(feature.lookback), feature.reach, drifts))),
        feature.units,
        f"{_bound(feature.low)} .. {_bound(feature.high)}",
        ", ".join(feature.feeds),
        feature.reference,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def render(features: Mapping[str, Feature]) -> str:
    """Markdown page with one table per family, families and features sorted by name."""
    ordered = sorted(features.values(), key=lambda feature: (feature.family, feature.name))
    parts = [_HEAD]
    for family, members in groupby(ordered, key=lambda feature: feature.family):
        head = f"| {' | '.join(_COLUMNS)} |\n|{'---|' * len(_COLUMNS)}"
        rows = "\n".join(_row(feature) for feature in members)
        name = family.replace("_", " ")
        picture = f"![{name}](pictures/{family}.svg)\n\n" if family in PICTURES else ""
        parts.append(f"## {name}\n\n{picture}{head}\n{rows}\n")
    parts.append(f"{_AUDITED}{audited.render()}\n")
    return "\n".join([*parts, _TAIL + "".join(map(_described, ARRAY_FUNCTIONS))])


def _described(function: Callable[..., object]) -> str:
    """Row of a function of arrays: where it is, and the first line of its docstring."""
    module = function.__module__.rpartition(".")[2]
    text = (function.__doc__ or "").strip().splitlines()[0].replace("``", "`").replace("|", "\\|")
    return f"| `{module}.{function.__name__}` | {text} |\n"


if __name__ == "__main__":
    import sys

    from hydra_ft.features.registry import FEATURES

    sys.stdout.write(render(FEATURES))
