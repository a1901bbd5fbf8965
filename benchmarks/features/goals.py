"""What is asked of the features, beside what a run reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks.features.rolling import exponent
from benchmarks.features.sixty import EQUAL

if TYPE_CHECKING:
    from benchmarks.features.bench import Result


class Goal(NamedTuple):
    """What is asked for, and what was measured."""

    text: str
    limit: float
    measured: float
    at_least: bool = True

    @property
    def met(self) -> bool:
        """Whether the goal is reached."""
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


def goals(result: Result) -> list[Goal]:
    """All goals, in the order of the page."""
    return [*_flow(result), *_profiles(result), *_columns(result), *_starts(result)]


def _flow(result: Result) -> list[Goal]:
    """One day of trades, its memory, and one new candle."""
    day, first, candle = result.days[-1], result.candles[0], result.candles[-1]
    peak = result.memory
    cached = exponent(first.ours_s, candle.ours_s, candle.cached / first.cached)
    live = candle.freqtrade_s / candle.ours_s
    return [
        Goal("full order-flow set from arrays, freqtrade's own in it", 1_000, day.from_arrays),
        Goal("the same from its frame", 500, day.from_frame),
        _most("full set, in readings of the trades (a stretch)", 4, day.arrays_s / day.read_s),
        Goal("deltas alone, share of the speed of reading", 0.8, day.read_s / day.delta_s),
        _most("peak memory over the input, bytes a trade", 20, peak.ours / peak.n),
        Goal("freqtrade's peak memory, in ours", 30, peak.freqtrade / max(peak.ours, 1)),
        Goal("one new candle, freqtrade's cycle in ours", 1_000, live),
        _most("one new candle, growth with what is cached, exponent", 0.15, cached),
    ]


def _profiles(result: Result) -> list[Goal]:
    """The rolling profile."""
    few, middle, many = result.windows
    short, long = result.lengths[0], result.lengths[-1]
    in_python, compiled = middle.python_us / middle.rolled_us, many.rebuilt_us / many.rolled_us
    window = exponent(few.rolled_us, many.rolled_us, many.window / few.window)
    length = 1 + exponent(short.rolled_us, long.rolled_us, long.bars / short.bars)
    python = f"rolling profile, rebuilding in Python in it, w = {middle.window}"
    return [
        Goal(python, 1_000, in_python),
        Goal(f"rolling profile, compiled rebuilding in it, w = {many.window}", 10, compiled),
        _most("rolling profile, growth with the window, exponent", 0.4, window),
        _most("rolling profile, growth with the bars, exponent", 1.1, length),
    ]


def _columns(result: Result) -> list[Goal]:
    """Sixty columns, alone and in a live cycle."""
    live, twins = result.live, result.sixty
    return [
        _most("live, sixty columns, in cycles of an empty strategy", 1.5, live.features_ratio),
        _most("live, whole cycle with them, in the same", 2.5, live.whole_ratio),
        _most("live, HydraFlow's own steps, in the same", 1.5, live.flow.features_ratio),
        _most("live, whole cycle with HydraFlow, in the same", 2.5, live.flow.whole_ratio),
        Goal("sixty columns, their pandas and talib.abstract twin in ours", 8, twins.ratio),
        _most("sixty columns, greatest difference from the twin", EQUAL, twins.difference),
    ]


def _starts(result: Result) -> list[Goal]:
    """Imports and compilation."""
    started = result.start
    return [
        _most("a start with Hydra, more than freqtrade's imports by", 0.25, started.growth),
        _most("compiling every kernel, once, CPU seconds", 15, started.cold_s),
    ]


def _most(text: str, limit: float, measured: float) -> Goal:
    return Goal(text, limit, measured, at_least=False)
