"""The load of trades and the forced orders, without a wire."""

from __future__ import annotations

import numpy as np
import pytest

from loopback_exchange import Market
from loopback_exchange.clock import MINUTE_MS
from loopback_exchange.streams import Load
from loopback_exchange.streams.forced import forced_orders
from loopback_exchange.streams.names import Stream, UnknownStream, stream_of

AT = 1_763_716_200_000
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")


@pytest.fixture(scope="module")
def market() -> Market:
    return Market(seed=7, symbols=SYMBOLS)


def test_a_load_makes_so_many_trades_a_second_in_steps_of_any_length(market: Market) -> None:
    load = Load(market, SYMBOLS, 1_000, AT)
    for moment in (AT + 40, AT + 41, AT + 700, AT + 2_000):
        load.advance(moment)
    assert load.total == 2_000
    load.per_second = 5_000
    load.advance(AT + 3_000)
    assert load.total == 7_000
    shares = [len(load.ids(symbol)) / 7_000 for symbol in SYMBOLS]
    assert shares == pytest.approx([6 / 11, 3 / 11, 2 / 11], abs=0.03)


def test_a_moment_that_was_read_before_the_load_began_makes_nothing(market: Market) -> None:
    """The clock of the streams is read before the lock that a start of a load holds."""
    load = Load(market, SYMBOLS, 1_000, AT)
    for moment in (AT - 50, AT, AT + 100, AT + 60):
        load.advance(moment)
    assert load.total == 100
    load.advance(AT + 200)
    assert load.total == 200


def test_a_clock_that_is_set_back_stops_no_trade_and_turns_no_time_back(market: Market) -> None:
    load = Load(market, SYMBOLS, 1_000, AT)
    last = dict(load.advance(AT + 100))["BTCUSDT"].time_ms[-1]
    load.advance(AT - 60_000)
    made = dict(load.advance(AT - 59_900))["BTCUSDT"]
    assert load.total == 200
    assert made.time_ms.tolist() == [last] * len(made.id)


def test_its_ids_go_on_from_the_market_without_a_gap_and_its_times_do_not_go_back(
    market: Market,
) -> None:
    load = Load(market, SYMBOLS, 1_000, AT)
    parts = [part for t in range(AT + 30, AT + 900, 30) for part in load.advance(t)]
    for symbol in SYMBOLS:
        trades = [trades for name, trades in parts if name == symbol]
        ids = np.concatenate([part.id for part in trades])
        times = np.concatenate([part.time_ms for part in trades])
        first = market.last_trade(symbol, AT).id + 1
        assert ids.tolist() == list(range(first, first + len(ids)))
        assert (np.diff(times) >= 0).all()
        assert times[0] > AT
        assert times[-1] <= AT + 900


def test_what_is_asked_for_later_is_what_was_sent(market: Market) -> None:
    load = Load(market, SYMBOLS, 1_000, AT)
    sent = [part for t in range(AT + 30, AT + 900, 30) for part in load.advance(t)]
    first = load.ids("BTCUSDT").start
    again = load.trades_from("BTCUSDT", first, 2**60, 10_000)
    for column in range(5):
        parts = [trades[column] for name, trades in sent if name == "BTCUSDT"]
        assert np.concatenate(parts).tolist() == again[column].tolist()
    late = load.trades_from("BTCUSDT", first + 5, AT + 200, 10_000)
    assert late.id[0] == first + 5
    assert late.time_ms[-1] < AT + 200
    window = load.trades("BTCUSDT", AT + 100, AT + 200)
    assert window.time_ms.min() >= AT + 100
    assert window.time_ms.max() < AT + 200
    assert load.latest_trades("BTCUSDT", 2**60, 3).id.tolist() == again.id[-3:].tolist()


def test_forced_orders_are_worth_what_the_minute_says(market: Market) -> None:
    first, rows = market.rows("BTCUSDT", AT // MINUTE_MS - 3_000, AT // MINUTE_MS)
    busy = np.flatnonzero(rows["long_liquidations"] > 1_000)
    assert len(busy) > 5
    spec = market.spec("BTCUSDT")
    for at in busy[:5].tolist():
        orders = [one for one in forced_orders(market, "BTCUSDT", first + at) if one.is_long]
        worth = sum(float(spec.price(o.price) * spec.quantity(o.quantity)) for o in orders)
        step = float(spec.price(orders[0].price)) * float(spec.step)
        assert worth == pytest.approx(rows["long_liquidations"][at], abs=len(orders) * step)
        assert {order.time_ms // MINUTE_MS for order in orders} == {first + at}
        assert orders == sorted(orders, key=lambda order: order.time_ms)


def test_a_quiet_minute_has_no_forced_orders(market: Market) -> None:
    first, rows = market.rows("BTCUSDT", AT // MINUTE_MS - 100, AT // MINUTE_MS)
    total = rows["long_liquidations"] + rows["short_liquidations"]
    quiet = first + int(np.flatnonzero(total == 0)[0])
    assert forced_orders(market, "BTCUSDT", quiet) == []


@pytest.mark.parametrize("name", ["BTCUSDT@trade", "xyzusdt@trade", "btcusdt", "btcusdt@kline"])
def test_a_name_that_no_stream_has_is_refused(name: str) -> None:
    assert stream_of("btcusdt@depth@100ms", SYMBOLS) == Stream("BTCUSDT", "depth@100ms")
    assert stream_of("!forceOrder@arr", SYMBOLS).symbol == ""
    with pytest.raises(UnknownStream, match="it was"):
        stream_of(name, SYMBOLS)


def test_a_tick_that_changes_leaves_what_was_traded_as_it_was(market: Market) -> None:
    load = Load(market, SYMBOLS, 1_000, AT)
    load.advance(AT + 500)
    before = load.trades("BTCUSDT", 0, AT + 501)
    load.trade_in("BTCUSDT", 5)
    load.advance(AT + 1_000)
    after = load.trades("BTCUSDT", AT + 501, AT + 1_001)
    assert (before.price % 5).any()
    assert not (after.price % 5).any()
    assert (load.trades("BTCUSDT", 0, AT + 501).price == before.price).all()
    assert load.trades_from("BTCUSDT", int(after.id[0]), AT + 1_001, 3).price[0] == after.price[0]
    assert (load.tick_of("BTCUSDT"), load.tick_of("ETHUSDT")) == (5, 1)
