"""Freqtrade's callbacks for exits, mixed into heads whose risk policy asks for them.

Each callback that takes a trade costs a deep copy of it per open trade and candle, so a head
gets no more than it needs: one for stop, break-even, trailing and time stop together, one for
the target, one for partial exits. Freqtrade catches what they raise and leaves the stop where
it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from freqtrade.strategy import IStrategy, stoploss_from_absolute

from hydra_ft.adapter.exits.barriers import BarrierTable
from hydra_ft.adapter.exits.partial_exits import partial_exit
from hydra_ft.adapter.exits.stances import LiveStances, Stances
from hydra_ft.adapter.fail_closed import fail_closed
from hydra_ft.adapter.trades import to_ms
from hydra_ft.bars.candles import timeframe_ms
from hydra_ft.risk.codes import DAY_LOSS
from hydra_ft.risk.exits import STOP, TIME, is_over, stop_level, target_price
from hydra_ft.types import Kind

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import pandas as pd
    from freqtrade.persistence import Trade

    from hydra_ft.decisions.rules import HeadRules
    from hydra_ft.risk.exits import Stance
    from hydra_ft.risk.policy import RiskPolicy
    from hydra_ft.store.orders import OrderStore

_HAIR = 1e-9
"""Freqtrade rounds a stop to the tick towards the price; this keeps a stop on its tick there.

It takes a distance of 0 for no answer, so a stop at the market is this far from it."""

_FAILED = -1.0
"""In the place of a distance, which is more than 0."""


class StopExits(IStrategy):
    """Stop, break-even, profit lock, trailing and time stop, by one ``custom_stoploss``."""

    use_custom_stoploss = True
    risk: ClassVar[RiskPolicy]
    rules: ClassVar[HeadRules]
    ends_with_day: Callable[[int], bool]
    """Whether a lost day closes what was opened at a time (UTC ms)."""
    _alert: Callable[[str], None]
    round_trip_fee: Callable[[str], float]
    """Fee in R of a pair, of the price."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self._table = BarrierTable(timeframe_ms(self.timeframe))
        self.stances = Stances(self._table, self._widest, self.round_trip_fee)

    def _widest(self) -> float:
        """Return the head's own stop, as it is once parameters and configuration are read."""
        return float(self.stoploss)

    def start_exits(self, store: OrderStore) -> None:
        """Keep stances with their trades from now on: the strategy trades."""
        names = [made.name for made in self.rules.signals]
        self.stances = LiveStances(self._table, self._widest, self.round_trip_fee, store, names)

    def populate_entry_trend(
        self, dataframe: pd.DataFrame, metadata: dict[str, Any]
    ) -> pd.DataFrame:
        """Note what every bar declared of its exits."""
        frame = super().populate_entry_trend(dataframe, metadata)
        self._table.note(metadata["pair"], frame)
        self.stances.forget(metadata["pair"])
        return frame

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
        """Return the distance of the stop from the price, of the margin; None to leave it."""
        away = self._distance(trade, current_time, current_rate, after_fill=after_fill)
        if away == _FAILED:
            self.stances.failed(trade, self._alert)
            return None
        return away

    @fail_closed(answer=_FAILED)
    def _distance(
        self, trade: Trade, current_time: datetime, current_rate: float, *, after_fill: bool
    ) -> float | None:
        found = self.new_stop(trade, current_time, current_rate, refresh=after_fill)
        if found is None:
            return None
        level, rule = found
        if after_fill:
            self.stances.filled(trade)
        self.stances.moved(trade, level, rule)
        level *= 1 + _HAIR if trade.is_short else 1 - _HAIR
        leverage = float(trade.leverage or 1.0)
        away = stoploss_from_absolute(level, current_rate, bool(trade.is_short), leverage)
        return float(max(away, _HAIR * leverage))

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
        """Let freqtrade follow the stop; one that a rule has moved after a fill is a moved one.

        Freqtrade takes every stop of that call for a first one, which the next fill moves back.
        """
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
        if after_fill:
            self._note_moved(trade, current_time, current_rate)

    @fail_closed(answer=None)
    def _note_moved(self, trade: Trade, current_time: datetime, rate: float) -> None:
        found = self.new_stop(trade, current_time, rate, refresh=True)
        if found is None or found[1] == STOP:
            return
        behind = found[0] - float(trade.stop_loss)
        if (-behind if trade.is_short else behind) <= 2 * _HAIR * found[0]:
            trade.is_stop_loss_trailing = True

    def new_stop(
        self, trade: Trade, current_time: datetime, rate: float, *, refresh: bool = False
    ) -> tuple[float, str] | None:
        """Price of the stop of a trade and its rule; None where it is no better than what stands.

        With ``refresh`` it is given in any case, as after a fill, which moves the entry price.
        """
        stance = self.stances.stance(trade)
        if stance is None:
            return None
        stands = float(trade.stop_loss or 0.0)
        level, rule = self._level(stance, trade.pair, rate, to_ms(current_time), stands)
        if stands and not refresh and stance.side.sign * (level - stands) <= _HAIR * stands:
            return None
        return level, rule

    def _level(
        self, stance: Stance, pair: str, rate: float, now: int, stands: float
    ) -> tuple[float, str]:
        """Price of the stop and its rule; one of time, or of a lost day, stands at the market.

        It does where the market is better than the stop that stands. A backtest passes the
        best price of the candle, which comes after the open at which the position leaves.
        """
        rules = self.risk.exits
        day = self.ends_with_day(stance.opened_at)
        if day or is_over(stance, rules, now):
            market = self.stances.market(pair, rate, now)
            first = stands or stop_level(stance, rules, market, 0)[0]
            if stance.side.sign * (market - first) > 0:  # never where it is NaN
                return market, DAY_LOSS if day else TIME
        return stop_level(stance, rules, rate, 0)

    def stop_of(self, trade: Trade) -> float:
        """Price of the stop of a trade, also of one that freqtrade does not look at yet."""
        stance = self.stances.stance(trade)
        if stance is None:
            return float(trade.stop_loss or 0.0)
        return stop_level(stance, self.risk.exits, float("nan"), 0)[0]

    def declared_stop(self, trade: Trade) -> float:
        """Distance of the stop that a trade was entered with, of its entry price; 0: none."""
        return self.stances.declared(trade).stop


