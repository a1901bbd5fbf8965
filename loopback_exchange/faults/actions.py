"""How each kind of fault is carried out: add a kind to ``FaultKind`` and its action here.

Delays run in real seconds, whatever the clock of the exchange says; only ``arrives_late`` is
counted on the clock of the exchange.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from loopback_exchange.answers import refusal
from loopback_exchange.errors import ApiError, Code
from loopback_exchange.faults.kinds import Fault, FaultKind

if TYPE_CHECKING:
    from loopback_exchange.exchange import Exchange
    from loopback_exchange.matching.orders import Order

_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Struck:
    """A request that meets a fault, and what can be done with it."""

    request: web.Request
    params: dict[str, str]
    fault: Fault
    exchange: Exchange
    proceed: Callable[[], web.StreamResponse]
    """Let the request take effect, and give the answer that it would get."""
    defer: Callable[[float], None]
    """Let the request take effect so many seconds later, unanswered."""
    restart: Callable[[float], None]
    """Stop listening for so many seconds."""

    def detail(self, name: str) -> float:
        """Give a detail of the fault."""
        return self.fault.details[name]


Action = Callable[[Struck], Awaitable[web.StreamResponse]]


def _hang_up(struck: Struck, response: web.StreamResponse | None = None) -> web.StreamResponse:
    if struck.request.transport is not None:
        struck.request.transport.close()
    return response or web.Response()


async def _hold(struck: Struck) -> web.StreamResponse:
    """Answer nothing until the client hangs up, ``delay_s`` at most."""
    loop = asyncio.get_running_loop()
    end = loop.time() + struck.detail("delay_s")
    while loop.time() < end:
        transport = struck.request.transport
        if transport is None or transport.is_closing():
            break
        await asyncio.sleep(_LOOK_S)
    return _hang_up(struck)


async def _answer_lost(struck: Struck) -> web.StreamResponse:
    """Let the request take effect, then close the connection without an answer."""
    return _hang_up(struck, struck.proceed())


async def _timeout_before(struck: Struck) -> web.StreamResponse:
    """Never answer; no effect."""
    return await _hold(struck)


async def _timeout_after(struck: Struck) -> web.StreamResponse:
    """Let the request take effect, and never answer."""
    struck.proceed()
    return await _hold(struck)


async def _arrives_late(struck: Struck) -> web.StreamResponse:
    """Close the connection at once; the request takes effect ``delay_s`` later."""
    struck.defer(struck.detail("delay_s"))
    return _hang_up(struck)


def _refuse(code: Code, status: int | None = None) -> Action:
    """Refuse with a code; no effect."""

    async def refuse(struck: Struck) -> web.StreamResponse:
        headers = {}
        if "retry_after_s" in struck.fault.details:
            headers["Retry-After"] = f"{struck.detail('retry_after_s'):.0f}"
        return refusal(ApiError(code), status, headers)

    return refuse


async def _server_error(_struck: Struck) -> web.StreamResponse:
    """Answer HTTP 500 with a page that is no JSON; no effect."""
    page = "<html><body><h1>500 Internal Server Error</h1></body></html>"
    return web.Response(status=500, text=page, content_type="text/html")


async def _status_unknown(struck: Struck) -> web.StreamResponse:
    """Let the request take effect, and answer that nobody knows whether it did."""
    struck.proceed()
    return refusal(ApiError(Code.STATUS_UNKNOWN))


async def _unknown_order(struck: Struck) -> web.StreamResponse:
    """Deny that the order exists; no effect."""
    is_read = struck.request.method == "GET"
    return refusal(ApiError(Code.NO_SUCH_ORDER if is_read else Code.CANCEL_REJECTED))


async def _cancel_meets_fill(struck: Struck) -> web.StreamResponse:
    """Fill ``share`` of what is left of the order, then cancel as usual."""
    _fill(struck)
    return struck.proceed()


async def _fill_after_read(struck: Struck) -> web.StreamResponse:
    """Answer as things stand, then fill ``share`` of what is left of the order."""
    response = struck.proceed()
    _fill(struck)
    return response


def _fill(struck: Struck) -> None:
    """Fill a share of an order in whole steps, at least one, at its own price as maker."""

    def act(at: int) -> None:
        order = _named(struck)
        if order is not None and order.is_open:
            steps = max(1, round(order.remaining * struck.detail("share")))
            struck.exchange.matcher.fill_resting(order, steps, at)

    struck.exchange.call(act)


def _named(struck: Struck) -> Order | None:
    """Give the order that the request names, else the oldest open one of its symbol."""
    symbol, order_id = struck.params.get("symbol", ""), struck.params.get("orderId", "")
    client_id = struck.params.get("origClientOrderId")
    if client_id or order_id:
        number = int(order_id) if order_id.isdigit() else None
        return struck.exchange.find(symbol, number, client_id)
    return next(iter(struck.exchange.ledger.open_of(symbol)), None)


async def _slow(struck: Struck) -> web.StreamResponse:
    """Let the request take effect, and answer ``delay_s`` later."""
    response = struck.proceed()
    await asyncio.sleep(struck.detail("delay_s"))
    return response


async def _restart(struck: Struck) -> web.StreamResponse:
    """Drop all connections and be away for ``down_s``; no effect of this request."""
    struck.restart(struck.detail("down_s"))
    return _hang_up(struck)


ACTIONS: dict[FaultKind, Action] = {
    FaultKind.ANSWER_LOST: _answer_lost,
    FaultKind.TIMEOUT_BEFORE: _timeout_before,
    FaultKind.TIMEOUT_AFTER: _timeout_after,
    FaultKind.ARRIVES_LATE: _arrives_late,
    FaultKind.RATE_LIMITED: _refuse(Code.TOO_MANY_REQUESTS),
    FaultKind.BANNED: _refuse(Code.TOO_MANY_REQUESTS, 418),
    FaultKind.UNAVAILABLE: _refuse(Code.SERVER_BUSY),
    FaultKind.SERVER_ERROR: _server_error,
    FaultKind.STATUS_UNKNOWN: _status_unknown,
    FaultKind.CANCEL_REJECTED: _refuse(Code.CANCEL_REJECTED),
    FaultKind.UNKNOWN_ORDER: _unknown_order,
    FaultKind.CANCEL_MEETS_FILL: _cancel_meets_fill,
    FaultKind.FILL_AFTER_READ: _fill_after_read,
    FaultKind.POST_ONLY_REJECTED: _refuse(Code.POST_ONLY_REJECTED),
    FaultKind.MARGIN_INSUFFICIENT: _refuse(Code.MARGIN_INSUFFICIENT),
    FaultKind.CLOCK_SKEW: _refuse(Code.INVALID_TIMESTAMP),
    FaultKind.SLOW: _slow,
    FaultKind.RESTART: _restart,
}
