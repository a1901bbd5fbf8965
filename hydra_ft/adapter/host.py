"""The one private seam into freqtrade: reads, cancels, and reduces.

Every order of a parent is placed by freqtrade through public hooks. What stands here
reads what freqtrade does not hand out, and may only take away: cancel an order proved
ours, close reduce-only exposure proved ours.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ccxt import DECIMAL_PLACES, TICK_SIZE
from freqtrade.exceptions import InvalidOrderException

from hydra_ft.errors import DataError
from hydra_ft.execution.attempts import SeenOrder
from hydra_ft.types import Quote, Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade.data.dataprovider import DataProvider

logger = logging.getLogger(__name__)

_BOOK_LEVELS = 5


class Host:
    """Freqtrade's exchange as Hydra needs it."""

    def __init__(self, dp: DataProvider, prefix: str) -> None:
        self._dp = dp
        self._exchange = dp._exchange  # noqa: SLF001 - the seam
        self.prefix = prefix

    def quote(self, pair: str, now: int) -> Quote | None:
        """Return best bid and ask with sizes, or None if the book has an empty side."""
        book = self._dp.orderbook(pair, _BOOK_LEVELS)
        if not book["bids"] or not book["asks"]:
            return None
        (bid, bid_size), (ask, ask_size) = book["bids"][0][:2], book["asks"][0][:2]
        return Quote(
            best_bid=float(bid),
            best_ask=float(ask),
            bid_size=float(bid_size),
            ask_size=float(ask_size),
            tick_size=self.tick_size(pair),
            at=now,
        )

    def tick_size(self, pair: str) -> float:
        """Return the smallest price step of a pair (quote currency)."""
        return self._grid(pair, "price")

    def step_size(self, pair: str) -> float:
        """Return the smallest quantity step of a pair (base currency)."""
        return self._grid(pair, "amount") * float(self._market(pair).get("contractSize") or 1)

    def _market(self, pair: str) -> Mapping[str, Any]:
        market: Mapping[str, Any] | None = self._dp.market(pair)
        if market is None:
            msg = f"expected a market {pair!r} on the exchange, was none; check pair_whitelist"
            raise DataError(msg)
        return market

    def _grid(self, pair: str, what: str) -> float:
        value = self._market(pair)["precision"][what]
        if self._exchange.precisionMode == TICK_SIZE:
            return float(value)
        if self._exchange.precisionMode == DECIMAL_PLACES:
            return float(10 ** -int(value))
        msg = f"expected tick sizes or decimal places from the exchange for {pair}, was neither"
        raise DataError(msg)

    def min_stake(self, pair: str, rate: float, stoploss: float) -> float:
        """Return freqtrade's minimum stake (quote), by its own formula; 0 if it has none."""
        return float(self._exchange.get_min_pair_stake_amount(pair, rate, stoploss) or 0.0)

    def orders_since(self, pair: str, since: int) -> list[SeenOrder]:
        """Return all orders of a pair since a time (UTC ms), open and done, as placed."""
        orders = self._exchange.fetch_orders(pair, datetime.fromtimestamp(since / 1e3, tz=UTC))
        return [_seen(order, pair) for order in orders]

    def cancel(self, order_id: str, pair: str) -> SeenOrder:
        """Cancel an order of ours and return its state after that, as read anew."""
        try:
            self._exchange.cancel_order(order_id, pair)
        except InvalidOrderException as error:
            # It may have filled in between: the reading below tells.
            logger.info("Order %s of %s was not cancelled: %s", order_id, pair, error)
        return self.order(order_id, pair)

    def order(self, order_id: str, pair: str) -> SeenOrder:
        """Return an order as it stands on the exchange now."""
        return _seen(self._exchange.fetch_order(order_id, pair), pair)

    def position(self, pair: str) -> float:
        """Return the signed position of a pair on the exchange (base currency)."""
        positions = self._exchange.fetch_positions(pair)
        total = 0.0
        for position in positions:
            if position["symbol"] == pair:
                size = float(position["contracts"] or 0) * float(position["contractSize"] or 1)
                total += size if position["side"] == "long" else -size
        return total

    def reduce(self, pair: str, side: Side, quantity: float, leverage: float) -> None:
        """Close ``quantity`` of a position by a reduce-only market order."""
        quote = self._dp.orderbook(pair, _BOOK_LEVELS)
        closing_sells = side is Side.LONG
        self._exchange.create_order(
            pair=pair,
            ordertype="market",
            side="sell" if closing_sells else "buy",
            amount=quantity,
            rate=float((quote["bids"] if closing_sells else quote["asks"])[0][0]),
            leverage=leverage,
            reduceOnly=True,
            time_in_force="GTC",
            initial_order=False,
        )


def _seen(order: Mapping[str, Any], pair: str) -> SeenOrder:
    return SeenOrder(
        order_id=str(order["id"]),
        client_order_id=str(order.get("clientOrderId") or ""),
        pair=pair,
        buys=order["side"] == "buy",
        price=float(order.get("price") or 0.0),
        quantity=float(order.get("amount") or 0.0),
        filled=float(order.get("filled") or 0.0),
        is_open=order.get("status") == "open",
        at=int(order.get("timestamp") or 0),
        is_cancelled=order.get("status") == "canceled",
    )
