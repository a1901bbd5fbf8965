"""A head whose one signal fires as a test dictates; stage A and stage B are Hydra's own."""

from e2e import planned

from hydra_ft.adapter.strategy import HydraStrategy


class PlannedHead(HydraStrategy):
    """Enters as ``PLAN`` says, on 1m bars, if the whole pipeline lets it."""

    can_short = True
    rules = planned.rules()
    stoploss = -0.02
    minimal_roi = {"0": 10.0}  # noqa: RUF012 - as in any strategy

    def populate_indicators(self, dataframe, metadata):
        planned.TERMS.pair = metadata["pair"]
        return super().populate_indicators(dataframe, metadata)
