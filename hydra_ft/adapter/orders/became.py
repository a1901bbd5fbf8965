"""Orders that stops on the exchange have become, kept from being booked a second time.

A stop that triggers becomes an order of another id. Freqtrade books it under the id of the stop;
where it reads a trade anew from its orders it takes the other one in as well, even into the next
trade of the pair, as an entry if that one is on the other side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade.persistence import Order
from sqlalchemy import select

from hydra_ft.adapter.trades import to_ms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from freqtrade.exchange import Exchange
    from freqtrade.exchange.exchange_types import CcxtOrder

SAME_MS = 2_000
"""How far the time of a filled stop in the books may be from that of the order it became."""


def hide_what_stops_became(exchange: Exchange) -> None:
    """Leave out of the order history what freqtrade has booked as a stop."""
    fetch = exchange.fetch_orders

    def seen(pair: str, since: datetime, params: dict[str, Any] | None = None) -> list[CcxtOrder]:
        orders = fetch(pair, since, params)
        query = select(Order).where(Order.ft_pair == pair)
        rows = list(Order.session.scalars(query))
        known = {str(row.order_id) for row in rows}
        stops = [row for row in rows if row.ft_order_side == "stoploss" and row.safe_filled]
        return [
            order for order in orders if str(order["id"]) in known or not _is_stop(order, stops)
        ]

    exchange.fetch_orders = seen


def _is_stop(order: Mapping[str, Any], stops: Sequence[Order]) -> bool:
    filled, at = float(order.get("filled") or 0.0), int(order.get("timestamp") or 0)
    return bool(filled) and any(
        row.side == order.get("side")
        and abs(float(row.safe_filled) - filled) <= 1e-9 * filled
        and abs(to_ms(row.order_filled_utc or row.order_date_utc) - at) <= SAME_MS
        for row in stops
    )
