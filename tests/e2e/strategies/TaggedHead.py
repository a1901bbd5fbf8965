"""StandingHead with tags, stops and targets as HydraFlow has them, for what freqtrade shows."""

from dataclasses import replace

import numpy as np
from StandingHead import StandingHead

from hydra_ft import signals
from hydra_ft.adapter.strategy import HydraStrategy
from hydra_ft.decisions.exits import EXIT_TAGS
from hydra_ft.decisions.rules import HeadRules
from hydra_ft.signals.registry import SignalColumns
from hydra_ft.types import Feed

STOP, TARGET, HOLD_S = 0.01, 0.02, 3600


def silent(columns, market, rules):
    """Say nothing: the plan decides."""
    shape = market.regime.shape
    never, nothing = np.zeros(shape, dtype=np.bool_), np.full(shape, np.nan)
    return SignalColumns(never, never, *[(nothing, nothing)] * 3)


def declared(made):
    needs = ("close_1m",)
    return replace(
        made, needs=needs, uses=(), feeds=(Feed.CANDLES,), cooldown_s=0, flip_s=0, detect=silent
    )


class TaggedHead(StandingHead):
    """Longs come from trend_pullback and leave by the bias, shorts the other way."""

    rules = HeadRules(
        name="TaggedHead",
        base="1m",
        market="5m",
        structure="15m",
        feeds=(Feed.CANDLES,),
        signals=(declared(signals.trend_pullback), declared(signals.adx_expansion)),
    )
    minimal_roi = {"0": 0.01}  # noqa: RUF012 - as in any strategy
    _enter_tags = HydraStrategy._enter_tags

    def __init__(self, config):
        super().__init__(config)
        self._decided = {}

    def populate_indicators(self, dataframe, metadata):
        frame = super().populate_indicators(dataframe, metadata)
        last = frame.index[-1]
        if frame.loc[last, "hydra_exit_short"]:
            frame.loc[last, "hydra_exit_short"] = EXIT_TAGS.index("regime_turn")
        decided = self._decided.setdefault(metadata["pair"], {})
        decided[frame.loc[last, "date"]] = int(frame.loc[last, "hydra_entry"])
        frame[["hydra_stop", "hydra_target"]] = np.nan
        frame["hydra_max_hold_s"] = 0
        for row in frame.index[frame["date"].isin([at for at in decided if decided[at]])]:
            side = decided[frame.loc[row, "date"]]
            frame.loc[row, ["hydra_entry", "hydra_signal"]] = (side, int(side < 0))
            frame.loc[row, ["hydra_stop", "hydra_target", "hydra_max_hold_s"]] = (
                STOP,
                TARGET,
                HOLD_S,
            )
        return frame
