"""A trade that its own filled orders have closed, while freqtrade still has it open."""

from __future__ import annotations

from math import isclose
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freqtrade.persistence import Order, Trade

_TOLERANCE = 1e-9
"""Of a quantity of base: far below any step."""


def closing_order(trade: Trade) -> Order | None:
    """Return the exit that brought a trade to zero, None where it holds something.

    So it is where a bot was ended after it had stored the fill and before it closed the trade.
    Freqtrade's reload then adds up its orders one by one, finds nothing left at each entry, and
    gives a trade of several entries the quantity of the last one: what was sold is sold again.
    """
    if not trade.is_open or trade.has_open_orders:
        return None
    filled = [order for order in trade.orders if order.safe_filled > 0]
    if any(order.ft_order_side == "stoploss" for order in filled):
        return None
    exits = [order for order in filled if order.ft_order_side == trade.exit_side]
    bought = sum(o.safe_amount_after_fee for o in filled if o.ft_order_side == trade.entry_side)
    sold = sum(order.safe_amount_after_fee for order in exits)
    return exits[-1] if exits and isclose(bought, sold, abs_tol=_TOLERANCE) else None
