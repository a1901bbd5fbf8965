"""Whether a passive quote would have to move before it fills: read off the market, roughly.

Our own size is left out: a quote counts as filled as soon as the queue before it is served.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra_ft.execution.policy import ENTRY_CHASE

if TYPE_CHECKING:
    from loopback_exchange.market import Market

_INTERVAL_MS = int(ENTRY_CHASE.min_requote_interval_s * 1e3)
_LOOKS = int(ENTRY_CHASE.deadline_s * 1e3) // _INTERVAL_MS


def needs_requote(market: Market, symbol: str, side: int, start: int) -> bool:
    """Whether an entry quoted at the touch from ``start`` (ms) on moves, and then fills.

    ``side`` is +1 for a long (it joins the bid) and -1 for a short (it joins the ask).
    """
    price, queue = _touch(market, symbol, side, start)
    moved = False
    for look in range(1, _LOOKS + 1):
        now = start + look * _INTERVAL_MS
        queue = _served(market, symbol, side, price, queue, now)
        if queue < 0:
            return moved
        touch, size = _touch(market, symbol, side, now)
        if side * (touch - price) > 0:
            price, queue, moved = touch, size, True
    return False


def _touch(market: Market, symbol: str, side: int, now: int) -> tuple[int, int]:
    """Own side's best price (ticks) and the size that stands there (steps)."""
    book = market.book(symbol, now, 1)
    return (book.bids if side > 0 else book.asks)[0]


def _served(market: Market, symbol: str, side: int, price: int, queue: int, now: int) -> int:
    """Queue that is left before us after the last interval; negative when we are reached."""
    trades = market.trades(symbol, now - _INTERVAL_MS, now)
    if (side * (price - trades.price) > 0).any():
        return -1
    against = (trades.price == price) & (trades.is_buy == (side < 0))
    return queue - int(trades.quantity[against].sum())
