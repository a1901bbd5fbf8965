"""The account as limits and sizes see it, read from the books that freqtrade keeps anyway.

Nothing of it is kept in memory: after a restart it is read again. The equity of a bot is the
capital that freqtrade lets it trade with (``tradable_balance_ratio``, ``available_capital``),
closed, and the profit of its open trades at the price given here, fees included. Limits look at
all bots of the account together, the size of an entry comes from the equity of its own bot.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from freqtrade.persistence import Trade

from hydra_ft.adapter.sizes.closed_trades import losses_in_a_row
from hydra_ft.decisions.admission import DAY_MS
from hydra_ft.risk.limits import Book, Holding
from hydra_ft.risk.pauses import Drawdown, Pause, closed_pause, drawdown_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from freqtrade.wallets import Wallets

    from hydra_ft.adapter.sizes.closed_trades import Closed
    from hydra_ft.risk.limit_rules import LimitRules


@dataclass(frozen=True, slots=True)
class Account:
    """What is open, the peak of the equity with its pause, and the losing trades in a row.

    Book, drawdown and pauses are those of all bots of the account; ``equity_quote`` and
    ``losses`` are the bot's own. ``paused`` is what closed trades ask for, ``kept`` are the
    pauses that were seen to begin. ``told`` is the book with silent bots as they last told,
    None where none is silent: entries are judged by ``book``, pauses begin by ``as_told``.
    """

    book: Book
    drawdown: Drawdown
    losses: int
    equity_quote: float
    paused: Pause = Pause()  # noqa: RUF009 - frozen
    kept: tuple[Pause, ...] = ()
    told: Book | None = None

    @property
    def as_told(self) -> Book:
        """Book that pauses begin by: that a bot falls silent is no loss of the account."""
        return self.book if self.told is None else self.told

    @property
    def own_peak_quote(self) -> float:
        """Peak that the bot's own equity is under by as much as the account is under its own."""
        equity, peak = self.as_told.equity_quote, self.drawdown.peak_quote
        return self.equity_quote * (peak / equity) if equity > 0 else peak


@dataclass(frozen=True, slots=True)
class Share:
    """What a bot brings into the account: its closed balance, and the wallet that it sees.

    ``wallet_quote`` is None where there is no real one.
    """

    exchange: str
    balance_quote: float
    wallet_quote: float | None = None


@dataclass(frozen=True, slots=True)
class Own:
    """What this bot has in its books: its share, its open trades, and its closed ones by time."""

    share: Share
    holdings: Sequence[Holding]
    closed: Sequence[Closed]


@dataclass(frozen=True, slots=True)
class Silent:
    """What bots told last that are silent now.

    ``today`` are those of the holdings that were told on this UTC day: an open loss of an
    earlier one is no loss of this day. ``lost_today_quote`` is what they had lost on it in
    closed trades, each bot by itself, 0 or less.
    """

    holdings: tuple[Holding, ...] = ()
    today: tuple[Holding, ...] = ()
    shares: tuple[Share, ...] = ()
    results: tuple[Closed, ...] = ()
    lost_today_quote: float = 0.0

    @property
    def feared(self) -> tuple[Holding, ...]:
        """The holdings as they count against entries: what they had won may be gone again."""
        return tuple(replace(one, profit_quote=min(0.0, one.profit_quote)) for one in self.holdings)


@dataclass(frozen=True, slots=True)
class Others:
    """What the other bots of the account have told, and the pauses that anyone saw begin.

    ``reserved`` is the room that this bot itself keeps for entries.
    """

    holdings: tuple[Holding, ...] = ()
    reserved: tuple[Holding, ...] = ()
    shares: tuple[Share, ...] = ()
    results: tuple[Closed, ...] = ()
    pauses: tuple[Pause, ...] = ()
    silent: Silent = Silent()

    def but(self, pair: str) -> Others:
        """Return the same without the room that is reserved for a pair: it is its entry's own."""
        kept = tuple(held for held in self.reserved if held.pair != pair)
        return replace(self, reserved=kept)


def history_begins(now: int, rules: LimitRules) -> int:
    """Time (UTC ms) from which on closed trades matter."""
    drawdown_s = rules.drawdown_window_s + rules.drawdown_pause_s
    pause_s = max(rules.day_pause_s, rules.flatten_pause_s, rules.gain_pause_s)
    return now - 1000 * max(drawdown_s, pause_s) - DAY_MS


