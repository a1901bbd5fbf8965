"""Stage B on freqtrade's books: what stands and what was traded, when an entry is asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from freqtrade.persistence import Trade

from hydra_ft.adapter.trades import side_of, to_ms
from hydra_ft.decisions.admission import Entered, admit
from hydra_ft.decisions.reasons import OK
from hydra_ft.types import Side, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade.persistence import LocalTrade

    from hydra_ft.decisions.rules import HeadRules
    from hydra_ft.signals.registry import SignalDeclaration

REMEMBERED = timedelta(days=7)
"""How far back the books are read: the longest pause and cooldown lie within."""


class Admission:
    """Judges entries by the trades in freqtrade's books, live and in a backtest."""

    def __init__(self, rules: Callable[[], HeadRules]) -> None:
        self._rules = rules

    def judges(self, tag: str) -> bool:
        """Whether a signal of the head has decided the entry with this tag."""
        return self._signal(tag) is not None

    def verdict(self, pair: str, side: Side, tag: str, now: int) -> Verdict:
        """Judge an entry asked for at a time (UTC ms); what no signal decided passes."""
        signal = self._signal(tag)
        if signal is None:
            return Verdict(allowed=True, code=OK)
        return admit(pair, side, signal, now, recent_trades(now), self._rules().admission)

    def _signal(self, tag: str) -> SignalDeclaration | None:
        name = tag.partition("|")[0]
        return next((made for made in self._rules().signals if made.name == name), None)


def recent_trades(now: int) -> list[Entered]:
    """Open trades, and those that were closed within the last week."""
    since = datetime.fromtimestamp(now / 1e3, tz=UTC) - REMEMBERED
    trades = Trade.get_trades_proxy(is_open=True)
    closed = Trade.get_trades_proxy(is_open=False, close_date=since)
    return [_entered(trade) for trade in (*trades, *closed)]


def _entered(trade: LocalTrade) -> Entered:
    closed_at = None if trade.is_open else to_ms(trade.close_date_utc)
    return Entered(
        pair=trade.pair,
        side=side_of(trade),
        signal=(trade.enter_tag or "").partition("|")[0],
        at=to_ms(trade.open_date_utc),
        closed_at=closed_at,
        profit=0.0 if trade.is_open else float(trade.close_profit_abs or 0.0),
    )
