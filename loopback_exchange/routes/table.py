"""The table of all routes: add a row here, and the server answers it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from loopback_exchange.exchange import Exchange
from loopback_exchange.routes import account, algo, candles, orders, public, tape
from loopback_exchange.routes.params import Params

Answer = Callable[[Exchange, Params, int], Any]


class Route(NamedTuple):
    """What answers a path, and what it asks of the request."""

    answer: Answer
    needs_key: bool = False
    needs_timestamp: bool = False


def _keyed(answer: Answer) -> Route:
    return Route(answer, needs_key=True, needs_timestamp=True)


ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/fapi/v1/ping"): Route(public.ping),
    ("GET", "/fapi/v1/time"): Route(public.server_time),
    ("GET", "/fapi/v1/exchangeInfo"): Route(public.exchange_info),
    ("GET", "/fapi/v1/klines"): Route(candles.klines),
    ("GET", "/fapi/v1/markPriceKlines"): Route(candles.mark_klines),
    ("GET", "/fapi/v1/fundingRate"): Route(candles.funding_rate),
    ("GET", "/futures/data/openInterestHist"): Route(candles.open_interest),
    ("GET", "/fapi/v1/depth"): Route(tape.depth),
    ("GET", "/fapi/v1/aggTrades"): Route(tape.agg_trades),
    ("GET", "/fapi/v1/trades"): Route(tape.recent_trades),
    ("GET", "/fapi/v1/historicalTrades"): Route(tape.historical_trades, needs_key=True),
    ("GET", "/fapi/v1/ticker/24hr"): Route(tape.ticker_24hr),
    ("GET", "/fapi/v1/ticker/bookTicker"): Route(tape.book_ticker),
    ("GET", "/fapi/v1/premiumIndex"): Route(tape.premium_index),
    ("GET", "/sapi/v1/capital/config/getall"): _keyed(public.coins),
    ("GET", "/fapi/v1/leverageBracket"): _keyed(account.leverage_brackets),
    ("GET", "/fapi/v1/positionSide/dual"): _keyed(account.dual_side),
    ("GET", "/fapi/v1/multiAssetsMargin"): _keyed(account.multi_assets),
    ("GET", "/fapi/v3/account"): _keyed(account.account),
    ("GET", "/fapi/v3/positionRisk"): _keyed(account.position_risk),
    ("POST", "/fapi/v1/leverage"): _keyed(account.set_leverage),
    ("POST", "/fapi/v1/marginType"): _keyed(account.set_margin_type),
    ("GET", "/fapi/v1/income"): _keyed(account.income),
    ("POST", "/fapi/v1/order"): _keyed(orders.place),
    ("GET", "/fapi/v1/order"): _keyed(orders.query),
    ("DELETE", "/fapi/v1/order"): _keyed(orders.cancel),
    ("GET", "/fapi/v1/openOrders"): _keyed(orders.open_orders),
    ("GET", "/fapi/v1/allOrders"): _keyed(orders.all_orders),
    ("POST", "/fapi/v1/algoOrder"): _keyed(algo.place),
    ("GET", "/fapi/v1/algoOrder"): _keyed(algo.query),
    ("DELETE", "/fapi/v1/algoOrder"): _keyed(algo.cancel),
    ("GET", "/fapi/v1/openAlgoOrders"): _keyed(algo.open_orders),
    ("GET", "/fapi/v1/allAlgoOrders"): _keyed(algo.all_orders),
    ("GET", "/fapi/v1/userTrades"): _keyed(orders.user_trades),
}
