"""Whether a passive quote would have to move before it fills: read off the market, roughly.

The queue at the price is left out, so the rehearsal fills earlier than the exchange will,
and finds fewer requotes than there will be.
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
    price, moved = _touch(market, symbol, side, start), False
    for look in range(1, _LOOKS + 1):
        now = start + look * _INTERVAL_MS
        if _reached(market, symbol, side, price, now):
            return moved
        touch = _touch(market, symbol, side, now)
        if side * (touch - price) > 0:
            price, moved = touch, True
    return False


def _touch(market: Market, symbol: str, side: int, now: int) -> int:
    """Own side's best price, in ticks."""
    book = market.book(symbol, now, 1)
    return (book.bids if side > 0 else book.asks)[0][0]


def _reached(market: Market, symbol: str, side: int, price: int, now: int) -> bool:
    """Whether somebody traded at our price or through it in the last interval."""
    trades = market.trades(symbol, now - _INTERVAL_MS, now)
    through = side * (price - trades.price)
    against = trades.is_buy == (side < 0)
    return bool(((through > 0) | ((through == 0) & against)).any())
