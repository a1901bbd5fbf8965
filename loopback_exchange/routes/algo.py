"""Signed routes about conditional orders, which Binance calls algo orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loopback_exchange.errors import ApiError, Code
from loopback_exchange.matching.algo import AlgoStatus, parse_algo
from loopback_exchange.matching.placement import needed
from loopback_exchange.routes.orders import REMEMBERED_MS, WINDOW_MS
from loopback_exchange.routes.params import Params, integer, limit_of, text

if TYPE_CHECKING:
    from loopback_exchange.exchange import Exchange
    from loopback_exchange.matching.algo import AlgoOrder


def place(exchange: Exchange, params: Params, at: int) -> dict[str, Any]:
    """POST /fapi/v1/algoOrder."""
    spec = exchange.spec(needed(params, "symbol"))
    return algo_json(exchange, exchange.triggers.add(parse_algo(params, spec, at), at))


def _found(exchange: Exchange, params: Params, missing: Code) -> AlgoOrder:
    if "algoId" not in params and not params.get("clientAlgoId"):
        raise ApiError(Code.MANDATORY_PARAMETER, name="algoId")
    algo_id = integer(params, "algoId") if "algoId" in params else None
    algo = exchange.triggers.find(algo_id, params.get("clientAlgoId"))
    if algo is None or params.get("symbol", algo.symbol) != algo.symbol:
        raise ApiError(missing)
    return algo


def query(exchange: Exchange, params: Params, _at: int) -> dict[str, Any]:
    """GET /fapi/v1/algoOrder."""
    return algo_json(exchange, _found(exchange, params, Code.NO_SUCH_ORDER))


def cancel(exchange: Exchange, params: Params, at: int) -> dict[str, Any]:
    """DELETE /fapi/v1/algoOrder."""
    algo = _found(exchange, params, Code.CANCEL_REJECTED)
    exchange.triggers.cancel(algo, at)
    return {"algoId": algo.id, "clientAlgoId": algo.client_id, "code": "200", "msg": "success"}


def open_orders(exchange: Exchange, params: Params, _at: int) -> list[dict[str, Any]]:
    """GET /fapi/v1/openAlgoOrders, of one symbol or of all: those that still wait."""
    symbol = exchange.spec(params["symbol"]).symbol if "symbol" in params else None
    waiting = exchange.triggers.waiting.values()
    return [algo_json(exchange, algo) for algo in waiting if symbol in {None, algo.symbol}]


def all_orders(exchange: Exchange, params: Params, at: int) -> list[dict[str, Any]]:
    """GET /fapi/v1/allAlgoOrders: every state, oldest first, as far as orders are remembered."""
    spec = exchange.spec(needed(params, "symbol"))
    limit = limit_of(params, 500, 1000)
    start, first = integer(params, "startTime", 0), integer(params, "algoId", 0)
    last = start + WINDOW_MS if "startTime" in params else at
    end = min(integer(params, "endTime", at), last)
    found = [
        algo
        for algo in exchange.triggers.orders.values()
        if algo.symbol == spec.symbol
        and algo.id >= first
        and start <= algo.time_ms <= end
        and (algo.order_id or _is_remembered(algo, at))
    ]
    kept = found[:limit] if "startTime" in params or first else found[-limit:]
    return [algo_json(exchange, algo) for algo in kept]


def _is_remembered(algo: AlgoOrder, at: int) -> bool:
    return algo.status is AlgoStatus.NEW or at - algo.update_ms <= REMEMBERED_MS


def algo_json(exchange: Exchange, algo: AlgoOrder) -> dict[str, Any]:
    """Write a conditional order as the exchange answers it."""
    spec = exchange.spec(algo.symbol)
    order = exchange.ledger.orders.get(algo.order_id)
    filled = spec.quantity(order.filled) if order else spec.quantity(0)
    average = order.cost / filled if order and order.filled else spec.price(0)
    return {
        "algoId": algo.id,
        "clientAlgoId": algo.client_id,
        "algoType": "CONDITIONAL",
        "orderType": algo.kind,
        "symbol": algo.symbol,
        "side": "BUY" if algo.is_buy else "SELL",
        "positionSide": "BOTH",
        "timeInForce": algo.time_in_force,
        "quantity": text(spec.quantity(algo.quantity)),
        "algoStatus": str(exchange.triggers.status_of(algo)),
        "actualOrderId": str(algo.order_id) if algo.order_id else "",
        "actualPrice": f"{average:.{spec.price_decimals + 4}f}",
        "triggerPrice": text(spec.price(algo.trigger)),
        "price": text(spec.price(algo.price)),
        "icebergQuantity": None,
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "workingType": "MARK_PRICE" if algo.by_mark else "CONTRACT_PRICE",
        "priceMatch": "NONE",
        "closePosition": algo.closes,
        "priceProtect": False,
        "reduceOnly": algo.reduce_only,
        "createTime": algo.time_ms,
        "updateTime": max(algo.update_ms, order.update_ms if order else 0),
        "triggerTime": algo.trigger_ms,
        "goodTillDate": 0,
    }
