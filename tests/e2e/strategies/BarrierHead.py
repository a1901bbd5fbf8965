"""PlannedHead with a risk policy: what the plan fires has a stop, a target and an end."""

from dataclasses import replace

from e2e import planned
from e2e.barriers import HOLD_S, LEVERAGE

from hydra_ft.adapter.strategy import HydraStrategy
from hydra_ft.risk.policy import RiskPolicy


def timed(rules):
    """Let positions end after ``HOLD_S``."""
    return replace(rules, signals=tuple(replace(one, max_hold_s=HOLD_S) for one in rules.signals))


class BarrierHead(HydraStrategy):
    """Enters as ``PLAN`` says, on 1m bars; leaves by stop, target and time."""

    can_short = True
    rules = timed(planned.rules())
    risk = RiskPolicy()
    stoploss = -0.04

    def populate_indicators(self, dataframe, metadata):
        planned.TERMS.pair = metadata["pair"]
        return super().populate_indicators(dataframe, metadata)

    def leverage(self, pair, **kwargs):
        return LEVERAGE.get(pair, 1.0)
