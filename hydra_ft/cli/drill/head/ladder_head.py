"""The head of the drill with exits: stops, break-even, trailing and partial exits by a policy.

In the swinging market of that drill its stops, its break-even and the steps of its ladder are
reached within a minute. Its stakes are freqtrade's own: no signal of Hydra's decides its entries.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hydra_ft.adapter.exits.barriers import Barriers
from hydra_ft.cli.drill.head.drawn import DrawnHead
from hydra_ft.risk.policy import LADDER, RiskPolicy

if TYPE_CHECKING:
    from datetime import datetime

    from freqtrade.persistence import Trade

BY_LOT = 0.3
"""Share of the trades that leave some seconds after their entry; the others by their exits."""


class LadderHead(DrawnHead):
    """Leaves by stop, break-even, trailing, time, target and in parts."""

    risk = RiskPolicy(exits=replace(LADDER, break_even_at=0.004, target_r=3.5))

    def declared(self, pair: str, at: int) -> Barriers:
        """Draw a stop that the market reaches, and an end."""
        draw = self.draw(pair, "exits", at)
        return Barriers(draw.uniform(0.003, 0.008), 0.0, draw.randint(40, 120))

    def min_roi_reached(self, trade: Trade, current_profit: float, current_time: datetime) -> bool:
        """Leave at the target; some by lot, and all at once at the end."""
        by_lot = self.draw(trade.pair, "lot", int(trade.open_date_utc.timestamp())).random()
        if by_lot < BY_LOT or not self.enters:
            return self.is_left(trade, current_time, 5.0, 30.0)
        return bool(super().min_roi_reached(trade, current_profit, current_time))
