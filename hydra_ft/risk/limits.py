"""What an open book may risk, and what another entry may add to it.

The result of a UTC day is the profit of the trades closed in it and of those that are open, each
from its own entry and after fees. Its budget is kept by one number: that result if every stop
were hit. Prices that move do not change it, a stop that follows only raises it, and an entry
lowers it by its own risk, so entries stop before it has used the budget up. Only a price that
jumps over a stop can take more, and then by the jump. Midnight takes the closed trades out; what
is open then fits into the new day, since the cap on open risk is not above the budget.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
from typing import TYPE_CHECKING

from hydra_ft.risk import codes
from hydra_ft.risk.codes import OK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hydra_ft.risk.limit_rules import LimitRules
    from hydra_ft.risk.tail import TailRisk
    from hydra_ft.types import Side

_CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class Holding:
    """One open position, or one being entered; of any bot of the account.

    ``notional_quote`` is quantity times price, ``stop_distance`` how far the stop stands from
    that price against the position (fraction, 1 without a stop), ``profit_quote`` what would be
    won or lost by closing it now, all fees and earlier partial closes included, and
    ``stake_quote`` its margin.
    """

    pair: str
    side: Side
    notional_quote: float
    stop_distance: float
    profit_quote: float
    stake_quote: float
    head: str = ""

    @property
    def loss_from_here_quote(self) -> float:
        """What the way from here to the stop costs, 0 or more."""
        return self.notional_quote * max(0.0, self.stop_distance)

    @property
    def loss_at_stop_quote(self) -> float:
        """What it loses in all if the stop is hit; 0 where the stop stands in profit."""
        return max(0.0, self.loss_from_here_quote - self.profit_quote)


@dataclass(frozen=True, slots=True)
class Book:
    """All that is open on an account, and its day (quote currency), all its bots together.

    ``equity_quote`` is the closed balance plus the ``profit_quote`` of every holding,
    ``day_equity_quote`` the closed balance at the last midnight UTC, and ``closed_today_quote``
    the profit, after fees, of the trades closed since.
    """

    holdings: tuple[Holding, ...]
    equity_quote: float
    day_equity_quote: float
    closed_today_quote: float

    @property
    def is_known(self) -> bool:
        """Whether every number of it is one, and there is an equity to share out."""
        numbers = [self.equity_quote, self.day_equity_quote, self.closed_today_quote]
        for held in self.holdings:
            numbers += [held.notional_quote, held.stop_distance]
            numbers += [held.profit_quote, held.stake_quote]
        return all(map(isfinite, numbers)) and min(numbers[:2]) > 0

    @property
    def open_profit_quote(self) -> float:
        """What all that is open has made, also what a silent bot told of on an earlier day."""
        return self.equity_quote - self.day_equity_quote - self.closed_today_quote

    @property
    def day_return(self) -> float:
        """Result of the UTC day so far, closed and open, of its first equity; NaN if unknown."""
        if not self.is_known:
            return float("nan")
        opened = sum(held.profit_quote for held in self.holdings)
        return (self.closed_today_quote + opened) / self.day_equity_quote

    @property
    def day_at_stops(self) -> float:
        """The same if every stop were hit; what a stop has locked in is not counted on."""
        return (self.closed_today_quote - open_risk_quote(self)) / self.day_equity_quote


@dataclass(frozen=True, slots=True)
class Room:
    """What the limits leave for one more entry: risk at its stop, and position (quote)."""

    risk_quote: float = inf
    notional_quote: float = inf
    stake_quote: float = inf


@dataclass(frozen=True, slots=True)
class LimitVerdict:
    """Whether the limits let an entry pass: ``codes`` in their order, each in words in ``why``."""

    codes: tuple[str, ...]
    why: tuple[str, ...]

    @property
    def code(self) -> str:
        """First limit that stands against it, ``ok`` if none does."""
        return self.codes[0] if self.codes else OK


def open_risk_quote(book: Book) -> float:
    """Loss of the book if every stop is hit: the sum of the losses, winners do not pay for it."""
    return sum(held.loss_at_stop_quote for held in book.holdings)


def side_notional_quote(holdings: Iterable[Holding], side: Side) -> float:
    """Positions on one side together."""
    return sum(held.notional_quote for held in holdings if held.side is side)


def correlated_share(
    side: Side, book: Book, correlations: Mapping[str, float], rules: LimitRules
) -> float:
    """Positions that do the same as an entry on the side, of the equity.

    ``correlations`` are those of the entry's pair with each pair held. One is signed by both
    sides and weighs the position from ``correlation_from`` on; a hedge is no duplicate and
    weighs nothing (F-E18). A pair without a known correlation weighs in full. Infinite without
    equity.
    """
    if not book.equity_quote > 0:
        return inf
    total = 0.0
    for held in book.holdings:
        known = correlations.get(held.pair)
        signs = side.sign * held.side.sign
        alike = 1.0 if known is None or not isfinite(known) else signs * known
        if alike >= rules.correlation_from - _CLOSE:
            total += alike * held.notional_quote
    return total / book.equity_quote


def room(side: Side, head: str, book: Book, rules: LimitRules) -> Room:
    """What one more entry may add; nothing where the book is not wholly known.

    It goes into the request for a size: risk and notional as its rooms, and the stake as a cap
    on ``max_stake_quote`` beside what the account can pay.
    """
    if not book.is_known:
        return Room(0.0, 0.0, 0.0)
    equity = book.equity_quote
    day = (book.day_at_stops + rules.day_loss) * book.day_equity_quote
    open_risk = equity * rules.max_open_risk - open_risk_quote(book)
    bound = sum(held.stake_quote for held in book.holdings if held.head == head)
    return Room(
        risk_quote=max(0.0, min(day, open_risk)),
        notional_quote=max(
            0.0, equity * rules.max_side_share - side_notional_quote(book.holdings, side)
        ),
        stake_quote=max(0.0, equity * rules.max_head_share - bound),
    )


def judge(
    pair: str,
    side: Side,
    head: str,
    book: Book,
    rules: LimitRules,
    *,
    correlations: Mapping[str, float],
    tail: TailRisk | None = None,
) -> LimitVerdict:
    """Judge one more entry by what stands; its size must then keep to ``room``.

    Pauses after losses (``pauses.py``) come before it.

    ``tail`` is that of the book with the entry in it, None where it is not asked for. What is
    not known stands against an entry.
    """
    if not book.is_known:
        return LimitVerdict((codes.ACCOUNT_UNKNOWN,), (_unknown(book),))
    checks = (
        _day(book, rules),
        _averaging(pair, side, book),
        _side(side, book, rules),
        _capital(head, book, rules),
        _open_risk(book, rules),
        _correlated(side, book, correlations, rules),
        _tail(book, rules, tail),
    )
    failing = [check for check in checks if check is not None]
    return LimitVerdict(tuple(code for code, _ in failing), tuple(why for _, why in failing))


def _unknown(book: Book) -> str:
    """Say what of a book is not known."""
    pairs = [
        held.pair
        for held in book.holdings
        if not all(map(isfinite, (held.notional_quote, held.stop_distance, held.profit_quote)))
    ]
    if pairs:
        return f"no price, stop or profit of {', '.join(sorted(set(pairs)))} is known now"
    return f"the equity is {book.equity_quote:.2f}, {book.day_equity_quote:.2f} at midnight"


Found = tuple[str, str] | None
"""A code and its words, or None where the limit is kept."""


def _day(book: Book, rules: LimitRules) -> Found:
    lost = -book.day_at_stops
    why = f"with every stop hit the day loses {lost:.4f} of its equity, budget {rules.day_loss:g}"
    return (codes.VETO_DAY_LOSS, why) if lost >= rules.day_loss - _CLOSE else None


def _averaging(pair: str, side: Side, book: Book) -> Found:
    for held in book.holdings:
        if held.pair == pair and held.side is side and held.profit_quote < 0:
            why = f"{pair} {side} is {-held.profit_quote:.2f} under water already"
            return codes.VETO_AVERAGING, why
    return None


def _side(side: Side, book: Book, rules: LimitRules) -> Found:
    share = side_notional_quote(book.holdings, side) / book.equity_quote
    why = f"{side} positions of {share:.2f} of the equity, cap {rules.max_side_share:g}"
    return (codes.VETO_SIDE_SHARE, why) if share >= rules.max_side_share - _CLOSE else None


def _capital(head: str, book: Book, rules: LimitRules) -> Found:
    bound = sum(held.stake_quote for held in book.holdings if held.head == head)
    share = bound / book.equity_quote
    why = f"{head or 'the head'} binds {share:.2f} of the equity, cap {rules.max_head_share:g}"
    return (codes.VETO_CAPITAL, why) if share >= rules.max_head_share - _CLOSE else None


def _open_risk(book: Book, rules: LimitRules) -> Found:
    share = open_risk_quote(book) / book.equity_quote
    why = f"open risk of {share:.4f} of the equity, cap {rules.max_open_risk:g}"
    return (codes.VETO_OPEN_RISK, why) if share >= rules.max_open_risk - _CLOSE else None


def _correlated(
    side: Side, book: Book, correlations: Mapping[str, float], rules: LimitRules
) -> Found:
    share = correlated_share(side, book, correlations, rules)
    why = f"correlated positions of {share:.2f} of the equity, cap {rules.max_correlated_share:g}"
    return (codes.VETO_CORR, why) if share >= rules.max_correlated_share - _CLOSE else None


def _tail(book: Book, rules: LimitRules, tail: TailRisk | None) -> Found:
    if tail is None:
        return None
    var, cvar = tail.var_quote / book.equity_quote, tail.cvar_quote / book.equity_quote
    why = (
        f"value at risk of {var:.4f} and shortfall of {cvar:.4f} of the equity, "
        f"caps {rules.max_var:g} and {rules.max_cvar:g}"
    )
    kept = var <= rules.max_var + _CLOSE and cvar <= rules.max_cvar + _CLOSE
    return None if kept else (codes.VETO_VAR, why)
