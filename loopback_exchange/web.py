"""From an HTTP request to an answer: counting, key and timestamp, faults, control."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from loopback_exchange.answers import answer, refusal
from loopback_exchange.clock import now_ms
from loopback_exchange.control import Control, FillOrder
from loopback_exchange.errors import ApiError, Code
from loopback_exchange.faults.actions import ACTIONS, Struck
from loopback_exchange.routes import ROUTES, Route
from loopback_exchange.routes.params import Params, integer
from loopback_exchange.streams.orders import STREAM_CALLS, stream_call

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

    from aiohttp import web

    from loopback_exchange.exchange import Exchange
    from loopback_exchange.faults import Fault, Faults
    from loopback_exchange.streams import Hub

_KEY = re.compile(r"^[A-Za-z0-9_-]+$")
_AHEAD_MS = 1_000
_DEFAULT_WINDOW_MS = 5_000
_LONGEST_WINDOW_MS = 60_000
_CONTROL = "/_control/"
_DEPTH = "/fapi/v1/depth"


class Site:
    """Everything that listens behind the port; one thread runs it."""

    def __init__(
        self,
        exchange: Exchange,
        control: Control,
        faults: Faults,
        requests: Counter[tuple[str, str]],
        restart: Callable[[float], None],
        *,
        api_key: str | None,
        serves_control: bool,
        streams: Hub,
    ) -> None:
        self._exchange = exchange
        self._control = control
        self._faults = faults
        self._requests = requests
        self._restart = restart
        self._api_key = api_key
        self._serves_control = serves_control
        self._streams = streams

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer any request."""
        method, path = request.method, request.path
        if path.startswith(_CONTROL) and self._serves_control:
            return await self._answer_control(request)
        self._requests[method, path] += 1
        params: Params = dict(request.query)
        if request.can_read_body:
            form = await request.post()
            params.update({name: value for name, value in form.items() if isinstance(value, str)})
        fault = self._faults.take(method, path, params)
        if fault is None:
            return self._proceed(request, params)
        return await ACTIONS[fault.kind](self._struck(request, params, fault))

    def _struck(self, request: web.Request, params: Params, fault: Fault) -> Struck:
        return Struck(
            request,
            params,
            fault,
            self._exchange,
            proceed=partial(self._proceed, request, params),
            defer=partial(self._defer, request, params),
            restart=self._restart,
        )

    def _proceed(self, request: web.Request, params: Params) -> web.StreamResponse:
        if request.path == _DEPTH:
            self._streams.before_snapshot(params.get("symbol", ""))
        try:
            return answer(self._exchange.call(self._checked(request, params)))
        except ApiError as error:
            return refusal(error)

    def _defer(self, request: web.Request, params: Params, delay_s: float) -> None:
        """Let a request wait behind the gate: its timestamp is checked now, the rest later."""
        try:
            action = self._checked(request, params)
        except ApiError:
            return
        self._exchange.later(now_ms() + round(delay_s * 1000), action)

    def _checked(self, request: web.Request, params: Params) -> Callable[[int], Any]:
        """Give what answers a request, at a moment, once its caller has been checked."""
        route = _route(request.method, request.path)
        self._check_caller(route, params, request.headers.get("X-MBX-APIKEY"))
        return partial(route.answer, self._exchange, params)

    def _check_caller(self, route: Route, params: Params, key: str | None) -> None:
        if route.needs_key:
            if not key or not _KEY.match(key):
                raise ApiError(Code.BAD_API_KEY_FORMAT)
            if self._api_key is not None and key != self._api_key:
                raise ApiError(Code.REJECTED_API_KEY)
        if route.needs_timestamp:
            sent = integer(params, "timestamp")
            window = min(integer(params, "recvWindow", _DEFAULT_WINDOW_MS), _LONGEST_WINDOW_MS)
            if not now_ms() - window <= sent < now_ms() + _AHEAD_MS:
                raise ApiError(Code.INVALID_TIMESTAMP)

    # ---- control

    async def _answer_control(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await request.json() if request.can_read_body else dict(request.query)
            name = request.path.removeprefix(_CONTROL)
            if name in STREAM_CALLS:
                return answer(stream_call(self._streams, request.method, name, body))
            return answer(self._control_call(request.method, request.path, body))
        except ApiError as error:
            return answer({"error": str(error)}, error.status)
        except (ValueError, TypeError, KeyError, ArithmeticError) as error:
            return answer({"error": f"{type(error).__name__}: {error}"}, 400)

    def _control_call(self, method: str, path: str, body: dict[str, Any]) -> Any:
        control = self._control
        match method, path.removeprefix(_CONTROL):
            case "POST", "book":
                control.book(**body)
            case "DELETE", "book":
                control.release(body["symbol"])
            case "POST", "print":
                return control.print(**_with_fill_order(body))
            case "POST", "fault":
                control.fault(**body)
            case "POST", "schedule":
                control.schedule(**body)
            case "PUT", "schedule":
                control.pause() if body["paused"] else control.resume()
            case "GET", "schedule":
                return control.strikes()
            case "GET", "state":
                return control.state()
            case "POST", "reset":
                control.reset()
            case _:
                raise ApiError(Code.NO_SUCH_PATH, path=path, method=method)
        return {}


def _route(method: str, path: str) -> Route:
    route = ROUTES.get((method, path))
    if route is None:
        raise ApiError(Code.NO_SUCH_PATH, path=path, method=method)
    return route


def _with_fill_order(body: dict[str, Any]) -> dict[str, Any]:
    wanted = body.get("fill_order")
    if wanted is None:
        return body
    return {**body, "fill_order": FillOrder(int(wanted["orderId"]), wanted["quantity"])}
