"""Strategies to compare with: one that does nothing, and some that make given trades.

What they are given (``plan``, ``tables``, ``calls``) is set on them after freqtrade has
loaded them, because freqtrade executes this file as a module of its own.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade.strategy import IStrategy

from benchmarks.features.sixty import added
from hydra_ft.adapter.exits.exit_callbacks import TargetExits
from hydra_ft.adapter.frames import with_columns
from hydra_ft.adapter.heads import load_head
from hydra_ft.features.carried import Carried
from hydra_ft.risk.policy import LADDER

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd

    from benchmarks.backtest.side_table import SideTable


HydraFlow: Any = load_head(Path(__file__).parents[3] / "strategies" / "HydraFlow.py")


class BenchIdle(IStrategy):  # type: ignore[misc]
    """Nothing at all: the floor of a live cycle."""

    INTERFACE_VERSION = 3
    timeframe = "5m"
    can_short = True
    process_only_new_candles = False
    use_exit_signal = True
    stoploss = -0.9
    minimal_roi: dict[str, float] = {"0": 100.0}  # noqa: RUF012 - set per instance

    def populate_indicators(self, dataframe: pd.DataFrame, _metadata: Any) -> pd.DataFrame:
        """Add nothing."""
        return dataframe

    def populate_entry_trend(self, dataframe: pd.DataFrame, _metadata: Any) -> pd.DataFrame:
        """Enter never."""
        return dataframe

    def populate_exit_trend(self, dataframe: pd.DataFrame, _metadata: Any) -> pd.DataFrame:
        """Leave never."""
        return dataframe


class BenchSixty(BenchIdle):
    """Sixty features of Hydra on the base candles, all computed each time, and no decision."""

    def populate_indicators(self, dataframe: pd.DataFrame, _metadata: Any) -> pd.DataFrame:
        """Add the columns, all at once."""
        return added(dataframe)


class BenchCarried(BenchIdle):
    """The same features as a bot has them: those of new candles are computed."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self._carried: dict[str, Carried] = {}

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: Any) -> pd.DataFrame:
        """Add the columns, all at once."""
        return added(dataframe, self._carried.setdefault(metadata["pair"], Carried()))


class BenchGiven(BenchIdle):
    """Entries and exits out of ``plan``: per pair, columns as long as the frame."""

    plan: Mapping[str, Mapping[str, np.ndarray[Any, Any]]]

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: Any) -> pd.DataFrame:
        """Enter as planned."""
        return self._planned(dataframe, metadata, "enter")

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: Any) -> pd.DataFrame:
        """Leave as planned."""
        return self._planned(dataframe, metadata, "exit")

    def _planned(self, dataframe: pd.DataFrame, metadata: Any, kind: str) -> pd.DataFrame:
        for name, values in self.plan[metadata["pair"]].items():
            if name.startswith(kind):
                dataframe[name] = values
        return dataframe


class BenchColumns(HydraFlow):  # type: ignore[misc]
    """HydraFlow with freqtrade's own stakes and stops: no callback gets a trade."""

    risk = None


class BenchFlow(BenchColumns):
    """The same, but with the entries and exits of ``plan`` in the place of its own."""

    plan: Mapping[str, Mapping[str, np.ndarray[Any, Any]]]

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: Any) -> pd.DataFrame:
        """Decide, and then enter as planned."""
        return self._planned(super().populate_entry_trend(dataframe, metadata), metadata, "enter")

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: Any) -> pd.DataFrame:
        """Decide, and then leave as planned."""
        return self._planned(super().populate_exit_trend(dataframe, metadata), metadata, "exit")

    def _planned(self, dataframe: pd.DataFrame, metadata: Any, kind: str) -> pd.DataFrame:
        planned = self.plan[metadata["pair"]]
        for name in (f"{kind}_long", f"{kind}_short"):
            dataframe[name] = planned.get(name, 0)
        return dataframe

    def confirm_trade_entry(self, *arguments: Any, **named: Any) -> bool:
        """Ask HydraFlow, and then enter as planned."""
        super().confirm_trade_entry(*arguments, **named)
        return True


