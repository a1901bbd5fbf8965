"""GET routes about the exchange itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from loopback_exchange.market.synthetic import LISTED_MS
from loopback_exchange.matching.algo import KINDS
from loopback_exchange.matching.placement import MAX_STEPS, MAX_TICKS, PRICE_BAND
from loopback_exchange.routes.params import Params, text

if TYPE_CHECKING:
    from loopback_exchange.exchange import Exchange
    from loopback_exchange.market.specs import SymbolSpec

_NO_DELIVERY_MS = 4_133_404_800_000


def ping(_exchange: Exchange, _params: Params, _at: int) -> dict[str, Any]:
    """GET /fapi/v1/ping."""
    return {}


def server_time(_exchange: Exchange, _params: Params, at: int) -> dict[str, Any]:
    """GET /fapi/v1/time."""
    return {"serverTime": at}


def exchange_info(exchange: Exchange, _params: Params, at: int) -> dict[str, Any]:
    """GET /fapi/v1/exchangeInfo."""
    specs = (exchange.market.spec(symbol) for symbol in exchange.market.symbols)
    return {
        "timezone": "UTC",
        "serverTime": at,
        "rateLimits": [],
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "0"}],
        "symbols": [_symbol(_as_traded(exchange, spec)) for spec in specs],
    }


def _as_traded(exchange: Exchange, spec: SymbolSpec) -> SymbolSpec:
    """Give a contract with the tick in which it trades now."""
    load = exchange.load
    own_ticks = load.tick_of(spec.symbol) if load is not None and spec.symbol in load else 1
    return spec if own_ticks == 1 else replace(spec, tick=spec.tick * own_ticks)


def _symbol(spec: SymbolSpec) -> dict[str, Any]:
    return {
        "symbol": spec.symbol,
        "pair": spec.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": _NO_DELIVERY_MS,
        "onboardDate": LISTED_MS,
        "status": "TRADING",
        "baseAsset": spec.base,
        "quoteAsset": "USDT",
        "marginAsset": "USDT",
        "pricePrecision": spec.price_precision,
        "quantityPrecision": spec.quantity_decimals,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": text(PRICE_BAND),
        "orderTypes": ["LIMIT", "MARKET", *KINDS],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
        "filters": _filters(spec),
    }


def _filters(spec: SymbolSpec) -> list[dict[str, Any]]:
    lot = {
        "minQty": text(spec.step),
        "maxQty": text(spec.quantity(MAX_STEPS)),
        "stepSize": text(spec.step),
    }
    price = {
        "minPrice": text(spec.tick),
        "maxPrice": text(spec.price(MAX_TICKS)),
        "tickSize": text(spec.tick),
    }
    band = {"multiplierUp": text(1 + PRICE_BAND), "multiplierDown": text(1 - PRICE_BAND)}
    return [
        {"filterType": "PRICE_FILTER", **price},
        {"filterType": "LOT_SIZE", **lot},
        {"filterType": "MARKET_LOT_SIZE", **lot},
        {"filterType": "MAX_NUM_ORDERS", "limit": 200},
        {"filterType": "MIN_NOTIONAL", "notional": text(spec.min_notional)},
        {"filterType": "PERCENT_PRICE", **band, "multiplierDecimal": "4"},
    ]


def coins(_exchange: Exchange, _params: Params, _at: int) -> list[Any]:
    """GET /sapi/v1/capital/config/getall: no coin can be deposited or withdrawn."""
    return []
