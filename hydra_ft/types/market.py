"""The market in the words that all layers share: bars, quotes, states, signals.

Times are UTC milliseconds since the epoch (``int``), prices are in quote currency,
quantities in base currency, ratios are 0..1. Arrays have one row per closed bar,
oldest first.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from hydra_ft.types.flow_columns import (
        BookColumns,
        FlowColumns,
        FootprintColumns,
        ForcedColumns,
        ValueColumns,
    )

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
CodeArray = NDArray[np.int16]


class Side(StrEnum):
    """Direction of a position."""

    LONG = "long"
    SHORT = "short"

    @property
    def sign(self) -> int:
        """+1 for long, -1 for short."""
        return 1 if self is Side.LONG else -1

    @property
    def opposite(self) -> Side:
        """The other side."""
        return Side.SHORT if self is Side.LONG else Side.LONG


class Feed(StrEnum):
    """A kind of input that a feature may need."""

    CANDLES = "candles"
    FUNDING = "funding"
    OPEN_INTEREST = "open_interest"
    TRADES = "trades"
    BOOK = "book"
    LIQUIDATIONS = "liquidations"


class Regime(IntEnum):
    """State of the market; CHOPPY means that nothing is traded."""

    CHOPPY = 0
    RANGING = 1
    UP = 2
    DOWN = 3


class Bias(IntEnum):
    """Directional bias of the higher timeframe; its value is its sign."""

    SHORT = -1
    NEUTRAL = 0
    LONG = 1


class EntryState(IntEnum):
    """Where the price stands to its average: far enough gone that trend followers wait."""

    WAITING = 0
    PULLBACK_READY = 1
    EXTENDED = 2


@dataclass(frozen=True, slots=True)
class Bars:
    """Closed bars of one pair and timeframe, all arrays of shape (n,), oldest first.

    ``funding_rate`` holds the rate settled within ``[time, time + step_ms)``, NaN where
    none was; ``open_interest`` the last known value within the bar in base units, NaN
    where unknown. ``long_liquidated`` and ``short_liquidated`` hold the quote notional of
    the longs and of the shorts that were liquidated within the bar (the side is that of
    the position, whatever side its closing order had): 0 where none were, NaN where the
    feed did not cover the whole bar; ``forced`` tells of them second by second. ``reference``
    is the close of what the contract follows (mark, index or spot) at the same times, NaN
    where unknown. ``flow`` holds what traded within the bar, ``value`` where that was to the
    volume profiles, ``footprint`` at which prices one side outweighed the other, ``book`` what
    rested meanwhile. Each is None when its feed is not carried at all.
    """

    time: IntArray
    step_ms: int
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    funding_rate: FloatArray | None = None
    open_interest: FloatArray | None = None
    long_liquidated: FloatArray | None = None
    short_liquidated: FloatArray | None = None
    flow: FlowColumns | None = None
    value: ValueColumns | None = None
    footprint: FootprintColumns | None = None
    book: BookColumns | None = None
    forced: ForcedColumns | None = None
    reference: FloatArray | None = None

    def __len__(self) -> int:
        return int(self.time.shape[0])


@dataclass(frozen=True, slots=True)
class Context:
    """State of the market at one closed bar."""

    regime: Regime
    regime_confidence: float
    bias: Bias
    bias_strength: float
    trend: float


@dataclass(frozen=True, slots=True)
class Signal:
    """One candidate entry; ``stop`` and ``target`` are fractions of the entry price."""

    name: str
    side: Side
    strength: float
    stop: float
    target: float
    max_hold_s: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a bar may trade; ``code`` is the first failing step, ``codes`` all of them."""

    allowed: bool
    code: str
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and ask with their sizes, at a time.

    The next level of each side is what the touch would be without our own child; its price
    is 0 where it is not known. ``volatility_bps`` is how far the mid typically moves within
    one second, in bps (it grows with the square root of time); 0 where it is not known.
    """

    best_bid: float
    best_ask: float
    bid_size: float
    ask_size: float
    tick_size: float
    at: int
    volatility_bps: float = 0.0
    next_bid: float = 0.0
    next_ask: float = 0.0
    next_bid_size: float = 0.0
    next_ask_size: float = 0.0

    @property
    def mid(self) -> float:
        """Arithmetic middle of best bid and best ask."""
        return (self.best_bid + self.best_ask) / 2

    @property
    def spread_bps(self) -> float:
        """Distance of the two touches, in bps of the mid."""
        return 1e4 * (self.best_ask - self.best_bid) / self.mid

    @property
    def imbalance(self) -> float:
        """Queue imbalance at the touch, -1 (all ask) to 1 (all bid); Gould & Bonart 2016."""
        total = self.bid_size + self.ask_size
        return (self.bid_size - self.ask_size) / total if total else 0.0

    @property
    def microprice(self) -> float:
        """Mid weighted by the opposite sizes; Stoikov 2018 calls it the weighted mid."""
        total = self.bid_size + self.ask_size
        if not total:
            return self.mid
        return (self.best_ask * self.bid_size + self.best_bid * self.ask_size) / total
