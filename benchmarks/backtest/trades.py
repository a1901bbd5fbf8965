"""Backtests of given trades: the bare loop, and the same with callbacks and columns."""

from __future__ import annotations

from time import process_time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from freqtrade.data import history
from freqtrade.data.converter import trim_dataframes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from freqtrade.optimize.backtesting import Backtesting

Columns = dict[str, np.ndarray[Any, Any]]
HELD = ("stoploss", "minimal_roi", "startup_candle_count", "order_types", "order_time_in_force")
"""What a strategy must have in common with another to make the same trades."""


class Times(NamedTuple):
    """CPU seconds of one backtest, from frames in memory to trades."""

    indicators_s: float
    loop_s: float

    @property
    def whole_s(self) -> float:
        """Both steps."""
        return self.indicators_s + self.loop_s


class Backtester:
    """Freqtrade's backtester with its data loaded once; strategies take turns in it."""

    def __init__(self, testing: Backtesting) -> None:
        self.testing = testing
        self.head = testing.strategylist[0]
        testing._set_strategy(self.head)  # noqa: SLF001
        self.data, self.timerange = testing.load_bt_data()

    def run(self, strategy: Any) -> tuple[Times, pd.DataFrame]:
        """Test once; the times, and the trades in order of time."""
        self.testing._set_strategy(strategy)  # noqa: SLF001
        data = {pair: frame.copy() for pair, frame in self.data.items()}
        begun = process_time()
        processed = strategy.advise_all_indicators(data)
        populated = process_time()
        begin, end = self._range(processed)
        looped = process_time()
        result = self.testing.backtest(processed=processed, start_date=begin, end_date=end)
        ended = process_time()
        trades = result["results"].sort_values(["open_date", "pair"], ignore_index=True)
        return Times(populated - begun, ended - looped), trades

    def _range(self, processed: dict[str, pd.DataFrame]) -> tuple[Any, Any]:
        trimmed = trim_dataframes(processed, self.timerange, self.testing.required_startup)
        begin, end = history.get_timerange(trimmed)
        return begin, end

    def given(self, strategy: Any, plan: Mapping[str, Columns]) -> Any:
        """Give a bench strategy the plan, and whatever else the head's trades depend on."""
        for name in HELD:
            setattr(strategy, name, getattr(self.head, name))
        strategy.plan, strategy.calls = plan, []
        return strategy

    def signals_of(self, strategy: Any) -> dict[str, Columns]:
        """The columns of a strategy's signals, per pair."""
        self.testing._set_strategy(strategy)  # noqa: SLF001
        frames = strategy.advise_all_indicators(
            {pair: frame.copy() for pair, frame in self.data.items()}
        )
        plan = {}
        for pair, frame in frames.items():
            signals = strategy.ft_advise_signals(frame, {"pair": pair})
            names = [name for name in signals if name.startswith(("enter_", "exit_"))]
            plan[pair] = {name: signals[name].to_numpy() for name in names}
        return plan


def only_traded(
    plan: dict[str, Columns], data: Mapping[str, pd.DataFrame], trades: pd.DataFrame
) -> dict[str, Columns]:
    """The plan without the entries that became no trade, whatever refused them."""
    kept = {}
    for pair, columns in plan.items():
        opened = trades.loc[trades["pair"] == pair, "open_date"]
        # The signal stands on the candle before the one that the trade opens on.
        rows = np.flatnonzero(data[pair]["date"].isin(opened)) - 1
        entered = np.zeros(len(data[pair]), dtype=np.bool_)
        entered[rows] = True
        kept[pair] = {
            name: np.where(entered, values, 0) if name in ("enter_long", "enter_short") else values
            for name, values in columns.items()
        }
    return kept


def as_signals(data: Mapping[str, pd.DataFrame], trades: pd.DataFrame) -> dict[str, Columns]:
    """Signals that open and close the same trades on the same candles, whatever closed them.

    A trade that closes on the candle on which it opens cannot be given: it is left out.
    """
    plan = {}
    for pair, frame in data.items():
        own = trades[(trades["pair"] == pair) & (trades["open_date"] < trades["close_date"])]
        plan[pair] = {
            name: np.zeros(len(frame), dtype=np.int8)
            for name in ("enter_long", "enter_short", "exit_long", "exit_short")
        }
        for is_short, side in ((False, "long"), (True, "short")):
            made = own[own["is_short"] == is_short]
            kept = made["exit_reason"] != "force_exit"
            for name, dates in (("enter", made["open_date"]), ("exit", made["close_date"][kept])):
                # A signal stands on the candle before the one that acts on it.
                plan[pair][f"{name}_{side}"][np.flatnonzero(frame["date"].isin(dates)) - 1] = 1
    return plan


def always_in(data: Mapping[str, pd.DataFrame], hold_bars: int = 200) -> dict[str, Columns]:
    """Long without a pause: an exit every ``hold_bars`` candles, and an entry everywhere."""
    plan = {}
    for pair, frame in data.items():
        leaves = np.arange(len(frame)) % hold_bars == hold_bars - 1
        plan[pair] = {
            "enter_long": (~leaves).astype(np.int8),
            "exit_long": leaves.astype(np.int8),
        }
    return plan


def same_candles(left: pd.DataFrame, right: pd.DataFrame) -> bool:
    """Whether two tests were in the same pairs on the same candles."""
    names = ["pair", "open_date", "close_date", "is_short"]
    return bool(left[names].equals(right[names]))


def same_trades(left: pd.DataFrame, right: pd.DataFrame) -> bool:
    """Whether two tests made the same trades, to the price."""
    names = ["pair", "open_date", "close_date", "open_rate", "close_rate", "is_short"]
    return bool(left[names].equals(right[names]))
