"""Reasons of exits by what they are, where freqtrade's own names say less.

Freqtrade names an exit by its type: ``roi``, ``stop_loss``, ``trailing_stop_loss``. The type stays,
for by it freqtrade chooses price, order type and what comes first. The reason is free: what the
head's target made is a ``target``, a stop that stands where it does because the time of the trade
is over is a ``time_stop``, and one that closes a lost day is a ``day_loss``. The names of other
stops stay: StoplossGuard counts trades by them. A position that was left for its time is no stop
loss to it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from freqtrade.enums import ExitCheckTuple, ExitType
from freqtrade.exchange import ROUND_DOWN, ROUND_UP, price_to_precision
from freqtrade.strategy import IStrategy

from hydra_ft.adapter.fail_closed import fail_closed
from hydra_ft.adapter.trades import to_ms
from hydra_ft.risk.codes import DAY_LOSS
from hydra_ft.risk.exits import TARGET, TIME, is_over, stop_level

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import ClassVar

    from freqtrade.persistence import Trade

    from hydra_ft.adapter.exits.stances import Stances
    from hydra_ft.risk.policy import RiskPolicy

_STOPS = (ExitType.STOP_LOSS, ExitType.TRAILING_STOP_LOSS)
_AT_OPEN = (TIME, DAY_LOSS)
_CLOSE = 1e-9


class NamedExits(IStrategy):
    """Names the exits that freqtrade has found, in its order and of its types."""

    risk: ClassVar[RiskPolicy]
    stances: Stances
    ends_with_day: Callable[[int], bool]

    def should_exit(
        self,
        trade: Trade,
        rate: float,
        current_time: datetime,
        *,
        enter: bool,
        exit_: bool,
        low: float | None = None,
        high: float | None = None,
        force_stoploss: float = 0,
    ) -> list[ExitCheckTuple]:
        """Return freqtrade's exits by their names, and the stop that cannot rest."""
        found = super().should_exit(
            trade,
            rate,
            current_time,
            enter=enter,
            exit_=exit_,
            low=low,
            high=high,
            force_stoploss=force_stoploss,
        )
        if not found and self._rests_elsewhere():
            why = self._at_market(trade, rate, current_time)
            return [ExitCheckTuple(ExitType.TRAILING_STOP_LOSS, why)] if why else []
        named = [self._named(one, trade, rate, current_time) for one in found]
        if high is not None and any(one.exit_reason in _AT_OPEN for one in named):
            # What a candle reaches after its open comes too late.
            named = [one for one in named if one.exit_type is not ExitType.ROI]
        return named

    def _rests_elsewhere(self) -> bool:
        return bool(self.order_types.get("stoploss_on_exchange")) and not self.config["dry_run"]

    def _named(
        self, found: ExitCheckTuple, trade: Trade, rate: float, now: datetime
    ) -> ExitCheckTuple:
        reason = ""
        if found.exit_type is ExitType.ROI and self._is_target(trade, now):
            reason = TARGET
        elif found.exit_type in _STOPS:
            reason = self._at_market(trade, rate, now)
        return ExitCheckTuple(found.exit_type, reason) if reason else found

    @fail_closed(answer=False)
    def _is_target(self, trade: Trade, now: datetime) -> bool:
        """Whether the profit that was enough is that at the target, not one of the table."""
        minutes = int((now.timestamp() - trade.open_date_utc.timestamp()) // 60)
        _, enough = self.min_roi_reached_entry(trade, minutes, now)
        due = [after for after in self.minimal_roi if after <= minutes]
        return enough is not None and (not due or enough < self.minimal_roi[max(due)])

    @fail_closed(answer="")
    def _at_market(self, trade: Trade, rate: float, now: datetime) -> str:
        """Why a stop stands at the market, or better than the rules of the price put it; '' if not.

        In a backtest a later price of the candle may have put it better still.
        """
        stance, rules, why = self.stances.stance(trade), self.risk.exits, ""
        if stance is None:
            return ""
        if self.ends_with_day(stance.opened_at):
            why = DAY_LOSS
        elif is_over(stance, rules, to_ms(now)):
            why = TIME
        if not why:
            return ""
        stands = float(trade.stop_loss)
        market = self.stances.market(trade.pair, rate, to_ms(now))
        if market > 0 and abs(stands - _on_tick(trade, market)) <= _CLOSE * market:
            return why
        level, _ = stop_level(replace(stance, kept_stop=0.0), rules, float("nan"), 0)
        gained = stands - _on_tick(trade, level)
        return why if stance.side.sign * gained > _CLOSE * level else ""


def _on_tick(trade: Trade, level: float) -> float:
    """The price that freqtrade makes of a stop."""
    inwards = level * (1 - _CLOSE if not trade.is_short else 1 + _CLOSE)
    return float(
        price_to_precision(
            inwards,
            trade.price_precision,
            trade.precision_mode_price,
            rounding_mode=ROUND_DOWN if trade.is_short else ROUND_UP,
        )
    )