class BenchExits(HydraFlow):  # type: ignore[misc]
    """HydraFlow whole, but every bar enters long, with the same stop, target and longest hold.

    Trades end by these alone. An entry is asked about, sized, and then made with the same stake.
    """

    stop, target, max_hold_s = 0.02, 0.05, 86_400

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: Any) -> pd.DataFrame:
        """Decide, and then enter everywhere."""
        frame: pd.DataFrame = super().populate_entry_trend(dataframe, metadata)
        declared = {"hydra_entry": 1, "hydra_stop": self.stop, "hydra_target": self.target}
        entered = {"enter_long": 1, "enter_short": 0, "enter_tag": self.rules.signals[0].name}
        return frame.assign(**declared, **entered, hydra_max_hold_s=self.max_hold_s)

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: Any) -> pd.DataFrame:
        """Decide, and then leave nowhere."""
        frame: pd.DataFrame = super().populate_exit_trend(dataframe, metadata)
        return frame.assign(exit_long=0, exit_short=0)

    def custom_stake_amount(self, proposed_stake: float, **named: Any) -> float:
        """Ask HydraFlow, and then take the stake of all others."""
        super().custom_stake_amount(proposed_stake=proposed_stake, **named)
        return proposed_stake

    def confirm_trade_entry(self, *arguments: Any, **named: Any) -> bool:
        """Ask HydraFlow, and then enter."""
        super().confirm_trade_entry(*arguments, **named)
        return True


class BenchParts(BenchExits):
    """The same with partial exits on the way."""

    risk = replace(
        HydraFlow.risk,
        exits=replace(LADDER, partial_1_at_r=0.5, partial_2_at_r=1.0, trail_from_r=1.2),
    )


class BenchAsked(TargetExits, BenchExits):
    """The same as ``BenchExits``, with callbacks that freqtrade calls at every candle."""

    def custom_stoploss(
        self,
        pair: str,
        trade: Any,
        current_time: Any,
        current_rate: float,
        current_profit: float,
        after_fill: bool,
        **more: Any,
    ) -> float | None:
        """Answer as HydraFlow does; freqtrade looks for ``after_fill`` among the names."""
        told = (pair, trade, current_time, current_rate, current_profit, after_fill)
        return super().custom_stoploss(*told, **more)

    def custom_roi(self, *told: Any, **named: Any) -> float | None:
        """Answer as HydraFlow does."""
        return super().custom_roi(*told, **named)


class BenchCounted(BenchGiven):
    """The same trades; notes every call of a callback that gets a trade."""

    tables: Mapping[str, SideTable]
    features: Mapping[str, Mapping[str, np.ndarray[Any, Any]]]
    calls: list[tuple[str, int, float]]
    reads = "table"

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: Any) -> pd.DataFrame:
        """Show the features, where the callback reads them out of the frame."""
        if self.reads not in ("column", "row"):
            return dataframe
        return with_columns(dataframe, self.features[metadata["pair"]])

    def _look(self, name: str, pair: str, trade: Any, at: Any) -> float:
        """Read a feature of the last closed candle, by the way that is being measured."""
        self.calls.append((name, trade.id, at.timestamp()))
        if self.reads == "table":
            return self.tables[pair].value(at, 0)
        if self.reads == "column":
            frame, _ = self.dp.get_analyzed_dataframe(pair, self.timeframe)
            return float(frame["feature_0"].iat[-1])  # noqa: PD009 - as users write it
        if self.reads == "row":
            frame, _ = self.dp.get_analyzed_dataframe(pair, self.timeframe)
            return float(frame.iloc[-1]["feature_0"])
        return 0.0


class BenchAdjusting(BenchGiven):
    """The same trades, with freqtrade's position adjustment on, and nobody who adjusts."""

    position_adjustment_enable = True


class BenchStop(BenchCounted):
    """With ``custom_stoploss``, which leaves the stop alone."""

    use_custom_stoploss = True

    def custom_stoploss(self, pair: str, trade: Any, current_time: Any, **_more: Any) -> None:
        """Read, and answer None."""
        self._look("custom_stoploss", pair, trade, current_time)


class BenchMovedStop(BenchCounted):
    """With ``custom_stoploss``, which moves a stop that is never reached."""

    use_custom_stoploss = True

    def custom_stoploss(self, pair: str, trade: Any, current_time: Any, **_more: Any) -> float:
        """Read, and trail the price at nine tenths below."""
        self._look("custom_stoploss", pair, trade, current_time)
        return -0.9


class BenchStopAndTarget(BenchStop):
    """With ``custom_stoploss`` and, for the target, ``custom_roi``: the same as minimal_roi."""

    use_custom_roi = True
    target = 100.0

    def custom_roi(self, pair: str, trade: Any, current_time: Any, **_more: Any) -> float:
        """Read, and give the target."""
        self._look("custom_roi", pair, trade, current_time)
        return self.target
