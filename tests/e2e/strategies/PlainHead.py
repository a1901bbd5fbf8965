"""The signals of StandingHead in a strategy that knows nothing of Hydra."""

from e2e.plan import PLAN
from freqtrade.strategy import IStrategy

from hydra_ft.types import Side


class PlainHead(IStrategy):
    """Enters and leaves as ``PLAN`` says, on 1m bars."""

    INTERFACE_VERSION = 3
    can_short = True
    timeframe = "1m"
    process_only_new_candles = True
    use_exit_signal = True
    stoploss = -0.02
    minimal_roi = {"0": 10.0}  # noqa: RUF012 - as in any strategy

    def populate_indicators(self, dataframe, metadata):
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        side = PLAN.enter.get(metadata["pair"])
        dataframe["enter_tag"] = None
        if side is not None:
            last = dataframe.index[-1]
            dataframe.loc[last, ["enter_tag", f"enter_{side.value}"]] = ("standing", 1)
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        side = PLAN.leave.get(metadata["pair"])
        for one in Side:
            dataframe[f"exit_{one.value}"] = 0
        if side is not None:
            last = dataframe.index[-1]
            dataframe["exit_tag"] = None
            dataframe.loc[last, ["exit_tag", f"exit_{side.value}"]] = ("bias_flip", 1)
        return dataframe
