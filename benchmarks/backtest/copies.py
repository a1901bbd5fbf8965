"""How often freqtrade copies a trade for the callbacks of a strategy."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import freqtrade.strategy.strategy_wrapper as freqtrade_wrapper

if TYPE_CHECKING:
    from benchmarks.backtest.trades import Backtester


class Copies(NamedTuple):
    """Copies of a trade that freqtrade made for callbacks during one backtest.

    ``candles`` counts pairs of a trade and a candle at which its exit was looked at, ``calls``
    those of callbacks that note them, ``most`` is the largest number of calls of one callback
    at one such pair, ``repeated`` the number of pairs with more than one.
    """

    callbacks: int
    candles: int
    copies: int
    calls: int
    most: int
    repeated: int


def count_copies(tester: Backtester, strategy: Any) -> Copies:
    """Count ``deepcopy`` as ``strategy_safe_wrapper`` calls it; the run is not timed."""
    copied = 0
    seen: set[tuple[int, float]] = set()
    plain, looked = freqtrade_wrapper.deepcopy, strategy.should_exit

    def counted(trade: Any) -> Any:
        nonlocal copied
        copied += 1
        return plain(trade)

    def should_exit(trade: Any, rate: float, current_time: Any, **more: Any) -> Any:
        seen.add((trade.id, current_time.timestamp()))
        return looked(trade, rate, current_time, **more)

    calls: list[tuple[str, int, float]] = getattr(strategy, "calls", [])
    calls.clear()
    freqtrade_wrapper.deepcopy, strategy.should_exit = counted, should_exit
    try:
        tester.run(strategy)
    finally:
        freqtrade_wrapper.deepcopy = plain
        del strategy.should_exit
    times = Counter(calls)
    return Copies(
        callbacks=len({name for name, _, _ in calls}),
        candles=len(seen),
        copies=copied,
        calls=len(calls),
        most=max(times.values(), default=0),
        repeated=sum(count > 1 for count in times.values()),
    )
