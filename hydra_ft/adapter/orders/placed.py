"""Which order of freqtrade's an attempt became."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade.persistence import Order, Trade

from hydra_ft.adapter.exits.stances import PARTIAL
from hydra_ft.adapter.trades import NEWEST_TRADES, side_of, to_ms
from hydra_ft.execution.attempts import CLOCK_TOLERANCE_MS, PREFIXED_TOLERANCE_MS, agrees
from hydra_ft.types import Attempt, Kind

if TYPE_CHECKING:
    from collections.abc import Collection


def child_of(attempt: Attempt, known_ids: Collection[str], step_size: float) -> Order | None:
    """Return freqtrade's order that an attempt became, None if freqtrade has none.

    It is in a trade on the attempt's side, since an exit of the other side goes the same way,
    and is no partial exit, which nobody writes down. Of several it is the newest: no other is
    sent while this one is unknown. One from long before, as by a clock that is off, is taken
    only where there is no other.
    """
    query = Trade.get_trades_query([Trade.pair == attempt.pair])
    newest = Trade.session.scalars(query.order_by(Trade.id.desc()).limit(NEWEST_TRADES)).unique()
    fitting = [
        order
        for trade in newest
        if side_of(trade) is attempt.side
        for order in trade.orders
        if order.ft_order_side == _direction(trade, attempt)
        and order.order_id not in known_ids
        and not (order.ft_order_tag or "").startswith(PARTIAL)
        and to_ms(order.order_date_utc) >= attempt.sent_at - PREFIXED_TOLERANCE_MS
        and agrees(attempt, order.safe_placement_price, order.safe_amount, step_size)
    ]
    near = [o for o in fitting if to_ms(o.order_date_utc) >= attempt.sent_at - CLOCK_TOLERANCE_MS]
    return max(near or fitting, key=lambda order: order.order_date_utc, default=None)


def _direction(trade: Trade, attempt: Attempt) -> str:
    return trade.entry_side if attempt.kind is Kind.ENTRY else trade.exit_side
