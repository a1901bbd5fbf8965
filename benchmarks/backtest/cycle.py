"""The live cycle of many pairs: HydraFlow against a strategy that does nothing."""

from __future__ import annotations

from datetime import timedelta
from time import process_time
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import CandleType, RunMode
from freqtrade.resolvers import StrategyResolver

from benchmarks.backtest import market as frames
from benchmarks.backtest.home import bench_strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from benchmarks.backtest.home import Home

BARS, TURNS = 1000, 12
HOURS = {"5m": 1 / 12, "1h": 1.0, "4h": 4.0}
STEPS_ADDED = ("populate_indicators", "populate_entry_trend", "populate_exit_trend")


class Cycle(NamedTuple):
    """Means over the candles of an hour, per pair, in CPU milliseconds."""

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


Held = dict[tuple[str, str, CandleType], "pd.DataFrame"]


class Feed:
    """What a live bot holds of many pairs, candle after candle for an hour.

    The pairs are windows of the market's symbols at different times. A coarse candle is there
    once it has closed: in the hour of the bench each pair gets one new candle of 1h.
    """

    def __init__(self, home: Home, count: int) -> None:
        symbols = home.market.symbols
        shifts = -(-count // len(symbols))
        self._whole: dict[str, dict[str, pd.DataFrame]] = {}
        for symbol in symbols:
            more = {
                tf: (BARS + TURNS + 2 + shifts * 4 / hours) * hours / 24
                for tf, hours in HOURS.items()
            }
            self._whole[symbol] = {
                tf: frames.candles(home.market, symbol, tf, more[tf]) for tf in HOURS
            }
            self._whole[symbol]["rates"] = frames.funding(home.market, symbol, more["1h"])
        self._given: dict[tuple[str, str], tuple[int, Held]] = {}
        self._pairs = [
            (f"{symbol.removesuffix('USDT')}{shift}/USDT:USDT", symbol, shift)
            for symbol in symbols
            for shift in range(shifts)
        ][:count]

    def at(self, turn: int) -> Held:
        """All frames at the close of one of the hour's candles."""
        held: Held = {}
        for pair, symbol, shift in self._pairs:
            whole = self._whole[symbol]
            stop = len(whole["5m"]) - shift * 48 - (TURNS - 1 - turn)
            now = whole["5m"]["date"].iloc[stop - 1] + timedelta(hours=HOURS["5m"])
            for timeframe, hours in HOURS.items():
                opened = whole[timeframe]["date"] + timedelta(hours=hours)
                end = int(opened.searchsorted(now, side="right"))
                held |= self._window(pair, timeframe, whole, end)
        return held

    def _window(
        self, pair: str, timeframe: str, whole: Mapping[str, pd.DataFrame], end: int
    ) -> Held:
        """Frames up to a candle: the very ones of before until it is another, as in a bot."""
        before = self._given.get((pair, timeframe))
        if before is not None and before[0] == end:
            return before[1]
        window = whole[timeframe].iloc[end - BARS : end].reset_index(drop=True)
        held = {(pair, timeframe, CandleType.FUTURES): window[frames.CANDLES].copy()}
        if timeframe == "1h":
            held[pair, timeframe, CandleType.OPEN_INTEREST] = frames.open_interest(window)
            settled, dates = whole["rates"], window["date"]
            known = settled["date"].between(dates.iloc[0], dates.iloc[-1])
            rates = settled[known].reset_index(drop=True)
            held[pair, timeframe, CandleType.FUNDING_RATE] = rates
        self._given[pair, timeframe] = end, held
        return held


def analysed(strategy: Any, dp: DataProvider, pairs: list[str]) -> tuple[float, pd.DataFrame]:
    """CPU seconds of freqtrade's analysis of every pair, and the last frame."""
    spent_s = 0.0
    for pair in pairs:
        candles = dp.ohlcv(pair, "5m")
        begun = process_time()
        result = strategy._analyze_ticker_internal(candles, {"pair": pair})  # noqa: SLF001
        spent_s += process_time() - begun
    return spent_s, result


def measure(home: Home, count: int, said: Callable[[str], None]) -> Cycle:
    """Time both strategies on the same frames, in turns, through an hour of candles."""
    config = home.config(RunMode.DRY_RUN)
    exchange, feed = home.exchange(config), Feed(home, count)
    dp = DataProvider(config, exchange)
    # Outside a bot there is no desk and no ledger: what is timed is what decides.
    settings = {**config, "runmode": RunMode.OTHER}
    idle = bench_strategy("BenchIdle", settings)
    flow = StrategyResolver.load_strategy({**settings, "strategy": "HydraFlow"})
    for strategy in (idle, flow):
        strategy.dp, strategy.process_only_new_candles = dp, False
    watched, floors, wholes = _Watched(flow), [], []
    for turn in range(-1, TURNS):
        said(f"live cycle of {count} pairs, candle {max(turn, 0) + 1} of {TURNS}")
        held = feed.at(turn)
        exchange._klines.update(held)  # noqa: SLF001 - where a live bot's downloads end up
        pairs = list(dict.fromkeys(pair for pair, _, _ in held))
        floor, before = analysed(idle, dp, pairs)
        whole, after = analysed(flow, dp, pairs)
        if turn < 0:  # the first candle of a bot, and of its caches
            watched.spent_s = dict.fromkeys(STEPS_ADDED, 0.0)
            continue
        floors.append(floor)
        wholes.append(whole)
    each = 1e3 / len(pairs) / TURNS
    return Cycle(
        len(pairs),
        BARS,
        after.shape[1] - before.shape[1],
        sum(floors) * each,
        {name: watched.spent_s[name] * each for name in STEPS_ADDED},
        sum(wholes) * each,
    )
