"""How often freqtrade copies a trade for the callbacks of a strategy."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import freqtrade.strategy.strategy_wrapper as freqtrade_wrapper
from freqtrade.persistence import LocalTrade

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.backtest.trades import Backtester

_At = tuple[int, float]
"""A trade and the time of a candle (s)."""


class Copies(NamedTuple):
    """Copies of a trade that freqtrade made for callbacks during one backtest.

    ``candles`` counts pairs of a trade and a candle at which its exit was looked at, ``calls``
    those of callbacks that note them, ``most`` is the largest number of calls of one callback
    at one such pair, ``repeated`` the number of pairs with more than one. ``quiet_most`` is the
    largest number of copies at a candle at which the trade had no order, ``busy_most`` at one
    with an order; ``busy`` counts the candles with more than one copy.
    """

    callbacks: int
    candles: int
    copies: int
    calls: int
    most: int
    repeated: int
    quiet_most: int
    busy_most: int
    busy: int


class _Counter:
    """Watches one backtest; nothing of it is timed."""

    def __init__(self, tester: Backtester, strategy: Any) -> None:
        self._plain, self._looked = freqtrade_wrapper.deepcopy, strategy.should_exit
        self._loop = tester.testing.backtest_loop
        self._now = 0.0
        self._before: set[int] = set()
        self.seen: set[_At] = set()
        self.ordered: set[_At] = set()
        self.copied: Counter[_At] = Counter()

    def copy(self, trade: Any) -> Any:
        """Copy a trade, and count it; an entry that is asked about has none yet."""
        if trade is not None:
            self.copied[trade.id, self._now] += 1
            if trade.id not in self._before:  # it opens on this candle
                self.ordered.add((trade.id, self._now))
        return self._plain(trade)

    def should_exit(self, trade: Any, rate: float, current_time: Any, **more: Any) -> Any:
        """Look at an exit, and count it."""
        self.seen.add((trade.id, current_time.timestamp()))
        return self._looked(trade, rate, current_time, **more)

    def loop(self, row: Any, pair: str, current_time: Any, *more: Any, **named: Any) -> Any:
        """Go over one candle of a pair, and see what became of its orders."""
        self._now = current_time.timestamp()
        before = self._orders(pair)
        self._before = {trade for trade, _ in before}
        answer = self._loop(row, pair, current_time, *more, **named)
        changed = before ^ self._orders(pair)
        changed |= {(trade, orders) for trade, orders in before if orders[1]}
        self.ordered |= {(trade, self._now) for trade, _ in changed}
        return answer

    @staticmethod
    def _orders(pair: str) -> set[tuple[int, tuple[int, bool]]]:
        """Every open trade with the number of its orders, and whether one is open."""
        trades = LocalTrade.bt_trades_open_pp[pair]
        return {(trade.id, (len(trade.orders), trade.has_open_orders)) for trade in trades}

    @contextmanager
    def watching(self, tester: Backtester, strategy: Any) -> Iterator[None]:
        """Put the counts in the place of what is counted."""
        freqtrade_wrapper.deepcopy = self.copy
        strategy.should_exit, tester.testing.backtest_loop = self.should_exit, self.loop
        try:
            yield
        finally:
            freqtrade_wrapper.deepcopy = self._plain
            del strategy.should_exit, tester.testing.backtest_loop


def count_copies(tester: Backtester, strategy: Any) -> Copies:
    """Count ``deepcopy`` as ``strategy_safe_wrapper`` calls it; the run is not timed."""
    calls: list[tuple[str, int, float]] = getattr(strategy, "calls", [])
    calls.clear()
    found = _Counter(tester, strategy)
    with found.watching(tester, strategy):
        tester.run(strategy)
    times = Counter(calls)
    quiet = (count for at, count in found.copied.items() if at not in found.ordered)
    busy = (count for at, count in found.copied.items() if at in found.ordered)
    return Copies(
        callbacks=len({name for name, _, _ in calls}),
        candles=len(found.seen),
        copies=found.copied.total(),
        calls=len(calls),
        most=max(times.values(), default=0),
        repeated=sum(count > 1 for count in times.values()),
        quiet_most=max(quiet, default=0),
        busy_most=max(busy, default=0),
        busy=sum(count > 1 for count in found.copied.values()),
    )
