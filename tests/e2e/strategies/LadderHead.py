"""BarrierHead that closes 40 % at 1 R, 40 % at 2.5 R, and lets the rest run."""

from dataclasses import replace

from BarrierHead import BarrierHead

from hydra_ft.risk.policy import LADDER, RiskPolicy


class LadderHead(BarrierHead):
    """As BarrierHead, in parts."""

    risk = RiskPolicy(exits=replace(LADDER, lock_at_r=0.0, trail_from_r=0.0))
