"""What freqtrade's database holds, as plain values, for whoever compares it with an exchange."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

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
