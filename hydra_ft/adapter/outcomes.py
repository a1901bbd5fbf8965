"""What becomes of every bar that stage A lets pass: the second half of the ledger.

A pass is open until freqtrade asks (``confirm_trade_entry``). If it never asks, its own reason
is found in its books: a trade of the pair, no slot, a lock. What was sent ends as filled or
not. The last word noted stands, so a first guess is corrected as soon as more is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from freqtrade.persistence import LocalTrade, PairLocks, Trade

from hydra_ft.adapter.trades import to_ms
from hydra_ft.decisions.reasons import FILLED

if TYPE_CHECKING:
    from hydra_ft.types import Side


class Notes(Protocol):
    """Where outcomes are written."""

    def note(self, pair: str, at: int, codes: tuple[str, ...], detail: str = "") -> None:
        """Note the outcome of a bar that closed at a time (UTC ms), the first code first."""


@dataclass(slots=True)
class Pass:
    """A bar that may trade: its close (UTC ms), its side, and whether freqtrade has asked."""

    at: int
    side: Side
    is_asked: bool = False


class Outcomes:
    """Follows every pass to its end."""

    def __init__(self, notes: Notes, max_open_trades: float, step_ms: int) -> None:
        self._notes = notes
        self._max_open_trades = max_open_trades
        self._step_ms = step_ms
        self._open: dict[str, Pass] = {}
        self._sent: set[tuple[str, int]] = set()

    def decided(self, pair: str, at: int, side: Side | None) -> None:
        """Take in the newest bar of a pair: its side where it may trade, else None."""
        before = self._open.get(pair)
        if side is None:
            self._open.pop(pair, None)
        elif before is None or before.at != at:
            self._open[pair] = Pass(at, side)

    def asked(self, pair: str) -> None:
        """Freqtrade asks; if no answer is noted after this, Hydra has failed."""
        self._settle(pair, ("adapter_error",))

    def refused(self, pair: str, codes: tuple[str, ...]) -> None:
        """Stage B refuses, for these reasons."""
        self._settle(pair, codes)

    def sent(self, pair: str) -> None:
        """The order goes out; what is known until it fills is that it has not."""
        found = self._settle(pair, ("not_filled",))
        if found is not None:
            self._sent.add((pair, found.at))

    def _settle(self, pair: str, codes: tuple[str, ...]) -> Pass | None:
        found = self._open.get(pair)
        if found is not None:
            found.is_asked = True
            self._notes.note(pair, found.at, codes)
        return found

    def ended(self, pair: str, at: int, *, filled: bool, detail: str) -> None:
        """The entry that was sent for a bar is over."""
        self._sent.discard((pair, at))
        self._notes.note(pair, at, (FILLED if filled else "not_filled",), detail)

    def guess(self, now: int) -> None:
        """Find the reason of every open pass that freqtrade has not asked about."""
        if all(found.is_asked for found in self._open.values()):
            return
        held = {trade.pair for trade in Trade.get_trades_proxy(is_open=True)}
        for pair, found in self._open.items():
            if not found.is_asked:
                self._notes.note(pair, found.at, (self._reason(pair, found, held, now),))

    def _reason(self, pair: str, found: Pass, held: set[str], now: int) -> str:
        if pair in held:
            return "in_trade"
        if PairLocks.is_pair_locked(pair, datetime.fromtimestamp(now / 1e3, tz=UTC), found.side):
            return "pair_locked"
        return "no_slot" if len(held) >= self._max_open_trades else "host_declined"

    def follow(self) -> None:
        """See in freqtrade's books what has become of what was sent."""
        for pair, at in list(self._sent):
            trade = _trade_of(pair, at, at + self._step_ms)
            if trade is None or trade.nr_of_successful_entries:
                self.ended(pair, at, filled=trade is not None, detail="")


def _trade_of(pair: str, since: int, before: int) -> LocalTrade | None:
    """Return the trade of a pair that was opened within a bar (UTC ms).

    One that never filled is gone from freqtrade's books.
    """
    trades = Trade.get_trades_proxy(pair=pair)
    within = [trade for trade in trades if since <= to_ms(trade.open_date_utc) < before]
    return min(within, key=lambda trade: trade.open_date_utc, default=None)
