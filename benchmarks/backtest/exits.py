"""What stops, targets, parts and sizes cost in a backtest, beside signals for the same trades."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade.enums import RunMode

from benchmarks.backtest.copies import Copies, count_copies
from benchmarks.backtest.home import bench_strategy
from benchmarks.backtest.loop import rounds_of
from benchmarks.backtest.trades import Backtester, as_signals, same_candles

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from benchmarks.backtest.home import Home
    from benchmarks.backtest.trades import Times

STOPS, PARTS = "stop and target", "stop, target and parts"
SIZED = "stop, target, parts and sizes"
ASKED = "stop and target, asked at every candle"
OWN, CHASED = "HydraFlow's own trades, sized", "the same with its chase"
_DENSE = {
    STOPS: ("BenchExits", False),
    PARTS: ("BenchParts", False),
    SIZED: ("BenchParts", True),
    ASKED: ("BenchAsked", False),
}
_ALONE, _ADJUSTING = ", the trades alone", ", the trades alone, adjustment on"


class Row(NamedTuple):
    """One strategy beside its own trades as signals; medians in CPU seconds.

    ``adjusting`` is those trades with freqtrade's position adjustment on, which asks nobody.
    ``reasons`` counts the trades by how they ended, ``left_out`` those that no signals can give,
    for they closed on the candle on which they opened.
    """

    times: Times
    alone: Times
    adjusting: Times | None
    copies: Copies
    trades: int
    left_out: int
    parts: int
    reasons: dict[str, int]
    same: bool

    @property
    def loop_ratio(self) -> float:
        """The loop, in loops of the trades alone."""
        return self.times.loop_s / self.alone.loop_s

    @property
    def whole_ratio(self) -> float:
        """The whole backtest, indicators included, in the same."""
        return self.times.whole_s / self.alone.whole_s


class Exits(NamedTuple):
    """All rows of a run, and how many candles were tested."""

    dense: dict[str, Row]
    dense_candles: int
    own: dict[str, Row]
    own_candles: int


def measure_exits(
    home: Home, own_days: float, dense_days: float, rounds: int, said: Callable[[str], None]
) -> Exits:
    """HydraFlow's own trades with exits and sizes, and pairs that are nearly always in one."""
    said("exits, HydraFlow's own trades")
    plain = Backtester(home.testing(own_days, backtest=False))
    chased = Backtester(home.testing(own_days))
    own = {OWN: (plain, plain.head), CHASED: (chased, chased.head)}
    said("exits, always in a trade")
    bare = Backtester(home.testing(dense_days, sizes=False, backtest=False))
    sized = Backtester(home.testing(dense_days, backtest=False))
    dense = {}
    for name, (kind, sizes) in _DENSE.items():
        config = home.config(RunMode.BACKTEST, sizes=sizes, backtest=False)
        dense[name] = (sized if sizes else bare, bench_strategy(kind, config))
    return Exits(
        dense=_rows(home, dense, rounds, said),
        dense_candles=_candles(bare),
        own=_rows(home, own, rounds, said),
        own_candles=_candles(plain),
    )


def _candles(tester: Backtester) -> int:
    return sum(len(frame) for frame in tester.data.values())


def _rows(
    home: Home,
    tests: dict[str, tuple[Backtester, Any]],
    rounds: int,
    said: Callable[[str], None],
) -> dict[str, Row]:
    """Every strategy in turn with the trades that it made, given to one without callbacks."""
    turns: dict[str, tuple[Backtester, Any]] = {}
    for name, (tester, strategy) in tests.items():
        _, trades = tester.run(strategy)
        plan = as_signals(tester.data, trades)
        config = home.config(RunMode.BACKTEST, backtest=False)
        turns[name] = (tester, strategy)
        turns[name + _ALONE] = (tester, tester.given(bench_strategy("BenchGiven", config), plan))
        if getattr(strategy, "position_adjustment_enable", False):
            adjusting = tester.given(bench_strategy("BenchAdjusting", config), plan)
            turns[name + _ADJUSTING] = (tester, adjusting)
    times, made = rounds_of(turns, rounds, said, "exits")
    rows = {}
    for name, test in tests.items():
        trades = made[name]
        given = trades[trades["open_date"] < trades["close_date"]].reset_index(drop=True)
        rows[name] = Row(
            times=times[name],
            alone=times[name + _ALONE],
            adjusting=times.get(name + _ADJUSTING),
            copies=count_copies(*test),
            trades=len(trades),
            left_out=len(trades) - len(given),
            parts=_parts(trades),
            reasons=dict(Counter(trades["exit_reason"]).most_common()),
            same=same_candles(given, made[name + _ALONE]),
        )
    return rows


def _parts(trades: pd.DataFrame) -> int:
    """Partial exits of all trades: orders beyond the first that opened and the last that closed."""
    return int(sum(len(orders) - 2 for orders in trades["orders"]))
