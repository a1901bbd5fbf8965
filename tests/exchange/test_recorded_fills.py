"""On recorded trades, an order's fills are those that a plain walk over those trades gives."""

from __future__ import annotations

import os
import random
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
import time_machine
from exchange.recorded_tape import MINUTE_MS, SYMBOL

from loopback_exchange import Exchange, Replay
from loopback_exchange.matching.placement import NewOrder

if TYPE_CHECKING:
    from loopback_exchange.matching.orders import Order

HOME = os.environ.get("HYDRA_TEST_DATA", "")
RECORDED = Path(HOME) / "trades"
Fills = list[tuple[int, int]]
pytestmark = [
    pytest.mark.ci,
    pytest.mark.skipif(
        not HOME, reason="HYDRA_TEST_DATA does not name the folder of recorded market data"
    ),
]


def walked(trades: pd.DataFrame, order: Order) -> Fills:
    """Time and steps of the fills that these trades give a resting order."""
    queue, left, fills = order.queue, order.quantity, []
    for trade in trades.itertuples():
        beyond = order.sign * (order.price - trade.price)
        if beyond > 0:
            part = left
        elif beyond < 0:
            continue
        elif trade.is_buy == order.is_buy:
            part = min(left, trade.quantity)
        else:
            served = min(queue, trade.quantity)
            queue, part = queue - served, min(left, trade.quantity - served)
        if part:
            fills.append((trade.time_ms, part))
            left -= part
        if not left:
            break
    return fills


def fills_of(market: Replay, begun: int, end: int, new: NewOrder) -> tuple[Fills, Fills]:
    """The fills of an order that rests from one moment to another, and those of a walk."""
    trades = pd.DataFrame(market.trades(SYMBOL, begun + 1, end)._asdict())
    with time_machine.travel(begun / 1000, tick=False) as clock:
        exchange = Exchange(market, balance=Decimal(10**9))
        order = exchange.call(lambda at: exchange.place(new, at))
        wanted = walked(trades, order)
        clock.move_to(end / 1000)
        exchange.call(lambda at: at)
    return [(fill.time_ms, fill.quantity) for fill in exchange.ledger.fills], wanted


@pytest.mark.parametrize("name", ["tardis_20200222", "hft_20240808"])
def test_fills_are_those_of_a_walk_over_the_recorded_trades(name: str) -> None:
    market, draw, filled = Replay(RECORDED / name / "binance"), random.Random(4), 0
    first, stop = (minute * MINUTE_MS for minute in market.span(SYMBOL))
    for _ in range(60):
        begun, is_buy = draw.randrange(first + MINUTE_MS, stop - MINUTE_MS), draw.random() < 0.5
        touch = market.book(SYMBOL, begun, 1)
        price = (touch.bids if is_buy else touch.asks)[0][0]
        price += draw.randint(0, 400) * (-1 if is_buy else 1)
        new = NewOrder(SYMBOL, is_buy, True, "GTX", price, draw.randint(2, 900), False, None)
        got, wanted = fills_of(market, begun, stop, new)
        assert got == wanted
        filled += bool(wanted)
    assert filled > 10
