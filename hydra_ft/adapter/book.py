"""The account as limits and sizes see it, read from the books that freqtrade keeps anyway.

Nothing of it is kept in memory: after a restart it is read again. The equity is the capital that
freqtrade lets the bot trade with (``tradable_balance_ratio``, ``available_capital``), closed,
and the profit of its open trades at the price given here, fees included.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freqtrade.persistence import LocalTrade, Trade

from hydra_ft.adapter.trades import side_of, to_ms
from hydra_ft.decisions.admission import DAY_MS
from hydra_ft.risk.limits import Book, Holding
from hydra_ft.risk.pauses import Drawdown, drawdown_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from freqtrade.wallets import Wallets

    from hydra_ft.risk.limit_rules import LimitRules

    Price = Callable[[str], float]


@dataclass(frozen=True, slots=True)
class Account:
    """What is open, the peak of the equity with its pause, and the losing trades in a row."""

    book: Book
    drawdown: Drawdown
    losses: int


@dataclass(frozen=True, slots=True)
class Closed:
    """A trade that is over: when (UTC ms), and what it made after fees (quote)."""

    at: int
    profit_quote: float


def account_of(
    wallets: Wallets,
    holdings: Sequence[Holding],
    others: Iterable[Holding],
    now: int,
    rules: LimitRules,
) -> Account:
    """Read the account at a time (UTC ms); ``holdings`` are the bot's own, ``others`` are not.

    What other bots hold counts against every limit; its profit is none of this equity.
    """
    midnight = now - now % DAY_MS
    since = min(midnight, now - (rules.drawdown_window_s + rules.drawdown_pause_s) * 1000)
    closed = closed_since(since)
    realised = sum(float(trade.realized_profit or 0.0) for trade in _open())
    balance = float(wallets.get_total_stake_amount()) - realised
    equity = balance + sum(held.profit_quote for held in holdings)
    today = sum(trade.profit_quote for trade in closed if trade.at >= midnight)
    book = Book((*holdings, *others), equity, balance - today, today)
    curve = [(since, balance - sum(trade.profit_quote for trade in closed))]
    for trade in closed:
        curve.append((trade.at, curve[-1][1] + trade.profit_quote))
    curve.append((now, equity))
    return Account(book, drawdown_of(curve, now, rules), losses_in_a_row(closed))


def closed_since(since: int) -> list[Closed]:
    """Trades that were closed after a time (UTC ms), by the time of their close."""
    moment = datetime.fromtimestamp(max(0, since) / 1e3, tz=UTC)
    if Trade.use_db:
        found = Trade.get_trades_proxy(is_open=False, close_date=moment)
    else:
        found = []
        # A backtest closes trades in order of time, and may have very many of them.
        for trade in reversed(LocalTrade.bt_trades):
            if trade.close_date_utc <= moment:
                break
            found.append(trade)
    made = [Closed(to_ms(t.close_date_utc), float(t.close_profit_abs or 0.0)) for t in found]
    return sorted(made, key=lambda trade: trade.at)


def losses_in_a_row(closed: Sequence[Closed]) -> int:
    """Losing trades since the last one that did not lose."""
    count = 0
    for trade in reversed(closed):
        if trade.profit_quote >= 0:
            break
        count += 1
    return count


def own_holdings(head: str, price: Price) -> list[Holding]:
    """Open trades as holdings, those whose first order still works among them."""
    return [_holding(trade, head, price(trade.pair)) for trade in _open()]


def _open() -> Sequence[LocalTrade]:
    return Trade.get_trades_proxy(is_open=True)


def _holding(trade: LocalTrade, head: str, price: float) -> Holding:
    """A trade at a price (quote); NaN makes the book unknown, and stands against entries."""
    side = side_of(trade)
    is_filled = bool(trade.nr_of_successful_entries)
    stop = float(trade.stop_loss or 0.0)
    distance = side.sign * (price - stop) / price if stop and price else 1.0
    profit = trade.calc_profit(price) + float(trade.realized_profit or 0.0) if is_filled else 0.0
    return Holding(
        pair=trade.pair,
        side=side,
        notional_quote=float(trade.amount) * price,
        stop_distance=distance,
        profit_quote=float(profit),
        stake_quote=float(trade.stake_amount),
        head=head,
    )
