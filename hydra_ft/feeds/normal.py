"""What every venue's trades and liquidations become: one meaning of side, size, unit and id.

The functions of a venue read the payload as the venue documents it, not what a library made
of it, and nothing else: no clock, no connection.

- The side of a trade is the aggressor's: 1 where the taker bought, -1 where he sold.
- The side of a liquidation is that of the position that was closed.
- Quantities are in base currency, times in UTC milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import numpy as np

from hydra_ft.bars.flow_trades import trades_from, unit_of
from hydra_ft.errors import DataError
from hydra_ft.types.flow import NO_ID, Trades

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hydra_ft.types import BoolArray, Side
    from hydra_ft.types.flow import TradeGrid

    Payload = Mapping[str, Any]

BUY: Final = 1
SELL: Final = -1
_OFF_GRID: Final = 1e-4
"""How far from a whole tick or lot a number may be, in ticks or lots, as a float is."""
_PER_MS: Final = {"ms": 1, "us": 1_000, "ns": 1_000_000}


@dataclass(frozen=True, slots=True)
class Contract:
    """What one unit of a venue's quantity is.

    ``size`` is in base currency, or in quote currency for an inverse contract; 1 where
    quantities are in base currency anyway.
    """

    size: float = 1.0
    is_inverse: bool = False

    def base(self, quantity: float, price: float) -> float:
        """Quantity in base currency of so many contracts at a price."""
        return quantity * self.size / price if self.is_inverse else quantity * self.size


class PublicTrade(NamedTuple):
    """A trade, or several that the venue tells as one.

    ``first_id`` to ``last_id`` are the venue's ids that it stands for, ``NO_ID`` where they
    are not numbers; ``key`` is what names it among the trades of its pair.
    """

    first_id: int
    last_id: int
    time: int
    price: float
    quantity: float
    side: int
    key: str


class Forced(NamedTuple):
    """A position that was closed by force; ``market`` is the venue's name of the contract."""

    market: str
    time: int
    side: Side
    price: float
    quantity: float


class ReadForced(Protocol):
    """Reads a liquidation payload, which may tell of several."""

    def __call__(self, payload: Payload, contract: Contract) -> tuple[Forced, ...]:
        """Give the positions that it tells of; raises DataError where it cannot be read."""
        ...


@dataclass(frozen=True, slots=True)
class Venue:
    """How one venue tells of trades and liquidations.

    ``has_id_ranges`` says that ids of a pair follow each other without a hole, so that a
    hole is a loss; ``trade_params`` is what ccxt.pro needs to be told to get such trades;
    ``refetch`` builds the parameters with which ccxt's ``fetch_trades`` gives trades from an
    id on, None where the venue has no such route.
    """

    name: str
    trade: Callable[[Payload, Contract], PublicTrade]
    forced: ReadForced
    has_id_ranges: bool
    trade_params: Mapping[str, Any]
    refetch: Callable[[int], dict[str, Any]] | None = None
    bunches_trades: bool = False
    """Whether one payload may stand for several ids."""


def stamp_ms(stamp: Any) -> int:
    """Time stamp of any unit, a number or its text, in milliseconds.

    Raises DataError for what is no time since 1973.
    """
    try:
        value = int(stamp)
    except (TypeError, ValueError) as error:
        raise DataError(f"time: expected milliseconds since 1970, was {stamp!r}") from error
    if value <= 0:
        raise DataError(f"time: expected milliseconds since 1970, was {value}")
    unit = unit_of(value)
    return value * 1_000 if unit == "s" else value // _PER_MS[unit]


def amount(payload: Payload, name: str) -> float:
    """Positive number of a payload; raises DataError where it is not there, or not one."""
    text = payload.get(name)
    try:
        value = float(text) if text is not None else float("nan")
    except (TypeError, ValueError):
        value = float("nan")
    if not 0 < value < float("inf"):
        raise DataError(f"{name}: expected a positive number, was {text!r} in {dict(payload)}")
    return value


def one_of(payload: Payload, name: str, meanings: Mapping[Any, Any]) -> Any:
    """Meaning of a field with few values; raises DataError for any other value."""
    value = payload.get(name)
    if value not in meanings:
        expected = ", ".join(map(repr, meanings))
        raise DataError(f"{name}: expected one of {expected}, was {value!r} in {dict(payload)}")
    return meanings[value]


def whole(payload: Payload, name: str) -> int:
    """Id of a payload; raises DataError where it is no whole number."""
    value = payload.get(name)
    if not str(value).isdigit():
        raise DataError(f"{name}: expected a whole number, was {value!r} in {dict(payload)}")
    return int(str(value))


def as_arrays(trades: Sequence[PublicTrade]) -> Trades:
    """Trades as arrays of shape (n,); the id is the last one that a trade stands for."""
    if not trades:
        return trades_from([], [], [], [], [])
    _, ids, times, prices, quantities, sides, _ = zip(*trades, strict=True)
    return trades_from(
        np.array(ids, dtype=np.int64),
        np.array(times, dtype=np.int64),
        np.array(prices),
        np.array(quantities),
        np.array(sides, dtype=np.int8),
    )


def on_grid(trades: Trades, grid: TradeGrid) -> BoolArray:
    """Whether price and quantity of each trade are whole ticks and lots, shape (n,)."""
    ticks = trades.price * grid.ticks_per_quote
    lots = trades.quantity * grid.lots_per_base
    fits: BoolArray = (np.abs(ticks - np.rint(ticks)) < _OFF_GRID) & (np.rint(ticks) >= 1)
    return fits & (np.abs(lots - np.rint(lots)) < _OFF_GRID) & (np.rint(lots) >= 1)


def numbered(number: int) -> tuple[int, int, str]:
    """Ids and key of a trade that has one number."""
    return number, number, str(number)


def named(name: str) -> tuple[int, int, str]:
    """Ids and key of a trade whose id is no number."""
    return NO_ID, NO_ID, name
