"""A load of trades: a chosen number a second over many symbols, with ids that have no gaps."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import numpy as np

from loopback_exchange.market.noise import key_of, uniform
from loopback_exchange.market.trades import NO_TRADES, Trades

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loopback_exchange.market.noise import Floats, Ints
    from loopback_exchange.market.source import MarketSource

_SWING_TICKS = 200
_LARGEST_STEPS = 500
_LONGEST_STALL_MS = 60_000
_SET_BACK_MS = 1_000


class Load:
    """Takes the place of a market's trades for its symbols, from its start on.

    Ids go on from the market's last one. A trade is a function of seed, symbol and id alone;
    only its time is kept (8 bytes a trade).

    Parameters
    ----------
    market : MarketSource
        Gives the contracts, the first ids and the first prices.
    symbols : sequence of str
        Those that trade; the first ones trade most (the n-th in proportion to 1 / n).
    per_second : float
        Trades a second, of all symbols together; may be changed at any time.
    at : int
        Start, in ms since 1970.
    """

    def __init__(
        self,
        market: MarketSource,
        symbols: Sequence[str],
        per_second: float,
        at: int,
        seed: int = 1,
    ) -> None:
        self.per_second = per_second
        self.symbols, self.start_ms = tuple(symbols), at
        self._seed = seed
        self._weights = 1.0 / np.arange(1, len(symbols) + 1)
        self._weights /= self._weights.sum()
        last = {symbol: market.last_trade(symbol, at) for symbol in symbols}
        self._first = {symbol: trade.id + 1 for symbol, trade in last.items()}
        self._base = {symbol: trade.price for symbol, trade in last.items()}
        self._times = {symbol: array("q") for symbol in symbols}
        self._ticks = {symbol: [(0, 1)] for symbol in symbols}
        self._random = np.random.default_rng(seed)
        self._until, self._due = at, 0.0

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._times

    @property
    def total(self) -> int:
        """Trades made so far."""
        return sum(map(len, self._times.values()))

    def ids(self, symbol: str) -> range:
        """Ids of a symbol so far."""
        first = self._first[symbol]
        return range(first, first + len(self._times[symbol]))

    def trade_in(self, symbol: str, own_ticks: int) -> None:
        """Let prices be whole numbers of so many of the contract's own ticks, from now on."""
        self._ticks[symbol].append((self.ids(symbol).stop, own_ticks))

    def tick_of(self, symbol: str) -> int:
        """How many of the contract's own ticks a tick of the symbol now is."""
        return self._ticks[symbol][-1][1]

    def advance(self, at: int) -> list[tuple[str, Trades]]:
        """Make the trades up to a moment; those of the symbols that have traded since.

        None for a moment that has been passed: the clock was read before the load began. After
        one that was set back trades go on, at the last time of those before until it is reached.
        """
        if at <= self._until:
            if self._until - at > _SET_BACK_MS:
                self._until = at
            return []
        begin = max(self._until, at - _LONGEST_STALL_MS)
        self._due += self.per_second * (at - begin) / 1000.0
        count, self._until = int(self._due), at
        self._due -= count
        shares = self._random.multinomial(count, self._weights)
        made = []
        for symbol, share in zip(self.symbols, shares.tolist(), strict=True):
            if share:
                times = begin + 1 + (np.arange(share) * (at - begin)) // share
                known = self._times[symbol]
                known.extend(np.maximum(times, known[-1] if known else 0).tolist())
                made.append((symbol, self._part(symbol, len(known) - share, len(known))))
        return made

    def _part(self, symbol: str, begin: int, end: int) -> Trades:
        """Give the trades at positions [begin, end)."""
        if begin >= end:
            return NO_TRADES
        ids: Ints = self._first[symbol] + np.arange(begin, end, dtype=np.int64)
        draws = uniform(key_of(self._seed, symbol, "load"), ids)
        swing = np.sin(ids / 500.0) * min(_SWING_TICKS, self._base[symbol] / 4)
        return Trades(
            ids,
            self._on_ticks(symbol, ids, self._base[symbol] + swing + 6 * (draws - 0.5)),
            1 + (draws * 7919 % 1 * _LARGEST_STEPS).astype(np.int64),
            draws * 104_729 % 1 < 0.5,
            np.array(self._times[symbol][begin:end], dtype=np.int64),
        )

    def _on_ticks(self, symbol: str, ids: Ints, prices: Floats) -> Ints:
        since, sizes = np.array(self._ticks[symbol], dtype=np.int64).T
        size = sizes[np.searchsorted(since, ids, side="right") - 1]
        ticks: Ints = np.maximum(np.rint(prices / size), 1).astype(np.int64) * size
        return ticks

    def trades_from(self, symbol: str, trade_id: int, stop_ms: int, limit: int) -> Trades:
        """Give ``limit`` trades from this id on, none at or after ``stop_ms``."""
        begin = max(0, trade_id - self._first[symbol])
        found = self._part(symbol, begin, min(begin + limit, len(self._times[symbol])))
        return found.part(0, found.before(stop_ms))

    def trades(self, symbol: str, start_ms: int, stop_ms: int, limit: int = 10**9) -> Trades:
        """Give the first ``limit`` trades at times in [start, stop)."""
        times = np.frombuffer(self._times[symbol], dtype=np.int64).copy()
        begin, end = np.searchsorted(times, [start_ms, stop_ms]).tolist()
        return self._part(symbol, begin, min(end, begin + limit))

    def latest_trades(self, symbol: str, now_ms: int, limit: int) -> Trades:
        """Give the last ``limit`` trades at or before ``now_ms``, oldest first."""
        end = len(self._times[symbol])
        found = self._part(symbol, max(0, end - limit), end)
        return found.part(0, found.before(now_ms + 1))
