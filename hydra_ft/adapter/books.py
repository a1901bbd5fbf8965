"""What freqtrade's database says is held and open, read from outside a running bot."""

from __future__ import annotations

from dataclasses import dataclass

from freqtrade.persistence import Trade, init_db

from hydra_ft.adapter.trades import side_of


@dataclass(frozen=True, slots=True)
class Booked:
    """Open trade of one pair: signed quantity (base units) and ids of its open orders."""

    quantity: float
    order_ids: frozenset[str]


def booked(db_url: str) -> dict[str, Booked]:
    """Return what a freqtrade database has open, by pair."""
    init_db(db_url)
    try:
        return {
            trade.pair: Booked(
                trade.amount * side_of(trade).sign,
                frozenset(str(order.order_id) for order in trade.open_orders),
            )
            for trade in Trade.get_open_trades()
        }
    finally:
        Trade.session.remove()
