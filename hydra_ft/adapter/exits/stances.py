"""Open trades as the exits see them: what was declared at the entry, and what is kept of it.

In a backtest it is looked up in the table of decisions. A bot that trades keeps it with the
trade (custom data ``hydra_stance``); where that is lost, in the parent that built the trade,
and else in the decisions of the analysed frame. What none of them knows, as a trade that the
operator ordered, has the head's own stop and no target.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from hydra_ft.adapter.exits.barriers import NO_BARRIERS, Barriers
from hydra_ft.adapter.trades import entry_filled, side_of, to_ms
from hydra_ft.errors import HydraError
from hydra_ft.execution.attempts import CLOCK_TOLERANCE_MS
from hydra_ft.risk.exits import STOP, Stance, risk_quote
from hydra_ft.types import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from freqtrade.persistence import Trade

    from hydra_ft.adapter.exits.barriers import BarrierTable
    from hydra_ft.store.orders import OrderStore

logger = logging.getLogger(__name__)

Number = tuple[int, str, "datetime"]

KEY = "hydra_stance"
"""Custom data of a trade: stop, target, max_hold_s, fee, r_quote, rule."""

PARTIAL = "partial_"
"""How the tags of partial exits begin."""


def partly_taken(trade: Trade) -> float:
    """Share of the whole position that partial exits have taken, 0..1."""
    parts = [o for o in trade.orders if (o.ft_order_tag or "").startswith(PARTIAL)]
    whole = entry_filled(trade) if parts else 0.0
    return float(sum(order.safe_filled for order in parts)) / whole if whole else 0.0


def fee_of(trade: Trade, barriers: Barriers) -> float:
    """Fee in R of a trade, of the price: that which it was sized by, or more if more was booked."""
    booked = float(trade.fee_open or 0.0) + float(trade.fee_close or 0.0)
    return max(barriers.fee, booked)


def stance_of(trade: Trade, barriers: Barriers) -> Stance:
    """Return a trade with what was declared at its entry; R is that of what has filled."""
    return Stance(
        side=side_of(trade),
        entry_price=float(trade.open_rate),
        stop=barriers.stop,
        target=barriers.target,
        round_trip_fee=fee_of(trade, barriers),
        opened_at=to_ms(trade.open_date_utc),
        max_hold_s=barriers.max_hold_s,
        highest=float(trade.max_rate or 0.0),
        lowest=float(trade.min_rate or 0.0),
        # A stop that no rule has moved yet follows the average entry of a chase.
        kept_stop=float(trade.stop_loss or 0.0) if trade.is_stop_loss_trailing else 0.0,
    )


def number_of(trade: Trade) -> Number:
    """What tells a trade from all others: SQLite gives the number of a deleted one anew."""
    return trade.id, trade.pair, trade.open_date


class Stances:
    """Stances of a backtest, looked up by the time of the entry.

    ``stoploss`` gives the head's own, which every epoch of hyperopt may change; ``fee`` the fee in
    R of a pair.
    """

    def __init__(
        self, table: BarrierTable, stoploss: Callable[[], float], fee: Callable[[str], float]
    ) -> None:
        self._table = table
        self._stoploss = stoploss
        self._fee = fee
        self._found: dict[str, tuple[datetime, Barriers]] = {}

    def forget(self, pair: str) -> None:
        """Forget what was looked up for a pair: it was analysed anew."""
        self._found.pop(pair, None)

    def barriers(self, trade: Trade) -> Barriers:
        """Return what was declared at the entry of a trade, the stop within the head's own."""
        known = self._found.get(trade.pair)
        if known is None or known[0] != trade.open_date:
            found = self._table.decided(trade.pair, side_of(trade), to_ms(trade.open_date_utc))
            known = (trade.open_date, self._bounded(found, trade))
            self._found[trade.pair] = known
        return known[1]

    def declared(self, trade: Trade) -> Barriers:
        """Return the same for a trade that may never be filled."""
        return self.barriers(trade)

    def _bounded(self, found: Barriers, trade: Trade) -> Barriers:
        """Cut a stop at the head's own, which is a share of the margin; note the fee in R."""
        stop = min(found.stop, abs(self._stoploss()) / float(trade.leverage or 1.0))
        return replace(found, stop=stop, fee=found.fee or self._fee(trade.pair))

    def stance(self, trade: Trade) -> Stance | None:
        """Return the stance of a trade, None where nothing was declared for it."""
        barriers = self.barriers(trade)
        return stance_of(trade, barriers) if barriers else None

    def market(self, pair: str, rate: float, now: int) -> float:
        """Price at which a position can be left now; NaN where none is known.

        A backtest hands out the best price of a candle, at which nobody leaves for the sake
        of time: that is done at the open, and between opens not at all.
        """
        return self._table.open_at(pair, now)

    def moved(self, trade: Trade, level: float, rule: str) -> None:
        """Note that a rule has moved the stop; a backtest keeps no notes."""

    def filled(self, trade: Trade) -> None:
        """Note that an order of a trade has filled; a backtest keeps no notes."""

    def failed(self, trade: Trade, alert: Callable[[str], None]) -> None:
        """Tell of a trade whose stop could not be found; nobody listens to a backtest."""


