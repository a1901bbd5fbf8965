"""A generated market that is led: from a moment on its prices follow a course as well.

Candles, trades, marks and the book all come from the same prices, so a crash is seen in each of
them at once, and triggers and fills happen trade by trade on the way down.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from loopback_exchange.clock import MINUTE_MS
from loopback_exchange.market.block import fill_marks
from loopback_exchange.market.book import Book
from loopback_exchange.market.bridge import MinuteTrades, minute_trades
from loopback_exchange.market.candles import sum_rows
from loopback_exchange.market.synthetic import Market

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from loopback_exchange.market.noise import Floats, Ints

_HOUR = 60
_PRICES = ("open", "high", "low", "close")

Knots = tuple[tuple[int, float], ...]
"""(UTC ms, factor) in order of time; two knots of one time are a jump."""


@dataclass(frozen=True, slots=True)
class Course:
    """Factors on the prices of a market, straight from knot to knot; the last one stays.

    Attributes
    ----------
    knots : tuple of (int, float)
        The course of all symbols: UTC ms and factor. Before the first one it is 1.
    own : mapping of str to knots
        Courses of symbols that have one of their own.
    stress : (int, int)
        From when until when (UTC ms) the book is thin and wide.
    size_share : float
        What is left of the size of each level then, 0..1.
    spread_share : float
        What is added to the spread then, of the price.
    """

    knots: Knots
    own: Mapping[str, Knots] = field(default_factory=lambda: MappingProxyType({}))
    stress: tuple[int, int] = (0, 0)
    size_share: float = 1.0
    spread_share: float = 0.0

    def __post_init__(self) -> None:
        for knots in (self.knots, *self.own.values()):
            times = [at for at, _ in knots]
            if not knots or times != sorted(times) or min(factor for _, factor in knots) <= 0:
                raise ValueError(
                    "A course has knots in order of time, each with a factor above 0; it was "
                    f"{knots}. Change the knots."
                )

    def of(self, symbol: str) -> Knots:
        """Give the knots of a symbol."""
        return self.own.get(symbol, self.knots)

    def factor(self, symbol: str, times_ms: Ints) -> Floats:
        """Give the factor on the price at these times; at a jump that after it."""
        knots = self.of(symbol)
        at = np.array([time for time, _ in knots], dtype=np.float64)
        level = np.array([factor for _, factor in knots])
        after = np.searchsorted(at, times_ms, side="right")
        before, following = np.maximum(after - 1, 0), np.minimum(after, len(at) - 1)
        span = np.maximum(at[following] - at[before], 1.0)
        share = np.clip((times_ms - at[before]) / span, 0.0, 1.0)
        found: Floats = level[before] + (level[following] - level[before]) * share
        return np.where(after == 0, 1.0, found)


class LedMarket(Market):
    """A generated market to which a course can be given while it is served."""

    def __init__(self, seed: int = 7, symbols: Sequence[str] | None = None) -> None:
        super().__init__(seed, symbols)
        self._course: Course | None = None
        self._since = 2**62
        self._forget()

    def _forget(self) -> None:
        """Begin with empty caches: new ones, as another thread may be within the old ones.

        Clearing those under it ends the interpreter now and then (CPython 3.11).
        """
        self._minute_trades = lru_cache(maxsize=20_000)(self._compute_trades)
        self._led_row = lru_cache(maxsize=20_000)(self._compute_led_row)

    def lead(self, course: Course) -> None:
        """Follow a course from its first knot on; what was before it must not change.

        A new course is in the place of the last one: begin it with the knots that are past.
        """
        knots = [course.knots, *course.own.values()]
        self._course, self._since = course, min(at for (at, _), *_ in knots)
        self._forget()

    def _is_led(self, minute: int) -> bool:
        return (minute + 1) * MINUTE_MS > self._since

    def _compute_trades(self, symbol: str, minute: int) -> MinuteTrades:
        row = super()._rows(symbol, minute, minute + 1)[0]
        trades = minute_trades(row, self.seed)
        if self._course is None or not self._is_led(minute):
            return trades
        factor = self._course.factor(symbol, minute * MINUTE_MS + trades.offset_ms)
        price = np.maximum(np.rint(trades.price * factor), 10).astype(np.int64)
        return trades._replace(price=price)

    def _rows(self, symbol: str, first: int, stop: int) -> np.ndarray:
        rows = super()._rows(symbol, first, stop)
        led = max(first, self._since // MINUTE_MS)
        if self._course is None or led >= stop:
            return rows
        rows = rows.copy()
        for minute in range(led, stop):
            rows[minute - first] = self._led_row(symbol, minute)
        return rows

    def _compute_led_row(self, symbol: str, minute: int) -> np.ndarray:
        """Give the row of a minute as its led trades make it."""
        row = super()._rows(symbol, minute, minute + 1).copy()
        price = self._minute_trades(symbol, minute).price
        row["open"], row["high"], row["low"], row["close"] = (
            price[0], price.max(), price.min(), price[-1],
        )  # fmt: skip
        spec = self.spec(symbol)
        middle = sum(row[name] for name in _PRICES) / 4.0
        row["quote"] = row["volume"] * float(spec.step) * middle * float(spec.tick)
        fill_marks(row, float(spec.tick))
        return row[0]  # type: ignore[no-any-return]

    def _hours(self, symbol: str, first: int, stop: int) -> np.ndarray:
        if self._course is None or stop * _HOUR <= self._since // MINUTE_MS:
            return super()._hours(symbol, first, stop)
        rows = self._rows(symbol, first * _HOUR, stop * _HOUR)
        return sum_rows(rows, np.arange(len(rows)) // _HOUR)

    def book(self, symbol: str, now_ms: int, levels: int) -> Book:
        """Give the best ``levels`` of both sides; thin and wide while the course says so."""
        book = super().book(symbol, now_ms, levels)
        course = self._course
        if course is None or not course.stress[0] <= now_ms < course.stress[1]:
            return book
        away = round(book.bids[0][0] * course.spread_share / 2)

        def thin(side: list[tuple[int, int]], sign: int) -> list[tuple[int, int]]:
            shifted = ((price + sign * away, size) for price, size in side)
            return [
                (price, max(1, round(size * course.size_share)))
                for price, size in shifted
                if price > 0
            ]

        return Book(book.version, thin(book.bids, -1), thin(book.asks, 1))
