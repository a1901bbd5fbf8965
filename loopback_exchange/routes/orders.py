"""Signed routes about orders and fills."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loopback_exchange.clock import DAY_MS
from loopback_exchange.errors import ApiError, Code
from loopback_exchange.matching.placement import needed, parse
from loopback_exchange.routes.params import Params, integer, limit_of, text

if TYPE_CHECKING:
    from loopback_exchange.exchange import Exchange
    from loopback_exchange.matching.orders import Fill, Order


WINDOW_MS = 7 * DAY_MS
REMEMBERED_MS = 3 * DAY_MS


def place(exchange: Exchange, params: Params, at: int) -> dict[str, Any]:
    """POST /fapi/v1/order."""
    spec = exchange.spec(needed(params, "symbol"))
    order = exchange.place(parse(params, spec), at)
    return order_json(exchange, order)


def _found(exchange: Exchange, params: Params, missing: Code) -> Order:
    spec = exchange.spec(needed(params, "symbol"))
    if "orderId" not in params and not params.get("origClientOrderId"):
        raise ApiError(Code.MANDATORY_PARAMETER, name="orderId")
    order_id = integer(params, "orderId") if "orderId" in params else None
    order = exchange.find(spec.symbol, order_id, params.get("origClientOrderId"))
    if order is None:
        raise ApiError(missing)
    return order


def query(exchange: Exchange, params: Params, _at: int) -> dict[str, Any]:
    """GET /fapi/v1/order."""
    return order_json(exchange, _found(exchange, params, Code.NO_SUCH_ORDER))


def cancel(exchange: Exchange, params: Params, at: int) -> dict[str, Any]:
    """DELETE /fapi/v1/order."""
    order = _found(exchange, params, Code.CANCEL_REJECTED)
    return order_json(exchange, exchange.cancel(order, at))


def open_orders(exchange: Exchange, params: Params, _at: int) -> list[dict[str, Any]]:
    """GET /fapi/v1/openOrders, of one symbol or of all."""
    symbol = exchange.spec(params["symbol"]).symbol if "symbol" in params else None
    orders = exchange.ledger.open_orders.values()
    return [order_json(exchange, one) for one in orders if symbol in {None, one.symbol}]


def all_orders(exchange: Exchange, params: Params, at: int) -> list[dict[str, Any]]:
    """GET /fapi/v1/allOrders: every state, oldest first, as far as Binance remembers.

    At most seven days from ``startTime`` on; what ended without a fill is gone after three.
    """
    spec = exchange.spec(needed(params, "symbol"))
    limit = limit_of(params, 500, 1000)
    start = integer(params, "startTime", 0)
    last = start + WINDOW_MS if "startTime" in params else at
    end = min(integer(params, "endTime", at), last)
    first = integer(params, "orderId", 0)
    found = [
        order
        for order in exchange.ledger.orders.values()
        if order.symbol == spec.symbol
        and order.id >= first
        and start <= order.time_ms <= end
        and (order.is_open or order.filled or at - order.update_ms <= REMEMBERED_MS)
    ]
    kept = found[:limit] if "startTime" in params or first else found[-limit:]
    return [order_json(exchange, order) for order in kept]


def user_trades(exchange: Exchange, params: Params, at: int) -> list[dict[str, Any]]:
    """GET /fapi/v1/userTrades: fills, oldest first."""
    spec = exchange.spec(needed(params, "symbol"))
    limit = limit_of(params, 500, 1000)
    start, end = integer(params, "startTime", 0), integer(params, "endTime", at)
    first, order_id = integer(params, "fromId", 0), integer(params, "orderId", 0)
    found = [
        fill
        for fill in exchange.ledger.fills
        if fill.symbol == spec.symbol
        and fill.id >= first
        and start <= fill.time_ms <= end
        and order_id in {0, fill.order_id}
    ]
    kept = found[:limit] if "startTime" in params or first else found[-limit:]
    return [fill_json(exchange, fill) for fill in kept]


def order_json(exchange: Exchange, order: Order) -> dict[str, Any]:
    """Write an order as the exchange answers it."""
    spec = exchange.spec(order.symbol)
    kind = "LIMIT" if order.is_limit else "MARKET"
    executed = spec.quantity(order.filled)
    average = order.cost / executed if order.filled else spec.price(0)
    return {
        "orderId": order.id,
        "symbol": order.symbol,
        "status": str(order.status),
        "clientOrderId": order.client_id,
        "price": text(spec.price(order.price)),
        "avgPrice": f"{average:.{spec.price_decimals + 4}f}",
        "origQty": text(spec.quantity(order.quantity)),
        "executedQty": text(executed),
        "cumQty": text(executed),
        "cumQuote": text(order.cost),
        "timeInForce": order.time_in_force,
        "type": kind,
        "origType": kind,
        "reduceOnly": order.reduce_only,
        "closePosition": False,
        "side": "BUY" if order.is_buy else "SELL",
        "positionSide": "BOTH",
        "stopPrice": "0",
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "time": order.time_ms,
        "updateTime": order.update_ms,
    }


def fill_json(exchange: Exchange, fill: Fill) -> dict[str, Any]:
    """Write a fill as the exchange answers it."""
    spec = exchange.spec(fill.symbol)
    return {
        "symbol": fill.symbol,
        "id": fill.id,
        "orderId": fill.order_id,
        "side": "BUY" if fill.is_buy else "SELL",
        "price": text(spec.price(fill.price)),
        "qty": text(spec.quantity(fill.quantity)),
        "quoteQty": text(fill.quote),
        "realizedPnl": text(fill.realized),
        "commission": text(fill.commission),
        "commissionAsset": "USDT",
        "time": fill.time_ms,
        "positionSide": "BOTH",
        "buyer": fill.is_buy,
        "maker": fill.is_maker,
    }