class LiveStances(Stances):
    """Stances of a bot that trades; they survive a restart."""

    def __init__(
        self,
        table: BarrierTable,
        stoploss: Callable[[], float],
        fee: Callable[[str], float],
        store: OrderStore,
        signals: Collection[str],
    ) -> None:
        super().__init__(table, stoploss, fee)
        self._store = store
        self._signals = frozenset(signals)
        self._kept: dict[Number, Barriers] = {}
        self._rules: dict[Number, str] = {}
        self._told: set[Number] = set()
        self._waiting: dict[str, tuple[datetime, Barriers]] = {}

    def barriers(self, trade: Trade) -> Barriers:
        """Return what was declared at the entry of a trade, from where it is still known."""
        known = self._kept.get(number_of(trade))
        if known is not None:
            return known
        found = self._stored(trade)
        if found:
            self._kept[number_of(trade)] = found
            return found
        found = self._looked_up(trade)
        if found:
            self._kept[number_of(trade)] = found
            self._write(trade)
        return found

    def declared(self, trade: Trade) -> Barriers:
        """Return the same; of a trade that is not filled nothing is kept by its number.

        It is deleted if it never is, and the database gives its number to another one.
        """
        if trade.amount:
            return self.barriers(trade)
        known = self._waiting.get(trade.pair)
        if known is None or known[0] != trade.open_date:
            known = (trade.open_date, self._looked_up(trade))
            if known[1]:
                self._waiting[trade.pair] = known
        return known[1]

    def _looked_up(self, trade: Trade) -> Barriers:
        return self._bounded(self._of_parent(trade) or self._of_frame(trade), trade)

    def stance(self, trade: Trade) -> Stance | None:
        """Return the stance of a trade, with the rule that moved its stop."""
        found = super().stance(trade)
        rule = self._rules.get(number_of(trade), "")
        return replace(found, kept_rule=rule) if found is not None and rule else found

    def _stored(self, trade: Trade) -> Barriers:
        """Return what is kept with a trade; nothing where it cannot be read."""
        try:
            data = trade.get_custom_data(KEY)
            levels = float(data["stop"]), float(data["target"]), int(data["max_hold_s"])
            found = Barriers(*levels, float(data.get("fee") or self._fee(trade.pair)))
            rule = str(data["rule"])
        except (TypeError, KeyError, ValueError, SQLAlchemyError) as error:
            if not isinstance(error, TypeError):  # None, where nothing is kept
                logger.warning("The stance of %s cannot be read: %s", trade.pair, error)
            return NO_BARRIERS
        known = (found.stop, found.target, found.fee)
        if not found or not all(map(isfinite, known)):
            return NO_BARRIERS
        self._rules.setdefault(number_of(trade), rule)
        return self._bounded(found, trade)

    def _of_parent(self, trade: Trade) -> Barriers:
        """Return what the parent of a trade carries: of its side and tag, alive at its open."""
        opened_at = to_ms(trade.open_date_utc)
        try:
            parents = self._store.parents_of(trade.pair)
        except HydraError as error:
            logger.warning("The parent of %s is not known: %s", trade.pair, error)
            return NO_BARRIERS
        for parent in reversed(parents):
            began = parent.decided_at <= opened_at + CLOCK_TOLERANCE_MS
            over = parent.ended_at and parent.ended_at < opened_at - CLOCK_TOLERANCE_MS
            same = parent.kind is Kind.ENTRY and parent.side is side_of(trade)
            if same and began and not over and parent.reason == (trade.enter_tag or ""):
                return Barriers(parent.stop, parent.target, parent.max_hold_s)
        return NO_BARRIERS

    def _of_frame(self, trade: Trade) -> Barriers:
        """Return what the bar before an entry declared, if one of our signals has decided it."""
        if (trade.enter_tag or "").partition("|")[0] not in self._signals:
            return NO_BARRIERS
        return self._table.decided(trade.pair, side_of(trade), to_ms(trade.open_date_utc))

    def market(self, pair: str, rate: float, now: int) -> float:
        """Price at which a position can be left now: that of the book."""
        return rate

    def moved(self, trade: Trade, level: float, rule: str) -> None:
        """Tell which rule moved the stop, and keep it with the trade.

        Freqtrade names a stop that was hit ``stop_loss`` or ``trailing_stop_loss``, no more.
        """
        if self._rules.get(number_of(trade), STOP) != rule:
            self._rules[number_of(trade)] = rule
            logger.info("Stop of %s goes to %.10g: %s.", trade.pair, level, rule)
            self._write(trade)

    def failed(self, trade: Trade, alert: Callable[[str], None]) -> None:
        """Tell once of every trade; the log says each time why."""
        if number_of(trade) not in self._told:
            self._told.add(number_of(trade))
            at = float(trade.stop_loss or 0.0)
            alert(f"{trade.pair}: the stop cannot be worked out; it stays at {at:g}. See the log.")

    def filled(self, trade: Trade) -> None:
        """Keep R as it is after a fill."""
        self._write(trade)

    def _write(self, trade: Trade) -> None:
        data = self._data(trade, self._kept[number_of(trade)])
        try:
            try:
                trade.set_custom_data(KEY, data)
            except ValueError:
                # Freqtrade reads what stands there first, and that is no JSON.
                trade.delete_custom_data(KEY)
                trade.set_custom_data(KEY, data)
        except SQLAlchemyError as error:
            # The stop itself must not wait for its note.
            logger.warning("The stance of %s is not kept: %s", trade.pair, error)

    def _data(self, trade: Trade, barriers: Barriers) -> dict[str, Any]:
        fee, whole = fee_of(trade, barriers), entry_filled(trade)
        return {
            "stop": barriers.stop,
            "target": barriers.target,
            "max_hold_s": barriers.max_hold_s,
            "fee": fee,
            "r_quote": risk_quote(float(trade.open_rate), whole, barriers.stop, fee),
            "rule": self._rules.get(number_of(trade), STOP),
        }
