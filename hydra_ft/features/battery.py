"""Checks that every feature must survive, on any healthy bars.

Each check gives a list of faults in words, empty when there is none. They catch three
faults that look alike: reading the future (prefix), depending on where the data begins
(start), and changing what was given.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from hydra_ft.bars.candles import GROUPS, grouped, part
from hydra_ft.types import Bars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from hydra_ft.features.registry import Feature
    from hydra_ft.types import FloatArray

RELATIVE, ABSOLUTE = 1e-9, 1e-12


def same(left: FloatArray, right: FloatArray) -> bool:
    """Equal to a relative 1e-9, NaN equal to NaN."""
    return bool(np.allclose(left, right, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True))


def _to_the_last_digit(left: FloatArray, right: FloatArray) -> bool:
    return np.array_equal(left, right, equal_nan=True)


def prefix_faults(
    compute: Callable[[Bars], FloatArray], bars: Bars, cuts: Iterable[int]
) -> list[str]:
    """Cut the future off after ``cut`` rows: what is left must have the same values."""
    whole = compute(bars)
    return [
        f"prefix: cut after {cut} rows, values before the cut change"
        for cut in cuts
        if not same(compute(part(bars, 0, cut)), whole[:cut])
    ]


def start_faults(feature: Feature, bars: Bars, rows: Iterable[int]) -> list[str]:
    """Give only the last ``lookback`` + 1 bars: the last value must be the same.

    To its last digit, or a value would depend on whether a bot had computed it before; one that
    ``drifts`` to the precision of the other checks.
    """
    alike = same if feature.drifts else _to_the_last_digit
    whole = feature(bars)
    faults = []
    for row in rows:
        alone = feature(part(bars, row - feature.lookback, row + 1))
        if not alike(alone[-1:], whole[row : row + 1]):
            was = f"{whole[row]} on all bars and {alone[-1]} on lookback + 1"
            faults.append(f"start: row {row} was {was}")
    return faults


def input_faults(feature: Feature, bars: Bars) -> list[str]:
    """The bars that were given must be as before."""
    before = {name: np.copy(values) for name, values in _arrays(bars).items()}
    # Views on the same arrays, but bars that nothing has been remembered of.
    feature(part(bars, None, None))
    return [
        f"input: {name} was changed"
        for name, values in _arrays(bars).items()
        if not np.array_equal(values, before[name], equal_nan=True)
    ]


def _arrays(bars: Bars) -> dict[str, NDArray[Any]]:
    """All arrays that the bars consist of, by name."""
    names = [f.name for f in fields(Bars) if f.name not in {"step_ms", *GROUPS}]
    plain = {name: getattr(bars, name) for name in names}
    return {name: values for name, values in plain.items() if values is not None} | grouped(bars)


def value_faults(feature: Feature, bars: Bars) -> list[str]:
    """Shape, dtype, range, and NaN exactly before row ``lookback``."""
    values = feature(bars)
    if values.shape != (len(bars),) or values.dtype != np.float64:
        return [f"shape: expected float64 of {(len(bars),)}, was {values.dtype} {values.shape}"]
    faults = []
    late = np.isnan(values[feature.lookback :])
    if late.any():
        faults.append(f"warm-up: NaN in {late.sum()} rows from row {feature.lookback} on")
    if not np.isnan(values[: feature.lookback]).all():
        faults.append(f"warm-up: a value before row {feature.lookback}")
    known = values[~np.isnan(values)]
    if known.size and (known.min() < feature.low or known.max() > feature.high):
        expected = f"{feature.low}..{feature.high}"
        faults.append(f"range: expected {expected}, was {known.min()}..{known.max()}")
    return faults


def faults(feature: Feature, bars: Bars) -> list[str]:
    """All faults of a feature on bars longer than its lookback."""
    n = len(bars)
    cuts = sorted({feature.lookback + 1, (n + feature.lookback) // 2, n - 1})
    spaced = np.linspace(feature.lookback, n - 1, 8)
    rows = [int(row) for row in spaced]
    return [
        *input_faults(feature, bars),
        *value_faults(feature, bars),
        *prefix_faults(feature, bars, cuts),
        *start_faults(feature, bars, rows),
    ]
