"""Orders in the words that all layers share: parents, children, fills, costs, actions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hydra_ft.types.market import Side


class Kind(StrEnum):
    """Whether a parent order builds a position or takes it down."""

    ENTRY = "entry"
    EXIT = "exit"


@dataclass(frozen=True, slots=True)
class ParentOrder:
    """The intent: bring the position of a pair to a target quantity.

    ``key`` is unique per bot: pair, side, kind, and the bar that decided (of an exit, the
    time). ``quantity`` is the target in base units for an entry and the quantity to close
    for an exit. ``child`` is the order id of the last child, ``cancelling`` that of the
    last one that Hydra wanted cancelled: if they differ, somebody else ended it.

    ``decision_price`` is the price that the decision was made on (the close of the bar),
    ``arrival_price`` the mid when the first child was sent, ``end_price`` the mid when the
    parent ended; 0 where none was known. ``rejections`` counts children that the exchange
    refused since the last one that it took, ``rejected_at`` is the time of the last.
    ``reported_at`` is when the end was told and summed up.

    ``stop`` and ``target`` (fractions of the entry price) and ``max_hold_s`` are what the
    decision of an entry declared; 0 where it declared none, as for an exit.
    """

    key: str
    pair: str
    side: Side
    kind: Kind
    quantity: float
    arrival_price: float
    decided_at: int
    reason: str = ""
    children: int = 0
    child: str = ""
    cancelling: str = ""
    last_quoted_at: int = 0
    urgent: bool = False
    ended_at: int = 0
    end_reason: str = ""
    decision_price: float = 0.0
    end_price: float = 0.0
    rejections: int = 0
    rejected_at: int = 0
    reported_at: int = 0
    stop: float = 0.0
    target: float = 0.0
    max_hold_s: int = 0

    @property
    def is_open(self) -> bool:
        """True until the parent has ended with a named reason."""
        return self.ended_at == 0

    @property
    def requotes(self) -> int:
        """Children after the first; one counts when it appears, not when it is asked for."""
        return max(0, self.children - 1)


@dataclass(frozen=True, slots=True)
class WorkingOrder:
    """A child order that rests on the exchange, as far as it was last seen."""

    order_id: str
    price: float
    quantity: float
    filled: float
    placed_at: int

    @property
    def remaining(self) -> float:
        """Quantity that is not filled yet."""
        return max(0.0, self.quantity - self.filled)


class ChildState(StrEnum):
    """Where a child stands, from the note before it is sent to its end."""

    WRITTEN = "written"
    UNKNOWN = "unknown"
    WORKING = "working"
    PART_FILLED = "part_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    NOT_SENT = "not_sent"
    LOST_CANCELLED = "lost_cancelled"
    LOST_FILLED = "lost_filled"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A child: written down before it is sent, followed until its end is booked.

    ``price`` is 0 for a market order. ``mid`` is the middle of the book when it was sent, 0
    where there was no quote. ``known_at`` is when its outcome was known (0: not yet),
    ``done_at`` when it had ended and its fills were booked here (0: not yet).
    ``maker_quantity`` is what filled as a maker; all quantities in base units.
    """

    parent_key: str
    pair: str
    side: Side
    kind: Kind
    quantity: float
    price: float
    sent_at: int
    id: int = 0
    state: ChildState = ChildState.WRITTEN
    order_id: str = ""
    mid: float = 0.0
    filled: float = 0.0
    average_price: float = 0.0
    fee_quote: float = 0.0
    maker_quantity: float = 0.0
    known_at: int = 0
    done_at: int = 0

    @property
    def is_unknown(self) -> bool:
        """Whether it may or may not be on the exchange."""
        return self.known_at == 0


@dataclass(frozen=True, slots=True)
class Fill:
    """Part of a child that traded; the fee is in quote currency, negative for a rebate."""

    price: float
    quantity: float
    at: int
    fee_quote: float = 0.0
    is_maker: bool = False


@dataclass(frozen=True, slots=True)
class ExecutionCost:
    """Implementation shortfall of one parent, in bps of its target at the decision price.

    Positive is a cost. ``total_bps`` is the sum of the four parts (Perold 1988; Wagner &
    Edwards 1993). ``maker_share`` is NaN where nothing filled.
    """

    delay_bps: float
    trading_bps: float
    fee_bps: float
    opportunity_bps: float
    total_bps: float
    fill_ratio: float
    seconds: float
    requotes: int
    maker_share: float


@dataclass(frozen=True, slots=True)
class Keep:
    """Leave the working order where it is."""


@dataclass(frozen=True, slots=True)
class Requote:
    """Cancel, and quote again at ``price``."""

    price: float


@dataclass(frozen=True, slots=True)
class Cross:
    """Cancel, and take liquidity up to ``price``."""

    price: float


@dataclass(frozen=True, slots=True)
class Abandon:
    """Cancel, and do not quote again."""

    reason: str


ChaseAction = Keep | Requote | Cross | Abandon
