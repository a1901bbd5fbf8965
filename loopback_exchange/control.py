"""Control over the market and the wire, for tests and drills: in process, and as a route."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from loopback_exchange.faults import Fault, FaultKind, Faults, FaultSchedule
from loopback_exchange.matching.algo import AlgoStatus
from loopback_exchange.matching.live_book import Pin
from loopback_exchange.routes.account import position_risk
from loopback_exchange.routes.algo import open_orders as open_algo_orders
from loopback_exchange.routes.orders import fill_json, order_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from loopback_exchange.exchange import Exchange
    from loopback_exchange.market.specs import SymbolSpec
    from loopback_exchange.matching.orders import Fill

Amount = Decimal | str | float
_ROUNDING = Decimal("1e-6")


class FillOrder(NamedTuple):
    """Exactly this quantity (base) of exactly this order."""

    order_id: int
    quantity: Amount


class Control:
    """What a test may do to the exchange; every method is thread safe."""

    def __init__(
        self, exchange: Exchange, faults: Faults, reset: Callable[[], None] | None = None
    ) -> None:
        self._exchange = exchange
        self._faults = faults
        self._reset = reset or exchange.reset

    def book(
        self,
        symbol: str,
        bid: Amount,
        ask: Amount,
        bid_size: Amount = 1,
        ask_size: Amount = 1,
        last: Amount | None = None,
    ) -> None:
        """Pin the book of a symbol (prices in quote, sizes in base) until ``release``.

        While it is pinned the market fills no orders of the symbol. Each arriving order meets
        the pinned sizes afresh. ``last`` is the last price, the bid by default.
        """
        spec = self._exchange.spec(symbol)
        low, high = _ticks(spec, bid), _ticks(spec, ask)
        if low >= high:
            raise ValueError(f"Expected bid < ask; they were {bid} and {ask}. Change one of them.")
        sizes = _steps(spec, bid_size), _steps(spec, ask_size)
        price = low if last is None else _ticks(spec, last)

        def pin(at: int) -> None:
            version = self._exchange.market.last_trade(symbol, at).id
            self._exchange.book.pin(symbol, Pin(low, high, *sizes, price, version))
            self._exchange.triggers.check(symbol, price, at)

        self._exchange.call(pin)

    def release(self, symbol: str) -> None:
        """Give a pinned book back to the market."""
        self._exchange.spec(symbol)
        self._exchange.call(lambda _at: self._exchange.book.unpin(symbol))

    def print(
        self,
        symbol: str,
        price: Amount,
        quantity: Amount,
        aggressor: str,
        fill_order: FillOrder | None = None,
    ) -> list[dict[str, Any]]:
        """Print a trade (``aggressor`` is "buy" or "sell") and give the fills it makes.

        With ``fill_order`` exactly that quantity of that order fills, at its own price, and
        nothing else. A print is the new last price of a pinned book, and triggers what waits
        for it.
        """
        spec = self._exchange.spec(symbol)
        if aggressor not in {"buy", "sell"}:
            raise ValueError(f"Expected aggressor 'buy' or 'sell'; it was {aggressor!r}.")
        ticks, steps = _ticks(spec, price), _steps(spec, quantity)

        def act(at: int) -> list[dict[str, Any]]:
            self._set_last(symbol, ticks)
            if fill_order is not None:
                fills = self._fill_exactly(spec, fill_order, at)
            else:
                fills = self._exchange.matcher.print_trade(
                    symbol, ticks, steps, at, is_buy=aggressor == "buy"
                )
            self._exchange.triggers.check(symbol, ticks, at)
            return [fill_json(self._exchange, fill) for fill in fills]

        return self._exchange.call(act)

    def _set_last(self, symbol: str, ticks: int) -> None:
        pin = self._exchange.book.pins.get(symbol)
        if pin is not None:
            self._exchange.book.pin(symbol, pin._replace(last=ticks))

    def _fill_exactly(self, spec: SymbolSpec, wanted: FillOrder, at: int) -> list[Fill]:
        steps = _steps(spec, wanted.quantity)
        order = self._exchange.find(spec.symbol, wanted.order_id, None)
        if order is None or not order.is_open or order.remaining < steps:
            state = "unknown" if order is None else f"{order.status} with {order.remaining} steps"
            raise ValueError(
                f"Expected an open order {wanted.order_id} of {spec.symbol} with {steps} steps "
                f"left; it was {state}. Change the order id or the quantity."
            )
        return self._exchange.matcher.fill_resting(order, steps, at)

    def fill(self, symbol: str, order_id: int, quantity: Amount) -> list[dict[str, Any]]:
        """Fill exactly this quantity (base) of a resting order, at its own price."""
        order = self._exchange.find(symbol, order_id, None)
        price = self._exchange.spec(symbol).price(order.price) if order else Decimal(1)
        side = "sell" if order and order.is_buy else "buy"
        return self.print(symbol, price, quantity, side, FillOrder(order_id, quantity))

    def drop_stops(self, symbol: str, status: AlgoStatus | str = AlgoStatus.EXPIRED) -> int:
        """End all conditional orders of a symbol that wait, as an exchange does by itself.

        Returns how many there were.
        """
        self._exchange.spec(symbol)
        return self._exchange.call(
            lambda at: self._exchange.triggers.drop(symbol, AlgoStatus(status), at)
        )

    def fault(
        self, kind: FaultKind | str, method: str, path: str, count: int = 1, **details: float
    ) -> None:
        """Let the next ``count`` requests of this method and path meet a fault.

        ``details`` are ``delay_s``, ``retry_after_s``, ``down_s`` or ``share`` (0..1), as the
        kind takes them; each has a default.
        """
        self._faults.add(Fault(FaultKind(kind), method.upper(), path, count, details))

    def schedule(
        self,
        seed: int,
        share: float,
        kinds: Iterable[FaultKind | str] | Mapping[FaultKind | str, float] | None = None,
    ) -> None:
        """Let a seeded schedule strike this share (0..1) of the order requests from now on."""
        self._faults.follow(FaultSchedule(seed, share, kinds))

    def pause(self) -> None:
        """Let the schedule rest."""
        self._faults.pause()

    def resume(self) -> None:
        """Go on with the schedule."""
        self._faults.resume()

    def strikes(self) -> dict[str, Any]:
        """Give the order requests seen and hit under the schedule, and every strike."""
        faults = self._faults
        journal = [strike._asdict() for strike in list(faults.journal)]
        return {"seen": faults.seen, "hit": faults.hit, "journal": journal}

    def state(self) -> dict[str, Any]:
        """Give positions, open orders, waiting algo orders, fills and balances as JSON values."""
        exchange = self._exchange

        def read(at: int) -> dict[str, Any]:
            ledger = exchange.ledger
            return {
                "positions": position_risk(exchange, {}, at),
                "open_orders": [order_json(exchange, one) for one in ledger.open_orders.values()],
                "algo_orders": open_algo_orders(exchange, {}, at),
                "fills": [fill_json(exchange, fill) for fill in ledger.fills],
                "balances": {
                    "USDT": str(ledger.account.wallet),
                    "available": str(exchange.available),
                },
            }

        return exchange.call(read)

    def reset(self) -> None:
        """Start anew: no orders, fills, positions, pins, faults or counts."""
        self._reset()


def _ticks(spec: SymbolSpec, price: Amount) -> int:
    return _whole(spec, Decimal(str(price)), spec.tick, "price", "tick")


def _steps(spec: SymbolSpec, quantity: Amount) -> int:
    return _whole(spec, Decimal(str(quantity)), spec.step, "quantity", "step")


def _whole(spec: SymbolSpec, value: Decimal, unit: Decimal, what: str, name: str) -> int:
    count = round(value / unit)
    # A float that a caller computed may be off in its last bit.
    if value <= 0 or abs(count * unit - value) > unit * _ROUNDING:
        raise ValueError(
            f"Expected a {what} of {spec.symbol} that is a positive multiple of its {name} "
            f"{unit}; it was {value}. Change the {what}."
        )
    return count
