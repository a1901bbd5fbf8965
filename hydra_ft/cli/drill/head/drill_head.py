"""A head whose decisions come from a seed; everything behind them is Hydra's own.

It enters, on a side drawn per pair and candle, wherever it holds nothing, and leaves soon:
after some seconds, at a signal of the next candle, or at a stop close by.
"""

# ruff: noqa: ARG002 - the signatures are freqtrade's

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hydra_ft.adapter.frames import with_columns
from hydra_ft.adapter.rows import LastDecision
from hydra_ft.adapter.strategy import HydraStrategy
from hydra_ft.cli.drill.plan import LEVERAGE
from hydra_ft.decisions.rules import HeadRules
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd
    from freqtrade.persistence import Trade

ENTERS = 0.9
"""Share of the candles that enter; the others leave."""
TIGHT_STOPS = 0.25
"""Share of the trades whose stop is so close that it is often hit."""


class DrillHead(HydraStrategy):
    """Enters and leaves all the time, on 1m bars."""

    can_short = True
    rules = HeadRules(
        name="DrillHead",
        base="1m",
        market="5m",
        structure="15m",
        feeds=(Feed.CANDLES,),
        signals=(),
    )
    stoploss = -0.03
    minimal_roi = {"0": 10.0}  # noqa: RUF012 - freqtrade sets it per instance
    use_custom_stoploss = True
    # Set by the loop that runs the bot.
    seed = 0
    enters = True
    leaves = True

    def informative_pairs(self) -> list[tuple[str, ...]]:
        """No coarser candles: nothing here is computed from them."""
        return []

    def leverage(self, *args: Any, **kwargs: Any) -> float:
        """More than one, so that margin and notional differ."""
        return LEVERAGE

    def populate_indicators(
        self, dataframe: pd.DataFrame, metadata: dict[str, Any]
    ) -> pd.DataFrame:
        """Decide the last bar by lot; there is no other."""
        pair = metadata["pair"]
        bar = dataframe["date"].iloc[-1]
        at = int(bar.timestamp() * 1000)
        side = self._side(pair, at)
        columns = {
            name: np.zeros(len(dataframe), dtype=np.int8)
            for name in ("hydra_entry", "hydra_exit_long", "hydra_exit_short")
        }
        columns["hydra_entry"][-1] = side
        gone = not side and self.leaves
        columns["hydra_exit_long"][-1] = columns["hydra_exit_short"][-1] = gone
        self._last[pair] = LastDecision(at, side, gone, gone)
        return with_columns(dataframe, columns)

    def _enter_tags(self, dataframe: pd.DataFrame, side: np.ndarray) -> np.ndarray:
        tags = np.full(len(side), None, dtype=object)
        tags[side != 0] = "drill"
        return tags

    def _side(self, pair: str, at: int) -> int:
        draw = self._draw(pair, at)
        return draw.choice((-1, 1)) if draw.random() < ENTERS else 0

    def _draw(self, *what: object) -> random.Random:
        return random.Random("|".join(map(str, (self.seed, *what))))

    def last_decision(self, pair: str) -> LastDecision | None:
        """Return the newest decision; while the drill is paused none enters."""
        decision = super().last_decision(pair)
        if decision is None or self.enters:
            return decision
        return replace(decision, side=0)

    def min_roi_reached(self, trade: Trade, current_profit: float, current_time: datetime) -> bool:
        """Leave some seconds after the entry, with a tight stop later; at once at the end."""
        if not self.leaves or not self.enters:
            return self.leaves
        draw = self._draw(trade.pair, "hold", int(trade.open_date_utc.timestamp()))
        hold_s = draw.uniform(2.0, 15.0) + (25.0 if self._is_tight(trade) else 0.0)
        return bool((current_time - trade.open_date_utc).total_seconds() >= hold_s)

    def _is_tight(self, trade: Trade) -> bool:
        opened = int(trade.open_date_utc.timestamp())
        return self._draw(trade.pair, "stop", opened).random() < TIGHT_STOPS

    def custom_stoploss(
        self,
        pair: str,
        trade: Trade,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        after_fill: bool,
        **kwargs: Any,
    ) -> float | None:
        """Distance of the stop, as a share of the margin; None leaves it where it is."""
        return 0.0015 * trade.leverage if self._is_tight(trade) else None
