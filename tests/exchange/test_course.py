"""A market that is led: a crash shows in trades, candles, marks and book alike."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from loopback_exchange import Course, LedMarket, Market

MINUTE_MS = 60_000
SYMBOLS = ("BTCUSDT", "ETHUSDT", "ADAUSDT")
START = 29_000_000 * MINUTE_MS
SINCE = START + 20_000
"""The fall begins 20 s into a minute and lasts 50 s."""
FALL = Course(((SINCE, 1.0), (SINCE + 50_000, 0.8)))


def led(course: Course = FALL) -> tuple[LedMarket, Market]:
    """A market with a course, and the same without one."""
    market = LedMarket(7, SYMBOLS)
    market.lead(course)
    return market, Market(7, SYMBOLS)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_trades_fall_with_the_course_and_not_before_it(symbol: str) -> None:
    market, plain = led()
    for first, last, factor in ((-120, 20, 1.0), (70, 600, 0.8)):
        span = (START + first * 1000, START + last * 1000)
        found, other = market.trades(symbol, *span), plain.trades(symbol, *span)
        assert (found.id == other.id).all()
        assert (found.quantity == other.quantity).all()
        assert np.abs(found.price - other.price * factor).max() <= 0.5 + 1e-9
    falling = market.trades(symbol, SINCE, SINCE + 50_000)
    share = falling.price / plain.trades(symbol, SINCE, SINCE + 50_000).price
    assert (np.diff(share) < 0.001).all()
    assert 0.99 > share[len(share) // 2] > 0.81


@pytest.mark.parametrize("interval", [1, 5, 60, 240])
def test_candles_are_those_of_the_trades(interval: int) -> None:
    market, _ = led()
    span = interval * MINUTE_MS
    first = START - START % span - span
    candles = market.candles("ETHUSDT", span, first, first + 4 * span).rows
    for number in range(4):
        prices = market.trades("ETHUSDT", first + number * span, first + (number + 1) * span).price
        row = candles[number]
        assert (row["open"], row["close"]) == (prices[0], prices[-1])
        assert (row["high"], row["low"]) == (prices.max(), prices.min())


def test_the_candle_that_forms_and_the_mark_follow_the_course() -> None:
    market, plain = led()
    at = SINCE + 25_000
    forming = market.candles("BTCUSDT", MINUTE_MS, START, START + MINUTE_MS, at).rows[0]
    assert forming["close"] == market.last_trade("BTCUSDT", at).price
    later = SINCE + 90_000
    share = market.mark_price("BTCUSDT", later) / plain.mark_price("BTCUSDT", later)
    assert share == pytest.approx(0.8, abs=1e-5)
    _, marks = market.mark_candles("BTCUSDT", MINUTE_MS, START, START + 4 * MINUTE_MS, later)
    assert marks[1, 3] < 0.85 * marks[0, 0]


def test_a_jump_is_one_trade() -> None:
    market, plain = led(Course(((SINCE, 1.0), (SINCE, 0.8))))
    found = market.trades("BTCUSDT", START, START + 2 * MINUTE_MS)
    share = found.price / plain.trades("BTCUSDT", START, START + 2 * MINUTE_MS).price
    after = found.time_ms >= SINCE
    assert share[after] == pytest.approx(0.8, abs=1e-5)
    assert share[~after] == pytest.approx(1.0)


def test_a_symbol_may_have_a_course_of_its_own() -> None:
    market, plain = led(Course(((SINCE, 1.0),), {"ADAUSDT": ((SINCE, 1.0), (SINCE, 1.05))}))
    later = SINCE + MINUTE_MS
    for symbol, factor in (("ADAUSDT", 1.05), ("BTCUSDT", 1.0)):
        price = plain.last_trade(symbol, later).price
        assert market.last_trade(symbol, later).price == pytest.approx(price * factor, rel=1e-3)


def test_the_book_is_thin_and_wide_while_there_is_stress() -> None:
    stress = (SINCE, SINCE + 50_000)
    market, _ = led(Course(FALL.knots, stress=stress, size_share=0.1, spread_share=0.004))
    calm, wide = (market.book("BTCUSDT", at, 20) for at in (SINCE - 1, SINCE + 30_000))
    for book, share in ((calm, 0.0), (wide, 0.004)):
        spread = book.asks[0][0] - book.bids[0][0]
        assert spread / book.bids[0][0] == pytest.approx(share, abs=2e-4)
        assert book.bids[0][0] <= market.last_trade("BTCUSDT", SINCE + 30_000).price or not share
    deep = {at: sum(size for _, size in book.bids) for at, book in ((0, calm), (1, wide))}
    assert deep[1] < 0.3 * deep[0]
    after = market.book("BTCUSDT", stress[1], 5)
    assert after.asks[0][0] - after.bids[0][0] <= 3


@pytest.mark.parametrize("knots", [(), ((5, 1.0), (3, 0.9)), ((5, 1.0), (6, 0.0))])
def test_a_course_that_cannot_be_is_refused(knots: tuple[tuple[int, float], ...]) -> None:
    with pytest.raises(ValueError, match="Change the knots"):
        Course(knots)


def test_a_market_may_be_led_while_others_read_it() -> None:
    market, _ = led()
    ended = threading.Event()
    failures = []

    def read() -> None:
        while not ended.is_set():
            try:
                market.last_trade("BTCUSDT", SINCE + 30_000)
                market.candles("ETHUSDT", MINUTE_MS, START, START + 5 * MINUTE_MS)
            except Exception as error:  # noqa: BLE001 - any at all
                failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for level in np.linspace(0.99, 0.8, 60):
        market.lead(Course(((SINCE, 1.0), (SINCE + 50_000, float(level)))))
    ended.set()
    for reader in readers:
        reader.join()
    assert failures == []
    at = SINCE + 60_000
    assert market.last_trade("BTCUSDT", at).price == led()[0].last_trade("BTCUSDT", at).price
