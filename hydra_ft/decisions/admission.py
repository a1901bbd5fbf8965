"""Stage B, the pure part: whether a decided entry may go on, given what stands and was traded.

The day, the losses and the cooldowns are counted from fills in freqtrade's own books, never
from signals (F-A23), and looked at before the entry is counted: a full day ends at midnight
UTC and a pause expires, whatever happened in between (F-A22).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hydra_ft.decisions.reasons import OK
from hydra_ft.types import Side, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hydra_ft.decisions.rules import AdmissionRules
    from hydra_ft.signals.registry import SignalDeclaration

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Entered:
    """A trade as stage B sees it: when it was opened, when and how it ended (UTC ms).

    ``closed_at`` is None and ``profit`` 0 while it is open; ``profit`` is in quote currency,
    after fees.
    """

    pair: str
    side: Side
    signal: str
    at: int
    closed_at: int | None = None
    profit: float = 0.0


def admit(
    pair: str,
    side: Side,
    signal: SignalDeclaration,
    at: int,
    trades: Sequence[Entered],
    rules: AdmissionRules,
) -> Verdict:
    """Judge an entry decided at a time (UTC ms) by all trades of the bot of the last week.

    Steps 8 and 9 of the pipeline as far as trades are counted, in their order; the limits of
    the open book and the size follow (``hydra_ft/risk``).
    """
    checks = {
        "veto_daily": entries_on(trades, at) >= rules.max_day_trades,
        "veto_losses": at < loss_pause_end(trades, at, rules),
        "veto_side": open_on(trades, side) >= rules.max_same_side,
        "cooldown": at < cooldown_end(trades, pair, side, signal),
    }
    failing = tuple(code for code, fails in checks.items() if fails)
    return Verdict(not failing, failing[0] if failing else OK, failing)


def entries_on(trades: Iterable[Entered], at: int) -> int:
    """Trades opened on the UTC day of a time, until then."""
    midnight = at - at % DAY_MS
    return sum(midnight <= trade.at <= at for trade in trades)


def open_on(trades: Iterable[Entered], side: Side) -> int:
    """Open positions on a side."""
    return sum(trade.closed_at is None and trade.side is side for trade in trades)


def loss_pause_end(trades: Iterable[Entered], at: int, rules: AdmissionRules) -> int:
    """Time until which losses pause the entries (UTC ms), 0 if they do not.

    Every ``max_losses`` losing trades in a row, by the time of their close, start a pause and
    a new count; a trade that did not lose starts a new count as well.
    """
    streak, paused_until = 0, 0
    closed = [t for t in trades if t.closed_at is not None and t.closed_at <= at]
    for trade in sorted(closed, key=lambda t: t.closed_at or 0):
        streak = streak + 1 if trade.profit < 0 else 0
        if streak >= rules.max_losses:
            streak, paused_until = 0, (trade.closed_at or 0) + rules.loss_pause_s * 1000
    return paused_until


def cooldown_end(
    trades: Iterable[Entered], pair: str, side: Side, signal: SignalDeclaration
) -> int:
    """Time until which a signal rests on a pair since its last entry there (UTC ms), or 0.

    On the other side it rests for ``flip_s``, where that is declared.
    """
    ends = [0]
    for trade in trades:
        if trade.pair == pair and trade.signal == signal.name:
            flips = trade.side is not side and signal.flip_s
            ends.append(trade.at + (signal.flip_s if flips else signal.cooldown_s) * 1000)
    return max(ends)
