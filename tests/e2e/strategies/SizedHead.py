"""PlannedHead under a risk policy: its sizes and limits are Hydra's."""

from e2e import planned

from hydra_ft.adapter.strategy import HydraStrategy


class SizedHead(HydraStrategy):
    """Enters as ``PLAN`` says, on 1m bars, as large as the policy of the terms allows."""

    can_short = True
    rules = planned.rules()
    risk = planned.TERMS.risk
    stoploss = -0.08
    minimal_roi = {"0": 10.0}  # noqa: RUF012 - as in any strategy

    def populate_indicators(self, dataframe, metadata):
        planned.TERMS.pair = metadata["pair"]
        return super().populate_indicators(dataframe, metadata)
