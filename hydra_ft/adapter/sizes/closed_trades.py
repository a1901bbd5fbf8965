"""Closed trades of this bot, as freqtrade keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freqtrade.persistence import LocalTrade, Trade
from sqlalchemy import select

from hydra_ft.adapter.trades import to_ms

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Closed:
    """A trade that is over: when (UTC ms), what it made after fees (quote), freqtrade's number."""

    at: int
    profit_quote: float
    trade: int = 0


def closed_since(since: int) -> list[Closed]:
    """Trades that were closed after a time (UTC ms), by the time of their close."""
    moment = datetime.fromtimestamp(max(0, since) / 1e3, tz=UTC)
    if Trade.use_db:
        return _closed_in_database(moment)
    found = []
    # A backtest closes trades in order of time, and may have very many of them.
    for trade in reversed(LocalTrade.bt_trades):
        if trade.close_date_utc <= moment:
            break
        found.append(Closed(to_ms(trade.close_date_utc), float(trade.close_profit_abs or 0.0)))
    return sorted(found, key=lambda trade: trade.at)


def _closed_in_database(moment: datetime) -> list[Closed]:
    """Closed trades of a bot, without their orders: a bot may have thousands of them."""
    columns = (Trade.close_date, Trade.close_profit_abs, Trade.id)
    wanted = (Trade.is_open.is_(False), Trade.close_date > moment)
    rows = Trade.session.execute(
        select(*columns).where(*wanted).order_by(Trade.close_date, Trade.id)
    )
    return [
        Closed(to_ms(at.replace(tzinfo=UTC)), float(made or 0.0), number)
        for at, made, number in rows
    ]


def losses_in_a_row(closed: Sequence[Closed]) -> int:
    """Losing trades since the last one that did not lose."""
    count = 0
    for trade in reversed(closed):
        if trade.profit_quote >= 0:
            break
        count += 1
    return count


def changed_from(
    before: Sequence[Closed] | None, after: Sequence[Closed], since: int
) -> int | None:
    """Time (UTC ms) from which on closed trades differ from those told before; None for nowhere.

    Nothing was told before a start: then it is the time of the oldest, and all is told anew.
    """
    if before is None:
        return 0
    known = [one for one in before if one.at > since]
    pairs = zip(known, after, strict=False)
    same = next((i for i, (old, new) in enumerate(pairs) if old != new), None)
    if same is None:
        same = min(len(known), len(after))
    left = [*known[same : same + 1], *after[same : same + 1]]
    return min((one.at for one in left), default=None)
