"""What columns and callbacks cost in a backtest, on the same trades."""

from __future__ import annotations

from statistics import median
from time import process_time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from freqtrade.enums import RunMode

from benchmarks.backtest.copies import Copies, count_copies
from benchmarks.backtest.home import bench_strategy
from benchmarks.backtest.side_table import SideTable
from benchmarks.backtest.trades import (
    Backtester,
    Columns,
    Times,
    always_in,
    only_traded,
    same_trades,
)
from hydra_ft.adapter.decisions.tested import BacktestLedger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from benchmarks.backtest.home import Home

STEP_S = 300
BARE, COLUMNS = "the trades alone", "HydraFlow as columns"
NOTHING, TABLE = "custom_stoploss, reads nothing", "custom_stoploss, side table"
MOVED = "custom_stoploss, side table, gives a stop"
TARGET = "custom_stoploss and custom_roi, side table"
COLUMN, ROW = "custom_stoploss, one column of the frame", "custom_stoploss, the frame's last row"
VARIANTS = {
    NOTHING: ("BenchStop", "nothing"),
    TABLE: ("BenchStop", "table"),
    MOVED: ("BenchMovedStop", "table"),
    TARGET: ("BenchStopAndTarget", "table"),
    COLUMN: ("BenchStop", "column"),
    ROW: ("BenchStop", "row"),
}
WHOLE = {COLUMNS: ("BenchFlow", "nothing")}
_LOOKUPS = 50_000


class Own(NamedTuple):
    """HydraFlow's own trades: medians in CPU seconds by strategy, and what was tested."""

    pairs: int
    candles: int
    trades: int
    same: bool
    times: dict[str, Times]
    copies: dict[str, Copies]
    ledger_share: float

    def ratio(self, name: str) -> float:
        """The whole backtest, in backtests of the trades alone."""
        return self.times[name].whole_s / self.times[BARE].whole_s


class Always(NamedTuple):
    """Pairs that are in a trade nearly always: medians in CPU seconds."""

    candles: int
    trades: int
    same: bool
    columns: int
    loop_s: dict[str, float]
    whole_s: dict[str, float]
    copies: dict[str, Copies]
    lookup_s: float

    def ratio(self, name: str) -> float:
        """The loop, in loops without a callback."""
        return self.loop_s[name] / self.loop_s[BARE]

    def whole_ratio(self, name: str) -> float:
        """The whole backtest, indicators included, in backtests of the trades alone."""
        return self.whole_s[name] / self.whole_s[BARE]

    @property
    def callback_s(self) -> float:
        """What one call of a callback costs that does nothing."""
        return (self.loop_s[NOTHING] - self.loop_s[BARE]) / self.copies[NOTHING].calls

    @property
    def lookup_share(self) -> float:
        """One look at the side table, as a share of one call of a callback."""
        return self.lookup_s / self.callback_s

    def read_share(self, name: str) -> float:
        """What reading adds in the loop, as a share of what a callback costs."""
        return (self.loop_s[name] - self.loop_s[NOTHING]) / (
            self.loop_s[NOTHING] - self.loop_s[BARE]
        )


def rounds_of(
    tests: Mapping[str, tuple[Backtester, Any]], rounds: int, said: Callable[[str], None], what: str
) -> tuple[dict[str, Times], dict[str, pd.DataFrame]]:
    """Every test in turn, ``rounds`` times; medians, and the trades of the last round."""
    found: dict[str, list[Times]] = {name: [] for name in tests}
    trades = {}
    # The first run of each pays for imports, caches and warnings, and is not counted.
    for tester, strategy in tests.values():
        tester.run(strategy)
    for turn in range(rounds):
        said(f"{what}, round {turn + 1} of {rounds}")
        for name, (tester, strategy) in tests.items():
            times, trades[name] = tester.run(strategy)
            found[name].append(times)
    medians = {
        name: Times(median(t.indicators_s for t in all_), median(t.loop_s for t in all_))
        for name, all_ in found.items()
    }
    return medians, trades


