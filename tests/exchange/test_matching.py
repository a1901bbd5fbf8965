"""How orders fill: against the book, from the tape, by price and time."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import ccxt
import pytest
from exchange.conftest import PAIR

if TYPE_CHECKING:
    from loopback_exchange import Server


def limit(client: ccxt.binance, side: str, amount: float, price: float, **params: Any) -> Any:
    """Place a limit order by ccxt."""
    return client.create_order(PAIR, "limit", side, amount, price, params)


def filled(client: ccxt.binance, order: Any) -> float:
    """What an order has filled by now, in base."""
    return float(client.fetch_order(order["id"], PAIR)["filled"])


def test_a_marketable_limit_takes_the_book_and_rests_the_remainder(client: ccxt.binance) -> None:
    order = limit(client, "buy", 3, 60000.1)
    assert (order["status"], order["filled"], order["remaining"]) == ("open", 2.0, 1.0)
    assert order["average"] == 60000.1
    assert order["info"]["status"] == "PARTIALLY_FILLED"


def test_a_marketable_limit_pays_the_books_price_and_not_its_own(client: ccxt.binance) -> None:
    order = limit(client, "buy", 1, 60500)
    assert (order["status"], order["average"]) == ("closed", 60000.1)


def test_a_market_order_larger_than_the_book_expires_with_what_it_got(client: ccxt.binance) -> None:
    order = client.create_order(PAIR, "market", "sell", 5)
    assert (order["filled"], order["info"]["status"]) == (2.0, "EXPIRED")


def test_an_ioc_order_never_rests(client: ccxt.binance) -> None:
    order = limit(client, "buy", 3, 60000.1, timeInForce="IOC")
    assert (order["filled"], order["info"]["status"]) == (2.0, "EXPIRED")
    assert client.fetch_open_orders(PAIR) == []


def test_a_fok_order_fills_whole(client: ccxt.binance) -> None:
    assert limit(client, "buy", 2, 60000.1, timeInForce="FOK")["status"] == "closed"


def test_a_post_only_order_rests(client: ccxt.binance) -> None:
    order = limit(client, "buy", 1, 60000.0, timeInForce="GTX")
    assert (order["status"], order["filled"]) == ("open", 0.0)


def test_prints_at_the_price_serve_the_queue_first_and_fill_in_part(
    server: Server, client: ccxt.binance
) -> None:
    order = limit(client, "buy", 1, 60000.0)  # 2 stand before it
    assert server.control.print("BTCUSDT", 60000.0, 1.5, "sell") == []
    server.control.print("BTCUSDT", 60000.0, 0.9, "sell")
    assert filled(client, order) == 0.4
    server.control.print("BTCUSDT", 60000.0, 5, "sell")
    assert filled(client, order) == 1.0


def test_an_order_inside_the_spread_has_no_queue(server: Server, client: ccxt.binance) -> None:
    server.control.book("BTCUSDT", 60000.0, 60001.0, 2, 2)
    order = limit(client, "buy", 1, 60000.5)
    server.control.print("BTCUSDT", 60000.5, 0.25, "sell")
    assert filled(client, order) == 0.25


def test_a_print_by_the_same_side_does_not_fill(server: Server, client: ccxt.binance) -> None:
    order = limit(client, "sell", 1, 60000.1)
    server.control.print("BTCUSDT", 60000.1, 9, "sell")
    assert filled(client, order) == 0.0


@pytest.mark.parametrize(("side", "price", "through"), [
    ("buy", 60000.0, 59999.9), ("sell", 60000.1, 60000.2),
])  # fmt: skip
def test_a_print_through_the_price_fills_whole(
    server: Server, client: ccxt.binance, side: str, price: float, through: float
) -> None:
    order = limit(client, side, 1, price)
    fills = server.control.print("BTCUSDT", through, 0.001, "sell" if side == "buy" else "buy")
    assert filled(client, order) == 1.0
    assert Decimal(fills[0]["price"]) == Decimal(str(price))
    assert fills[0]["maker"]


def test_the_better_price_fills_first_and_then_the_older_order(
    server: Server, client: ccxt.binance
) -> None:
    older = limit(client, "buy", 1, 59990.0)
    younger = limit(client, "buy", 1, 59990.0)
    better = limit(client, "buy", 1, 59991.0)
    server.control.print("BTCUSDT", 59991.0, 3, "sell")
    assert [filled(client, one) for one in (better, older, younger)] == [1.0, 0.0, 0.0]
    server.control.print("BTCUSDT", 59990.0, 1.5, "sell")
    assert [filled(client, one) for one in (older, younger)] == [1.0, 0.5]


def test_a_cancel_of_a_filled_order_is_minus_2011(server: Server, client: ccxt.binance) -> None:
    order = limit(client, "buy", 1, 60000.0)
    server.control.print("BTCUSDT", 59000.0, 1, "sell")
    with pytest.raises(ccxt.OrderNotFound, match="-2011"):
        client.cancel_order(order["id"], PAIR)


def test_a_cancelled_order_keeps_its_part_and_fills_no_more(
    server: Server, client: ccxt.binance
) -> None:
    order = limit(client, "buy", 1, 59990.0)
    server.control.fill("BTCUSDT", int(order["id"]), 0.3)
    cancelled = client.cancel_order(order["id"], PAIR)
    assert (cancelled["status"], cancelled["filled"]) == ("canceled", 0.3)
    server.control.print("BTCUSDT", 59000.0, 9, "sell")
    assert filled(client, order) == 0.3


def test_a_reduce_only_order_stops_at_flat_and_never_turns_the_position(
    client: ccxt.binance,
) -> None:
    limit(client, "buy", 0.5, 60000.1)
    order = limit(client, "sell", 1, 60000.0, reduceOnly=True)
    assert (order["filled"], order["info"]["status"]) == (0.5, "EXPIRED")
    assert client.fetch_positions([PAIR]) == []


def test_resting_reduce_only_orders_expire_once_there_is_nothing_to_reduce(
    client: ccxt.binance,
) -> None:
    limit(client, "buy", 0.5, 60000.1)
    target = limit(client, "sell", 0.5, 61000.0, reduceOnly=True)
    client.create_order(PAIR, "market", "sell", 0.5)
    assert client.fetch_order(target["id"], PAIR)["info"]["status"] == "EXPIRED"


def test_an_order_is_found_by_its_client_id(client: ccxt.binance) -> None:
    order = limit(client, "buy", 1, 59990.0, newClientOrderId="hydra-bot-1")
    found = client.fetch_order(None, PAIR, {"origClientOrderId": "hydra-bot-1"})
    assert (found["id"], found["clientOrderId"]) == (order["id"], "hydra-bot-1")


def test_a_client_id_may_be_used_again_after_its_order_ended(client: ccxt.binance) -> None:
    first = limit(client, "buy", 1, 59990.0, newClientOrderId="again")
    client.cancel_order(first["id"], PAIR)
    second = limit(client, "buy", 1, 59990.0, newClientOrderId="again")
    found = client.fetch_order(None, PAIR, {"origClientOrderId": "again"})
    assert found["id"] == second["id"]


def test_open_and_all_orders_list_what_they_say(client: ccxt.binance) -> None:
    ended = limit(client, "buy", 1, 59990.0)
    client.cancel_order(ended["id"], PAIR)
    kept = limit(client, "sell", 1, 60010.0)
    assert [order["id"] for order in client.fetch_open_orders(PAIR)] == [kept["id"]]
    assert [order["id"] for order in client.fetch_orders(PAIR)] == [ended["id"], kept["id"]]


def test_the_markets_own_book_is_used_up_until_its_next_trade(
    server: Server, client: ccxt.binance
) -> None:
    exchange = server.exchange
    server.control.release("BTCUSDT")
    at = exchange.ledger.matched_ms
    before = exchange.book.levels("BTCUSDT", at, 5)
    price, size = before.asks[0]
    exchange.book.take("BTCUSDT", at, price, size, is_bid=False)
    assert exchange.book.levels("BTCUSDT", at, 4).asks == before.asks[1:]
    assert exchange.book.levels("BTCUSDT", at + 120_000, 1).version != before.version


def test_the_depth_of_a_pinned_book_is_the_pin(client: ccxt.binance) -> None:
    book = client.fetch_order_book(PAIR, 5)
    assert (book["bids"], book["asks"]) == ([[60000.0, 2.0]], [[60000.1, 2.0]])


def test_the_depth_shows_our_own_resting_orders(client: ccxt.binance) -> None:
    limit(client, "buy", 1, 60000.0)
    limit(client, "sell", 0.5, 60001.0)
    book = client.fetch_order_book(PAIR, 5)
    assert book["bids"] == [[60000.0, 3.0]]
    assert book["asks"] == [[60000.1, 2.0], [60001.0, 0.5]]


def test_our_order_is_the_touch_when_the_others_are_behind_it(
    server: Server, client: ccxt.binance
) -> None:
    limit(client, "buy", 1, 60000.0)
    server.control.book("BTCUSDT", 59990.0, 60000.5)
    assert client.fetch_order_book(PAIR, 5)["bids"] == [[60000.0, 1.0], [59990.0, 1.0]]
