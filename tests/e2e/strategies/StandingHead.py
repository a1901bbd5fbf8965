"""A head whose decisions a test dictates; everything behind them is Hydra's own."""

from e2e.plan import PLAN

from hydra_ft.adapter.decisions.rows import LastDecision
from hydra_ft.adapter.strategy import HydraStrategy
from hydra_ft.decisions.rules import HeadRules
from hydra_ft.types import Feed, Side


class StandingHead(HydraStrategy):
    """Enters and leaves as ``PLAN`` says, on 1m bars."""

    can_short = True
    rules = HeadRules(
        name="StandingHead",
        base="1m",
        market="5m",
        structure="15m",
        feeds=(Feed.CANDLES,),
        signals=(),
    )
    stoploss = -0.02
    minimal_roi = {"0": 10.0}  # noqa: RUF012 - as in any strategy

    def populate_indicators(self, dataframe, metadata):
        frame = super().populate_indicators(dataframe, metadata)
        pair = metadata["pair"]
        side, leave = PLAN.enter.get(pair), PLAN.leave.get(pair)
        last = frame.index[-1]
        frame.loc[last, "hydra_signal"] = 0
        frame.loc[last, "hydra_entry"] = side.sign if side else 0
        frame.loc[last, "hydra_exit_long"] = 1 if leave is Side.LONG else 0
        frame.loc[last, "hydra_exit_short"] = 1 if leave is Side.SHORT else 0
        decided = self._last[pair]
        self._last[pair] = LastDecision(
            decided.at, side.sign if side else 0, leave is Side.LONG, leave is Side.SHORT
        )
        return frame

    def _enter_tags(self, dataframe, side):
        return ["standing" if wanted else None for wanted in side]