def measure_own(home: Home, days: float, rounds: int, said: Callable[[str], None]) -> Own:
    """HydraFlow's trades as columns, by HydraFlow and by a strategy that is given them."""
    said(f"HydraFlow's own trades over {days:g} days")
    plain, chased = Backtester(home.testing(days, backtest=False)), Backtester(home.testing(days))
    flow = _fresh(home, "BenchColumns")
    _, trades = plain.run(flow)
    plan = only_traded(plain.signals_of(flow), plain.data, trades)
    tests = {
        BARE: (plain, plain.given(_fresh(home, "BenchGiven"), plan)),
        COLUMNS: (plain, flow),
    }
    times, made = rounds_of(tests, rounds, said, "HydraFlow's own trades")
    return Own(
        pairs=len(plain.data),
        candles=sum(len(frame) for frame in plain.data.values()),
        trades=len(trades),
        same=same_trades(made[BARE], made[COLUMNS]),
        times=times,
        copies={name: count_copies(*test) for name, test in tests.items()},
        ledger_share=median(_ledger_share(chased) for _ in range(rounds)),
    )


def _fresh(home: Home, kind: str) -> Any:
    """A bench strategy; freqtrade writes what it declares into a configuration of its own."""
    return bench_strategy(kind, home.config(RunMode.BACKTEST, sizes=False, backtest=False))


def _ledger_share(tester: Backtester) -> float:
    """Writing the ledger of a backtest, as a share of its CPU time."""
    spent_s = 0.0

    def timed(write: Callable[..., None]) -> Callable[..., None]:
        def watched(*arguments: Any, **named: Any) -> None:
            nonlocal spent_s
            begun = process_time()
            write(*arguments, **named)
            spent_s += process_time() - begun

        return watched

    plain = {name: getattr(BacktestLedger, name) for name in ("write", "note", "flush")}
    try:
        for name, write in plain.items():
            setattr(BacktestLedger, name, timed(write))
        times, _ = tester.run(tester.head)
    finally:
        for name, write in plain.items():
            setattr(BacktestLedger, name, write)
    return spent_s / times.whole_s


def measure_always(
    home: Home,
    days: float,
    columns: int,
    rounds: int,
    said: Callable[[str], None],
    variants: Mapping[str, tuple[str, str]],
) -> Always:
    """The same dense trades alone, and with each of the variants."""
    said(f"pairs that are always in a trade, over {days:g} days")
    tester = Backtester(home.testing(days, backtest=False))
    plan = always_in(tester.data)
    features = {pair: _features(frame, columns) for pair, frame in tester.data.items()}
    tables = {
        pair: SideTable(_first_s(frame), STEP_S, np.stack(list(features[pair].values()), axis=1))
        for pair, frame in tester.data.items()
    }
    tests = {BARE: (tester, tester.given(_fresh(home, "BenchGiven"), plan))}
    for name, (kind, reads) in variants.items():
        strategy = tester.given(_fresh(home, kind), plan)
        strategy.tables, strategy.features, strategy.reads = tables, features, reads
        strategy.target = min(strategy.minimal_roi.values(), default=100.0)
        tests[name] = (tester, strategy)
    times, made = rounds_of(tests, rounds, said, "always in a trade")
    counted = {name: tests[name] for name in tests if name not in (COLUMN, ROW)}
    return Always(
        candles=sum(len(frame) for frame in tester.data.values()),
        trades=len(made[BARE]),
        same=all(same_trades(made[BARE], trades) for trades in made.values()),
        columns=columns,
        loop_s={name: spent.loop_s for name, spent in times.items()},
        whole_s={name: spent.whole_s for name, spent in times.items()},
        copies={name: count_copies(*test) for name, test in counted.items()},
        lookup_s=_lookup_s(tables, tester.data),
    )


def _features(frame: pd.DataFrame, columns: int) -> Columns:
    return {f"feature_{number}": frame["close"].to_numpy() + number for number in range(columns)}


def _first_s(frame: pd.DataFrame) -> int:
    return int(frame["date"].iloc[0].timestamp())


def _lookup_s(tables: Mapping[str, SideTable], data: Mapping[str, pd.DataFrame]) -> float:
    """CPU seconds of one look by pair and time, the loop around it included."""
    pair, frame = next(iter(data.items()))
    moments = list(frame["date"].iloc[1:].dt.to_pydatetime())
    turns = -(-_LOOKUPS // len(moments))
    begun = process_time()
    for _ in range(turns):
        for moment in moments:
            tables[pair].value(moment, 0)
    return (process_time() - begun) / (turns * len(moments))
