"""The exchange itself, without a network: market, book, orders and account under one lock."""

from __future__ import annotations

import threading
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from loopback_exchange.clock import now_ms
from loopback_exchange.errors import ApiError, Code
from loopback_exchange.market import Market, MarketSource
from loopback_exchange.market.book import Book
from loopback_exchange.matching.account import START_BALANCE
from loopback_exchange.matching.journal import Journal, Watcher
from loopback_exchange.matching.ledger import Ledger
from loopback_exchange.matching.live_book import LiveBook
from loopback_exchange.matching.matcher import Matcher
from loopback_exchange.matching.orders import Order, Status
from loopback_exchange.matching.placement import PRICE_BAND, NewOrder
from loopback_exchange.matching.store import Store
from loopback_exchange.matching.triggers import Triggers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from loopback_exchange.market.source import PublicTrades
    from loopback_exchange.market.specs import SymbolSpec
    from loopback_exchange.streams.load import Load

_Answer = TypeVar("_Answer")


class Exchange:
    """One account on one market.

    Parameters
    ----------
    market : MarketSource, optional
        ``Market`` or ``Replay``; by default the generated market of ``symbols``.
    symbols : sequence of str, optional
        Symbols of the generated market, eight by default; only without ``market``.
    store : path, optional
        SQLite file that keeps orders, fills and balances over a restart; None keeps nothing.
    balance : Decimal
        First wallet balance, in USDT.
    watchers : list of callables, optional
        Each is told every ``Event`` of an order, in order; the list may change at any time.
    """

    def __init__(
        self,
        market: MarketSource | None = None,
        *,
        symbols: Sequence[str] | None = None,
        store: str | Path | None = None,
        balance: Decimal = START_BALANCE,
        watchers: list[Watcher] | None = None,
    ) -> None:
        self.market = market or Market(symbols=symbols)
        self.watchers: list[Watcher] = [] if watchers is None else watchers
        self.lock = threading.RLock()
        self.store = Store(store)
        self._balance = balance
        self._late: list[tuple[int, Callable[[int], object]]] = []
        self.load: Load | None = None
        self._read()

    def _read(self) -> None:
        """Take orders, balances and pins from the store."""
        self.journal = Journal(self.market, self.watchers)
        self.ledger = Ledger(self.store, self.journal, self._balance)
        self.book = LiveBook(self.market, self.store)
        self.triggers = Triggers(
            self.market, self.store, self.ledger, self.book, self.journal, self.place
        )
        self.matcher = Matcher(self.market, self.ledger, self.book, self.triggers)

    def call(self, action: Callable[[int], _Answer]) -> _Answer:
        """Match up to now, run an action at that moment, and store what it changed."""
        with self.lock:
            at = now_ms()
            try:
                self._arrive(at)
                self.matcher.advance(at)
                return action(at)
            finally:
                self.store.commit()
                self.journal.flush()

    def later(self, due_ms: int, action: Callable[[int], object]) -> None:
        """Run an action at a later moment, as if its request had come only then.

        It runs with the first call after that moment, before anything else can be seen.
        """
        with self.lock:
            self._late.append((due_ms, action))
            self._late.sort(key=lambda one: one[0])

    def _arrive(self, at: int) -> None:
        while self._late and self._late[0][0] <= at:
            due, action = self._late.pop(0)
            self.matcher.advance(due)
            with suppress(ApiError):  # nobody is left to hear of a refusal
                action(due)

    def reset(self) -> None:
        """Forget orders, fills, positions, pins and balances; the market stays."""
        with self.lock:
            self._late.clear()
            self.ledger.reset()
            self.triggers.clear()
            self.book.clear()
            self.store.commit()

    def reload(self) -> None:
        """Begin again from what is stored, as a restart does; requests on their way are lost."""
        with self.lock:
            self._late.clear()
            self.store.commit()
            self._read()

    def close(self) -> None:
        """Close the store."""
        with self.lock:
            self.store.close()

    def spec(self, symbol: str) -> SymbolSpec:
        """Give the contract of a symbol, or the error of an unknown one."""
        if symbol not in self.market.symbols:
            raise ApiError(Code.BAD_SYMBOL)
        return self.market.spec(symbol)

    def public_trades(self, symbol: str) -> PublicTrades:
        """Give what knows the trades of a symbol: its market, or the load in its place."""
        return self.load if self.load is not None and symbol in self.load else self.market

    def shown(self, symbol: str, at: int, levels: int) -> Book:
        """Give the book as everybody sees it: that of the others, and our resting orders.

        An order of ours that a pin has left on the wrong side of the others is not shown.
        """
        others = self.book.levels(symbol, at, levels)
        own = self.ledger.open_of(symbol)
        bids, asks = dict(others.bids), dict(others.asks)
        for order in own:
            side, other = (bids, others.asks) if order.is_buy else (asks, others.bids)
            if not other or order.sign * (other[0][0] - order.price) > 0:
                side[order.price] = side.get(order.price, 0) + order.remaining
        return Book(
            others.version,
            sorted(bids.items(), reverse=True)[:levels],
            sorted(asks.items())[:levels],
        )

    # ---- orders

    def place(self, new: NewOrder, at: int) -> Order:
        """Accept an order and match it against the book."""
        order = self._order(new, at)
        levels = self.matcher.takeable(order, at)
        self._refuse_time_in_force(order, levels)
        self._refuse_by_rules(order, levels, at)
        self.ledger.add_order(order)
        self.matcher.take(order, levels, at)
        self.matcher.rest(order, at)
        return order

    def _order(self, new: NewOrder, at: int) -> Order:
        order_id = self.ledger.next_order_id()
        client_id = new.client_id or f"loopback-{order_id}"
        taken = {order.client_id for order in self.ledger.open_orders.values()}
        if client_id in taken:
            raise ApiError(Code.DUPLICATED_CLIENT_ORDER_ID)
        return Order(
            id=order_id,
            symbol=new.symbol,
            client_id=client_id,
            is_buy=new.is_buy,
            is_limit=new.is_limit,
            time_in_force=new.time_in_force,
            price=new.price,
            quantity=new.quantity,
            reduce_only=new.reduce_only,
            time_ms=at,
            update_ms=at,
        )

    def _refuse_by_rules(self, order: Order, levels: list[tuple[int, int]], at: int) -> None:
        spec = self.spec(order.symbol)
        mark = self.book.mark_price(order.symbol, at)
        if order.is_limit:
            _refuse_far_price(order, spec, mark)
        if order.reduce_only:
            if not self.matcher.reducible(order.symbol, is_buy=order.is_buy):
                raise ApiError(Code.REDUCE_ONLY_REJECTED)
            return
        price = spec.price(order.price) if order.is_limit else _touch_price(levels, spec, mark)
        if price * spec.quantity(order.quantity) < spec.min_notional:
            raise ApiError(Code.NOTIONAL_TOO_SMALL, least=spec.min_notional)
        if self.order_margin(order, price) > self.available:
            raise ApiError(Code.MARGIN_INSUFFICIENT)

    def _refuse_time_in_force(self, order: Order, levels: list[tuple[int, int]]) -> None:
        if order.time_in_force == "GTX" and levels:
            raise ApiError(Code.POST_ONLY_REJECTED)
        if order.time_in_force == "FOK" and sum(size for _, size in levels) < order.quantity:
            raise ApiError(Code.FOK_REJECTED)

    def cancel(self, order: Order, at: int) -> Order:
        """Cancel an open order."""
        if not order.is_open:
            raise ApiError(Code.CANCEL_REJECTED)
        self.ledger.end_order(order, Status.CANCELED, at)
        return order

    def find(self, symbol: str, order_id: int | None, client_id: str | None) -> Order | None:
        """Find an order by its id, or the newest one with a client id."""
        if order_id is not None:
            order = self.ledger.orders.get(order_id)
            return order if order and order.symbol == symbol else None
        for order in reversed(self.ledger.orders.values()):
            if order.client_id == client_id and order.symbol == symbol:
                return order
        return None

    # ---- margin

    def order_margin(self, order: Order, price: Decimal | None = None) -> Decimal:
        """Give the margin that an order binds for the part that opens a position (quote)."""
        if order.reduce_only:
            return Decimal(0)
        spec = self.spec(order.symbol)
        closing = self.matcher.reducible(order.symbol, is_buy=order.is_buy)
        opening = max(0, order.remaining - closing)
        at = spec.price(order.price) if price is None else price
        return at * spec.quantity(opening) / self.ledger.account.leverage_of(order.symbol)

    @property
    def open_order_margin(self) -> Decimal:
        """Margin bound by all open orders, in quote."""
        orders = self.ledger.open_orders.values()
        return sum((self.order_margin(order) for order in orders), Decimal(0))

    @property
    def available(self) -> Decimal:
        """Balance that is free for new orders, in quote."""
        account = self.ledger.account
        return account.wallet - account.position_margin - self.open_order_margin


def _touch_price(levels: list[tuple[int, int]], spec: SymbolSpec, mark: Decimal) -> Decimal:
    return spec.price(levels[0][0]) if levels else mark


def _refuse_far_price(order: Order, spec: SymbolSpec, mark: Decimal) -> None:
    price = spec.price(order.price)
    highest, lowest = mark * (1 + PRICE_BAND), mark * (1 - PRICE_BAND)
    if order.is_buy and price > highest:
        raise ApiError(Code.PRICE_TOO_HIGH, limit=spec.price(spec.ticks(highest)))
    if not order.is_buy and price < lowest:
        raise ApiError(Code.PRICE_TOO_LOW, limit=spec.price(spec.ticks(lowest)))
