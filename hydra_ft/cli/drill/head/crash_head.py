"""The heads of the flash crash: an entry on every bar of every pair, sized and limited by Hydra.

Stage A lets everything pass, so that the book fills up and every bar after the fall asks anew:
what happens then is up to stage B, sizes, limits and exits, which are all Hydra's own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hydra_ft import signals
from hydra_ft.adapter.strategy import HydraStrategy
from hydra_ft.cli.drill.crash.policy import LADDERED, POLICY, is_short, stop_of
from hydra_ft.decisions.rules import AdmissionRules, ClockRules, HeadRules, VetoRules
from hydra_ft.market.bias import BiasRules
from hydra_ft.market.regime import RegimeRules
from hydra_ft.signals.registry import SignalColumns
from hydra_ft.types import Feed, Regime

if TYPE_CHECKING:
    import pandas as pd

    from hydra_ft.signals.registry import Columns, MarketColumns

TARGET_LONG, TARGET_SHORT = 0.03, 0.012
_NOW = {"pair": ""}


def everywhere(_columns: Columns, market: MarketColumns, _rules: Any) -> SignalColumns:
    """Fire on all bars of the pair that is analysed now, on its side."""
    shape, pair = market.regime.shape, _NOW["pair"]
    short = np.full(shape, is_short(pair))
    sure, stop = np.full(shape, 0.9), np.full(shape, stop_of(pair))
    targets = (np.full(shape, TARGET_LONG), np.full(shape, TARGET_SHORT))
    return SignalColumns(~short, short, (sure, sure), (stop, stop), targets)


class CrashHead(HydraStrategy):
    """Enters wherever it may, on 1m bars; leaves by stop and target."""

    can_short = True
    rules = HeadRules(
        name="CrashHead",
        base="1m",
        market="5m",
        structure="15m",
        feeds=(Feed.CANDLES,),
        signals=(
            replace(
                signals.trend_pullback,
                needs=("close_1m",),
                uses=(),
                regimes=(Regime.UP, Regime.DOWN, Regime.RANGING),
                trend_following=False,
                cooldown_s=0,
                flip_s=0,
                max_hold_s=0,
                detect=everywhere,
            ),
        ),
        # Always RANGING: only eight bars in a row that are not would make it CHOPPY, in which
        # nothing is entered.
        regime=RegimeRules(
            chop_above=1, trend_above=1, range_above=0, confirm_bars=8, min_age_bars=0
        ),
        bias=BiasRules(hard=False),
        vetoes=VetoRules(max_vol_expansion=4, extended_above=0.2, min_reward_to_risk=0),
        clock=ClockRules(margin_s=0),
        admission=AdmissionRules(max_day_trades=1000, max_losses=100, max_same_side=1000),
    )
    risk = POLICY
    stoploss = -0.06
    # Set by the loop that runs the bot, as for the other heads of the drill.
    seed = 0
    enters = leaves = True

    def populate_indicators(
        self, dataframe: pd.DataFrame, metadata: dict[str, Any]
    ) -> pd.DataFrame:
        """Tell the signal which pair it looks at."""
        _NOW["pair"] = metadata["pair"]
        return super().populate_indicators(dataframe, metadata)


class CrashLadderHead(CrashHead):
    """As CrashHead, and closes in parts."""

    risk = LADDERED
