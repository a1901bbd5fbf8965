"""Pauses after losses, each with an end: nothing here stops a bot for ever (F-A22).

They are told from books that freqtrade keeps anyway, so that a restart forgets nothing. What an
open loss has asked for is kept as a ``Pause`` by whoever looked: the loss may be gone by now.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from hydra_ft.risk.codes import OK, VETO_DAY_LOSS, VETO_DRAWDOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hydra_ft.risk.limit_rules import LimitRules
    from hydra_ft.risk.limits import Book

DAY_MS = 86_400_000
LOSS, FLATTEN, GAIN, DRAWDOWN = "day_loss", "day_flatten", "day_gain", "drawdown"
"""Kinds of pauses. One of a day comes once a day, one of a drawdown when the last has ended."""

_CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class Pause:
    """No entries before ``until`` (UTC ms); ``flatten`` asks to close what is open as well.

    ``at`` is when it began, ``open_quote`` what open trades had made then: of a drawdown, the
    peak is counted anew from the equity with it.
    """

    code: str = OK
    until: int = 0
    flatten: bool = False
    why: str = ""
    kind: str = ""
    at: int = 0
    open_quote: float = 0.0


@dataclass(frozen=True, slots=True)
class Drawdown:
    """Peak of the equity that counts now (quote), and until when a drawdown pauses (UTC ms)."""

    peak_quote: float
    paused_until: int = 0

    def pause(self, now: int) -> Pause:
        """Return the pause that holds at a time, ``Pause()`` where none does."""
        if now >= self.paused_until:
            return Pause()
        why = "the drawdown has reached its limit"
        return Pause(VETO_DRAWDOWN, self.paused_until, why=why, kind=DRAWDOWN, at=now)


def day_pause(book: Book, now: int, rules: LimitRules) -> Pause:
    """Return what the gain or loss of the UTC day asks for now, the gravest first (X48).

    The pause counts from now. While the loss stands it is asked for again: the caller keeps the
    first (``is_new``). At midnight the day begins anew. A day that is not known pauses.
    """
    return _of_day(book.day_return, now, rules)


def _of_day(gained: float, now: int, rules: LimitRules) -> Pause:
    """Pause that a result of the day, of its first equity, asks for at a time."""
    if rules.day_flatten_loss and gained <= -rules.day_flatten_loss + _CLOSE:
        kind, length_s = FLATTEN, rules.flatten_pause_s
    elif rules.day_gain and gained >= rules.day_gain - _CLOSE:
        kind, length_s = GAIN, rules.gain_pause_s
    elif not gained > -rules.day_loss + _CLOSE:
        kind, length_s = LOSS, rules.day_pause_s
    else:
        return Pause()
    why = f"the day stands at {gained:+.4f} of its first equity"
    return Pause(VETO_DAY_LOSS, now + length_s * 1000, kind == FLATTEN, why, kind, now)


def closed_pause(
    results: Sequence[tuple[int, float]], balance: float, now: int, rules: LimitRules
) -> Pause:
    """Return the pause that closed trades alone ask for at a time, ``Pause()`` for none.

    ``results`` are (UTC ms, quote) in order of time, ``balance`` is what they have led to. Each
    kind counts from the trade that first reached it on its UTC day, so the pause of a bad
    evening goes on beyond midnight, and has the same end whoever looks and how often.
    """
    longest_ms = 1000 * max(rules.day_pause_s, rules.flatten_pause_s, rules.gain_pause_s)
    since = now - longest_ms
    since -= since % DAY_MS
    recent = [(at, made) for at, made in results if since <= at <= now]
    standing = balance - sum(made for at, made in results if at >= since)
    found, day, first, begun = Pause(), -1, standing, set[str]()
    for at, made in recent:
        if at // DAY_MS != day:
            day, first, begun = at // DAY_MS, standing, set()
        standing += made
        pause = _of_day((standing - first) / first if first > 0 else float("nan"), at, rules)
        if pause.kind and pause.kind not in begun:
            begun.add(pause.kind)
            found = max(found, pause, key=lambda one: one.until)
    return found if found.until > now else Pause()


def is_new(pause: Pause, kept: Iterable[Pause]) -> bool:
    """Whether a pause that is asked for now begins one, and is not the go-on of a kept one.

    So neither another look, nor a restart, nor a lock that was taken away makes it longer.
    """
    for one in kept:
        same_day = one.at // DAY_MS == pause.at // DAY_MS
        if one.kind == pause.kind and (pause.at < one.until or (same_day and one.kind != DRAWDOWN)):
            return False
    return bool(pause.kind)


def drawdown_of(
    curve: Iterable[tuple[int, float]], now: int, rules: LimitRules, kept: Iterable[Pause] = ()
) -> Drawdown:
    """Fold an equity curve, (UTC ms, quote) in order of time, into peak and pause at a time.

    An equity stands until the next one. The peak is that of the last ``drawdown_window_s``: an
    account too small to trade after a drawdown is not held to an old peak for ever. A drawdown
    that reaches its limit starts a pause, and the peak is counted anew from there. What an open
    loss has begun is in no curve any more: it is among the ``kept`` pauses.
    """
    begun = deque(sorted((one for one in kept if one.kind == DRAWDOWN), key=lambda one: one.at))
    window_ms = rules.drawdown_window_s * 1000
    # Falling equities, each with the time until which it stood: the first is the peak.
    standing: deque[tuple[float, float]] = deque()
    until = 0
    for at, equity in curve:
        if at > now:
            break
        while begun and begun[0].at < at:
            pause = begun.popleft()
            if standing:
                until = max(until, pause.until)
                _counted_anew(standing, standing[-1][1] + pause.open_quote)
        _stood(standing, at, equity, at - window_ms)
        peak = standing[0][1]
        if peak > 0 and 1 - equity / peak >= rules.max_drawdown - _CLOSE:
            until = at + rules.drawdown_pause_s * 1000
            _counted_anew(standing, equity)
    while len(standing) > 1 and standing[0][0] <= now - window_ms:
        standing.popleft()
    return Drawdown(standing[0][1] if standing else 0.0, until)


def _counted_anew(standing: deque[tuple[float, float]], equity: float) -> None:
    standing.clear()
    standing.append((inf, equity))


def _stood(standing: deque[tuple[float, float]], at: int, equity: float, since: int) -> None:
    """Add an equity; drop those that it exceeds, and those that ended before the window."""
    if standing:
        standing[-1] = (at, standing[-1][1])
    while standing and standing[-1][1] <= equity:
        standing.pop()
    standing.append((inf, equity))
    while standing[0][0] <= since:
        standing.popleft()
