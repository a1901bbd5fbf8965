"""Orders and fills, in whole ticks and steps."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Status(StrEnum):
    """States of an order."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"


@dataclass(slots=True)
class Order:
    """One order; ``queue`` is the standing size (steps) that is served before it."""

    id: int
    symbol: str
    client_id: str
    is_buy: bool
    is_limit: bool
    time_in_force: str
    price: int  # ticks, 0 for a market order
    quantity: int  # steps
    reduce_only: bool
    time_ms: int
    update_ms: int
    filled: int = 0  # steps
    cost: Decimal = Decimal(0)  # quote, of what is filled
    queue: int = 0
    status: Status = Status.NEW

    @property
    def remaining(self) -> int:
        """Steps that are not filled."""
        return self.quantity - self.filled

    @property
    def is_open(self) -> bool:
        """Whether it can still fill."""
        return self.status in (Status.NEW, Status.PARTIALLY_FILLED)

    @property
    def sign(self) -> int:
        """1 for a buy, -1 for a sell."""
        return 1 if self.is_buy else -1


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution of an order; money in quote."""

    id: int
    order_id: int
    symbol: str
    is_buy: bool
    price: int  # ticks
    quantity: int  # steps
    quote: Decimal
    commission: Decimal
    realized: Decimal
    is_maker: bool
    time_ms: int


@dataclass(frozen=True, slots=True)
class Income:
    """One change of the wallet: REALIZED_PNL, COMMISSION or FUNDING_FEE, in quote."""

    id: int
    symbol: str
    kind: str
    amount: Decimal
    time_ms: int
    trade_id: int | None = None
