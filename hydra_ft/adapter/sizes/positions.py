"""Open trades of freqtrade as holdings: what is booked, and what their open entry orders may add.

Freqtrade books a fill when its order has ended: a trade whose first order works has an amount
of 0. An order that works can be filled in the next moment, so it counts in full.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from freqtrade.persistence import LocalTrade, Trade

from hydra_ft.adapter.trades import side_of
from hydra_ft.risk.limits import Holding

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade.persistence import Order

    Price = Callable[[str], float]
    Declared = Callable[[LocalTrade], float]


def own_holdings(head: str, price: Price, declared: Declared) -> dict[int, Holding]:
    """Open trades as holdings, by freqtrade's number; also those whose first order still works.

    ``declared`` gives the stop that a trade was entered with, as a fraction of its entry price,
    0 where none is known: freqtrade's own stop, which stands farther, counts then.
    """
    trades = Trade.get_trades_proxy(is_open=True)
    return {trade.id: _holding(trade, head, price(trade.pair), declared) for trade in trades}


def _holding(trade: LocalTrade, head: str, price: float, declared: Declared) -> Holding:
    """A trade at a price (quote); NaN makes the book unknown, and stands against entries."""
    working = [order for order in trade.open_orders if order.ft_order_side == trade.entry_side]
    booked = float(trade.amount) * price
    waiting = float(sum(order.safe_amount for order in working)) * price
    away, stake = booked * _stop_distance(trade, price), float(trade.stake_amount)
    if working:
        away += waiting * (declared(trade) or _stop_distance(trade, float(trade.open_rate)))
        # Freqtrade gives a trade the stake of its first order when it is sent.
        stake += waiting / float(trade.leverage or 1.0) if trade.amount else 0.0
    notional = booked + waiting
    return Holding(
        pair=trade.pair,
        side=side_of(trade),
        notional_quote=notional,
        stop_distance=away / notional if notional else 1.0,
        profit_quote=_booked_profit(trade, price) + _working_profit(trade, working, price),
        stake_quote=stake,
        head=head,
    )


def _stop_distance(trade: LocalTrade, price: float) -> float:
    """How far freqtrade's stop stands from a price, as a fraction of it; 1 without a stop."""
    stop = float(trade.stop_loss or 0.0)
    return side_of(trade).sign * (price - stop) / price if stop and price else 1.0


def _booked_profit(trade: LocalTrade, price: float) -> float:
    """Profit after fees of what is booked (quote), earlier partial closes included."""
    made = 0.0
    if trade.amount:
        # Freqtrade raises where the price is not known.
        made = trade.calc_profit(price) if isfinite(price) else price
    return made + float(trade.realized_profit or 0.0)


def _working_profit(trade: LocalTrade, working: list[Order], price: float) -> float:
    """Profit of what orders have filled that are not booked yet (quote), less all their fees."""
    fees = float(trade.fee_open or 0.0) + float(trade.fee_close or 0.0)
    sign = side_of(trade).sign
    return float(
        sum(
            sign * (price - order.safe_price) * order.safe_filled - order.safe_amount * price * fees
            for order in working
        )
    )
