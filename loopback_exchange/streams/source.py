"""What the streams carry: each stream goes on from where it was sent last."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING

from loopback_exchange.clock import MINUTE_MS
from loopback_exchange.streams.depth import LEVELS, change_between
from loopback_exchange.streams.forced import Forced, forced_orders
from loopback_exchange.streams.names import (
    AGG_TRADE,
    DEPTHS,
    EVERY_FORCED,
    EVERY_TOUCH,
    FORCED,
    TOUCH,
    TRADE,
    Stream,
)
from loopback_exchange.streams.payloads import depth_text, forced_text, touch_text, trade_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from loopback_exchange.exchange import Exchange
    from loopback_exchange.market.book import Book
    from loopback_exchange.market.trades import Trades

    Key = tuple[object, ...]

_FORCED_EVERY_MS = 200


class Source:
    """Events of the streams that somebody reads; one thread asks, others may add."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange, self._market = exchange, exchange.market
        self._sent_ms: dict[Stream, int] = {}
        self._books: dict[Stream, tuple[Key, Book]] = {}
        self._added: list[tuple[str, Forced]] = []
        self._lock = threading.Lock()
        self._forced = lru_cache(maxsize=4_096)(self._forced_of)

    def begin(self, stream: Stream, at: int) -> None:
        """Begin a stream at a moment: what was before is not sent."""
        self._sent_ms[stream] = at + 1
        if stream.kind in DEPTHS:
            self._books[stream] = self._look(stream.symbol, at, LEVELS)

    def end(self, stream: Stream) -> None:
        """Forget a stream that nobody reads any more."""
        self._sent_ms.pop(stream, None)
        self._books.pop(stream, None)

    def add_forced(
        self, symbol: str, price: float, quantity: float, at: int, *, is_long: bool
    ) -> None:
        """Add a forced order (price in quote, quantity in base) to the streams."""
        spec = self._market.spec(symbol)
        ticks, steps = round(price / float(spec.tick)), round(quantity / float(spec.step))
        with self._lock:
            self._added.append((symbol, Forced(is_long, ticks, steps, at)))

    def since(self, streams: list[Stream], at: int) -> Iterator[tuple[Stream, list[str]]]:
        """Give the events of these streams up to a moment."""
        added = self._take_added()
        for stream in streams:
            if stream.kind in DEPTHS:
                # Also of a clock that was set back.
                if abs(at + 1 - self._sent_ms[stream]) >= DEPTHS[stream.kind]:
                    yield stream, self.depth(stream, at)
            elif stream.kind in {AGG_TRADE, TRADE}:
                yield stream, self._trades(stream, at)
            elif stream.kind in {TOUCH, EVERY_TOUCH}:
                yield stream, self._touches(stream, at)
            else:
                yield stream, self._forced_texts(stream, added, at)
        yield from self._load(streams, at)

    def _load(self, streams: list[Stream], at: int) -> Iterator[tuple[Stream, list[str]]]:
        with self._exchange.lock:
            load = self._exchange.load
            made = load.advance(at) if load else []
        wanted = set(streams)
        for symbol, trades in made:
            for stream in (Stream(symbol, AGG_TRADE), Stream(symbol, TRADE)):
                if stream in wanted:
                    yield stream, self._texts(stream, trades, at)

    def _trades(self, stream: Stream, at: int) -> list[str]:
        load, start = self._exchange.load, self._sent_ms[stream]
        stop = at + 1
        if load is not None and stream.symbol in load:
            stop = min(stop, load.start_ms + 1)
        if start >= stop:
            return []
        self._sent_ms[stream] = stop
        return self._texts(stream, self._market.trades(stream.symbol, start, stop), at)

    def _texts(self, stream: Stream, trades: Trades, at: int) -> list[str]:
        return trade_texts(stream.kind, self._market.spec(stream.symbol), trades, at)

    # ---- book

    def depth(self, stream: Stream, at: int) -> list[str]:
        """Give the change of a book since it was sent last, nothing if it is the same."""
        if stream not in self._books:
            return []
        self._sent_ms[stream] = at + 1
        key, book = self._books[stream]
        if self._key(stream.symbol, at) == key:
            return []
        self._books[stream] = self._look(stream.symbol, at, LEVELS)
        change = change_between(book, self._books[stream][1])
        return [depth_text(self._market.spec(stream.symbol), change, at)]

    def _look(self, symbol: str, at: int, levels: int) -> tuple[Key, Book]:
        with self._exchange.lock:
            return self._key(symbol, at), self._exchange.shown(symbol, at, levels)

    def _key(self, symbol: str, at: int) -> Key:
        """Give what the book of a symbol depends on: equal keys, equal books."""
        exchange = self._exchange
        with exchange.lock:
            own = tuple((o.id, o.price, o.remaining) for o in exchange.ledger.open_of(symbol))
            pin = exchange.book.pins.get(symbol)
            last = self._market.last_trade(symbol, at).id
            return last, at // MINUTE_MS, pin, own, exchange.book.taken_of(symbol)

    def _touches(self, stream: Stream, at: int) -> list[str]:
        symbols = (stream.symbol,) if stream.symbol else self._market.symbols
        texts = []
        for symbol in symbols:
            one = Stream(symbol, EVERY_TOUCH if not stream.symbol else TOUCH)
            key, book = self._books.get(one, (None, None))
            if self._key(symbol, at) == key:
                continue
            self._books[one] = looked = self._look(symbol, at, 1)
            new = looked[1]
            if book is None or (new.bids, new.asks) != (book.bids, book.asks):
                spec = self._market.spec(symbol)
                texts.append(touch_text(spec, new.version, new.bids[0], new.asks[0], at))
        return texts

    # ---- forced orders

    def _forced_of(self, symbol: str, minute: int) -> tuple[Forced, ...]:
        return tuple(forced_orders(self._market, symbol, minute))

    def _take_added(self) -> list[tuple[str, Forced]]:
        with self._lock:
            added, self._added = self._added, []
        return added

    def _forced_texts(
        self, stream: Stream, added: Iterable[tuple[str, Forced]], at: int
    ) -> list[str]:
        symbols = (stream.symbol,) if stream.kind == FORCED else self._market.symbols
        found = [one for one in added if one[0] in symbols]
        start = self._sent_ms[stream]
        if stream.kind in {FORCED, EVERY_FORCED} and at + 1 - start >= _FORCED_EVERY_MS:
            self._sent_ms[stream] = at + 1
            for minute in range(start // MINUTE_MS, at // MINUTE_MS + 1):
                found += [
                    (symbol, order)
                    for symbol in symbols
                    for order in self._forced(symbol, minute)
                    if start <= order.time_ms <= at
                ]
        found.sort(key=lambda one: one[1].time_ms)
        return [forced_text(self._market.spec(symbol), order, at) for symbol, order in found]
