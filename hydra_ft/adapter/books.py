"""Freqtrade's database, read from outside while the bot runs or after it.

Through freqtrade's own mapping, but not its session: nothing of it is shared.
"""

from __future__ import annotations

from freqtrade.persistence import Order, Trade
from sqlalchemy import and_, create_engine, select
from sqlalchemy.orm import Session

from hydra_ft.types.books import BookedOrder, Books

_HELD = (Trade.pair, Trade.amount, Trade.is_short)
_ORDER = (
    Order.ft_pair,
    Order.order_id,
    Order.ft_order_side,
    Order.filled,
    Order.ft_trade_id,
    Order.ft_order_tag,
)
# Nobody looks after an order whose trade is closed.
_IS_OPEN = and_(Order.ft_is_open, Trade.is_open).label("is_open")
# Freqtrade tags what it sends, stops excepted.
_IS_ADOPTED = and_(Order.ft_order_tag.is_(None), Order.ft_order_side != "stoploss").label(
    "is_adopted"
)


def read_books(url: str) -> Books:
    """Return what a freqtrade database holds now."""
    connected = create_engine(url)
    try:
        with Session(connected) as session:
            held = session.execute(select(*_HELD).where(Trade.is_open.is_(True)))
            orders = session.execute(
                select(*_ORDER, _IS_OPEN, _IS_ADOPTED)
                .join(Trade, Order.ft_trade_id == Trade.id)
                .order_by(Order.id)
            )
            return Books(
                {pair: -amount if short else amount for pair, amount, short in held},
                tuple(
                    BookedOrder(
                        row.ft_pair,
                        str(row.order_id),
                        row.ft_order_side,
                        float(row.filled or 0.0),
                        is_open=bool(row.is_open),
                        is_adopted=bool(row.is_adopted),
                        trade=int(row.ft_trade_id),
                        tag=row.ft_order_tag or "",
                    )
                    for row in orders
                ),
            )
    finally:
        connected.dispose()
