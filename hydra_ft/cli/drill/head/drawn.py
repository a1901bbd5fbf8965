"""What the heads of the drill share: entries and exit signals drawn from a seed."""

# ruff: noqa: ARG002 - the signatures are freqtrade's

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hydra_ft.adapter.decisions.rows import LastDecision
from hydra_ft.adapter.exits.barriers import NO_BARRIERS, Barriers
from hydra_ft.adapter.frames import with_columns
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


class DrawnHead(HydraStrategy):
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
        self._last[pair] = LastDecision(at, side, gone, gone, barriers=self.declared(pair, at))
        return with_columns(dataframe, columns)

    def declared(self, pair: str, at: int) -> Barriers:
        """Return what a bar declares of its exits; nothing, unless a head says more."""
        return NO_BARRIERS

    def _enter_tags(self, dataframe: pd.DataFrame, side: np.ndarray) -> np.ndarray:
        tags = np.full(len(side), None, dtype=object)
        tags[side != 0] = "drill"
        return tags

    def _side(self, pair: str, at: int) -> int:
        draw = self.draw(pair, at)
        return draw.choice((-1, 1)) if draw.random() < ENTERS else 0

    def draw(self, *what: object) -> random.Random:
        """Return random numbers that are the same for the same things in every process."""
        return random.Random("|".join(map(str, (self.seed, *what))))

    def last_decision(self, pair: str) -> LastDecision | None:
        """Return the newest decision; while the drill is paused none enters."""
        decision = super().last_decision(pair)
        if decision is None or self.enters:
            return decision
        return replace(decision, side=0)

    def is_left(self, trade: Trade, now: datetime, low_s: float, high_s: float) -> bool:
        """Whether a trade leaves by lot, so many seconds after its entry; at once at the end."""
        if not self.leaves or not self.enters:
            return self.leaves
        draw = self.draw(trade.pair, "hold", int(trade.open_date_utc.timestamp()))
        return bool((now - trade.open_date_utc).total_seconds() >= draw.uniform(low_s, high_s))
