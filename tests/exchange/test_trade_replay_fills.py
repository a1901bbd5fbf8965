"""Recorded trades fill resting orders by price and time, after the queue before them."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
import time_machine
from exchange.recorded_tape import BEGIN, FIRST_ID, HOUR_MS, SYMBOL, TRADES, frame_of, write_tape

from loopback_exchange import Exchange, Market, Replay
from loopback_exchange.matching.algo import AlgoOrder
from loopback_exchange.matching.matcher import Matcher
from loopback_exchange.matching.placement import NewOrder

if TYPE_CHECKING:
    from pathlib import Path

    from loopback_exchange import MarketSource
    from loopback_exchange.market import Trades
    from loopback_exchange.matching.orders import Order

LEVEL = 600_000  # ticks of 0.1
RICH = Decimal(10**9)


def tape_of(folder: Path, prints: list[tuple[int, str, float, float]]) -> Replay:
    """A market of just these trades: second, side, price and amount."""
    second, side, price, amount = zip(*prints, strict=True)
    times = BEGIN + 1000 * np.array(second)
    frame = frame_of(times, FIRST_ID + np.arange(len(prints)), side, price, amount)
    return Replay(trades={SYMBOL: write_tape(folder / TRADES, frame)})


def place(exchange: Exchange, price: int, quantity: int, *, is_buy: bool = True) -> Order:
    """Place a limit order (ticks, steps)."""
    new = NewOrder(SYMBOL, is_buy, True, "GTC", price, quantity, False, None)
    return exchange.call(lambda at: exchange.place(new, at))


def add_stop(exchange: Exchange, trigger: int, quantity: int, *, by_mark: bool) -> AlgoOrder:
    """Let a market sell wait for a price (ticks) at or below the trigger."""
    algo = AlgoOrder(
        0, SYMBOL, "", False, "STOP_MARKET", "GTC", trigger, 0, quantity, False, by_mark, 0, 0
    )
    return exchange.call(lambda at: exchange.triggers.add(algo, at))


def test_the_better_price_then_the_older_order_fills_after_the_queue(tmp_path: Path) -> None:
    start = [(second, "buy", 60_000.1, 0.001) for second in range(60)]
    # Sells of half a coin each at 59,999.0, a tick at a time: nothing goes through the level.
    sells = [(60 + second, "sell", 59_999.0, 0.5) for second in range(400)]
    market = tape_of(tmp_path, [*start, *sells])
    with time_machine.travel(BEGIN / 1000 + 59.9, tick=False) as clock:
        exchange = Exchange(market, balance=RICH)
        older = place(exchange, LEVEL - 10, 700)
        younger = place(exchange, LEVEL - 10, 700)
        queue = older.queue
        assert queue == younger.queue > 0
        clock.shift(400.0)
        exchange.call(lambda at: at)
        done = [(fill.order_id, fill.quantity, fill.time_ms) for fill in exchange.ledger.fills]
    assert {order_id for order_id, *_ in done} == {older.id, younger.id}
    moments = [moment for *_, moment in done]
    assert moments == sorted(moments)
    first_fill = BEGIN + 1000 * (60 + queue // 500)
    assert done[0][:1] + done[0][2:] == (older.id, first_fill)
    # The print that ends the queue goes to the older order with what is left of it.
    assert done[0][1] == min(700, 500 - queue % 500)
    own = [order_id for order_id, *_ in done]
    assert own.index(younger.id) > own.index(older.id)
    assert (older.filled, younger.filled) == (700, 700)


def test_trades_that_do_not_reach_an_order_leave_it_alone(tmp_path: Path) -> None:
    prints = [(second, "sell", 60_000.0 - (second == 90) * 0.5, 0.2) for second in range(120)]
    with time_machine.travel(BEGIN / 1000 + 30, tick=False) as clock:
        exchange = Exchange(tape_of(tmp_path, prints), balance=RICH)
        low, high = place(exchange, LEVEL - 10, 300), place(exchange, LEVEL - 4, 300)
        clock.shift(59.9)
        exchange.call(lambda at: at)
        assert (low.filled, high.filled) == (0, 0)
        clock.shift(0.2)
        exchange.call(lambda at: at)
    # The print at 59,999.5 went through one order and did not reach the other.
    assert (low.filled, high.filled) == (0, 300)
    assert exchange.ledger.fills[0].time_ms == BEGIN + 90_000


@pytest.mark.parametrize("by_mark", [False, True])
def test_a_stop_triggers_at_the_trade_that_reaches_it(tmp_path: Path, by_mark: bool) -> None:
    prints = [(second, "sell", 60_000.0 - (second == 77) * 5.5, 0.2) for second in range(120)]
    with time_machine.travel(BEGIN / 1000 + 30, tick=False) as clock:
        exchange = Exchange(tape_of(tmp_path, prints), balance=RICH)
        stop = add_stop(exchange, LEVEL - 30, 100, by_mark=by_mark)
        clock.shift(80)
        exchange.call(lambda at: at)
    assert stop.trigger_ms == BEGIN + 77_000
    assert exchange.ledger.orders[stop.order_id].filled == 100


def test_an_order_that_a_trade_has_triggered_meets_the_rest_of_the_minute(tmp_path: Path) -> None:
    dip, rise = {67: -5.5}, {75: 5.5}
    moves = dip | rise
    prints = [(one, "buy", 60_000.0 + moves.get(one, 0.0), 0.2) for one in range(120)]
    with time_machine.travel(BEGIN / 1000 + 30, tick=False) as clock:
        exchange = Exchange(tape_of(tmp_path, prints), balance=RICH)
        stop = AlgoOrder(
            0, SYMBOL, "", False, "STOP", "GTC", LEVEL - 30, LEVEL + 30, 1, False, False, 0, 0
        )
        exchange.call(lambda at: exchange.triggers.add(stop, at))
        clock.shift(80)
        exchange.call(lambda at: at)
    assert stop.trigger_ms == BEGIN + 67_000
    assert [fill.time_ms for fill in exchange.ledger.fills] == [BEGIN + 75_000]


def test_the_place_in_the_queue_is_kept_over_a_restart(tmp_path: Path) -> None:
    prints = [(second, "sell", 60_000.1, 0.2) for second in range(30)]
    prints += [(30 + second, "sell", 59_999.0, 0.001) for second in range(60)]
    with time_machine.travel(BEGIN / 1000 + 29, tick=False) as clock:
        exchange = Exchange(tape_of(tmp_path, prints), balance=RICH)
        order = place(exchange, LEVEL - 10, 700)
        begun = order.queue
        clock.shift(40)
        exchange.call(lambda at: at)
        assert order.queue == begun - 40
        exchange.reload()
    assert exchange.ledger.orders[order.id].queue == begun - 40


class EveryPrint(Matcher):
    """A matcher that passes over nothing."""

    def _print_reaching(self, symbol: str, trades: Trades) -> int:
        self._print(symbol, trades, 0)
        return 1


class Outcome(NamedTuple):
    """All that a run leaves."""

    fills: list[tuple[int, ...]]
    queues: list[int]
    triggered: list[int]


def outcome(market: MarketSource, draw: random.Random, matcher: type[Matcher]) -> Outcome:
    """Place orders and stops around the price, and look again after every few minutes."""
    with time_machine.travel(BEGIN / 1000 + 5, tick=False) as clock:
        exchange = Exchange(market, balance=RICH)
        exchange.matcher = matcher(market, exchange.ledger, exchange.book, exchange.triggers)
        for _ in range(8):
            last = exchange.call(lambda at: market.last_trade(SYMBOL, at).price)
            for _ in range(4):
                is_buy = draw.random() < 0.5
                far = draw.randint(3, 900) * (-1 if is_buy else 1)
                place(exchange, last + far, draw.randint(20, 9000), is_buy=is_buy)
            for by_mark in (False, True):
                add_stop(exchange, last - draw.randint(40, 500), 50, by_mark=by_mark)
            clock.shift(draw.randint(20, 400))
            exchange.call(lambda at: at)
        ledger, stops = exchange.ledger, exchange.triggers.orders.values()
        fills = [(one.order_id, one.price, one.quantity, one.time_ms) for one in ledger.fills]
        queues = [order.queue for order in ledger.orders.values()]
        return Outcome(fills, queues, [stop.trigger_ms for stop in stops])


def lively_tape(folder: Path, seed: int) -> Replay:
    """An hour of three trades a second that walk about."""
    draw = np.random.default_rng(seed)
    count = 3 * HOUR_MS // 1000
    times = BEGIN + np.sort(draw.integers(0, HOUR_MS, count))
    price = 60_000 + np.cumsum(draw.integers(-15, 16, count)) / 10
    sides = draw.choice(["buy", "sell"], count)
    frame = frame_of(
        times, FIRST_ID + np.arange(count), sides, price, draw.integers(1, 900, count) / 1000
    )
    return Replay(trades={SYMBOL: write_tape(folder / TRADES, frame, 1000)})


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["recorded", "generated"])
def test_passing_over_trades_that_reach_nothing_changes_nothing(
    tmp_path: Path, kind: str, seed: int
) -> None:
    market = lively_tape(tmp_path, seed) if kind == "recorded" else Market(seed)
    quick = outcome(market, random.Random(seed), Matcher)
    slow = outcome(market, random.Random(seed), EveryPrint)
    assert quick == slow
    assert len(quick.fills) > 3
    assert any(quick.triggered)
