"""Candles, trades, mark and book are one market: at 1,000 random moments, and over a restart."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
import requests
import time_machine

from loopback_exchange import DEFAULT_SYMBOLS, Market, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTE, DAY = 60_000, 86_400_000
BEGIN, END = 1_600_000_000_000, 1_900_000_000_000
INTERVALS = (5 * MINUTE, 60 * MINUTE, 240 * MINUTE, DAY)


class Moment(NamedTuple):
    """A market and a time, as both instances of the exchange see it."""

    first: Market
    again: Market  # the same market after a restart
    symbol: str
    at: int


def moments() -> Iterator[Moment]:
    """1,000 moments: 10 seeds, 10 days each (so that blocks are shared), 10 times a day."""
    draw = random.Random(20_260_901)
    for seed in range(10):
        first, again = Market(seed), Market(seed)
        for _ in range(10):
            symbol = draw.choice(DEFAULT_SYMBOLS)
            day = draw.randrange(BEGIN // DAY, END // DAY) * DAY
            for _ in range(10):
                yield Moment(first, again, symbol, day + draw.randrange(DAY))


@pytest.fixture(scope="module")
def all_moments() -> list[Moment]:
    """The moments, drawn once; the markets keep their blocks."""
    return list(moments())


def minute_candle(moment: Moment, opened: int) -> tuple[int, ...]:
    """Open, high, low, close, volume and taker volume of a whole minute, in ticks and steps."""
    rows = moment.first.candles(moment.symbol, MINUTE, opened, opened + MINUTE).rows
    names = ("open", "high", "low", "close", "volume", "taker_buy", "count")
    return tuple(int(rows[name][0]) for name in names)


def test_the_trades_of_a_minute_reproduce_its_candle_exactly(all_moments: list[Moment]) -> None:
    assert len(all_moments) == 1000
    for moment in all_moments:
        opened = moment.at // MINUTE * MINUTE
        trades = moment.first.trades_of_minute(moment.symbol, opened // MINUTE)
        price, bought = trades.price, int(trades.quantity[trades.is_buy].sum())
        made = (price[0], price.max(), price.min(), price[-1], trades.quantity.sum(), bought)
        assert (*map(int, made), len(price)) == minute_candle(moment, opened)
        assert trades.quantity.min() >= 1
        assert opened <= trades.time_ms[0]
        assert trades.time_ms[-1] < opened + MINUTE
        assert (np.diff(trades.time_ms) >= 0).all()


def test_coarser_candles_are_sums_of_minutes(all_moments: list[Moment]) -> None:
    for number, moment in enumerate(all_moments):
        interval = INTERVALS[number % 4]
        start = moment.at // interval * interval
        whole = moment.first.candles(moment.symbol, interval, start, start + 1).rows[0]
        parts = moment.first.candles(moment.symbol, MINUTE, start, start + interval).rows
        assert len(parts) == interval // MINUTE
        assert whole["open"] == parts["open"][0]
        assert whole["close"] == parts["close"][-1]
        assert (whole["high"], whole["low"]) == (parts["high"].max(), parts["low"].min())
        for name in ("volume", "taker_buy", "count"):
            assert whole[name] == parts[name].sum()


def test_the_touch_straddles_the_last_trade_and_mark_is_near(all_moments: list[Moment]) -> None:
    for moment in all_moments:
        market, symbol, at = moment.first, moment.symbol, moment.at
        book = market.book(symbol, at, 5)
        (bid, _), (ask, _) = book.bids[0], book.asks[0]
        assert bid < ask <= bid + 3
        assert bid <= market.last_trade(symbol, at).price <= ask
        assert [price for price, _ in book.bids] == sorted(
            (price for price, _ in book.bids), reverse=True
        )
        assert min(size for _, size in book.bids + book.asks) >= 1
        middle = (bid + ask) / 2 * float(market.spec(symbol).tick)
        # The basis is at most 4 bps; the rest is the tick of a cheap coin.
        band = 0.0005 + 3 * float(market.spec(symbol).tick) / middle
        assert abs(market.mark_price(symbol, at) / middle - 1) < band


def test_the_forming_candle_is_the_trades_so_far(all_moments: list[Moment]) -> None:
    for number, moment in enumerate(all_moments):
        market, symbol, at = moment.first, moment.symbol, moment.at
        interval = MINUTE if number % 2 else 5 * MINUTE
        start = at // interval * interval
        forming = market.candles(symbol, interval, start, at + 1, at).rows[0]
        seen = market.trades(symbol, start, at + 1)
        assert seen.id[-1] == market.last_trade(symbol, at).id
        assert forming["close"] == seen.price[-1] == market.last_trade(symbol, at).price
        assert forming["open"] == seen.price[0]
        assert (forming["high"], forming["low"]) == (seen.price.max(), seen.price.min())
        assert forming["volume"] == seen.quantity.sum()
        assert (np.diff(seen.id) == 1).all()


def test_ids_are_contiguous_over_minutes_and_days(all_moments: list[Moment]) -> None:
    for moment in all_moments[::10]:
        midnight = moment.at // DAY * DAY
        trades = moment.first.trades(moment.symbol, midnight - 3 * MINUTE, midnight + 3 * MINUTE)
        assert (np.diff(trades.id) == 1).all()
        paged = moment.first.trades_from(moment.symbol, int(trades.id[5]), END * 2, 20)
        assert (paged.id == trades.id[5:25]).all()
        assert (paged.price == trades.price[5:25]).all()


def test_a_restart_shows_the_same_market(all_moments: list[Moment]) -> None:
    for moment in all_moments:
        symbol, at = moment.symbol, moment.at
        assert moment.again.last_trade(symbol, at) == moment.first.last_trade(symbol, at)
        assert moment.again.book(symbol, at, 5) == moment.first.book(symbol, at, 5)
        assert moment.again.mark_price(symbol, at) == moment.first.mark_price(symbol, at)
        ours, theirs = (
            market.candles(symbol, MINUTE, at - 3 * MINUTE, at + 1, at)
            for market in (moment.again, moment.first)
        )
        assert (ours.rows == theirs.rows).all()


def answers(server: Server, symbol: str) -> dict[str, Any]:
    """What the server says about a symbol at this moment."""
    paths = {
        "klines": f"klines?symbol={symbol}&interval=1m&limit=3",
        "hour": f"klines?symbol={symbol}&interval=1h&limit=2",
        "trades": f"aggTrades?symbol={symbol}&limit=300",
        "depth": f"depth?symbol={symbol}&limit=5",
        "touch": f"ticker/bookTicker?symbol={symbol}",
        "day": f"ticker/24hr?symbol={symbol}",
        "mark": f"premiumIndex?symbol={symbol}",
        "marks": f"markPriceKlines?symbol={symbol}&interval=1h&limit=1",
    }
    return {
        name: requests.get(f"{server.url}/fapi/v1/{path}", timeout=60).json()
        for name, path in paths.items()
    }


def expect_agreement(said: dict[str, Any]) -> None:
    """The answers of one moment agree with each other."""
    trades, forming = said["trades"], said["klines"][-1]
    now = [trade for trade in trades if trade["T"] >= forming[0]]
    assert trades[-1]["p"] == said["day"]["lastPrice"] == forming[4] == said["hour"][-1][4]
    assert now[0]["p"] == forming[1]
    assert max(float(trade["p"]) for trade in now) == float(forming[2])
    assert sum(float(trade["q"]) for trade in now) == pytest.approx(float(forming[5]))
    assert [trade["a"] for trade in trades] == list(range(trades[0]["a"], trades[0]["a"] + 300))
    assert said["depth"]["bids"][0] == [said["touch"]["bidPrice"], said["touch"]["bidQty"]]
    bid, ask = float(said["touch"]["bidPrice"]), float(said["touch"]["askPrice"])
    assert bid <= float(trades[-1]["p"]) <= ask
    assert float(said["mark"]["markPrice"]) == pytest.approx(bid, rel=1e-3)
    assert said["marks"][-1][4] == said["mark"]["markPrice"]


def test_the_answers_over_http_agree_before_and_after_a_restart() -> None:
    draw = random.Random(3)
    with time_machine.travel(0, tick=False) as clock:
        for seed in range(3):
            server = Server(Market(seed))
            for _ in range(7):
                clock.move_to(draw.randrange(BEGIN, END) / 1000.0)
                symbol = draw.choice(DEFAULT_SYMBOLS)
                with server:
                    said = answers(server, symbol)
                expect_agreement(said)
                with Server(Market(seed)) as restarted:
                    assert answers(restarted, symbol) == said
