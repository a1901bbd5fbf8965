"""The live cycle of many pairs: sixty features, and HydraFlow whole, beside an empty strategy."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import RunMode

from benchmarks.backtest import cycle
from benchmarks.backtest.home import bench_strategy, opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.backtest.cycle import Cycle
    from benchmarks.backtest.home import Home

TURNS = 4
"""New candles of the sixty columns."""
STRATEGIES = ("BenchIdle", "BenchSixty", "BenchCarried")


class Live(NamedTuple):
    """CPU milliseconds a pair and candle of whole cycles, and HydraFlow through an hour.

    ``anew_ms`` is with the columns computed on all bars, ``sixty_ms`` on new bars, as in a bot.
    """

    columns: int
    floor_ms: float
    anew_ms: float
    sixty_ms: float
    flow: Cycle

    @property
    def features_ratio(self) -> float:
        """What the columns cost, in cycles of the empty strategy."""
        return self.whole_ratio - 1

    @property
    def whole_ratio(self) -> float:
        """The whole cycle with the columns, in cycles of the empty strategy."""
        return self.sixty_ms / self.floor_ms


def measure(pairs: int, said: Callable[[str], None]) -> Live:
    """Both in a home that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as home:
        columns, (floor, anew, sixty) = _sixty(home, pairs, said)
        return Live(columns, floor, anew, sixty, cycle.measure(home, pairs, said))


def _sixty(home: Home, count: int, said: Callable[[str], None]) -> tuple[int, list[float]]:
    """Columns that were added, and the milliseconds of each strategy, in turns."""
    config = home.config(RunMode.DRY_RUN)
    exchange, feed = home.exchange(config), cycle.Feed(home, count)
    dp = DataProvider(config, exchange)
    settings = {**config, "runmode": RunMode.OTHER}
    strategies: list[Any] = [bench_strategy(name, settings) for name in STRATEGIES]
    spent, width = [0.0] * len(strategies), [0] * len(strategies)
    for turn in range(-1, TURNS):
        said(f"sixty columns of {count} pairs, candle {max(turn, 0) + 1} of {TURNS}")
        held = feed.at(turn + cycle.TURNS - TURNS)
        exchange._klines.update(held)  # noqa: SLF001 - where a live bot's downloads end up
        pairs = list(dict.fromkeys(pair for pair, _, _ in held))
        for at, strategy in enumerate(strategies):
            strategy.dp, strategy.process_only_new_candles = dp, False
            took, frame = cycle.analysed(strategy, dp, pairs)
            width[at] = frame.shape[1]
            spent[at] += took if turn >= 0 else 0.0
    each = 1e3 / len(pairs) / TURNS
    return width[-1] - width[0], [seconds * each for seconds in spent]
