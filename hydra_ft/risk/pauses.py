"""Pauses after losses, each with an end: nothing here stops a bot for ever (F-A22).

Both are told from books that freqtrade keeps anyway, so that a restart forgets nothing.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from hydra_ft.risk.codes import OK, VETO_DAY_LOSS, VETO_DRAWDOWN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hydra_ft.risk.limit_rules import LimitRules
    from hydra_ft.risk.limits import Book

_CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class Pause:
    """No entries before ``until`` (UTC ms); ``flatten`` asks to close what is open as well."""

    code: str = OK
    until: int = 0
    flatten: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Drawdown:
    """Peak of the equity that counts now (quote), and until when a drawdown pauses (UTC ms)."""

    peak_quote: float
    paused_until: int = 0

    def pause(self, now: int) -> Pause:
        """Return the pause that holds at a time, ``Pause()`` where none does."""
        if now >= self.paused_until:
            return Pause()
        return Pause(VETO_DRAWDOWN, self.paused_until, why="the drawdown has reached its limit")


def day_pause(book: Book, now: int, rules: LimitRules) -> Pause:
    """Return what the gain or loss of the UTC day asks for now, the gravest first (X48).

    The pause counts from now; the caller keeps the latest end (a lock of freqtrade does). While
    the loss stands it is asked for again, and at midnight the day begins anew. A day that
    is not known pauses.
    """
    gained = book.day_return
    why = f"the day stands at {gained:+.4f} of its first equity"
    if rules.day_flatten_loss and gained <= -rules.day_flatten_loss + _CLOSE:
        return Pause(VETO_DAY_LOSS, now + rules.flatten_pause_s * 1000, flatten=True, why=why)
    if rules.day_gain and gained >= rules.day_gain - _CLOSE:
        return Pause(VETO_DAY_LOSS, now + rules.gain_pause_s * 1000, why=why)
    if not gained > -rules.day_loss + _CLOSE:
        return Pause(VETO_DAY_LOSS, now + rules.day_pause_s * 1000, why=why)
    return Pause()


def drawdown_of(curve: Iterable[tuple[int, float]], now: int, rules: LimitRules) -> Drawdown:
    """Fold an equity curve, (UTC ms, quote) in order of time, into peak and pause at a time.

    An equity stands until the next one. The peak is that of the last ``drawdown_window_s``: an
    account too small to trade after a drawdown is not held to an old peak for ever. A drawdown
    that reaches its limit starts a pause, and the peak is counted anew from there.
    """
    window_ms = rules.drawdown_window_s * 1000
    # Falling equities, each with the time until which it stood: the first is the peak.
    standing: deque[tuple[float, float]] = deque()
    until = 0
    for at, equity in curve:
        if at > now:
            break
        _stood(standing, at, equity, at - window_ms)
        peak = standing[0][1]
        if peak > 0 and 1 - equity / peak >= rules.max_drawdown - _CLOSE:
            until = at + rules.drawdown_pause_s * 1000
            standing.clear()
            standing.append((inf, equity))
    while len(standing) > 1 and standing[0][0] <= now - window_ms:
        standing.popleft()
    return Drawdown(standing[0][1] if standing else 0.0, until)


def _stood(standing: deque[tuple[float, float]], at: int, equity: float, since: int) -> None:
    """Add an equity; drop those that it exceeds, and those that ended before the window."""
    if standing:
        standing[-1] = (at, standing[-1][1])
    while standing and standing[-1][1] <= equity:
        standing.pop()
    standing.append((inf, equity))
    while standing[0][0] <= since:
        standing.popleft()
