"""What the exchange asks of a market, and what every market answers alike.

A market supplies minutes (``_rows``) and funding; candles, trades, the book, the mark price and
the ticker are derived here from those same minutes, so they cannot disagree.

``MarketSource.trades`` is the one place that says what traded between two moments, of every kind
of market: generated, replayed from candles, or replayed from recorded trades.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

from loopback_exchange.clock import HOUR_MS, MINUTE_MS
from loopback_exchange.market.block import MINUTE, fill_marks
from loopback_exchange.market.book import Book, level_size, touch
from loopback_exchange.market.bridge import MinuteTrades, minute_trades
from loopback_exchange.market.candles import Candles, bucket_offset_ms, sum_rows
from loopback_exchange.market.trades import NO_TRADES, LastTrade, Trades, joined, last_of

if TYPE_CHECKING:
    from loopback_exchange.market.noise import Floats, Ints
    from loopback_exchange.market.specs import SymbolSpec


class PublicTrades(Protocol):
    """What answers questions for trades."""

    def trades(self, symbol: str, start_ms: int, stop_ms: int, limit: int = ...) -> Trades:
        """Give the first ``limit`` trades at times in [start, stop)."""
        ...

    def trades_from(self, symbol: str, trade_id: int, stop_ms: int, limit: int) -> Trades:
        """Give ``limit`` trades from this id on, none at or after ``stop_ms``."""
        ...

    def latest_trades(self, symbol: str, now_ms: int, limit: int) -> Trades:
        """Give the last ``limit`` trades at or before ``now_ms``, oldest first."""
        ...


class MarketSource(ABC):
    """A market of several symbols over real time, in milliseconds and minutes since 1970."""

    seed = 0

    def __init__(self, specs: dict[str, SymbolSpec]) -> None:
        self._specs = specs
        self._minute_trades = lru_cache(maxsize=20_000)(self._compute_trades)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Names of the symbols, in listing order."""
        return tuple(self._specs)

    def spec(self, symbol: str) -> SymbolSpec:
        """Give the contract of a symbol; ``KeyError`` when it is not listed."""
        return self._specs[symbol]

    @abstractmethod
    def span(self, symbol: str) -> tuple[int, int]:
        """Give first minute and the minute after the last one that this market has."""

    @abstractmethod
    def _rows(self, symbol: str, first: int, stop: int) -> np.ndarray:
        """Give the ``MINUTE`` rows of [first, stop), which lie within the span."""

    @abstractmethod
    def funding(self, symbol: str, start_ms: int, stop_ms: int) -> tuple[Ints, Floats]:
        """Give settlement times (ms) and rates in [start, stop)."""

    @abstractmethod
    def funding_now(self, symbol: str, now_ms: int) -> tuple[float, int]:
        """Give the rate as it stands now, and the time of the next settlement (ms)."""

    @abstractmethod
    def _minute_of_trade(self, symbol: str, trade_id: int) -> int:
        """Give the minute of a trade, or the last one that begins with an earlier id.

        It is beyond the span for an id that is above all others.
        """

    def open_interest(self, symbol: str, times_ms: Ints) -> Floats:
        """Give the open interest (base) at these times; NaN where there is none."""
        first, stop = self.span(symbol)
        minute = times_ms // MINUTE_MS - 1
        level = np.full(len(minute), np.nan)
        for index, at in enumerate(minute):
            if first <= at < stop:
                level[index] = self._rows(symbol, int(at), int(at) + 1)["open_interest"][0]
        return level

    def rows(self, symbol: str, first: int, stop: int) -> tuple[int, np.ndarray]:
        """Give the minutes of [first, stop) cut to the span, and the first one's number."""
        begin, end = self.span(symbol)
        first, stop = max(first, begin), min(stop, end)
        if first >= stop:
            return first, np.zeros(0, dtype=MINUTE)
        return first, self._rows(symbol, first, stop)

    def _hours(self, symbol: str, first: int, stop: int) -> np.ndarray:
        rows = self._rows(symbol, first * 60, stop * 60)
        return sum_rows(rows, np.arange(len(rows)) // 60)

    # ---- candles

    def klines(
        self, symbol: str, interval_ms: int, start_ms: int, end_ms: int, now_ms: int | None = None
    ) -> dict[str, Ints | Floats]:
        """Give candles as columns; see ``candles`` and ``Candles.arrays``."""
        return self.candles(symbol, interval_ms, start_ms, end_ms, now_ms).arrays()

    def candles(
        self, symbol: str, interval_ms: int, start_ms: int, end_ms: int, now_ms: int | None = None
    ) -> Candles:
        """Give the candles that open in [start, end), the one forming at ``now_ms`` included.

        Without ``now_ms`` the whole range is taken as past.
        """
        offset = bucket_offset_ms(interval_ms)
        first = -(-(start_ms - offset) // interval_ms) * interval_ms + offset
        stop = -(-(end_ms - offset) // interval_ms) * interval_ms + offset
        stop_minute = stop // MINUTE_MS
        if now_ms is not None:
            stop_minute = min(stop_minute, now_ms // MINUTE_MS)
        minutes, rows = self._pieces(symbol, interval_ms, first // MINUTE_MS, stop_minute)
        if now_ms is not None and first <= now_ms < stop:
            forming = self.forming_row(symbol, now_ms)
            minutes = np.append(minutes, [now_ms // MINUTE_MS] * len(forming))
            rows = np.concatenate([rows, forming])
        group = (minutes * MINUTE_MS - offset) // interval_ms
        open_time = np.unique(group) * interval_ms + offset
        return Candles(self.spec(symbol), open_time, sum_rows(rows, group) if len(rows) else rows)

    def _pieces(
        self, symbol: str, interval_ms: int, first: int, stop: int
    ) -> tuple[Ints, np.ndarray]:
        """Give rows of [first, stop) with their minutes, whole hours summed where that serves."""
        begin, end = self.span(symbol)
        first, stop = max(first, begin), min(stop, end)
        hours = (-(-first // 60), stop // 60)
        if first >= stop or interval_ms % HOUR_MS or hours[0] >= hours[1]:
            start, rows = self.rows(symbol, first, stop)
            return start + np.arange(len(rows)), rows
        cuts = [(first, hours[0] * 60), (hours[1] * 60, stop)]
        parts = [self.rows(symbol, *cuts[0])[1], self._hours(symbol, *hours)]
        parts.append(self.rows(symbol, *cuts[1])[1])
        minutes = [np.arange(*cuts[0]), np.arange(*hours) * 60, np.arange(*cuts[1])]
        return np.concatenate(minutes), np.concatenate(parts)

    def forming_row(self, symbol: str, now_ms: int) -> np.ndarray:
        """Give the minute of ``now_ms`` as its trades so far make it: one row, or none."""
        minute = now_ms // MINUTE_MS
        _, whole = self.rows(symbol, minute, minute + 1)
        if not len(whole):
            return whole
        row = whole.copy()
        row["long_liquidations"] = row["short_liquidations"] = 0.0
        trades = self._minute_trades(symbol, minute)
        seen = int(np.searchsorted(trades.offset_ms, now_ms - minute * MINUTE_MS, side="right"))
        price, quantity = trades.price[:seen], trades.quantity[:seen]
        row["count"], row["volume"] = seen, quantity.sum()
        row["taker_buy"] = quantity[trades.is_buy[:seen]].sum()
        shown = price if seen else row["open"]
        row["high"], row["low"], row["close"] = shown.max(), shown.min(), shown[-1]
        middle = (row["open"] + row["high"] + row["low"] + row["close"]) / 4.0
        spec = self.spec(symbol)
        row["quote"] = row["volume"] * float(spec.step) * middle * float(spec.tick)
        fill_marks(row, float(spec.tick))
        return row

    def mark_candles(
        self, symbol: str, interval_ms: int, start_ms: int, end_ms: int, now_ms: int
    ) -> tuple[Ints, Floats]:
        """Give open times (n,) and mark open, high, low, close (n, 4) in quote."""
        candles = self.candles(symbol, interval_ms, start_ms, end_ms, now_ms)
        names = ("mark_open", "mark_high", "mark_low", "mark_close")
        return candles.open_time, np.stack([candles.rows[name] for name in names], axis=1)

    # ---- trades

    def _compute_trades(self, symbol: str, minute: int) -> MinuteTrades:
        return minute_trades(self._rows(symbol, minute, minute + 1)[0], self.seed)

    def trades_of_minute(self, symbol: str, minute: int) -> Trades:
        """Give the trades of one whole minute."""
        _, rows = self.rows(symbol, minute, minute + 1)
        if not len(rows):
            return NO_TRADES
        part = self._minute_trades(symbol, minute)
        ids = int(rows["first_id"][0]) + np.arange(len(part.price))
        times = minute * MINUTE_MS + part.offset_ms
        return Trades(ids, part.price, part.quantity, part.is_buy, times)

    def trades(self, symbol: str, start_ms: int, stop_ms: int, limit: int = 10**9) -> Trades:
        """Give the first ``limit`` trades at times in [start, stop), recorded or not.

        A stream of trades asks for [moment it has sent, now + 1) again and again.
        """
        return self._gather(symbol, start_ms // MINUTE_MS, start_ms, stop_ms, limit)

    def trades_from(self, symbol: str, trade_id: int, stop_ms: int, limit: int) -> Trades:
        """Give ``limit`` trades from this id on, none at or after ``stop_ms``."""
        begin, end = self.span(symbol)
        minute = max(self._minute_of_trade(symbol, trade_id), begin)
        if minute >= end:
            return NO_TRADES
        opening = self.trades_of_minute(symbol, minute)
        opening = opening.part(opening.place_of(trade_id), opening.before(stop_ms))
        if len(opening.id) >= limit:
            return opening.part(0, limit)
        rest = self._gather(symbol, minute + 1, 0, stop_ms, limit - len(opening.id))
        return joined([opening, rest])

    def latest_trades(self, symbol: str, now_ms: int, limit: int) -> Trades:
        """Give the last ``limit`` trades at or before ``now_ms``, oldest first."""
        begin, end = self.span(symbol)
        parts: list[Trades] = []
        missing = limit
        for minute in range(min(now_ms // MINUTE_MS, end - 1), begin - 1, -1):
            part = self.trades_of_minute(symbol, minute)
            stop = part.before(now_ms + 1)
            parts.append(part.part(max(0, stop - missing), stop))
            missing -= len(parts[-1].id)
            if not missing:
                break
        return joined(parts[::-1])

    def _gather(self, symbol: str, minute: int, start_ms: int, stop_ms: int, limit: int) -> Trades:
        begin, end = self.span(symbol)
        parts: list[Trades] = []
        missing = limit
        for at in range(max(minute, begin), min(end, -(-stop_ms // MINUTE_MS))):
            part = self.trades_of_minute(symbol, at)
            first, stop = part.before(start_ms), part.before(stop_ms)
            parts.append(part.part(first, min(stop, first + missing)))
            missing -= len(parts[-1].id)
            if not missing:
                break
        return joined(parts)

    def last_trade(self, symbol: str, now_ms: int) -> LastTrade:
        """Give the latest trade at or before ``now_ms``; the last one of all after the end."""
        begin, end = self.span(symbol)
        minute = min(max(now_ms // MINUTE_MS, begin), end - 1)
        trades = self.trades_of_minute(symbol, minute)
        seen = int(np.searchsorted(trades.time_ms, max(now_ms, begin * MINUTE_MS), side="right"))
        return last_of(trades.part(0, seen)) if seen else self._last_before(symbol, minute)

    def _last_before(self, symbol: str, minute: int) -> LastTrade:
        """Give the last trade before a minute that has had none so far."""
        row = self._rows(symbol, minute, minute + 1)[0]
        return LastTrade(int(row["first_id"]), int(row["open"]), True, minute * MINUTE_MS)

    # ---- book and mark

    def book(self, symbol: str, now_ms: int, levels: int) -> Book:
        """Give the best ``levels`` of both sides; the touch straddles the last trade."""
        last = self.last_trade(symbol, now_ms)
        bid, ask = touch(last.id, last.price, is_buy=last.is_buy)
        steps = np.arange(min(levels, bid - 1))
        below, above = bid - steps, ask + np.arange(levels)
        return Book(
            last.id,
            list(zip(below.tolist(), self._sizes(symbol, below, now_ms), strict=True)),
            list(zip(above.tolist(), self._sizes(symbol, above, now_ms), strict=True)),
        )

    def _sizes(self, symbol: str, price: Ints, now_ms: int) -> list[int]:
        return level_size(self.seed, self.spec(symbol), price, now_ms // MINUTE_MS)

    def level_size(self, symbol: str, price: int, now_ms: int) -> int:
        """Give the size that stands at one price, in steps."""
        return self._sizes(symbol, np.array([price]), now_ms)[0]

    def mark_price(self, symbol: str, now_ms: int) -> float:
        """Give the mark price in quote: the last price times one plus the minute's basis."""
        begin, end = self.span(symbol)
        minute = min(max(now_ms // MINUTE_MS, begin), end - 1)
        basis = float(self._rows(symbol, minute, minute + 1)["basis"][0])
        last = self.last_trade(symbol, now_ms).price
        return round(last * (float(self.spec(symbol).tick) * (1.0 + basis)), 8)
