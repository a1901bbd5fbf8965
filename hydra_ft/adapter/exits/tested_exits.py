"""Exits in backtests: freqtrade's callbacks, called only where they have something new to say.

Freqtrade copies a trade for every callback that gets one, at every candle of the trade; that is
most of a backtest's time, for answers that are nearly always those of the candle before. Here the
strategy looks first, without a copy, in the methods of freqtrade that make the calls. A stop that
stays and a part that is not due are not asked for; a target, which only the trade itself changes,
is told to freqtrade directly. What freqtrade does with the answers is left to it, so that the
trades are the same. A callback that a head overrides is called as freqtrade calls it.

In a backtest alone: a bot that trades has the plain callbacks, which are documented.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from freqtrade.strategy import IStrategy

from hydra_ft.adapter.exits.exit_callbacks import PartialExits, StopExits, TargetExits
from hydra_ft.adapter.exits.partial_exits import partial_exit
from hydra_ft.adapter.fail_closed import fail_closed
from hydra_ft.risk.exits import net_r, partials

if TYPE_CHECKING:
    from datetime import datetime

    from freqtrade.persistence import Trade

_Key = tuple[Any, ...]


class TestedStops(StopExits):
    """A stop is asked for where it moves, and after a fill."""

    __test__ = False

    def ft_stoploss_adjust(
        self,
        current_rate: float,
        trade: Trade,
        current_time: datetime,
        current_profit: float,
        force_stoploss: float,
        low: float | None = None,
        high: float | None = None,
        bound_profit: float | None = None,
        after_fill: bool = False,
    ) -> None:
        """Let freqtrade follow the stop; without the callback where that would answer None."""
        asks = self.use_custom_stoploss
        rate = (low if trade.is_short else high) or current_rate
        self.use_custom_stoploss = asks and (after_fill or self._moves(trade, current_time, rate))
        try:
            super().ft_stoploss_adjust(
                current_rate,
                trade,
                current_time,
                current_profit,
                force_stoploss,
                low,
                high,
                bound_profit,
                after_fill,
            )
        finally:
            self.use_custom_stoploss = asks

    @fail_closed(answer=True)
    def _moves(self, trade: Trade, current_time: datetime, rate: float) -> bool:
        """Whether the callback has a stop to give; where that fails it is asked, and says so."""
        if type(self).custom_stoploss is not StopExits.custom_stoploss:
            return True
        return self.new_stop(trade, current_time, rate) is not None


class TestedTargets(TestedStops, TargetExits):
    """The target is put beside the table of ``minimal_roi``, as freqtrade does it."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.use_custom_roi = type(self).custom_roi is not TargetExits.custom_roi
        self._targets: dict[str, tuple[_Key, float | None]] = {}

    def min_roi_reached_entry(
        self, trade: Trade, trade_dur: int, current_time: datetime
    ) -> tuple[int | None, float | None]:
        """Return the least profit that is enough: that at the target, or one of the table."""
        entry, least = super().min_roi_reached_entry(trade, trade_dur, current_time)
        target = None if self.use_custom_roi else self._target(trade)
        if target is None or (least is not None and least <= target):
            return entry, least
        return trade_dur, target

    @fail_closed(answer=None)
    def _target(self, trade: Trade) -> float | None:
        """Profit at the target; computed again when something that it depends on has changed."""
        key = (
            self.risk.exits,
            self.stances.barriers(trade),
            trade.id,
            trade.open_rate,
            trade.amount,
            trade.open_trade_value,
            trade.funding_fees,
        )
        known = self._targets.get(trade.pair)
        if known is None or known[0] != key:
            profit = self.profit_at_target(trade)
            known = (key, profit if profit is not None and isfinite(profit) else None)
            self._targets[trade.pair] = known
        return known[1]


class TestedParts(TestedStops, PartialExits):
    """A part is asked for where one can be due."""

    def _adjust_trade_position_internal(
        self, trade: Trade, current_exit_rate: float, **kwargs: Any
    ) -> tuple[float | None, str]:
        """Let freqtrade ask; where no part is due, answer as it does for None."""
        if not self._may_be_due(trade, current_exit_rate):
            return None, ""
        answer: tuple[float | None, str] = super()._adjust_trade_position_internal(
            trade=trade, current_exit_rate=current_exit_rate, **kwargs
        )
        return answer

    @fail_closed(answer=True)
    def _may_be_due(self, trade: Trade, rate: float) -> bool:
        """Whether a part is due, or somebody else adjusts positions, too."""
        own = type(self).adjust_trade_position is PartialExits.adjust_trade_position
        after = super(PartialExits, type(self)).adjust_trade_position
        if not own or after is not IStrategy.adjust_trade_position:
            return True
        stance, rules = self.stances.stance(trade), self.risk.exits
        if stance is None or not partials(stance, rules, net_r(stance, rate)):
            return False
        # Only now: what was taken is read off the orders, and what is due floored to the step.
        return partial_exit(trade, stance, rules, rate, 0.0) is not None


_IN_BACKTESTS: dict[type, type] = {
    StopExits: TestedStops,
    TargetExits: TestedTargets,
    PartialExits: TestedParts,
}


def in_backtests(parts: tuple[type, ...]) -> tuple[type, ...]:
    """Return the classes of exits as a backtest has them."""
    return tuple(_IN_BACKTESTS.get(part, part) for part in parts)
