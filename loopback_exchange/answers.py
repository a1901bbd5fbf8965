"""How bodies and refusals are written to the wire."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from loopback_exchange.errors import ApiError

_dumps = partial(json.dumps, separators=(",", ":"), allow_nan=False)


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Write a body as compact JSON."""
    return web.json_response(body, status=status, headers=headers, dumps=_dumps)


def refusal(
    error: ApiError, status: int | None = None, headers: dict[str, str] | None = None
) -> web.Response:
    """Write an error as Binance does; ``status`` stands in for the one of its table."""
    body = {"code": int(error.code), "msg": error.message}
    return answer(body, error.status if status is None else status, headers)
