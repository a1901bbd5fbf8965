"""The edge where trades come in: units, types and shapes are settled here, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from hydra_ft.errors import DataError
from hydra_ft.types.flow import Trades

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from hydra_ft.types import IntArray

_UNITS: Final = ((1e11, "s"), (1e14, "ms"), (1e17, "us"), (float("inf"), "ns"))
"""Stamps below each bound are of that unit: what is a time of 1973 or later in one of them is
before 1973, or thousands of years off, in the others."""


def unit_of(stamp: float) -> str:
    """Unit of a time stamp since the epoch, by its size: ``s``, ``ms``, ``us`` or ``ns``."""
    return next(unit for bound, unit in _UNITS if stamp < bound)


def milliseconds(stamps: ArrayLike) -> IntArray:
    """Time stamps of any of the four units in milliseconds, shape (n,).

    Raises DataError where stamps are no whole numbers, units are mixed, or one is not positive.
    """
    given = np.asarray(stamps)
    if given.size and given.dtype.kind not in "iu":
        raise DataError(f"time: expected whole numbers, was {given.dtype}; which unit are they in?")
    values = np.asarray(given, dtype=np.int64)
    if not values.size:
        return values
    least, most = int(values.min()), int(values.max())
    unit = unit_of(most)
    if least <= 0 or unit_of(least) != unit:
        raise DataError(f"time: expected stamps of one unit, was {least} and {most}")
    if unit == "s":
        return np.asarray(values * 1_000, dtype=np.int64)
    return np.asarray(values // {"ms": 1, "us": 1_000, "ns": 1_000_000}[unit], dtype=np.int64)


def bar_start(time: int, step_ms: int) -> int:
    """Time at which the bar opened that a time lies in, both in milliseconds."""
    return time // step_ms * step_ms


def trades_from(
    id_: ArrayLike,
    time: ArrayLike,
    price: ArrayLike,
    quantity: ArrayLike,
    side: ArrayLike,
) -> Trades:
    """Trades from arrays of shape (n,); what has the right type is taken as it is, uncopied.

    ``side`` is 1 where the taker bought, -1 where he sold; ids of -1 are unknown. Raises
    DataError where lengths differ or times are not in milliseconds. That prices, quantities
    and sides can be is seen in the fold, which looks at every trade anyway.
    """
    trades = Trades(
        id=np.ascontiguousarray(id_, dtype=np.int64),
        time=np.ascontiguousarray(time, dtype=np.int64),
        price=np.ascontiguousarray(price, dtype=np.float64),
        quantity=np.ascontiguousarray(quantity, dtype=np.float64),
        side=np.ascontiguousarray(side, dtype=np.int8),
    )
    shape = trades.time.shape
    for name in ("id", "time", "price", "quantity", "side"):
        found = getattr(trades, name).shape
        if found != shape or len(found) != 1:
            raise DataError(f"{name}: expected shape (n,) like time, was {found} and {shape}")
    if len(trades):
        for stamp in (int(trades.time.min()), int(trades.time.max())):
            if unit_of(stamp) != "ms":
                raise DataError(
                    f"time: expected milliseconds since 1970, was {stamp} ({unit_of(stamp)}); "
                    "give them through milliseconds()"
                )
    return trades
