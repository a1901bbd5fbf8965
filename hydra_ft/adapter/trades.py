"""What Hydra reads off freqtrade's trades and orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade.persistence import Order, Trade
from sqlalchemy import select

from hydra_ft.execution.attempts import CLOCK_TOLERANCE_MS
from hydra_ft.types import ParentOrder, Side, WorkingOrder

if TYPE_CHECKING:
    from datetime import datetime

# A child and its attempt are matched within the newest trades of the pair: the trade may
# have closed, and another opened, between two loops.
NEWEST_TRADES = 3


def to_ms(moment: datetime) -> int:
    """UTC milliseconds of an aware time."""
    return int(moment.timestamp() * 1000)


def side_of(trade: Trade) -> Side:
    """Return the direction of a trade."""
    return Side.SHORT if trade.is_short else Side.LONG


def open_trade(pair: str) -> Trade | None:
    """Return freqtrade's open trade of a pair, if there is one."""
    return next((trade for trade in Trade.get_open_trades() if trade.pair == pair), None)


def trade_of(parent: ParentOrder) -> Trade | None:
    """Return the open trade that a parent builds or takes down."""
    trade = open_trade(parent.pair)
    return trade if trade is not None and side_of(trade) is parent.side else None


def entry_filled(trade: Trade) -> float:
    """Quantity that the entry orders of a trade have filled (base units)."""
    entries = (order for order in trade.orders if order.ft_order_side == trade.entry_side)
    return float(sum(order.safe_filled for order in entries))


def held(trade: Trade) -> float:
    """Quantity that freqtrade knows to be held, open orders' fills included (base units).

    What is no entry is an exit: a stop on the exchange has a side of its own.
    """
    exits = (order for order in trade.orders if order.ft_order_side != trade.entry_side)
    return entry_filled(trade) - float(sum(order.safe_filled for order in exits))


def is_empty_shell(trade: Trade) -> bool:
    """Whether a trade has entry orders, all of them ended, and nothing filled.

    Freqtrade deletes such a trade when it cancels the order; if it dies in between, or the
    order is cancelled elsewhere while it is down, the row stays for ever and blocks its
    slot.
    """
    return bool(trade.orders) and not trade.has_open_orders and not entry_filled(trade)


def working_order(order: Order) -> WorkingOrder:
    """Return an order of freqtrade as the chase sees it."""
    return WorkingOrder(
        order_id=str(order.order_id),
        price=float(order.safe_placement_price),
        quantity=float(order.safe_amount),
        filled=float(order.safe_filled),
        placed_at=to_ms(order.order_date_utc),
    )


def order_ids(pair: str) -> set[str]:
    """Return the ids of all orders of a pair that freqtrade knows."""
    return set(Trade.session.scalars(select(Order.order_id).where(Order.ft_pair == pair)))


def open_order_ids(pair: str) -> set[str]:
    """Return the ids of the orders of a pair that freqtrade holds to be open."""
    trade = open_trade(pair)
    return {str(order.order_id) for order in trade.open_orders} if trade is not None else set()


def trade_for(parent: ParentOrder) -> Trade | None:
    """Return the newest trade, open or closed, that a parent can have built or taken down."""
    query = Trade.get_trades_query([Trade.pair == parent.pair])
    newest = Trade.session.scalars(query.order_by(Trade.id.desc()).limit(NEWEST_TRADES)).unique()
    ended = parent.ended_at or parent.decided_at
    for trade in newest:
        began = to_ms(trade.open_date_utc) <= ended + CLOCK_TOLERANCE_MS
        over = trade.close_date_utc is not None and to_ms(trade.close_date_utc) < parent.decided_at
        if side_of(trade) is parent.side and began and not over:
            return trade
    return None
