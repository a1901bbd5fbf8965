"""Trades and locks of freqtrade's database, read from outside while the bot runs or after it."""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any

from freqtrade.persistence import Trade
from freqtrade.persistence.custom_data import _CustomData
from freqtrade.persistence.pairlock import PairLock
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from hydra_ft.adapter.exits.stances import KEY, PARTIAL
from hydra_ft.types.books import BookedLock, BookedTrade

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


def read_trades(url: str) -> list[BookedTrade]:
    """Return all trades of a freqtrade database, in their order."""
    connected = create_engine(url)
    try:
        with Session(connected) as session:
            stances = {
                row.ft_trade_id: json.loads(row.cd_value)
                for row in session.scalars(select(_CustomData).where(_CustomData.cd_key == KEY))
            }
            trades = session.scalars(select(Trade).order_by(Trade.id)).unique()
            return [_trade(trade, stances.get(trade.id, {})) for trade in trades]
    finally:
        connected.dispose()


def read_locks(url: str) -> list[BookedLock]:
    """Return all locks of a freqtrade database, those that are over among them."""
    connected = create_engine(url)
    try:
        with Session(connected) as session:
            return [
                BookedLock(
                    lock.pair, lock.reason or "", _ms(lock.lock_time), _ms(lock.lock_end_time)
                )
                for lock in session.scalars(select(PairLock).order_by(PairLock.id))
            ]
    finally:
        connected.dispose()


def _trade(trade: Trade, stance: Mapping[str, Any]) -> BookedTrade:
    parts = [order for order in trade.orders if (order.ft_order_tag or "").startswith(PARTIAL)]
    amount = float(trade.amount) if trade.is_open else 0.0
    realised = trade.realized_profit if trade.is_open else trade.close_profit_abs
    return BookedTrade(
        number=trade.id,
        pair=trade.pair,
        is_short=bool(trade.is_short),
        is_open=bool(trade.is_open),
        quantity=-amount if trade.is_short else amount,
        open_rate=float(trade.open_rate),
        stop=float(trade.stop_loss or 0.0),
        profit_quote=float(realised or 0.0),
        fee_open=float(trade.fee_open or 0.0),
        fee_close=float(trade.fee_close or 0.0),
        exit_reason=trade.exit_reason or "",
        opened_at=_ms(trade.open_date),
        closed_at=_ms(trade.close_date) if trade.close_date else 0,
        stance=stance,
        taken=float(sum(order.safe_filled for order in parts)),
    )


def _ms(moment: datetime) -> int:
    """UTC ms of a time that freqtrade stores without its zone."""
    return int(moment.replace(tzinfo=UTC).timestamp() * 1000)
