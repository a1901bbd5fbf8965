"""Every feature, declared once.

A feature is a function ``name(bars) -> array`` of shape (n,), float64, whose value at row t
depends on rows t - lookback .. t alone: on the columns of these rows, some of which are made of
older trades, as ``reach`` tells. From its declaration come the warm-up, the plots,
the columns for FreqAI, the documentation and the generated tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np

from hydra_ft.errors import DeclarationError
from hydra_ft.types import Bars, Feed, FloatArray

if TYPE_CHECKING:
    from collections.abc import Iterable

Compute = Callable[[Bars], FloatArray]
NAMED_GROUPS = ("forced", "reference")
"""Fields of bars that are laid only where a feature that is wanted names them."""
Found = TypeVar("Found", FloatArray, tuple[FloatArray, FloatArray])


@dataclass(frozen=True, slots=True)
class Feature:
    """Declaration of one feature.

    ``lookback`` is the number of earlier bars, of the feature's own timeframe, that a value
    needs; before that row it is NaN. ``low`` and ``high`` bound every value. ``panel`` is
    the FreqUI panel: ``main`` (drawn over the price) or the name of a subplot. ``reach`` says
    of which older trades the columns of those bars are made; empty where of none. ``groups``
    are columns that it reads and that lie beside the bars only where a feature names them.
    ``drifts`` tells that the last digits of a value depend on where the bars begin, as those of
    a sum that runs through all of them do.
    """

    name: str
    family: str
    compute: Compute
    feeds: tuple[Feed, ...]
    formula: str
    reference: str
    lookback: int
    units: str
    low: float
    high: float
    panel: str
    reach: str = ""
    groups: tuple[str, ...] = ()
    drifts: bool = False

    def __call__(self, bars: Bars) -> FloatArray:
        """Compute the feature; a zero denominator gives NaN without a warning."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.compute(bars)


class _Shelf:
    """What was computed of the bars that were looked at last, by function."""

    def __init__(self, bars: Bars | None = None) -> None:
        self.bars = bars
        self.found: dict[object, object] = {}


_shelves = [_Shelf()]


def shared(compute: Callable[[Bars], Found]) -> Callable[[Bars], Found]:
    """Compute once for the same bars, so that several features can be built on one.

    Only the bars asked for last are remembered, by identity: the features of a frame are
    computed one after another. Bars are never written to, and what is shared is made
    read-only. With several threads a result may be computed twice, and is never mixed up.
    """

    @wraps(compute)
    def once(bars: Bars) -> Found:
        shelf = _shelves[0]
        if shelf.bars is not bars:
            shelf = _shelves[0] = _Shelf(bars)
        if compute not in shelf.found:
            found = compute(bars)
            for values in found if isinstance(found, tuple) else (found,):
                values.flags.writeable = False
            shelf.found[compute] = found
        return cast("Found", shelf.found[compute])

    return once


_REGISTERED: dict[str, Feature] = {}
FEATURES: Mapping[str, Feature] = MappingProxyType(_REGISTERED)


def feature(
    *,
    feeds: Iterable[Feed],
    formula: str,
    reference: str,
    lookback: int,
    units: str,
    low: float = -np.inf,
    high: float = np.inf,
    panel: str,
    reach: str = "",
    groups: Iterable[str] = (),
    drifts: bool = False,
) -> Callable[[Compute], Compute]:
    """Register the decorated function as a feature under its own name.

    Raises DeclarationError when the name is taken or a field is empty or impossible.
    """

    def register(compute: Compute) -> Compute:
        name = getattr(compute, "__name__", "")
        family = compute.__module__.rpartition(".")[2]
        told = (formula, reference, lookback, units, low, high, panel, reach)
        made = Feature(name, family, compute, tuple(feeds), *told, tuple(groups), drifts)
        check(made)
        if name in _REGISTERED:
            raise DeclarationError(f"feature {name!r}: the name is declared twice")
        _REGISTERED[name] = made
        return compute

    return register


def check(made: Feature) -> None:
    """Raise DeclarationError unless the declaration can be true."""
    for field in ("name", "formula", "reference", "units", "panel"):
        if not str(getattr(made, field)).strip():
            raise DeclarationError(f"feature {made.name!r}: {field} is empty")
    if not made.feeds:
        raise DeclarationError(f"feature {made.name!r}: feeds is empty; candles at least")
    unknown = set(made.groups).difference(NAMED_GROUPS)
    if unknown:
        expected = f"groups must be of {NAMED_GROUPS}"
        raise DeclarationError(f"feature {made.name!r}: {expected}, was {sorted(unknown)}")
    if made.lookback < 0:
        was = made.lookback
        raise DeclarationError(f"feature {made.name!r}: lookback must not be negative, was {was}")
    if not made.low < made.high:
        raise DeclarationError(f"feature {made.name!r}: low {made.low} is not below {made.high}")


def column_key(name: str, timeframe: str) -> str:
    """Key of a feature's column on a timeframe, as ``ema_20_1h``."""
    return f"{name}_{timeframe}"


def split_key(key: str) -> tuple[str, str]:
    """Name and timeframe of a column key; the timeframe follows the last underscore."""
    name, _, timeframe = key.rpartition("_")
    return name, timeframe


def selected(names: Iterable[str]) -> tuple[Feature, ...]:
    """Declarations of the named features, sorted by name.

    Raises DeclarationError, with the unknown name, when one is not registered.
    """
    unique = sorted(set(names))
    unknown = [name for name in unique if name not in FEATURES]
    if unknown:
        raise DeclarationError(f"no feature is named {unknown[0]!r}; known: {sorted(FEATURES)}")
    return tuple(FEATURES[name] for name in unique)
