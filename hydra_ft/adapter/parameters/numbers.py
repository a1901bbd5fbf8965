"""A declared number as a freqtrade parameter: its default, its bounds, its space."""

from __future__ import annotations

from decimal import Decimal
from math import ceil, log10
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from freqtrade.strategy import (
    BooleanParameter,
    CategoricalParameter,
    DecimalParameter,
    IntParameter,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade.strategy.parameters import BaseParameter

FINEST, STEPS = 6, 100
"""Decimals that a number is searched with at most, and steps at least."""


def parameter(
    hint: object,
    value: Any,
    space: str,
    search: tuple[float, float],
    *,
    choices: Sequence[Any] = (),
    optimize: bool = False,
) -> BaseParameter:
    """Return the parameter of a declared type, with a range that includes the value.

    ``search`` is the least and the greatest value worth a search; it is cut to the declared
    bounds. ``choices`` are those of a Literal, all of it where empty.
    """
    base = base_type(hint)
    common: dict[str, Any] = {"default": value, "space": space, "optimize": optimize, "load": True}
    if base is bool:
        return BooleanParameter(**common)
    if get_origin(base) is Literal:
        found = tuple(choices) or get_args(base)
        return CategoricalParameter(list(dict.fromkeys((*found, value))), **common)
    least, greatest = bounds(hint)
    low, high = max(search[0], least), min(search[1], greatest)
    low, high = min(low, value), max(high, value)
    if base is int:
        return IntParameter(int(low), max(int(high), int(low) + 1), **common)
    # Freqtrade rounds a default to the decimals of the search.
    decimals = max(decimals_of(value), decimals_of(low), decimals_of(high), _enough(low, high))
    return DecimalParameter(float(low), float(high), decimals=decimals, **common)


def base_type(hint: object) -> Any:
    """Type that stands in ``Annotated``, or the type itself."""
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def bounds(hint: object) -> tuple[float, float]:
    """Least and greatest value of a number as it is declared."""
    low, high = float("-inf"), float("inf")
    limits: tuple[Any, ...] = getattr(hint, "__metadata__", ())
    for limit in limits:
        match limit:
            case Ge() | Gt():
                low = float(getattr(limit, "ge", getattr(limit, "gt", low)))
            case Le() | Lt():
                high = float(getattr(limit, "le", getattr(limit, "lt", high)))
            case _:
                pass
    return low, high


def decimals_of(value: float) -> int:
    """Decimals that a number is written with, ``FINEST`` at most."""
    exponent = Decimal(repr(float(value))).normalize().as_tuple().exponent
    return min(FINEST, max(0, -int(exponent)))


def _enough(low: float, high: float) -> int:
    """Decimals that give a search at least ``STEPS`` steps."""
    return min(FINEST, max(0, ceil(log10(STEPS / (high - low))))) if high > low else FINEST
