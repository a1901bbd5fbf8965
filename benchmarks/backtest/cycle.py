"""The live cycle of many pairs: HydraFlow against a strategy that does nothing."""

from __future__ import annotations

from statistics import median
from time import process_time
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import CandleType, RunMode
from freqtrade.resolvers import StrategyResolver

from benchmarks.backtest import market as frames
from benchmarks.backtest.home import bench_strategy

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from benchmarks.backtest.home import Home

BARS = 1000
HOURS = {"5m": 1 / 12, "1h": 1.0, "4h": 4.0}
STEPS_ADDED = ("populate_indicators", "populate_entry_trend", "populate_exit_trend")


class Cycle(NamedTuple):
    """Medians over the rounds, per pair, in CPU milliseconds."""

    pairs: int
    bars: int
    columns: int
    floor_ms: float
    steps_ms: dict[str, float]
    whole_ms: float

    @property
    def features_ratio(self) -> float:
        """What HydraFlow's own three steps cost, in cycles of the empty strategy."""
        return sum(self.steps_ms.values()) / self.floor_ms

    @property
    def whole_ratio(self) -> float:
        """The whole cycle with HydraFlow, in cycles of the empty strategy."""
        return self.whole_ms / self.floor_ms


class _Watched:
    """Adds up the CPU time that a strategy's own steps take."""

    def __init__(self, strategy: Any) -> None:
        self.spent_s = dict.fromkeys(STEPS_ADDED, 0.0)
        for name in STEPS_ADDED:
            setattr(strategy, name, self._timed(name, getattr(strategy, name)))

    def _timed(self, name: str, step: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            begun = process_time()
            result = step(*arguments, **named)
            self.spent_s[name] += process_time() - begun
            return result

        return timed


def _live_frames(home: Home, count: int) -> dict[tuple[str, str, CandleType], pd.DataFrame]:
    """What a live bot holds for ``count`` pairs: windows of the symbols at different times."""
    symbols = home.market.symbols
    shifts = -(-count // len(symbols))
    held: dict[tuple[str, str, CandleType], pd.DataFrame] = {}
    for symbol in symbols:
        days = {tf: (BARS + 1 + shifts * 4 / hours) * hours / 24 for tf, hours in HOURS.items()}
        whole = {tf: frames.candles(home.market, symbol, tf, days[tf]) for tf in HOURS}
        rates = frames.funding(home.market, symbol, days["1h"])
        for shift in range(shifts):
            pair = f"{symbol.removesuffix('USDT')}{shift}/USDT:USDT"
            for timeframe, hours in HOURS.items():
                stop = len(whole[timeframe]) - round(shift * 4 / hours)
                window = whole[timeframe].iloc[stop - BARS : stop].reset_index(drop=True)
                held[pair, timeframe, CandleType.FUTURES] = window[frames.CANDLES].copy()
                if timeframe == "1h":
                    interest = frames.open_interest(window)
                    held[pair, timeframe, CandleType.OPEN_INTEREST] = interest
                    known = rates["date"].between(window["date"].iloc[0], window["date"].iloc[-1])
                    held[pair, timeframe, CandleType.FUNDING_RATE] = rates[known].reset_index(
                        drop=True
                    )
    return held


def _analysed(strategy: Any, dp: DataProvider, pairs: list[str]) -> tuple[float, pd.DataFrame]:
    """CPU seconds of freqtrade's analysis of every pair, and the last frame."""
    spent_s = 0.0
    for pair in pairs:
        candles = dp.ohlcv(pair, "5m")
        begun = process_time()
        result = strategy._analyze_ticker_internal(candles, {"pair": pair})  # noqa: SLF001
        spent_s += process_time() - begun
    return spent_s, result


def measure(home: Home, count: int, rounds: int, said: Callable[[str], None]) -> Cycle:
    """Time both strategies on the same frames, in turns."""
    config = home.config(RunMode.DRY_RUN)
    exchange, held = home.exchange(config), _live_frames(home, count)
    exchange._klines.update(held)  # noqa: SLF001 - where a live bot's downloads end up
    dp = DataProvider(config, exchange)
    pairs = [pair for pair, timeframe, _ in held if timeframe == "5m"][:count]
    # Outside a bot there is no desk and no ledger: what is timed is what decides.
    settings = {**config, "runmode": RunMode.OTHER}
    idle = bench_strategy("BenchIdle", settings)
    flow = StrategyResolver.load_strategy({**settings, "strategy": "HydraFlow"})
    for strategy in (idle, flow):
        strategy.dp, strategy.process_only_new_candles = dp, False
        _analysed(strategy, dp, pairs[:2])
    watched = _Watched(flow)
    floors, wholes, steps = [], [], []
    for turn in range(rounds):
        said(f"live cycle of {count} pairs, round {turn + 1} of {rounds}")
        floor, before = _analysed(idle, dp, pairs)
        watched.spent_s = dict.fromkeys(STEPS_ADDED, 0.0)
        whole, after = _analysed(flow, dp, pairs)
        floors.append(floor)
        wholes.append(whole)
        steps.append(watched.spent_s)
    each = 1e3 / len(pairs)
    return Cycle(
        len(pairs),
        BARS,
        after.shape[1] - before.shape[1],
        median(floors) * each,
        {name: median(spent[name] for spent in steps) * each for name in STEPS_ADDED},
        median(wholes) * each,
    )
