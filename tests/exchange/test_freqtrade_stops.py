"""The real freqtrade in live mode places, reads, cancels and loses stops on the exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ccxt
import pytest
from exchange.conftest import FUTURES_CODES, PAIR
from freqtrade.enums import MarginMode, RunMode, TradingMode
from freqtrade.exceptions import InvalidOrderException
from freqtrade.resolvers import ExchangeResolver

from loopback_exchange import freqtrade_exchange_config

if TYPE_CHECKING:
    from freqtrade.exchange import Exchange

    from loopback_exchange import Server

pytestmark = pytest.mark.e2e
MARKET = {"stoploss": "market", "stoploss_price_type": "last"}
LIMIT = {"stoploss": "limit", "stoploss_on_exchange_limit_ratio": 0.99}


@pytest.fixture(scope="module")
def session_exchange(session_server: Server) -> Exchange:
    """Freqtrade's own exchange object, in live mode."""
    section: dict[str, Any] = freqtrade_exchange_config(session_server.url)
    section["pair_whitelist"] = [PAIR]
    section["ccxt_config"]["exceptions"] = {"exact": FUTURES_CODES}
    config = {
        "runmode": RunMode.LIVE,
        "dry_run": False,
        "trading_mode": TradingMode.FUTURES,
        "margin_mode": MarginMode.ISOLATED,
        "stake_currency": "USDT",
        "timeframe": "5m",
        "exchange": section,
        "entry_pricing": {"price_side": "same", "use_order_book": True, "order_book_top": 1},
        "exit_pricing": {"price_side": "same", "use_order_book": True, "order_book_top": 1},
        "order_types": {
            "entry": "limit", "exit": "limit", "stoploss": "market", "stoploss_on_exchange": True
        },
    }  # fmt: skip
    return ExchangeResolver.load_exchange(config, validate=True, load_leverage_tiers=True)


@pytest.fixture
def exchange(server: Server, session_exchange: Exchange) -> Exchange:
    """Freqtrade's exchange on the emptied server, deep enough for a market stop."""
    return session_exchange


def hold(exchange: Exchange, side: str) -> str:
    """Open 0.5 BTC by freqtrade; give the side that closes it."""
    exchange.create_order(
        pair=PAIR, ordertype="market", side=side, amount=0.5, rate=60000.0, leverage=3.0
    )
    return "sell" if side == "buy" else "buy"


@pytest.mark.parametrize("types", [MARKET, LIMIT], ids=["market", "limit"])
@pytest.mark.parametrize("side", ["buy", "sell"], ids=["long", "short"])
def test_a_stop_is_placed_and_cancelled(
    server: Server, exchange: Exchange, side: str, types: dict[str, Any]
) -> None:
    closing = hold(exchange, side)
    trigger = 59000.0 if side == "buy" else 61000.0
    stop = exchange.create_stoploss(PAIR, 0.5, trigger, types, closing, 3.0)
    assert (stop["status"], stop["stopPrice"], stop["amount"]) == ("open", trigger, 0.5)
    (waiting,) = server.control.state()["algo_orders"]
    assert (waiting["reduceOnly"], waiting["quantity"]) == (True, "0.500")
    assert waiting["orderType"] == ("STOP_MARKET" if types is MARKET else "STOP")
    assert exchange.fetch_stoploss_order(stop["id"], PAIR)["status"] == "open"
    assert not exchange.stoploss_adjust(trigger, stop, closing)
    cancelled = exchange.cancel_stoploss_order_with_result(stop["id"], PAIR, 0.5)
    assert (cancelled["status"], cancelled["id"]) == ("canceled", stop["id"])
    assert server.control.state()["algo_orders"] == []


@pytest.mark.parametrize("types", [MARKET, LIMIT], ids=["market", "limit"])
@pytest.mark.parametrize("side", ["buy", "sell"], ids=["long", "short"])
def test_a_triggered_stop_is_read_as_the_order_that_it_became(
    server: Server, exchange: Exchange, side: str, types: dict[str, Any]
) -> None:
    closing = hold(exchange, side)
    trigger = 59000.0 if side == "buy" else 61000.0
    stop = exchange.create_stoploss(PAIR, 0.5, trigger, types, closing, 3.0)
    server.control.book("BTCUSDT", trigger, round(trigger + 0.1, 1))
    done = exchange.fetch_stoploss_order(stop["id"], PAIR)
    assert (done["id"], done["status"], done["status_stop"]) == (stop["id"], "closed", "triggered")
    assert done["filled"] == 0.5
    assert done["average"] == pytest.approx(trigger, abs=0.2)
    assert done["id_stop"] != stop["id"]
    assert server.control.state()["positions"] == []


def test_a_stop_beyond_the_price_is_an_invalid_order(server: Server, exchange: Exchange) -> None:
    closing = hold(exchange, "buy")
    with pytest.raises(InvalidOrderException, match="immediately trigger"):
        exchange.create_stoploss(PAIR, 0.5, 60500.0, MARKET, closing, 3.0)


def test_a_stop_by_mark_price_waits_for_the_mark(server: Server, exchange: Exchange) -> None:
    closing = hold(exchange, "buy")
    types = {"stoploss": "market", "stoploss_price_type": "mark"}
    stop = exchange.create_stoploss(PAIR, 0.5, 59000.0, types, closing, 3.0)
    server.control.print("BTCUSDT", 58000.0, 0.001, "sell")
    assert exchange.fetch_stoploss_order(stop["id"], PAIR)["status"] == "open"
    server.control.book("BTCUSDT", 58999.0, 58999.1)
    assert exchange.fetch_stoploss_order(stop["id"], PAIR)["status"] == "closed"


def test_a_lost_answer_to_a_stop_leaves_the_stop(server: Server, exchange: Exchange) -> None:
    closing = hold(exchange, "buy")
    server.control.fault("answer_lost", "POST", "/fapi/v1/algoOrder")
    with pytest.raises(Exception, match="algoOrder"):
        exchange.create_stoploss(PAIR, 0.5, 59000.0, MARKET, closing, 3.0)
    (waiting,) = server.control.state()["algo_orders"]
    found = exchange._api.fetch_open_orders(PAIR, params={"stop": True})
    assert [order["id"] for order in found] == [str(waiting["algoId"])]
    assert isinstance(exchange._api, ccxt.binance)
