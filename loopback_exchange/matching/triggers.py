"""The conditional orders of the account: they wait for a price, and then become orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from loopback_exchange.errors import ApiError, Code
from loopback_exchange.matching.algo import AlgoOrder, AlgoStatus
from loopback_exchange.matching.placement import NewOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from loopback_exchange.market.source import MarketSource
    from loopback_exchange.matching.journal import Journal
    from loopback_exchange.matching.ledger import Ledger
    from loopback_exchange.matching.live_book import LiveBook
    from loopback_exchange.matching.orders import Order
    from loopback_exchange.matching.store import Store

_FIRST_ALGO_ID = 1_000_001
_ROUNDING = 1e-9


class Triggers:
    """Conditional orders, kept in memory and written through to the store.

    ``place`` accepts the order that a conditional one becomes. A position that closes leaves
    them as they are: one that may only reduce and triggers without a position expires.
    """

    def __init__(
        self,
        market: MarketSource,
        store: Store,
        ledger: Ledger,
        book: LiveBook,
        journal: Journal,
        place: Callable[[NewOrder, int], Order],
    ) -> None:
        self._market, self._store = market, store
        self._ledger, self._book, self._journal = ledger, book, journal
        self._place = place
        self.orders: dict[int, AlgoOrder] = {}
        self.waiting: dict[int, AlgoOrder] = {}
        self._load()

    def _load(self) -> None:
        for _, body in sorted(self._store.all("algo"), key=lambda item: int(item[0])):
            algo = AlgoOrder(**{**body, "status": AlgoStatus(body["status"])})
            self._keep(algo)

    def clear(self) -> None:
        """Forget them all; the store is emptied elsewhere."""
        self.orders.clear()
        self.waiting.clear()

    # ---- requests

    def add(self, algo: AlgoOrder, at: int) -> AlgoOrder:
        """Accept a conditional order that would not trigger at once."""
        algo.id = next(reversed(self.orders), _FIRST_ALGO_ID - 1) + 1
        algo.client_id = algo.client_id or f"loopback-algo-{algo.id}"
        if algo.client_id in {one.client_id for one in self.waiting.values()}:
            raise ApiError(Code.DUPLICATED_CLIENT_ORDER_ID)
        spec = self._market.spec(algo.symbol)
        if self._is_reached(algo, self._book.last_price(algo.symbol, at), at):
            raise ApiError(Code.WOULD_TRIGGER)
        worth = spec.price(algo.price or algo.trigger) * spec.quantity(algo.quantity)
        if not algo.reduce_only and worth < spec.min_notional:
            raise ApiError(Code.NOTIONAL_TOO_SMALL, least=spec.min_notional)
        self._save(algo)
        self._journal.tell_algo("placed", algo, self._held(algo.symbol))
        return algo

    def cancel(self, algo: AlgoOrder, at: int) -> None:
        """Cancel a conditional order that still waits."""
        if algo.status is not AlgoStatus.NEW:
            raise ApiError(Code.CANCEL_REJECTED)
        self._end(algo, AlgoStatus.CANCELED, at)

    def drop(self, symbol: str, status: AlgoStatus, at: int) -> int:
        """End all that wait on a symbol without their owner having asked for it."""
        waiting = self._of(symbol)
        for algo in waiting:
            self._end(algo, status, at)
        return len(waiting)

    def find(self, algo_id: int | None, client_id: str | None) -> AlgoOrder | None:
        """Find one by its id, or the newest one with a client id."""
        if algo_id is not None:
            return self.orders.get(algo_id)
        same = (one for one in reversed(self.orders.values()) if one.client_id == client_id)
        return next(same, None)

    def status_of(self, algo: AlgoOrder) -> AlgoStatus:
        """Give the state, which follows the order that it became."""
        if algo.status is AlgoStatus.TRIGGERED and not self._ledger.orders[algo.order_id].is_open:
            return AlgoStatus.FINISHED
        return algo.status

    # ---- prices

    def touches(self, symbol: str, rows: np.ndarray | Mapping[str, np.ndarray]) -> np.ndarray:
        """Give which minutes (n,) may reach a trigger; they need low and high, also of marks."""
        touched = np.zeros(len(rows["low"]), dtype=np.bool_)
        for algo in self._of(symbol):
            level: float = algo.trigger
            if algo.by_mark:
                level = float(self._market.spec(symbol).price(algo.trigger))
            low, high = ("mark_low", "mark_high") if algo.by_mark else ("low", "high")
            if algo.rises:
                touched |= rows[high] >= level * (1 - _ROUNDING)
            else:
                touched |= rows[low] <= level * (1 + _ROUNDING)
        return touched

    def check(self, symbol: str, last: int, at: int) -> None:
        """Let a last price (ticks) and the mark price of its moment trigger what they reach."""
        for algo in self._of(symbol):
            if self._is_reached(algo, last, at):
                self._fire(algo, at)

    def waits(self, symbol: str) -> bool:
        """Give whether anything of a symbol waits."""
        return any(algo.symbol == symbol for algo in self.waiting.values())

    def _of(self, symbol: str) -> list[AlgoOrder]:
        return [algo for algo in self.waiting.values() if algo.symbol == symbol]

    def _is_reached(self, algo: AlgoOrder, last: int, at: int) -> bool:
        spec = self._market.spec(algo.symbol)
        trigger: Decimal = spec.price(algo.trigger)
        price = self._book.mark_price(algo.symbol, at) if algo.by_mark else spec.price(last)
        return price >= trigger if algo.rises else price <= trigger

    def _fire(self, algo: AlgoOrder, at: int) -> None:
        algo.trigger_ms = at
        held = self._held(algo.symbol)
        reducible = max(0, -held if algo.is_buy else held)
        quantity = min(algo.quantity or reducible, reducible) if algo.reduce_only else algo.quantity
        if not quantity:
            self._end(algo, AlgoStatus.EXPIRED, at)
            return
        self._end(algo, AlgoStatus.TRIGGERED, at)
        try:
            algo.order_id = self._place(self._order(algo, quantity), at).id
        except ApiError:
            algo.status = AlgoStatus.REJECTED
        self._save(algo)

    def _order(self, algo: AlgoOrder, quantity: int) -> NewOrder:
        taken = {order.client_id for order in self._ledger.open_orders.values()}
        return NewOrder(
            symbol=algo.symbol,
            is_buy=algo.is_buy,
            is_limit=algo.is_limit,
            time_in_force=algo.time_in_force if algo.is_limit else "GTC",
            price=algo.price,
            quantity=quantity,
            reduce_only=algo.reduce_only,
            client_id=None if algo.client_id in taken else algo.client_id,
        )

    # ---- books

    def _held(self, symbol: str) -> int:
        return self._ledger.account.position(symbol).quantity

    def _end(self, algo: AlgoOrder, status: AlgoStatus, at: int) -> None:
        algo.status, algo.update_ms = status, at
        self._save(algo)
        self._journal.tell_algo("ended", algo, self._held(algo.symbol))

    def _save(self, algo: AlgoOrder) -> None:
        self._keep(algo)
        self._store.put("algo", algo.id, algo)

    def _keep(self, algo: AlgoOrder) -> None:
        self.orders[algo.id] = algo
        if algo.status is AlgoStatus.NEW:
            self.waiting[algo.id] = algo
        else:
            self.waiting.pop(algo.id, None)
