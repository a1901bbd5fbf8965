"""One symbol of the embedded exchange, moved by hand: no network and no clock."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from hydra_ft.types import Fill, Quote
from loopback_exchange.errors import ApiError
from loopback_exchange.exchange import Exchange
from loopback_exchange.matching.placement import NewOrder

if TYPE_CHECKING:
    from loopback_exchange.market import MarketSource
    from loopback_exchange.matching.orders import Order

_BALANCE = Decimal(10**12)
"""Enough that no order is refused for want of margin."""


class Venue:
    """A fresh account on a market; orders fill by the exchange's own book, tape and queue."""

    def __init__(self, market: MarketSource, symbol: str) -> None:
        self.market, self.symbol = market, symbol
        self.spec = market.spec(symbol)
        self.tick, self.step = float(self.spec.tick), float(self.spec.step)
        self._exchange = Exchange(market, balance=_BALANCE)

    def close(self) -> None:
        """Let go of the account."""
        self._exchange.close()

    def advance(self, at: int) -> None:
        """Match everything that the market printed up to a moment (UTC ms)."""
        self._exchange.matcher.advance(at)

    def quote(self, at: int, volatility_bps: float = 0.0) -> Quote:
        """Give the book as a bot sees it, its own orders included."""
        book = self._exchange.shown(self.symbol, at, 2)
        (bid, next_bid), (ask, next_ask) = self._two(book.bids), self._two(book.asks)
        return Quote(
            best_bid=bid[0],
            best_ask=ask[0],
            bid_size=bid[1],
            ask_size=ask[1],
            tick_size=self.tick,
            at=at,
            volatility_bps=volatility_bps,
            next_bid=next_bid[0],
            next_ask=next_ask[0],
            next_bid_size=next_bid[1],
            next_ask_size=next_ask[1],
        )

    def _two(self, side: list[tuple[int, int]]) -> list[tuple[float, float]]:
        """Give two levels as (price, size), zeros where there is no second."""
        levels = [(float(self.spec.price(p)), float(self.spec.quantity(q))) for p, q in side]
        return [*levels, (0.0, 0.0)][:2]

    def mid(self, at: int) -> float:
        """Give the middle of the book of the others."""
        book = self.market.book(self.symbol, at, 1)
        return (book.bids[0][0] + book.asks[0][0]) / 2 * self.tick

    def place(
        self, price: float, quantity: float, at: int, *, is_buy: bool, post_only: bool = False
    ) -> Order | None:
        """Send an order (price 0 is a market order); None where the exchange refused it."""
        new = NewOrder(
            symbol=self.symbol,
            is_buy=is_buy,
            is_limit=price > 0,
            time_in_force="GTX" if post_only else "GTC",
            price=round(price / self.tick),
            quantity=round(quantity / self.step),
            reduce_only=False,
            client_id=None,
        )
        try:
            return self._exchange.place(new, at)
        except ApiError:
            return None

    def cancel(self, order: Order, at: int) -> None:
        """Cancel an order; one that has filled meanwhile is left as it is."""
        if order.is_open:
            self._exchange.cancel(order, at)

    def is_too_small(self, price: float, quantity: float) -> bool:
        """Whether the exchange would refuse an order for its value."""
        return price * quantity < float(self.spec.min_notional)

    def fills(self) -> list[Fill]:
        """Give everything that this account has filled, oldest first."""
        return [
            Fill(
                price=float(self.spec.price(fill.price)),
                quantity=float(self.spec.quantity(fill.quantity)),
                at=fill.time_ms,
                fee_quote=float(fill.commission),
                is_maker=fill.is_maker,
            )
            for fill in self._exchange.ledger.fills
        ]
