"""Which order on the exchange an attempt became, when the answer never came.

An order is written down before it is sent. If it does not show up among freqtrade's own
orders, its outcome is unknown: it may rest on the exchange, may have filled, or may
never have arrived. Reading the exchange and matching says which.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hydra_ft.execution.pricing import buys
from hydra_ft.types import Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from hydra_ft.types import Attempt

CLOCK_TOLERANCE_MS = 60_000
PREFIXED_TOLERANCE_MS = 3_600_000
"""How far the clock of the exchange may be off ours for an order to be matched.

Generous: an order that is ours and is not recognised is worse than a closer look, and an
order that is known by its id is never matched again. More so where a prefix says whose the
order is: ccxt can be told to follow a clock that is far from ours.
"""


@dataclass(frozen=True, slots=True)
class SeenOrder:
    """An order as the exchange shows it; ``at`` is its time of placement there (UTC ms)."""

    order_id: str
    client_order_id: str
    pair: str
    buys: bool
    price: float
    quantity: float
    filled: float
    is_open: bool
    at: int
    is_cancelled: bool = False
    is_reduce_only: bool = False


def match(
    attempt: Attempt,
    seen: Iterable[SeenOrder],
    known_ids: Collection[str],
    prefix: str,
    step_size: float,
) -> tuple[SeenOrder, ...]:
    """Orders on the exchange that this attempt may have become.

    An order is ours if its client order id carries the prefix of this bot. It belongs to
    the attempt if neither freqtrade nor an earlier attempt knows it, and pair, direction,
    price, quantity and time agree. Without a prefix the five must do; with one, an order
    that lacks it is somebody else's.
    """
    fitting = tuple(
        order
        for order in seen
        if order.order_id not in known_ids
        and order.client_order_id.startswith(prefix)
        and order.pair == attempt.pair
        and order.buys == buys(attempt.side, attempt.kind)
        and not (attempt.kind is Kind.ENTRY and order.is_reduce_only)
        and order.at >= attempt.sent_at - tolerance_ms(prefix)
        and agrees(attempt, order.price, order.quantity, step_size)
    )
    # An older one with the same figures is taken only where none is about as old.
    near = tuple(o for o in fitting if o.at >= attempt.sent_at - CLOCK_TOLERANCE_MS)
    return near or fitting


def tolerance_ms(prefix: str) -> int:
    """How far the clocks may be apart, with a prefix or without (ms)."""
    return PREFIXED_TOLERANCE_MS if prefix else CLOCK_TOLERANCE_MS


def agrees(attempt: Attempt, price: float, quantity: float, step_size: float) -> bool:
    """Whether price and quantity of an order are those of an attempt.

    An attempt at price 0 is a market order. The order may be smaller than the attempt:
    freqtrade clips a stake to what is available after the hook.
    """
    priced = not attempt.price or abs(price - attempt.price) <= 1e-9 * attempt.price
    return priced and quantity < attempt.quantity + step_size * (1 + 1e-6)
