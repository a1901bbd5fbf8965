"""What the exchange answered to each order, overheard where freqtrade sends it.

Freqtrade tells a strategy nothing about an order that failed. Whether it was refused (it
does not exist, another may go out) or its answer was lost (it may exist) is the most
important thing to know about it. So the sending is listened to: nothing is changed, and
an answer that was not heard counts as lost.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import ccxt
from freqtrade.exceptions import (
    DDosProtection,
    ExchangeError,
    InsufficientFundsError,
    InvalidOrderException,
)

if TYPE_CHECKING:
    from freqtrade.exchange import Exchange
    from freqtrade.exchange.exchange_types import CcxtOrder

logger = logging.getLogger(__name__)

REFUSALS = (InvalidOrderException, DDosProtection)
"""Answers after which there is no such order: refused by a rule, or not looked at (429, 418)."""
NOT_LOOKED_AT = (ccxt.InvalidNonce, ccxt.RateLimitExceeded)
"""Causes of what freqtrade calls a temporary error, after which there is no such order either."""


NOT_PASSIVE = (ccxt.OrderImmediatelyFillable, ccxt.OrderNotFillable)
"""A post-only order met the other side: refused, and no sign that anything is wrong."""


GONE = ("canceled", "cancelled", "expired", "rejected")
"""States of a stop that guards nothing any more."""


class Heard(StrEnum):
    """What was heard after an order was sent."""

    TAKEN = "taken"
    REFUSED = "refused"
    UNFUNDED = "unfunded"
    NOT_PASSIVE = "not_passive"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was heard of the last order of a pair and direction, and when (monotonic s)."""

    heard: Heard
    at: float
    price: float
    quantity: float
    order_id: str = ""
    why: str = ""


def _heard(error: ExchangeError) -> Heard:
    if isinstance(error, InsufficientFundsError):
        return Heard.UNFUNDED
    if isinstance(error.__cause__, NOT_PASSIVE):
        return Heard.NOT_PASSIVE
    is_refusal = isinstance(error, REFUSALS) or isinstance(error.__cause__, NOT_LOOKED_AT)
    return Heard.REFUSED if is_refusal else Heard.LOST


def _key(order: dict[str, Any]) -> tuple[str, bool]:
    return str(order.get("pair")), order.get("side") == "buy"


class Listener:
    """Remembers the answer to the last order of each pair and direction.

    ``lost_exits`` are pairs of which an order may have gone out that takes from a position:
    a partial exit is freqtrade's own, and nobody else has noted it.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._answers: dict[tuple[str, bool], Answer] = {}
        self._sent: dict[tuple[str, bool], float] = {}
        self.lost_exits: set[str] = set()
        send = exchange.create_order

        def overheard(**order: Any) -> Any:
            self._answers.pop(_key(order), None)
            self._sent[_key(order)] = time.monotonic()
            try:
                answer = send(**order)
            except ExchangeError as error:
                self._note(order, _heard(error), why=str(error))
                raise
            self._note(order, Heard.TAKEN, order_id=str(answer.get("id", "")))
            return answer

        exchange.create_order = overheard

    def _note(self, order: dict[str, Any], heard: Heard, **details: str) -> None:
        price, quantity = float(order.get("rate") or 0.0), float(order.get("amount") or 0.0)
        if heard is Heard.LOST and (order.get("reduceOnly") or order.get("side") == "sell"):
            self.lost_exits.add(str(order.get("pair")))
        self._answers[_key(order)] = Answer(heard, time.monotonic(), price, quantity, **details)

    def was_sent(self, pair: str, since: float, *, buys: bool) -> bool:
        """Whether freqtrade began to send any order of a pair since a time (monotonic s)."""
        return self._sent.get((pair, buys), -1) >= since

    def answer(self, pair: str, since: float, *, buys: bool) -> Answer | None:
        """Return what was heard of the last order of a pair since a time (monotonic s)."""
        answer = self._answers.get((pair, buys))
        return answer if answer is not None and answer.at >= since else None


class DroppedStops:
    """Stops that are gone from the exchange although nobody here has taken them down.

    Freqtrade places a cancelled one anew in the same loop, but leaves a position bare for a loop
    whose stop has expired or was rejected later: here it is told that the stop was cancelled.
    ``found`` are pair and id of each.
    """

    def __init__(self, exchange: Exchange) -> None:
        self.found: list[tuple[str, str]] = []
        self._taken_down: set[str] = set()
        fetch, cancel = exchange.fetch_stoploss_order, exchange.cancel_stoploss_order

        def seen(order_id: str, pair: str, params: dict[str, Any] | None = None) -> CcxtOrder:
            order = fetch(order_id, pair, params)
            if order.get("status") not in GONE or order.get("filled"):
                return order
            if order_id not in self._taken_down:
                self._taken_down.add(order_id)  # told of once
                self.found.append((pair, order_id))
            return {**order, "status": "canceled"}

        def taken_down(order_id: str, pair: str, params: dict[str, Any] | None = None) -> CcxtOrder:
            self._taken_down.add(order_id)
            return cancel(order_id, pair, params)

        exchange.fetch_stoploss_order = seen
        exchange.cancel_stoploss_order = taken_down


def believe_no_made_up_cancel(exchange: Exchange) -> None:
    """Keep an order open in freqtrade's books until somebody has seen it end.

    Where an order can be neither cancelled nor read ("not found"), freqtrade makes up an
    answer, cancelled and nothing filled, and sends the next one. Not found means unknown: the
    order counts as open, and is read again in the next loop.
    """
    cancel = exchange.cancel_order_with_result

    def seen(order_id: str, pair: str, amount: float) -> CcxtOrder:
        order = cancel(order_id, pair, amount)
        if order.get("info"):
            return order
        # What an exchange answers has its own words in it.
        logger.warning("Whether order %s of %s was cancelled is not known.", order_id, pair)
        return {**order, "status": "open"}

    exchange.cancel_order_with_result = seen
