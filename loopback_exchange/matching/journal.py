"""What happens to orders, told to whoever watches, in the order in which it happens."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from loopback_exchange.market.source import MarketSource
    from loopback_exchange.matching.algo import AlgoOrder
    from loopback_exchange.matching.orders import Fill, Order


class Event(NamedTuple):
    """One thing that happened to one order; prices in quote, quantities in base.

    An order is ``placed`` once, ``filled`` with each fill, and ``ended`` once: by a cancel, by
    expiry or by its last fill, and then right after it. Of an algo order ``price`` is the
    trigger, and ``order_id`` and ``client_id`` are its algo ids.
    """

    at: int  # ms
    what: Literal["placed", "filled", "ended"]
    symbol: str
    order_id: int
    client_id: str
    is_buy: bool
    reduce_only: bool
    price: Decimal
    quantity: Decimal
    filled: Decimal  # so far
    position: Decimal  # of the symbol after the event, signed
    fill_price: Decimal = Decimal(0)
    is_maker: bool = False
    is_algo: bool = False


Watcher = Callable[[Event], None]
"""Called under the exchange's lock: it must neither raise nor call the exchange."""


class Journal:
    """Tells events to watchers; nothing is computed while there are none.

    The tape is matched symbol by symbol, so events are kept until ``flush`` and then told in
    the order of their time.
    """

    def __init__(self, market: MarketSource, watchers: list[Watcher]) -> None:
        self._market = market
        self._watchers = watchers
        self._pending: list[Event] = []

    def tell(
        self,
        what: Literal["placed", "filled", "ended"],
        order: Order,
        position: int,
        fill: Fill | None = None,
    ) -> None:
        """Note what happened to an order, with the position (steps, signed) after it."""
        if not self._watchers:
            return
        spec = self._market.spec(order.symbol)
        event = Event(
            at=order.update_ms,
            what=what,
            symbol=order.symbol,
            order_id=order.id,
            client_id=order.client_id,
            is_buy=order.is_buy,
            reduce_only=order.reduce_only,
            price=spec.price(order.price),
            quantity=spec.quantity(order.quantity),
            filled=spec.quantity(order.filled),
            position=spec.quantity(position),
            fill_price=spec.price(fill.price) if fill else Decimal(0),
            is_maker=fill is not None and fill.is_maker,
        )
        self._pending.append(event)

    def tell_algo(self, what: Literal["placed", "ended"], algo: AlgoOrder, position: int) -> None:
        """Note what happened to an algo order; one that triggers ends, and an order begins."""
        if not self._watchers:
            return
        spec = self._market.spec(algo.symbol)
        event = Event(
            at=algo.update_ms,
            what=what,
            symbol=algo.symbol,
            order_id=algo.id,
            client_id=algo.client_id,
            is_buy=algo.is_buy,
            reduce_only=algo.reduce_only,
            price=spec.price(algo.trigger),
            quantity=spec.quantity(algo.quantity),
            filled=spec.quantity(0),
            position=spec.quantity(position),
            is_algo=True,
        )
        self._pending.append(event)

    def flush(self) -> None:
        """Tell everything that has happened since the last time."""
        events, self._pending = self._pending, []
        for event in sorted(events, key=lambda one: one.at):
            for watcher in list(self._watchers):
                watcher(event)
