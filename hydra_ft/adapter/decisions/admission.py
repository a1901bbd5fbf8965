"""Stage B on freqtrade's books: what stands and what was traded, when an entry is asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from freqtrade.persistence import Trade

from hydra_ft.adapter.trades import side_of, to_ms
from hydra_ft.decisions.admission import Entered, admit
from hydra_ft.decisions.reasons import OK
from hydra_ft.types import ParentOrder, Side, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade.persistence import LocalTrade

    from hydra_ft.decisions.rules import HeadRules
    from hydra_ft.signals.registry import SignalDeclaration

REMEMBERED = timedelta(days=30)
"""How far back closed trades are read: pauses and cooldowns lie within, and so do the losses in
a row that begin a pause, unless the bot hardly trades.
"""


class Admission:
    """Judges entries by the trades in freqtrade's books, live and in a backtest.

    ``unbooked`` gives the entries that are under way without a trade of freqtrade's: between
    a cancel and the next child of a chase it has none.
    """

    def __init__(self, rules: Callable[[], HeadRules], step_ms: int) -> None:
        self._rules = rules
        self._step_ms = step_ms
        self.unbooked: Callable[[], list[ParentOrder]] = list

    def judges(self, tag: str) -> bool:
        """Whether a signal of the head has decided the entry with this tag."""
        return self._signal(tag) is not None

    def verdict(self, pair: str, side: Side, tag: str, now: int) -> Verdict:
        """Judge an entry asked for at a time (UTC ms); what no signal decided passes."""
        signal = self._signal(tag)
        if signal is None:
            return Verdict(allowed=True, code=OK)
        trades = [*self._recent(now), *map(self._begun, self.unbooked())]
        return admit(pair, side, signal, now, trades, self._rules().admission)

    def _signal(self, tag: str) -> SignalDeclaration | None:
        name = _signal_of(tag)
        return next((made for made in self._rules().signals if made.name == name), None)

    def _recent(self, now: int) -> list[Entered]:
        """Open trades, and those that were closed within the time that is remembered."""
        since = datetime.fromtimestamp(now / 1e3, tz=UTC) - REMEMBERED
        trades = Trade.get_trades_proxy(is_open=True)
        closed = Trade.get_trades_proxy(is_open=False, close_date=since)
        return [self._entered(trade) for trade in (*trades, *closed)]

    def _entered(self, trade: LocalTrade) -> Entered:
        closed_at = None if trade.is_open else to_ms(trade.close_date_utc)
        return Entered(
            pair=trade.pair,
            side=side_of(trade),
            signal=_signal_of(trade.enter_tag or ""),
            at=self._bar(to_ms(trade.open_date_utc)),
            closed_at=closed_at,
            profit=0.0 if trade.is_open else float(trade.close_profit_abs or 0.0),
        )

    def _begun(self, parent: ParentOrder) -> Entered:
        at = self._bar(parent.decided_at)
        return Entered(parent.pair, parent.side, _signal_of(parent.reason), at)

    def _bar(self, at: int) -> int:
        """Close of the bar that an entry belongs to: its order goes out some seconds later."""
        return at - at % self._step_ms


def _signal_of(tag: str) -> str:
    return tag.partition("|")[0]
