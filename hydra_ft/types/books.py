"""What freqtrade's database holds, as plain values, for whoever compares it with an exchange."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class BookedOrder:
    """An order as freqtrade's database has it; ``side`` is buy, sell or stoploss.

    ``is_open`` says that freqtrade looks after it: its trade is open too. ``is_adopted``
    says that it did not send it, or lost it, and found it on the exchange later. ``trade`` is the
    number of its trade, ``tag`` what it was sent for.
    """

    pair: str
    order_id: str
    side: str
    filled: float
    is_open: bool
    is_adopted: bool = False
    trade: int = 0
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Books:
    """Freqtrade's database at one moment: signed quantities by pair, and all orders."""

    held: Mapping[str, float] = field(default_factory=dict)
    orders: Sequence[BookedOrder] = ()

    def open_ids(self, pair: str, *, stops: bool = False) -> frozenset[str]:
        """Ids of the orders, or of the stops, of a pair that freqtrade holds for open."""
        return frozenset(
            order.order_id
            for order in self.orders
            if order.pair == pair and order.is_open and (order.side == "stoploss") is stops
        )


@dataclass(frozen=True, slots=True)
class BookedTrade:
    """A trade as freqtrade's database has it, amounts in quote currency, times UTC ms.

    ``quantity`` is what is held, signed; ``stop`` is the price of its stop, ``profit_quote`` what
    has been realised, ``closed_at`` 0 while it is open. ``stance`` is what Hydra keeps with it,
    ``taken`` what orders with the tag of a partial exit have filled.
    """

    number: int
    pair: str
    is_short: bool
    is_open: bool
    quantity: float
    open_rate: float
    stop: float
    profit_quote: float
    fee_open: float
    fee_close: float
    exit_reason: str
    opened_at: int
    closed_at: int = 0
    stance: Mapping[str, Any] = field(default_factory=dict)
    taken: float = 0.0

    @property
    def sign(self) -> int:
        """1 for a long, -1 for a short."""
        return -1 if self.is_short else 1


@dataclass(frozen=True, slots=True)
class BookedLock:
    """A lock of freqtrade's; times UTC ms."""

    pair: str
    reason: str
    since: int
    until: int