def own_share(wallets: Wallets, config: Mapping[str, Any], *, is_real: bool) -> Share:
    """Read what this bot brings into the account.

    A wallet holds what open trades have realised by partial exits, which are not closed;
    ``available_capital``, with the profit of closed trades, never does.
    """
    balance = float(wallets.get_total_stake_amount())
    if "available_capital" not in config:
        trades = Trade.get_trades_proxy(is_open=True)
        balance -= sum(float(trade.realized_profit or 0.0) for trade in trades)
    wallet = float(wallets.get_total(config["stake_currency"])) if is_real else None
    return Share(config["exchange"]["name"], balance, wallet)


def account_of(own: Own, others: Others, now: int, rules: LimitRules) -> Account:
    """Put the account together at a time (UTC ms) from this bot's books and what others told."""
    silent, midnight = others.silent, now - now % DAY_MS
    present = (*merged(own.holdings, others.reserved), *others.holdings)
    shares = (own.share, *others.shares)
    heard = _today((*own.closed, *others.results), midnight)
    book = _book(together(shares), heard, (*present, *silent.feared), silent.lost_today_quote)
    everyone = sorted((*own.closed, *others.results, *silent.results), key=lambda trade: trade.at)
    balance = together((*shares, *silent.shares))
    told = _book(balance, _today(everyone, midnight), (*present, *silent.holdings))
    results = [(trade.at, trade.profit_quote) for trade in everyone]
    curve = _curve(results, balance, told.equity_quote, now, rules)
    return Account(
        book=book,
        drawdown=drawdown_of(curve, now, rules, others.pauses),
        losses=losses_in_a_row(own.closed),
        equity_quote=own.share.balance_quote + sum(held.profit_quote for held in own.holdings),
        paused=closed_pause(results, balance, now, rules),
        kept=others.pauses,
        told=replace(told, holdings=(*present, *silent.today)) if silent != Silent() else None,
    )


def _today(closed: Iterable[Closed], midnight: int) -> float:
    return sum(trade.profit_quote for trade in closed if trade.at >= midnight)


def _book(balance: float, today: float, held: tuple[Holding, ...], lost: float = 0.0) -> Book:
    """Book of a closed balance, of which ``today`` was made in trades closed on this UTC day.

    ``lost`` is lost in balances that do not count.
    """
    equity = balance + sum(one.profit_quote for one in held)
    return Book(held, equity, balance - today, today + lost)


def _curve(
    results: Sequence[tuple[int, float]], balance: float, equity: float, now: int, rules: LimitRules
) -> Iterable[tuple[int, float]]:
    """Equities that closed trades have led to, and the one of now."""
    standing = balance - sum(made for _, made in results)
    yield history_begins(now, rules), standing
    for at, made in results:
        standing += made
        yield at, standing
    yield now, equity


def together(shares: Iterable[Share]) -> float:
    """Closed balance (quote) of several bots.

    Bots on one wallet that none of them was given a part of (``available_capital``) would each
    count all of it: on an exchange no more counts than the greatest wallet seen there.
    """
    sums: dict[str, float] = {}
    wallets: dict[str, float] = {}
    for share in shares:
        sums[share.exchange] = sums.get(share.exchange, 0.0) + share.balance_quote
        seen = float("inf") if share.wallet_quote is None else share.wallet_quote
        wallets[share.exchange] = max(wallets.get(share.exchange, 0.0), seen)
    return sum(min(total, wallets[exchange]) for exchange, total in sums.items())


def merged(holdings: Iterable[Holding], reserved: Iterable[Holding]) -> tuple[Holding, ...]:
    """Holdings of one bot, and the room reserved for what is not, or not wholly, booked yet.

    Of a pair and side with both, the greater size counts: a chase completes a partial fill.
    """
    found = {(held.pair, held.side): held for held in reserved}
    for held in holdings:
        kept = found.get((held.pair, held.side))
        found[held.pair, held.side] = held if kept is None else _completed(held, kept)
    return tuple(found.values())


def _completed(held: Holding, kept: Holding) -> Holding:
    """A holding as large as what was reserved, if that is more; the rest has made no profit.

    Each part has its own stop: the rest that of its reservation.
    """
    rest = kept.notional_quote - held.notional_quote
    if rest <= 0:
        return held
    away = held.notional_quote * held.stop_distance + rest * kept.stop_distance
    return replace(
        held,
        notional_quote=kept.notional_quote,
        stop_distance=away / kept.notional_quote,
        stake_quote=max(held.stake_quote, kept.stake_quote),
    )
