"""How prints of the tape fill resting orders, and how an arriving order takes the book."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from loopback_exchange.clock import DAY_MS, MINUTE_MS
from loopback_exchange.matching.live_book import DEEPEST, LiveBook
from loopback_exchange.matching.orders import Fill, Order, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from loopback_exchange.market.source import MarketSource
    from loopback_exchange.market.trades import Trades
    from loopback_exchange.matching.ledger import Ledger
    from loopback_exchange.matching.triggers import Triggers


class Matcher:
    """Price-time priority over the resting orders of one account."""

    def __init__(
        self, market: MarketSource, ledger: Ledger, book: LiveBook, triggers: Triggers
    ) -> None:
        self._market = market
        self._ledger = ledger
        self._book = book
        self._triggers = triggers
        self._moved: dict[int, Order] = {}  # orders whose queue is to be saved

    # ---- time

    def advance(self, now_ms: int) -> None:
        """Match everything that the market printed, and settle funding, up to now.

        A clock that steps back matches nothing until it has caught up; one that goes back by
        a day or more starts anew from there.
        """
        since = self._ledger.matched_ms
        if since - DAY_MS < now_ms <= since:
            # A clock that steps back a little goes over the same time again: once is enough.
            return
        if since and now_ms > since and self._has_exposure():
            for at, symbol, rate in self._settlements(since + 1, now_ms + 1):
                self._match(since, at)
                since = at
                self._settle(symbol, rate, at)
            self._match(since, now_ms)
        self._ledger.save_matched(now_ms)

    def _has_exposure(self) -> bool:
        positions = self._ledger.account.positions.values()
        waits = bool(self._ledger.open_orders or self._triggers.waiting)
        return waits or any(one.quantity for one in positions)

    def _settlements(self, start_ms: int, stop_ms: int) -> list[tuple[int, str, float]]:
        found: list[tuple[int, str, float]] = []
        for symbol in self._market.symbols:
            times, rates = self._market.funding(symbol, start_ms, stop_ms)
            found.extend(
                (int(at), symbol, float(rate)) for at, rate in zip(times, rates, strict=True)
            )
        return sorted(found)

    def _settle(self, symbol: str, rate: float, at: int) -> None:
        mark = float(self._book.mark_price(symbol, at))
        self._ledger.settle_funding(symbol, rate, mark, self._market.spec(symbol).step, at)

    def _match(self, after_ms: int, until_ms: int) -> None:
        symbols = {order.symbol for order in self._ledger.open_orders.values()}
        symbols |= {algo.symbol for algo in self._triggers.waiting.values()}
        for symbol in sorted(symbols):
            if symbol not in self._book.pins and until_ms > after_ms:
                self._match_symbol(symbol, after_ms + 1, until_ms + 1)

    def _match_symbol(self, symbol: str, start_ms: int, stop_ms: int) -> None:
        """Walk the minutes that touch an open order; most are skipped by their range."""
        minute = start_ms // MINUTE_MS
        last = -(-stop_ms // MINUTE_MS)
        while minute < last and self._waits(symbol):
            first, rows = self._market.rows(symbol, minute, min(minute + 1440, last))
            if not len(rows):
                return
            touched = np.flatnonzero(self._touches(symbol, rows))
            if not len(touched):
                minute = first + len(rows)
                continue
            minute = first + int(touched[0])
            trades = self._market.trades(
                symbol, max(start_ms, minute * MINUTE_MS), min(stop_ms, (minute + 1) * MINUTE_MS)
            )
            self._print_all(symbol, trades)
            minute += 1

    def _waits(self, symbol: str) -> bool:
        return bool(self._ledger.open_of(symbol)) or self._triggers.waits(symbol)

    def _touches(self, symbol: str, rows: np.ndarray | Mapping[str, np.ndarray]) -> np.ndarray:
        bid, ask, _ = self._waiting(symbol)
        touched: np.ndarray = (rows["low"] <= bid) | (rows["high"] >= ask)
        touched |= self._triggers.touches(symbol, rows)
        return touched

    def _waiting(self, symbol: str) -> tuple[int, int, tuple[int, ...]]:
        """Give highest bid and lowest ask (ticks) of our orders, and the ids of what triggers."""
        orders = self._ledger.open_of(symbol)
        bid = max((order.price for order in orders if order.is_buy), default=-1)
        ask = min((order.price for order in orders if not order.is_buy), default=2**62)
        return bid, ask, tuple(self._triggers.waiting)

    def _print_all(self, symbol: str, trades: Trades) -> None:
        """Print the trades that reach something of ours; most of a lively minute do not."""
        at = 0
        while at < len(trades.id) and self._waits(symbol):
            at += self._print_reaching(symbol, trades.part(at, len(trades.id)))
        self._save_queues()

    def _print_reaching(self, symbol: str, trades: Trades) -> int:
        """Print until something of ours changes; give how many trades are done with."""
        waiting = self._waiting(symbol)
        for at in np.flatnonzero(self._touches(symbol, self._ranges(symbol, trades))).tolist():
            self._print(symbol, trades, at)
            if self._waiting(symbol) != waiting:
                return at + 1
        return len(trades.id)

    def _ranges(self, symbol: str, trades: Trades) -> dict[str, np.ndarray]:
        """Give each trade of one minute as the range that it reaches, in last and mark price."""
        minute = int(trades.time_ms[0]) // MINUTE_MS
        basis = float(self._market.rows(symbol, minute, minute + 1)[1]["basis"][0])
        mark = trades.price * (float(self._market.spec(symbol).tick) * (1.0 + basis))
        return {"low": trades.price, "high": trades.price, "mark_low": mark, "mark_high": mark}

    def _print(self, symbol: str, trades: Trades, at: int) -> None:
        price, moment = int(trades.price[at]), int(trades.time_ms[at])
        quantity, is_buy = int(trades.quantity[at]), bool(trades.is_buy[at])
        self._serve(symbol, price, quantity, moment, is_buy=is_buy, meets_us=True)
        self._triggers.check(symbol, price, moment)

    # ---- resting orders

    def print_trade(
        self, symbol: str, price: int, quantity: int, now_ms: int, *, is_buy: bool
    ) -> list[Fill]:
        """Let one trade (ticks, steps, aggressor's side) fill resting orders; see ``_serve``."""
        fills = self._serve(symbol, price, quantity, now_ms, is_buy=is_buy, meets_us=False)
        self._save_queues()
        return fills

    def _save_queues(self) -> None:
        for order in self._moved.values():
            if order.is_open:
                self._ledger.save_order(order)
        self._moved.clear()

    def _serve(
        self, symbol: str, price: int, quantity: int, now_ms: int, *, is_buy: bool, meets_us: bool
    ) -> list[Fill]:
        """Let one trade serve the queues before resting orders, and then the orders.

        An order that the trade went through fills whole. At the order's own price the trade
        must come from the other side, and first serves the queue before it. A trade of the
        market's own tape (``meets_us``) by an aggressor of our side at our price took an
        offer that stood there: that offer would have met our order before.
        """
        orders = self._ledger.open_of(symbol)
        orders.sort(key=lambda order: (-order.sign * order.price, order.id))
        fills: list[Fill] = []
        left = quantity
        for order in orders:
            beyond = order.sign * (order.price - price)
            if beyond > 0:
                fills += self.fill_resting(order, order.remaining, now_ms)
            elif beyond == 0 and order.is_buy != is_buy and order.is_open:
                served = min(order.queue, left)
                order.queue -= served
                self._moved[order.id] = order
                done = self.fill_resting(order, min(order.remaining, left - served), now_ms)
                left -= sum(fill.quantity for fill in done)
                fills += done
            elif beyond == 0 and meets_us:
                fills += self.fill_resting(order, min(order.remaining, quantity), now_ms)
        return fills

    def fill_resting(self, order: Order, quantity: int, now_ms: int) -> list[Fill]:
        """Fill a resting order at its own price, as maker; none or one fill."""
        return self._execute(order, order.price, quantity, now_ms, is_maker=True)

    def _execute(
        self, order: Order, price: int, quantity: int, now_ms: int, *, is_maker: bool
    ) -> list[Fill]:
        """Fill an order; one that may only reduce stops at the end of the position."""
        if order.reduce_only:
            quantity = min(quantity, self.reducible(order.symbol, is_buy=order.is_buy))
        if quantity <= 0 or not order.is_open:
            return []
        spec = self._market.spec(order.symbol)
        fill = self._ledger.fill(order, spec, price, quantity, now_ms, is_maker=is_maker)
        self._expire_idle_reducers(order.symbol, now_ms)
        return [fill]

    def reducible(self, symbol: str, *, is_buy: bool) -> int:
        """Give the steps that an order of this side can close."""
        held = self._ledger.account.position(symbol).quantity
        return max(0, -held if is_buy else held)

    def _expire_idle_reducers(self, symbol: str, now_ms: int) -> None:
        """Expire reduce-only orders that have nothing left to reduce, as Binance does."""
        for order in self._ledger.open_of(symbol):
            if order.reduce_only and not self.reducible(symbol, is_buy=order.is_buy):
                self._ledger.end_order(order, Status.EXPIRED, now_ms)

    # ---- arriving orders

    def takeable(self, order: Order, now_ms: int) -> list[tuple[int, int]]:
        """Give the levels (ticks, steps) of the other side that the order's price allows."""
        book = self._book.levels(order.symbol, now_ms, DEEPEST)
        side = book.asks if order.is_buy else book.bids
        if not order.is_limit:
            return side
        return [level for level in side if order.sign * (order.price - level[0]) >= 0]

    def take(self, order: Order, levels: list[tuple[int, int]], now_ms: int) -> list[Fill]:
        """Fill an arriving order from these levels, as taker."""
        fills: list[Fill] = []
        for price, size in levels:
            part = min(size, order.remaining)
            done = self._execute(order, price, part, now_ms, is_maker=False)
            if not done:
                break
            fills += done
            self._book.take(order.symbol, now_ms, price, done[0].quantity, is_bid=not order.is_buy)
        return fills

    def rest(self, order: Order, now_ms: int) -> None:
        """Put what is left of an order on the book, behind the size that stands there."""
        if not order.is_open:
            return
        if not order.is_limit or order.time_in_force in {"IOC", "FOK"}:
            self._ledger.end_order(order, Status.EXPIRED, now_ms)
            return
        order.queue = self._book.queue_at(order.symbol, now_ms, order.price, is_buy=order.is_buy)
        self._ledger.save_order(order)
