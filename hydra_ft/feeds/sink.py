"""What a recorder hands over, and what takes it: a store, a ring in memory, a test.

Times are UTC milliseconds since the epoch, prices in quote currency, quantities in base
currency, whatever the venue counts in. ``venue`` is ccxt's id (``binance``, ``bybit``,
``okx``), ``pair`` ccxt's symbol (``BTC/USDT:USDT``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from hydra_ft.types.flow import NO_ID, UNKNOWN

if TYPE_CHECKING:
    from hydra_ft.types import Feed, FloatArray, Side
    from hydra_ft.types.flow import Flow, TradeGrid, Trades


class GapReason(StrEnum):
    """Why something may be missing."""

    IDS = "ids"
    """Ids were skipped on a connection that stood."""
    CONNECTION = "connection"
    """The connection was lost, or silent for too long."""
    RESTART = "restart"
    """Nothing recorded between two runs."""
    OVERFLOW = "overflow"
    """A queue was full: what came was dropped here, and counted."""


@dataclass(frozen=True, slots=True)
class Liquidation:
    """A position that was closed by force; ``side`` is that of the position.

    ``quantity`` in base currency, ``price`` in quote currency: what was paid where the venue
    says so, else the price of bankruptcy.
    """

    venue: str
    pair: str
    time: int
    side: Side
    price: float
    quantity: float

    @property
    def notional(self) -> float:
        """Value in quote currency."""
        return self.price * self.quantity


@dataclass(frozen=True, slots=True)
class BookSample:
    """The best levels of both sides, best first, shape (n, 2): price and quantity (base)."""

    venue: str
    pair: str
    time: int
    bids: FloatArray
    asks: FloatArray


@dataclass(frozen=True, slots=True)
class FeedGap:
    """A stretch of a feed that is not whole, or had to be mended.

    ``missing`` ids between ``first_id`` and ``last_id`` (both included) never came: 0 where
    all of them were fetched later and counted. Where the venue gives no ids that prove
    anything, both are ``NO_ID``, ``missing`` is -1, and only the times say what is doubtful.
    A gap is known by (venue, pair, feed, start, first_id): the same one may come again, with
    a later end or fewer missing.
    """

    venue: str
    pair: str
    feed: Feed
    reason: GapReason
    start: int
    stop: int
    first_id: int = NO_ID
    last_id: int = NO_ID
    missing: int = -1


@dataclass(frozen=True, slots=True)
class Covered:
    """A stretch in which a feed without ids stood: what did not come did not happen.

    Of trades nothing is said here: their bars say what of them is covered.
    """

    venue: str
    pair: str
    feed: Feed
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class PairFlow:
    """Flow bars of one pair that have closed."""

    venue: str
    pair: str
    flow: Flow


@dataclass(frozen=True, slots=True)
class PairTrades:
    """Raw trades of one pair, in the order in which they were counted."""

    venue: str
    pair: str
    trades: Trades


@dataclass(frozen=True, slots=True)
class Batch:
    """All that has come since the last one; ``trades`` only where raw trades are wanted."""

    flows: tuple[PairFlow, ...] = ()
    liquidations: tuple[Liquidation, ...] = ()
    books: tuple[BookSample, ...] = ()
    gaps: tuple[FeedGap, ...] = ()
    trades: tuple[PairTrades, ...] = ()
    covered: tuple[Covered, ...] = ()

    def __len__(self) -> int:
        parts = (
            self.flows,
            self.liquidations,
            self.books,
            self.gaps,
            self.trades,
            self.covered,
        )
        return sum(len(part) for part in parts)


@dataclass(frozen=True, slots=True)
class Resume:
    """Where the flow of a pair was left: what goes on begins after this id and this time.

    It is the end of the newest *bar* that is kept, not of its sub-bars: a bar that was open
    when the recorder ended is built anew, from its first trade, where the venue still has it.
    """

    last_id: int = NO_ID
    last_price_ticks: int = UNKNOWN
    closed_until: int = 0
    bin_size: float = 0.0
    """Width of the footprint's bins that are kept, in quote currency; 0 where not known."""
    grid: TradeGrid | None = None
    """Steps in which ``last_price_ticks`` is told; None where they are those of now."""


class Sink(Protocol):
    """Takes what a recorder has folded. Written to by one thread at a time, never the loop's.

    ``resume`` of a pair that joins later is asked beside that.
    """

    def resume(self, venue: str, pair: str) -> Resume | None:
        """Where the flow of a pair was left, None where there is none.

        Raises StoreError where that cannot be read.
        """
        ...

    def write(self, batch: Batch) -> None:
        """Keep a batch as a whole or not at all; the same one may come twice.

        Raises StoreError where it cannot be kept: the recorder tries again, and drops (and
        counts, and marks) what does not fit into its queue meanwhile.
        """
        ...

    def close(self) -> None:
        """Let go of what is held; nothing comes afterwards."""
        ...
