"""The one private seam into freqtrade: reads, cancels, and reduces.

Every order of a parent is placed by freqtrade through public hooks. What stands here
reads what freqtrade does not hand out, listens to the answers that it gets, keeps it from
believing a cancel that nobody saw, and may only take away: cancel an order proved ours,
close reduce-only exposure proved ours.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import ccxt
from freqtrade.exceptions import InvalidOrderException, TemporaryError

from hydra_ft.adapter.markets import Markets
from hydra_ft.adapter.orders.became import hide_what_stops_became
from hydra_ft.adapter.orders.flat import closing_order
from hydra_ft.adapter.orders.listener import (
    Answer,
    DroppedStops,
    Listener,
    believe_no_made_up_cancel,
)
from hydra_ft.adapter.trades import to_ms
from hydra_ft.execution.attempts import SeenOrder, agrees
from hydra_ft.execution.pricing import buys
from hydra_ft.types import Attempt, Fill, Quote, Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from freqtrade.data.dataprovider import DataProvider
    from freqtrade.persistence import Trade

logger = logging.getLogger(__name__)

_BOOK_LEVELS = 5
_ORDERS_PER_PAGE = 500
"""Of Binance's allOrders, where no other number is asked for."""


class Host(Markets):
    """Freqtrade's exchange as Hydra needs it; one for a bot, since it listens to what is sent."""

    def __init__(self, dp: DataProvider, prefix: str, *, dry_run: bool) -> None:
        super().__init__(dp)
        self.prefix = prefix
        self.dry_run = dry_run
        self._send = self._exchange.create_order
        self._history = self._exchange.fetch_orders
        self._listener = Listener(self._exchange)
        if not dry_run:
            believe_no_made_up_cancel(self._exchange)
            hide_what_stops_became(self._exchange)
            self._dropped = DroppedStops(self._exchange)

    def answer(self, attempt: Attempt, written_at: float) -> Answer | None:
        """Return what the exchange answered to an attempt, None if nothing was heard.

        ``written_at`` is when this process wrote it (monotonic s).
        """
        direction = buys(attempt.side, attempt.kind)
        answer = self._listener.answer(attempt.pair, written_at, buys=direction)
        if answer is None:
            return None
        # Somebody else's order may have gone out since, such as a forced exit.
        step = self.step_size(attempt.pair)
        return answer if agrees(attempt, answer.price, answer.quantity, step) else None

    def was_sent(self, attempt: Attempt, written_at: float) -> bool:
        """Whether freqtrade began to send an order that may be this attempt."""
        direction = buys(attempt.side, attempt.kind)
        return self._listener.was_sent(attempt.pair, written_at, buys=direction)

    def lost_exits(self) -> set[str]:
        """Return the pairs of which an exit may have gone out unanswered, since last asked."""
        found, self._listener.lost_exits = self._listener.lost_exits, set()
        return found

    def dropped_stops(self) -> list[tuple[str, str]]:
        """Return pair and id of the stops found gone from the exchange, since last asked."""
        found, self._dropped.found = self._dropped.found, []
        return found

    def quote(self, pair: str, volatility_bps: float = 0.0) -> Quote | None:
        """Return the two best levels, as of now, or None if the book has an empty side."""
        book = self._dp.orderbook(pair, _BOOK_LEVELS)
        if not book["bids"] or not book["asks"]:
            return None
        (bid, bid_size), (next_bid, next_bid_size) = _two_best(book["bids"])
        (ask, ask_size), (next_ask, next_ask_size) = _two_best(book["asks"])
        return Quote(
            best_bid=bid,
            best_ask=ask,
            bid_size=bid_size,
            ask_size=ask_size,
            tick_size=self.tick_size(pair),
            at=clock(),
            volatility_bps=volatility_bps,
            next_bid=next_bid,
            next_ask=next_ask,
            next_bid_size=next_bid_size,
            next_ask_size=next_ask_size,
        )

    def orders_since(self, pair: str, since: int) -> list[SeenOrder]:
        """Return all orders of a pair since a time (UTC ms), open and done, as placed."""
        found: dict[str, SeenOrder] = {}
        while True:
            moment = datetime.fromtimestamp(since / 1e3, tz=UTC)
            page = [_seen(one, pair) for one in self._history(pair, moment)]
            fresh = [order for order in page if order.order_id not in found]
            found.update((order.order_id, order) for order in fresh)
            if len(page) < _ORDERS_PER_PAGE or not fresh:
                return list(found.values())
            since = max(order.at for order in fresh)

    def reload(self, trade: Trade) -> bool:
        """Let freqtrade read a trade's orders from the exchange again, as /reload_trade does.

        It takes in orders of the pair that it did not know, and closes a trade that is flat.
        Not where a stop has filled, which is refused (False): the order that the stop became
        has another id than the stop, and freqtrade would count what it sold twice.
        """
        stops = [order for order in trade.orders if order.ft_order_side == "stoploss"]
        if any(stop.safe_filled for stop in stops) or self.triggered(trade):
            logger.warning("%s is not reloaded: a stop on the exchange has triggered.", trade)
            return False
        rpc = self._dp._DataProvider__rpc._rpc  # noqa: SLF001 - the seam
        last = closing_order(trade)
        if last is not None:
            logger.warning("Closing %s: its orders have.", trade)
            trade.amount = last.safe_amount_after_fee
            rpc._freqtrade.update_trade_state(trade, last.order_id)  # noqa: SLF001 - the seam
            return True
        logger.warning("Reloading %s from its orders on the exchange.", trade)
        rpc._rpc_reload_trade_from_exchange(trade.id)  # noqa: SLF001 - the seam
        return True

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

    def open_orders(self, pairs: Iterable[str]) -> list[SeenOrder]:
        """Return the open orders of some pairs, whoever placed them.

        Read in one go where ccxt allows that, since a call for each pair costs more.
        """
        return self._open(pairs, {})

    def open_stops(self, pairs: Iterable[str]) -> list[SeenOrder]:
        """Return the conditional orders of some pairs that rest on the exchange."""
        return self._open(pairs, {"stop": True})

    def _open(self, pairs: Iterable[str], params: dict[str, bool]) -> list[SeenOrder]:
        api, wanted = self._exchange._api, set(pairs)  # noqa: SLF001 - the seam
        api.options["warnOnFetchOpenOrdersWithoutSymbol"] = False
        try:
            # Without a symbol ccxt asks for spot orders unless it is told otherwise.
            orders = api.fetch_open_orders(params={"type": "swap", **params})
        except ccxt.BaseError as error:
            raise TemporaryError(f"open orders cannot be read: {error}") from error
        return [_seen(order, order["symbol"]) for order in orders if order["symbol"] in wanted]

    def triggered(self, trade: Trade) -> set[str]:
        """Return the ids of the orders that stops of a trade have become."""
        key = self._exchange.get_option("stoploss_algo_order_info_id")
        ids: set[str] = set()
        for row in trade.open_sl_orders:
            stop = self._exchange.fetch_stoploss_order(str(row.order_id), trade.pair)
            ids.add(str(stop.get("id_stop") or (stop.get("info") or {}).get(key) or ""))
        return ids - {""}

    def cancel_stop(self, order_id: str, pair: str) -> None:
        """Cancel a conditional order of ours; one that is gone already is no error."""
        try:
            self._exchange.cancel_stoploss_order(order_id, pair)
        except InvalidOrderException as error:
            logger.info("Stop %s of %s was not cancelled: %s", order_id, pair, error)

    def fills(self, attempt: Attempt) -> list[Fill]:
        """Return what filled of a child, as the exchange booked it; empty in a dry-run."""
        since = datetime.fromtimestamp(attempt.sent_at / 1e3, tz=UTC)
        trades = self._exchange.get_trades_for_order(attempt.order_id, attempt.pair, since)
        return [self._fill(trade, attempt.pair) for trade in trades]

    def _fill(self, trade: Mapping[str, Any], pair: str) -> Fill:
        """One fill; a fee in another currency (BNB) is taken at the pair's rate of fees."""
        fee, is_maker = trade.get("fee") or {}, trade.get("takerOrMaker") == "maker"
        price, quantity = float(trade["price"]), float(trade["amount"])
        cost = float(fee.get("cost") or 0.0)
        if cost and fee.get("currency") not in (None, pair.rpartition(":")[2]):
            cost = self.fee(pair, is_maker=is_maker) * price * quantity
        return Fill(price, quantity, int(trade["timestamp"]), cost, is_maker)

    def positions(self, pairs: Iterable[str]) -> dict[str, float]:
        """Return the signed positions of some pairs on the exchange (base currency)."""
        totals = dict.fromkeys(pairs, 0.0)
        for position in self._exchange.fetch_positions():
            if position["symbol"] in totals:
                totals[position["symbol"]] += _signed(position)
        return totals

    def position(self, pair: str) -> float:
        """Return the signed position of a pair on the exchange (base currency)."""
        positions = self._exchange.fetch_positions(pair)
        return sum(_signed(one) for one in positions if one["symbol"] == pair)

    def reduce(self, pair: str, side: Side, quantity: float, leverage: float) -> None:
        """Close ``quantity`` of a position by a reduce-only market order."""
        quote = self._dp.orderbook(pair, _BOOK_LEVELS)
        closing_sells = side is Side.LONG
        self._send(
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


def clock() -> int:
    """UTC milliseconds now."""
    return to_ms(datetime.now(UTC))


def _two_best(side: Sequence[Sequence[float]]) -> tuple[tuple[float, float], ...]:
    """Price and size of the two best levels; zeros where there is only one."""
    levels = [(float(level[0]), float(level[1])) for level in side[:2]]
    return (levels[0], levels[1]) if len(levels) > 1 else (levels[0], (0.0, 0.0))


def _signed(position: Mapping[str, Any]) -> float:
    size = float(position["contracts"] or 0) * float(position["contractSize"] or 1)
    return size if position["side"] == "long" else -size


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
        is_reduce_only=bool(order.get("reduceOnly")),
    )
