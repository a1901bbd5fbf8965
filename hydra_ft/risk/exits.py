"""Where the stop of a position stands, and what is closed on the way.

One definition of R everywhere: the loss at the first stop, that is stop distance times quantity
plus the round-trip fee on the entry (X46, A8). As fractions of the entry price, with the
first stop s and the fee f, a gain g is (g - f) / (s + f) net R, and the stop that keeps k R
stands at a gain of f + k (s + f).

Stops are unconditional (F-C15) and only ever move in favour of the position: they follow from the
best price since the entry, which cannot worsen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hydra_ft.types import Side

if TYPE_CHECKING:
    from hydra_ft.risk.exit_rules import ExitRules

STOP, BREAK_EVEN, LOCK, TRAIL, TIME = "stop", "break_even", "profit_lock", "trailing", "time_stop"
"""What a stop stands for; a reason of the exit that it makes."""
TARGET = "target"
"""Reason of the exit at the target."""

_CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class Stance:
    """One position as its exits see it: fixed at the entry, but for the last five.

    ``stop`` and ``target`` are fractions of the entry price, ``opened_at`` is UTC ms;
    ``max_hold_s`` 0 means no end. ``highest`` and ``lowest`` are the extremes since the entry,
    0 where unknown; ``kept_stop`` is the price of a stop that stands already, 0 if none does;
    ``taken`` the share of the whole position that partial closes have taken; ``kept_rule`` what
    the kept stop stands for, '' where that is not known.
    """

    side: Side
    entry_price: float
    stop: float
    target: float
    round_trip_fee: float
    opened_at: int
    max_hold_s: int
    highest: float = 0.0
    lowest: float = 0.0
    kept_stop: float = 0.0
    taken: float = 0.0
    kept_rule: str = ""


def risk_quote(entry_price: float, quantity: float, stop: float, round_trip_fee: float) -> float:
    """One R in quote currency: what is lost at the first stop, fees included."""
    return entry_price * quantity * (stop + round_trip_fee)


def net_r(stance: Stance, price: float) -> float:
    """What closing at a price would bring, in R, after the round-trip fee."""
    gain = stance.side.sign * (price / stance.entry_price - 1)
    return (gain - stance.round_trip_fee) / (stance.stop + stance.round_trip_fee)


def gain_of(r: float, stop: float, round_trip_fee: float) -> float:
    """Gain of the entry price (fraction) that is so many net R."""
    return round_trip_fee + r * (stop + round_trip_fee)


def target_price(stance: Stance, rules: ExitRules) -> float:
    """Price of the target: that of the signal, or ``target_r`` where it is set."""
    gain = stance.target
    if rules.target_r:
        gain = gain_of(rules.target_r, stance.stop, stance.round_trip_fee)
    return stance.entry_price * (1 + stance.side.sign * gain)


def stop_price(
    stance: Stance, rules: ExitRules, price: float, now: int, time_price: float | None = None
) -> float:
    """Price of the stop at a price and a time (UTC ms): the best that any rule gives."""
    return stop_level(stance, rules, price, now, time_price)[0]


def stop_level(
    stance: Stance, rules: ExitRules, price: float, now: int, time_price: float | None = None
) -> tuple[float, str]:
    """Price of the stop, and the rule that it comes from (``STOP``, ``TRAIL``, ...).

    NaN as a price leaves the stop where the extremes have put it. Where the price is the best of
    a candle, as freqtrade's backtest passes it, ``time_price`` is where a time stop stands
    instead (the last close): else every position would end its time at the best price.
    """
    is_long = stance.side is Side.LONG
    entry, fee = stance.entry_price, stance.round_trip_fee
    if is_long:
        best = max(entry, stance.highest, price if price == price else 0.0)  # noqa: PLR0124
        gain = best / entry - 1
    else:
        lowest = stance.lowest or entry
        best = min(entry, lowest, price if price == price else entry)  # noqa: PLR0124
        gain = 1 - best / entry
    kept, reason = _kept_gain(gain, stance.stop, fee, rules)
    level = entry * (1 + kept) if is_long else entry * (1 - kept)
    if is_over(stance, rules, now):
        at = price if time_price is None else time_price
        if at > level if is_long else at < level:
            level, reason = at, TIME
    before = stance.kept_stop
    if before and (before > level if is_long else before < level):
        return before, stance.kept_rule or reason
    return level, reason


def is_over(stance: Stance, rules: ExitRules, now: int) -> bool:
    """Whether a position is older than its signal meant it to be."""
    if not rules.time_stop or not stance.max_hold_s:
        return False
    return now >= stance.opened_at + stance.max_hold_s * 1000


def _kept_gain(gain: float, stop: float, fee: float, rules: ExitRules) -> tuple[float, str]:
    """Gain (fraction of the entry, negative for a loss) that the stop keeps, and its rule."""
    one = stop + fee
    r = (gain - fee) / one
    kept, reason = -stop, STOP
    reached = rules.break_even_at and gain >= max(rules.break_even_at - _CLOSE, fee)
    if reached or (rules.break_even_at_r and r >= rules.break_even_at_r - _CLOSE):
        kept, reason = fee, BREAK_EVEN
    if rules.lock_at_r and r >= rules.lock_at_r - _CLOSE:
        locked = gain_of(rules.lock_r, stop, fee)
        if locked > kept:
            kept, reason = locked, LOCK
    if rules.trail_from_r and r >= rules.trail_from_r - _CLOSE:
        trailed = gain - rules.trail_r * one
        if trailed > kept:
            kept, reason = trailed, TRAIL
    return kept, reason


def partials(stance: Stance, rules: ExitRules, r: float) -> float:
    """Share of the whole position to close now at a net R, less what was taken (F-D9, X75)."""
    due = 0.0
    if r >= rules.partial_1_at_r - _CLOSE:
        due += rules.partial_1_share
    if r >= rules.partial_2_at_r - _CLOSE:
        due += rules.partial_2_share
    left = due - stance.taken
    return left if left > _CLOSE else 0.0
