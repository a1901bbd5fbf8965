"""The book that orders meet: the market's own less what was taken, or a pinned one."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from loopback_exchange.market.book import Book

if TYPE_CHECKING:
    from loopback_exchange.market.source import MarketSource
    from loopback_exchange.matching.store import Store

DEEPEST = 1000


class Pin(NamedTuple):
    """A book of one level a side that stands until it is lifted, and its last price."""

    bid: int  # ticks
    ask: int
    bid_size: int  # steps
    ask_size: int
    last: int
    version: int


class LiveBook:
    """Books of all symbols, as they stand for an order that arrives now."""

    def __init__(self, market: MarketSource, store: Store) -> None:
        self._market = market
        self._store = store
        self._taken: dict[str, tuple[int, dict[tuple[bool, int], int]]] = {}
        self.pins = {symbol: Pin(*body) for symbol, body in store.all("pin")}

    def pin(self, symbol: str, pin: Pin) -> None:
        """Put a fixed book in place of the market's; it lasts over a restart."""
        self.pins[symbol] = pin
        self._store.put("pin", symbol, list(pin))

    def unpin(self, symbol: str) -> None:
        """Give the symbol back to the market."""
        self.pins.pop(symbol, None)
        self._store.delete("pin", symbol)

    def clear(self) -> None:
        """Lift all pins and put back what was taken."""
        for symbol in list(self.pins):
            self.unpin(symbol)
        self._taken.clear()

    def levels(self, symbol: str, now_ms: int, levels: int) -> Book:
        """Give both sides, best first; a pinned book shows its sizes however often taken."""
        if symbol in self.pins:
            pin = self.pins[symbol]
            return Book(pin.version, [(pin.bid, pin.bid_size)], [(pin.ask, pin.ask_size)])
        version, taken = self._taken.get(symbol, (-1, {}))
        wanted = levels + len(taken)
        book = self._market.book(symbol, now_ms, wanted)
        if not taken or book.version != version:
            return book
        return Book(
            book.version,
            _less(book.bids, taken, is_bid=True)[:levels],
            _less(book.asks, taken, is_bid=False)[:levels],
        )

    def taken_of(self, symbol: str) -> tuple[object, ...]:
        """Give what was taken of a symbol's book so far, to compare with a later look."""
        version, taken = self._taken.get(symbol, (-1, {}))
        return version, *taken.items()

    def take(self, symbol: str, now_ms: int, price: int, quantity: int, *, is_bid: bool) -> None:
        """Remove size from a level until the market's next trade renews the book."""
        if symbol in self.pins:
            return
        current = self._market.last_trade(symbol, now_ms).id
        version, taken = self._taken.get(symbol, (current, {}))
        if version != current:
            taken = {}
        taken[is_bid, price] = taken.get((is_bid, price), 0) + quantity
        self._taken[symbol] = (current, taken)

    def queue_at(self, symbol: str, now_ms: int, price: int, *, is_buy: bool) -> int:
        """Give the standing size (steps) before a new order that rests at a price."""
        book = self.levels(symbol, now_ms, DEEPEST)
        side = book.bids if is_buy else book.asks
        deeper = symbol not in self.pins and len(side) > 0
        if deeper and (price < side[-1][0] if is_buy else price > side[-1][0]):
            return self._market.level_size(symbol, price, now_ms)
        return dict(side).get(price, 0)

    def last_price(self, symbol: str, now_ms: int) -> int:
        """Give the last traded price, in ticks."""
        if symbol in self.pins:
            return self.pins[symbol].last
        return self._market.last_trade(symbol, now_ms).price

    def mark_price(self, symbol: str, now_ms: int) -> Decimal:
        """Give the mark price in quote; that of a pinned book is its middle."""
        if symbol in self.pins:
            pin, spec = self.pins[symbol], self._market.spec(symbol)
            return (spec.price(pin.bid) + spec.price(pin.ask)) / 2
        return Decimal(repr(self._market.mark_price(symbol, now_ms)))


def _less(
    side: list[tuple[int, int]], taken: dict[tuple[bool, int], int], *, is_bid: bool
) -> list[tuple[int, int]]:
    left = ((price, size - taken.get((is_bid, price), 0)) for price, size in side)
    return [(price, size) for price, size in left if size > 0]