class TargetExits(StopExits):
    """The target of the signal, or of the policy, by ``custom_roi``."""

    use_custom_roi = True

    def custom_roi(
        self,
        pair: str,
        trade: Trade,
        current_time: datetime,
        trade_duration: int,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float | None:
        """Return the profit at the target, of the margin and after fees; None without one."""
        return self.profit_at_target(trade)

    def profit_at_target(self, trade: Trade) -> float | None:
        """Profit of a trade at its target, as freqtrade counts it; None without a target."""
        stance = self.stances.stance(trade)
        if stance is None or not (stance.target or self.risk.exits.target_r):
            return None
        return float(trade.calc_profit_ratio(target_price(stance, self.risk.exits)))


class PartialExits(StopExits):
    """Parts of a position closed on the way, when nothing else of the trade is under way."""

    position_adjustment_enable = True

    def adjust_trade_position(
        self,
        trade: Trade,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        min_stake: float | None,
        max_stake: float,
        current_entry_rate: float,
        current_exit_rate: float,
        current_entry_profit: float,
        current_exit_profit: float,
        **kwargs: Any,
    ) -> float | tuple[float | None, str | None] | None:
        """Complete an entry first; then close the part that is due."""
        wanted = super().adjust_trade_position(
            trade=trade,
            current_time=current_time,
            current_rate=current_rate,
            current_profit=current_profit,
            min_stake=min_stake,
            max_stake=max_stake,
            current_entry_rate=current_entry_rate,
            current_exit_rate=current_exit_rate,
            current_entry_profit=current_entry_profit,
            current_exit_profit=current_exit_profit,
            **kwargs,
        )
        if wanted is not None or trade.has_open_orders or self.is_under_way(trade.pair):
            return wanted
        stance = self.stances.stance(trade)
        if stance is None:
            return None
        # Freqtrade judges the rest by a minimum that leaves room for the head's stop.
        least = (min_stake or 0.0) / (1 - min(abs(self.stoploss), 0.5))
        return partial_exit(trade, stance, self.risk.exits, current_exit_rate, least)

    def is_under_way(self, pair: str) -> bool:
        """Whether an entry or an exit of a pair is being chased, or may be that nobody knows."""
        desk, rounds = getattr(self, "_desk", None), getattr(self, "_rounds", None)
        if desk is None or rounds is None:
            return False
        in_doubt = bool(rounds.reconciliation.in_doubt(pair))
        return in_doubt or any(desk.book.of(pair, kind) for kind in Kind)


def exit_callbacks(risk: RiskPolicy | None, rules: HeadRules) -> tuple[type, ...]:
    """Return the classes whose callbacks a head needs for its exits."""
    if risk is None:
        return ()
    found: list[type] = []
    if risk.exits.partial_1_share or risk.exits.partial_2_share:
        found.append(PartialExits)
    if risk.exits.target_r or rules.signals:
        found.append(TargetExits)
    return tuple(found) or (StopExits,)
