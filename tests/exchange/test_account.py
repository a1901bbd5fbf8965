"""The account's numbers: fees, profit, margin and funding, and that they always add up."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import ccxt
import pytest
import time_machine
from exchange.conftest import PAIR
from hypothesis import given, settings
from hypothesis import strategies as st

from loopback_exchange import Control, Exchange, Market
from loopback_exchange.errors import ApiError
from loopback_exchange.faults import Faults
from loopback_exchange.matching.account import START_BALANCE
from loopback_exchange.matching.algo import AlgoOrder
from loopback_exchange.matching.placement import NewOrder

if TYPE_CHECKING:
    from loopback_exchange import Server

EIGHT_HOURS_S = 8 * 3600
MARKET = Market(7, ["BTCUSDT", "ETHUSDT"])
START_S = 20_500 * 86_400 + 60


def test_a_round_trip_books_profit_and_fees_to_the_cent(
    server: Server, client: ccxt.binance
) -> None:
    client.create_order(PAIR, "limit", "buy", 0.5, 60000.1)
    order = client.create_order(PAIR, "limit", "sell", 0.5, 61000.0)
    server.control.print("BTCUSDT", 61000.1, 1, "buy")
    fees = [trade["fee"]["cost"] for trade in client.fetch_my_trades(PAIR)]
    assert fees == [15.000025, 6.1]  # taker 0.05 %, maker 0.02 %
    gain = Decimal("499.95")
    expected = START_BALANCE + gain - Decimal("15.000025") - Decimal("6.1")
    assert Decimal(server.control.state()["balances"]["USDT"]) == expected
    assert client.fetch_order(order["id"], PAIR)["status"] == "closed"


def test_a_short_gains_when_the_price_falls(server: Server, client: ccxt.binance) -> None:
    client.create_order(PAIR, "market", "sell", 1)
    server.control.book("BTCUSDT", 59000.0, 59000.1)
    position = client.fetch_positions([PAIR])[0]
    assert (position["side"], position["contracts"]) == ("short", 1.0)
    assert position["unrealizedPnl"] == pytest.approx(60000.0 - 59000.05)
    client.create_order(PAIR, "market", "buy", 1)
    assert client.fetch_my_trades(PAIR)[-1]["info"]["realizedPnl"] == "999.90000000"


def test_an_order_through_the_position_closes_and_then_opens(client: ccxt.binance) -> None:
    client.create_order(PAIR, "market", "buy", 0.5)
    client.create_order(PAIR, "market", "sell", 1.5)
    position = client.fetch_positions([PAIR])[0]
    assert (position["side"], position["contracts"]) == ("short", 1.0)
    assert position["entryPrice"] == 60000.0


def test_margin_is_bound_by_leverage_and_freed_at_the_end(client: ccxt.binance) -> None:
    client.set_leverage(10, PAIR)
    client.create_order(PAIR, "limit", "buy", 1, 59000.0)
    assert client.fetch_balance()["USDT"]["used"] == 5900.0
    client.cancel_order(client.fetch_open_orders(PAIR)[0]["id"], PAIR)
    client.create_order(PAIR, "market", "buy", 1)
    position = client.fetch_positions([PAIR])[0]
    assert position["info"]["isolatedWallet"] == "6000.01000000"
    assert 54_000 < position["liquidationPrice"] < 54_600
    client.create_order(PAIR, "market", "sell", 1)
    assert client.fetch_balance()["USDT"]["used"] == 0.0


def test_closing_needs_no_margin(server: Server, client: ccxt.binance) -> None:
    client.set_leverage(1, PAIR)
    server.control.book("BTCUSDT", 60000.0, 60000.1, 5, 5)
    client.create_order(PAIR, "market", "buy", 1.6)
    with pytest.raises(ccxt.InsufficientFunds):
        client.create_order(PAIR, "market", "buy", 0.2)
    assert client.create_order(PAIR, "market", "sell", 1.6)["status"] == "closed"


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_funding_is_settled_from_longs_to_shorts_when_the_rate_is_positive(
    server: Server, client: ccxt.binance, side: str
) -> None:
    with time_machine.travel(START_S, tick=False) as clock:
        server.reset()
        server.control.release("BTCUSDT")
        client.create_order(PAIR, "market", side, 1)
        assert client.fetch_funding_history(PAIR) == []
        clock.shift(2 * EIGHT_HOURS_S)
        rows = client.fetch_funding_history(PAIR)
        times, rates = server.market.funding("BTCUSDT", START_S * 1000, int(2e12))
        for row, at, rate in zip(rows, times[:2], rates[:2], strict=True):
            mark = server.market.mark_price("BTCUSDT", int(at))
            paid = -mark * rate * (1 if side == "buy" else -1)
            assert row["timestamp"] == at
            assert row["amount"] == pytest.approx(paid, abs=1e-6)


def test_the_account_needs_the_maintenance_margin_of_its_positions(client: ccxt.binance) -> None:
    client.set_leverage(10, PAIR)
    client.create_order(PAIR, "market", "buy", 1)
    (position,) = client.fetch_positions([PAIR])
    account = client.fapiPrivateV3GetAccount()
    needed = 0.005 * position["notional"]
    assert float(account["totalMaintMargin"]) == pytest.approx(needed, rel=1e-6)


def test_a_clock_that_steps_back_settles_once(server: Server, client: ccxt.binance) -> None:
    with time_machine.travel(START_S, tick=False) as clock:
        server.reset()
        server.control.release("BTCUSDT")
        client.create_order(PAIR, "market", "buy", 1)
        clock.shift(EIGHT_HOURS_S + 1)
        assert len(client.fetch_funding_history(PAIR)) == 1
        clock.shift(-2)
        client.fetch_positions([PAIR])
        clock.shift(2)
        assert len(client.fetch_funding_history(PAIR)) == 1


def test_what_ended_without_a_fill_is_forgotten_after_three_days(
    server: Server, client: ccxt.binance
) -> None:
    with time_machine.travel(START_S, tick=False) as clock:
        server.reset()
        order = client.create_order(PAIR, "limit", "buy", 0.1, 59_000)
        client.cancel_order(order["id"], PAIR)
        clock.shift(3 * 86_400 - 1)
        since = START_S * 1000 - 1000
        assert [one["id"] for one in client.fetch_orders(PAIR, since)] == [order["id"]]
        clock.shift(2)
        assert client.fetch_orders(PAIR, since) == []


def test_the_order_history_spans_seven_days_from_its_start(
    server: Server, client: ccxt.binance
) -> None:
    with time_machine.travel(START_S, tick=False) as clock:
        server.reset()
        server.control.book("BTCUSDT", 60000.0, 60000.1)
        clock.shift(8 * 86_400)
        order = client.create_order(PAIR, "market", "buy", 0.1)
        assert client.fetch_orders(PAIR, START_S * 1000) == []
        since = START_S * 1000 + 2 * 86_400_000
        assert [one["id"] for one in client.fetch_orders(PAIR, since)] == [order["id"]]


def test_a_position_that_is_closed_before_settlement_pays_nothing(
    server: Server, client: ccxt.binance
) -> None:
    with time_machine.travel(START_S, tick=False) as clock:
        server.reset()
        server.control.release("BTCUSDT")
        client.create_order(PAIR, "market", "buy", 1)
        clock.shift(60)
        client.create_order(PAIR, "market", "sell", 1)
        clock.shift(EIGHT_HOURS_S)
        assert client.fetch_funding_history(PAIR) == []


def test_the_markets_own_trades_fill_a_resting_order_when_time_passes(
    server: Server, client: ccxt.binance
) -> None:
    with time_machine.travel(START_S, tick=False) as clock:
        server.reset()
        server.control.release("BTCUSDT")
        bid = client.fetch_order_book(PAIR, 5)["bids"][0][0]
        order = client.create_order(PAIR, "limit", "buy", 0.1, bid - 5)
        at_ms = START_S * 1000
        spec = server.market.spec("BTCUSDT")
        wanted = spec.ticks(Decimal(str(order["price"])))
        later = server.market.trades("BTCUSDT", at_ms + 1, at_ms + 86_400_000)
        through = int(later.time_ms[later.price < wanted][0])
        clock.move_to((through - 1) / 1000)
        before = client.fetch_order(order["id"], PAIR)
        clock.move_to(through / 1000 + 0.0005)
        after = client.fetch_order(order["id"], PAIR)
        assert after["status"] == "closed"
        assert before["status"] == "open" or int(before["info"]["updateTime"]) < through


class Step(NamedTuple):
    """One act of a random sequence."""

    act: str
    symbol: str
    is_buy: bool
    offset: int  # ticks from the touch
    size: int  # thousandths of the base


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(
            ["limit", "limit", "market", "reduce", "cancel", "print", "wait", "lever", "stop"]
        ),
        st.sampled_from(MARKET.symbols),
        st.booleans(),
        st.integers(-30, 30),
        st.integers(1, 3000),
    ),
    max_size=25,
)


def act(exchange: Exchange, control: Control, step: Step, clock: time_machine.Coordinates) -> None:
    """Carry out one act; what the exchange refuses is part of the game."""
    last = exchange.book.last_price(step.symbol, exchange.ledger.matched_ms)
    spec = exchange.spec(step.symbol)
    if step.act == "wait":
        clock.shift(step.size * 20)
        exchange.call(lambda _at: None)
    elif step.act == "lever":
        exchange.ledger.account.leverage[step.symbol] = 1 + step.size % 50
    elif step.act == "stop":
        exchange.call(lambda at: exchange.triggers.add(algo_order(step, last, at), at))
    elif step.act == "print":
        price = spec.price(last + step.offset)
        side = "buy" if step.is_buy else "sell"
        control.print(step.symbol, price, spec.quantity(step.size), side)
    elif step.act == "cancel":
        oldest = next(iter(exchange.ledger.open_of(step.symbol)), None)
        if oldest is not None:
            exchange.call(lambda at: exchange.cancel(oldest, at))
    else:
        new = NewOrder(
            step.symbol,
            step.is_buy,
            step.act == "limit",
            "GTC",
            last + step.offset if step.act == "limit" else 0,
            step.size,
            step.act == "reduce",
            None,
        )
        exchange.call(lambda at: exchange.place(new, at))


def algo_order(step: Step, last: int, at: int) -> AlgoOrder:
    """A stop at the market near the last price; every other one may only reduce."""
    reduces, trigger = bool(step.size % 2), last + step.offset
    name, kind = step.symbol, "STOP_MARKET"
    return AlgoOrder(
        0, name, "", step.is_buy, kind, "GTC", trigger, 0, step.size, reduces, False, at, at
    )


def expect_sums(exchange: Exchange) -> None:
    """Wallet and positions follow from fills and income, and orders from fills."""
    ledger = exchange.ledger
    realized = sum(fill.realized for fill in ledger.fills)
    fees = sum(fill.commission for fill in ledger.fills)
    funding = sum(row.amount for row in ledger.income if row.kind == "FUNDING_FEE")
    assert ledger.account.wallet == START_BALANCE + realized - fees + funding
    assert ledger.account.wallet == START_BALANCE + sum(row.amount for row in ledger.income)
    for symbol in exchange.market.symbols:
        position = ledger.account.position(symbol)
        fills = [fill for fill in ledger.fills if fill.symbol == symbol]
        assert position.quantity == sum(
            fill.quantity if fill.is_buy else -fill.quantity for fill in fills
        )
        assert (position.quantity == 0) == (position.cost == 0) == (position.margin == 0)
        assert position.margin >= 0
    for order in ledger.orders.values():
        parts = [fill for fill in ledger.fills if fill.order_id == order.id]
        assert order.filled == sum(fill.quantity for fill in parts) <= order.quantity
        assert order.cost == sum(fill.quote for fill in parts)
        for fill in parts if order.is_limit else []:
            assert order.sign * (order.price - fill.price) >= 0


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_the_books_add_up_after_any_sequence_of_orders(steps: list[Step]) -> None:
    with time_machine.travel(START_S, tick=False) as clock:
        exchange = Exchange(MARKET)
        control = Control(exchange, Faults())
        exchange.call(lambda _at: None)
        for step in steps:
            try:
                act(exchange, control, step, clock)
            except ApiError:
                continue
            finally:
                expect_sums(exchange)
        exchange.close()
