"""What becomes of every bar that stage A lets pass: the second half of the ledger.

A pass is open until freqtrade asks (``confirm_trade_entry``). If it never asks, its own reason
is found in its books: a trade of the pair, no slot, a lock. What was sent ends as filled or
not. The last word noted stands, so a first guess is corrected as soon as more is known.
A question that was never answered is a failure of Hydra.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from freqtrade.persistence import LocalTrade, PairLocks, Trade

from hydra_ft.adapter.trades import to_ms
from hydra_ft.decisions.reasons import FILLED
from hydra_ft.execution.breaker import REASON

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freqtrade.persistence import PairLock

    from hydra_ft.types import Side


PAUSED = "hydra risk "
"""How the reason of a lock begins that a limit of the risk policy has set; its code follows."""


class Notes(Protocol):
    """Where outcomes are written."""

    def note(self, pair: str, at: int, codes: tuple[str, ...], detail: str = "") -> None:
        """Note the outcome of a bar that closed at a time (UTC ms), the first code first."""


@dataclass(slots=True)
class Pass:
    """A bar that may trade: its close (UTC ms) and its side.

    ``is_asked`` tells that freqtrade has asked, ``is_owed`` that no answer is known yet,
    ``is_held`` that there was a trade, which freqtrade may close within the same bar.
    """

    at: int
    side: Side
    is_asked: bool = False
    is_owed: bool = False
    is_held: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it is still to be found out why freqtrade has not asked."""
        return not self.is_asked and not self.is_held


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
        if before is not None and side is not None and before.at == at:
            return
        self._failed(pair)
        if side is None:
            self._open.pop(pair, None)
        else:
            self._open[pair] = Pass(at, side)

    def asked(self, pair: str) -> None:
        """Freqtrade asks; if no answer follows, Hydra has failed."""
        found = self._open.get(pair)
        if found is not None:
            found.is_asked = found.is_owed = True

    def refused(self, pair: str, codes: tuple[str, ...], detail: str = "") -> None:
        """Stage B refuses, for these reasons."""
        self._answered(pair, codes, detail)

    def sent(self, pair: str) -> None:
        """The order goes out, and works until it is known how it has ended."""
        found = self._answered(pair, ("working",))
        if found is not None:
            self._sent.add((pair, found.at))

    def unasked(self, pair: str) -> None:
        """What was asked is answered, and the question that counts is still to come."""
        found = self._open.get(pair)
        if found is not None:
            found.is_asked = found.is_owed = False

    def unchanged(self, pair: str) -> None:
        """Freqtrade asks again about an entry that is over: what was noted of it stands."""
        found = self._open.get(pair)
        if found is not None:
            found.is_owed = False

    def _answered(self, pair: str, codes: tuple[str, ...], detail: str = "") -> Pass | None:
        """Note the answer to what freqtrade asked about a pass; None if it asked of none."""
        found = self._open.get(pair)
        if found is None or not found.is_owed:
            return None
        found.is_owed = False
        self._notes.note(pair, found.at, codes, detail)
        return found

    def _failed(self, pair: str) -> None:
        """Note that a question was not answered, if one was not."""
        self._answered(pair, ("adapter_error",))

    def ended(self, pair: str, at: int, *, filled: bool, detail: str) -> None:
        """The entry that was sent for a bar is over."""
        self._sent.discard((pair, at))
        self._notes.note(pair, at, (FILLED if filled else "not_filled",), detail)

    def begin_candle(self) -> None:
        """See which open passes meet a trade, which freqtrade may close within the candle."""
        held = self._held()
        for pair, found in self._open.items():
            if found.is_open and pair in held:
                found.is_held = True
                self._notes.note(pair, found.at, ("in_trade",))

    def _held(self) -> set[str]:
        return {trade.pair for trade in Trade.get_trades_proxy(is_open=True)}

    def guess(self) -> None:
        """Find the reason of every open pass that freqtrade has not asked about."""
        for pair in self._open:
            self._failed(pair)
        if not any(found.is_open for found in self._open.values()):
            return
        held = self._held()
        for pair, found in self._open.items():
            if found.is_open:
                found.is_held = pair in held
                code, detail = self._reason(pair, found, held)
                self._notes.note(pair, found.at, (code,), detail)

    def _reason(self, pair: str, found: Pass, held: set[str]) -> tuple[str, str]:
        """Code and words for what freqtrade had against a pass."""
        if found.is_held:
            return "in_trade", ""
        if locks := _locks(pair, found):
            return _reason_of(locks)
        return ("no_slot" if len(held) >= self._max_open_trades else "host_declined"), ""

    def resume(self, tags: Iterable[str]) -> None:
        """Take up again what an earlier process sent: the trades that signals have opened."""
        for trade in Trade.get_trades_proxy(is_open=True):
            if (trade.enter_tag or "").partition("|")[0] in tags:
                opened = to_ms(trade.open_date_utc)
                self._sent.add((trade.pair, opened - opened % self._step_ms))

    def follow(self) -> None:
        """See in freqtrade's books what has become of what was sent."""
        for pair, at in list(self._sent):
            trade = _trade_of(pair, at, at + self._step_ms)
            if trade is None or trade.nr_of_successful_entries:
                self.ended(pair, at, filled=trade is not None, detail="")

    def see_filled(self) -> None:
        """Note what has filled by freqtrade's books; the rest may still be on its way."""
        for pair, at in list(self._sent):
            trade = _trade_of(pair, at, at + self._step_ms)
            if trade is not None and trade.nr_of_successful_entries:
                self.ended(pair, at, filled=True, detail="")


def _trade_of(pair: str, since: int, before: int) -> LocalTrade | None:
    """Return the trade of a pair that was opened within a bar (UTC ms).

    One that never filled is gone from freqtrade's books.
    """
    trades = Trade.get_trades_proxy(pair=pair)
    within = [trade for trade in trades if since <= to_ms(trade.open_date_utc) < before]
    return min(within, key=lambda trade: trade.open_date_utc, default=None)


def _locks(pair: str, found: Pass) -> list[PairLock]:
    """Locks that keep freqtrade from a pass: it looks at the close of the bar."""
    at = datetime.fromtimestamp(found.at / 1e3, tz=UTC)
    return [lock for name in (pair, "*") for lock in PairLocks.get_pair_locks(name, at, found.side)]


def _reason_of(locks: list[PairLock]) -> tuple[str, str]:
    """Code and words for locks; one of somebody else's counts before Hydra's own."""
    for lock in locks:
        reason = str(lock.reason or "")
        if reason.startswith(PAUSED):
            code, _, why = reason.removeprefix(PAUSED).partition(": ")
            return code, why
    ours = [str(lock.reason or "").startswith(REASON) for lock in locks]
    code = "breaker" if all(ours) else "pair_locked"
    return code, str(locks[ours.index(all(ours))].reason or "")
