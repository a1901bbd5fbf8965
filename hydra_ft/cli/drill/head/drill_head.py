"""A head whose decisions come from a seed; everything behind them is Hydra's own.

It enters, on a side drawn per pair and candle, wherever it holds nothing, and leaves soon:
after some seconds, at a signal of the next candle, or at a stop close by.
"""

# ruff: noqa: ARG002 - the signatures are freqtrade's

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hydra_ft.cli.drill.head.drawn import DrawnHead

if TYPE_CHECKING:
    from datetime import datetime

    from freqtrade.persistence import Trade

TIGHT_STOPS = 0.25
"""Share of the trades whose stop is so close that it is often hit."""


class DrillHead(DrawnHead):
    """Leaves after some seconds, or by a stop of its own."""

    use_custom_stoploss = True

    def min_roi_reached(self, trade: Trade, current_profit: float, current_time: datetime) -> bool:
        """Leave some seconds after the entry, with a tight stop later; at once at the end."""
        later = 25.0 if self._is_tight(trade) else 0.0
        return self.is_left(trade, current_time, 2.0 + later, 15.0 + later)

    def _is_tight(self, trade: Trade) -> bool:
        opened = int(trade.open_date_utc.timestamp())
        return self.draw(trade.pair, "stop", opened).random() < TIGHT_STOPS

    def custom_stoploss(
        self,
        pair: str,
        trade: Trade,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        after_fill: bool,
        **kwargs: Any,
    ) -> float | None:
        """Distance of the stop, as a share of the margin; None leaves it where it is."""
        return 0.0015 * trade.leverage if self._is_tight(trade) else None
