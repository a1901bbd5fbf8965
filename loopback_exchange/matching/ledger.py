"""Orders, fills, income and account, kept in memory and written through to the store."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from loopback_exchange.matching.account import (
    MAKER_FEE,
    START_BALANCE,
    TAKER_FEE,
    Account,
    Position,
    money,
)
from loopback_exchange.matching.orders import Fill, Income, Order, Status

if TYPE_CHECKING:
    from loopback_exchange.market.specs import SymbolSpec
    from loopback_exchange.matching.journal import Journal
    from loopback_exchange.matching.store import Store

_FIRST_ORDER_ID = 1001


class Ledger:
    """The books of the exchange; every change goes through here and into the store."""

    def __init__(self, store: Store, journal: Journal, balance: Decimal = START_BALANCE) -> None:
        self._store = store
        self._journal = journal
        self._balance = balance
        self.account = Account(wallet=balance)
        self.orders: dict[int, Order] = {}
        self.open_orders: dict[int, Order] = {}
        self.fills: list[Fill] = []
        self.income: list[Income] = []
        self.matched_ms = 0
        self._load()

    # ---- orders

    def next_order_id(self) -> int:
        """Give the id after the newest order."""
        return next(reversed(self.orders), _FIRST_ORDER_ID - 1) + 1

    def add_order(self, order: Order) -> None:
        """Take up a new order."""
        self.save_order(order)
        self._journal.tell("placed", order, self._held(order.symbol))

    def _held(self, symbol: str) -> int:
        return self.account.position(symbol).quantity

    def save_order(self, order: Order) -> None:
        """Keep an order, new or changed."""
        self.orders[order.id] = order
        if order.is_open:
            self.open_orders[order.id] = order
        else:
            self.open_orders.pop(order.id, None)
        self._store.put("order", order.id, order)

    def open_of(self, symbol: str) -> list[Order]:
        """Give the open orders of a symbol, oldest first."""
        return [order for order in self.open_orders.values() if order.symbol == symbol]

    def end_order(self, order: Order, status: Status, now_ms: int) -> None:
        """Take an order off the book."""
        order.status, order.update_ms = status, now_ms
        self.save_order(order)
        self._journal.tell("ended", order, self._held(order.symbol))

    # ---- money

    def fill(
        self,
        order: Order,
        spec: SymbolSpec,
        price: int,
        quantity: int,
        now_ms: int,
        *,
        is_maker: bool,
    ) -> Fill:
        """Execute part of an order at a price (ticks) and book everything that follows."""
        cash = spec.price(price)
        quote = cash * spec.quantity(quantity)
        commission = money(quote * (MAKER_FEE if is_maker else TAKER_FEE))
        leverage = self.account.leverage_of(order.symbol)
        position = self.account.position(order.symbol)
        realized = position.apply(order.sign * quantity, cash, spec.step, leverage, now_ms)
        order.filled += quantity
        order.cost += quote
        order.update_ms = now_ms
        order.status = Status.PARTIALLY_FILLED if order.remaining else Status.FILLED
        fill = Fill(
            len(self.fills) + 1, order.id, order.symbol, order.is_buy, price, quantity,
            quote, commission, realized, is_maker, now_ms,
        )  # fmt: skip
        self.fills.append(fill)
        self._store.put("fill", fill.id, fill)
        self.save_order(order)
        if realized:
            self._book(order.symbol, "REALIZED_PNL", realized, now_ms, fill.id)
        self._book(order.symbol, "COMMISSION", -commission, now_ms, fill.id)
        self._store.put("position", order.symbol, position)
        self._journal.tell("filled", order, position.quantity, fill)
        if not order.is_open:
            self._journal.tell("ended", order, position.quantity)
        return fill

    def settle_funding(self, symbol: str, rate: float, mark: float, step: Decimal, at: int) -> None:
        """Pay or receive funding on a position: longs pay a positive rate."""
        position = self.account.position(symbol)
        if not position.quantity:
            return
        notional = Decimal(repr(mark)) * step * position.quantity
        amount = money(-notional * Decimal(repr(rate)))
        self._book(symbol, "FUNDING_FEE", amount, at, None)

    def _book(
        self, symbol: str, kind: str, amount: Decimal, now_ms: int, trade_id: int | None
    ) -> None:
        row = Income(len(self.income) + 1, symbol, kind, amount, now_ms, trade_id)
        self.income.append(row)
        self.account.wallet += amount
        self.account.update_ms = now_ms
        self._store.put("income", row.id, row)
        self.save_account()

    def save_account(self) -> None:
        """Keep balance, leverages and margin types."""
        account = self.account
        body = {
            "wallet": str(account.wallet),
            "leverage": account.leverage,
            "isolated": sorted(account.isolated),
            "update_ms": account.update_ms,
        }
        self._store.put("state", "account", body)

    def save_matched(self, now_ms: int) -> None:
        """Keep the moment up to which the market has been matched."""
        self.matched_ms = now_ms
        self._store.put("state", "matched_ms", now_ms)

    # ---- start and reset

    def reset(self) -> None:
        """Forget everything and start with the first balance."""
        self._store.clear()
        self.account = Account(wallet=self._balance)
        self.orders, self.open_orders = {}, {}
        self.fills, self.income = [], []
        self.matched_ms = 0

    def _load(self) -> None:
        for _, body in sorted(self._store.all("order"), key=lambda item: int(item[0])):
            order = Order(**_typed(body, "cost"))
            order.status = Status(order.status)
            self.orders[order.id] = order
            if order.is_open:
                self.open_orders[order.id] = order
        fills = (Fill(**_typed(body, *_FILL_MONEY)) for _, body in self._store.all("fill"))
        self.fills = sorted(fills, key=lambda fill: fill.id)
        rows = (Income(**_typed(body, "amount")) for _, body in self._store.all("income"))
        self.income = sorted(rows, key=lambda row: row.id)
        for symbol, body in self._store.all("position"):
            self.account.positions[symbol] = Position(**_typed(body, "cost", "margin"))
        for key, body in self._store.all("state"):
            if key == "matched_ms":
                self.matched_ms = int(body)
            else:
                self._load_account(body)

    def _load_account(self, body: dict[str, Any]) -> None:
        self.account.wallet = Decimal(body["wallet"])
        self.account.leverage = dict(body["leverage"])
        self.account.isolated = set(body["isolated"])
        self.account.update_ms = int(body["update_ms"])


_FILL_MONEY = ("quote", "commission", "realized")


def _typed(body: dict[str, Any], *amounts: str) -> dict[str, Any]:
    return {**body, **{name: Decimal(body[name]) for name in amounts}}
