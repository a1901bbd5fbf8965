"""The errors of the exchange: one table from code to HTTP status and message.

::

    LoopbackError
    ├── ApiError      answered to the client as Binance does: status, code, msg
    └── PortTaken     the server cannot listen on its port
"""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """Binance's error codes for USDT-M futures, as far as they are served."""

    TOO_MANY_REQUESTS = -1003
    STATUS_UNKNOWN = -1007
    SERVER_BUSY = -1008
    INVALID_TIMESTAMP = -1021
    ILLEGAL_CHARACTERS = -1100
    MANDATORY_PARAMETER = -1102
    BAD_PRECISION = -1111
    BAD_TIME_IN_FORCE = -1115
    BAD_ORDER_TYPE = -1116
    BAD_SIDE = -1117
    BAD_INTERVAL = -1120
    BAD_SYMBOL = -1121
    INVALID_PARAMETER = -1130
    CANCEL_REJECTED = -2011
    NO_SUCH_ORDER = -2013
    BAD_API_KEY_FORMAT = -2014
    REJECTED_API_KEY = -2015
    MARGIN_INSUFFICIENT = -2019
    WOULD_TRIGGER = -2021
    REDUCE_ONLY_REJECTED = -2022
    PRICE_NOT_POSITIVE = -4001
    QUANTITY_NOT_POSITIVE = -4003
    QUANTITY_TOO_LARGE = -4005
    PRICE_TOO_SMALL = -4013
    PRICE_OFF_TICK = -4014
    BAD_CLIENT_ORDER_ID = -4015
    PRICE_TOO_HIGH = -4016
    PRICE_TOO_LOW = -4024
    BAD_LEVERAGE = -4028
    MARGIN_TYPE_UNCHANGED = -4046
    MARGIN_TYPE_LOCKED = -4048
    POSITION_SIDE_MISMATCH = -4061
    DUPLICATED_CLIENT_ORDER_ID = -4116
    ALGO_ORDER_ELSEWHERE = -4120
    NOTIONAL_TOO_SMALL = -4164
    NO_SUCH_PATH = -5000
    FOK_REJECTED = -5021
    POST_ONLY_REJECTED = -5022


_NOT_RECORDED = (
    "Due to the order could not be {}, the {} order will be rejected. "
    "The order will not be recorded in the order history"
)
ANSWERS: dict[Code, tuple[int, str]] = {
    Code.TOO_MANY_REQUESTS: (
        429,
        (
            "Too many requests; current limit is 2400 request weight per 1 MINUTE. "
            "Please use the websocket for live updates to avoid polling the API."
        ),
    ),
    Code.STATUS_UNKNOWN: (
        503,
        (
            "Timeout waiting for response from backend server. "
            "Send status unknown; execution status unknown."
        ),
    ),
    Code.SERVER_BUSY: (
        503,
        "Server is currently overloaded with other requests. Please try again in a few minutes.",
    ),
    Code.INVALID_TIMESTAMP: (400, "Timestamp for this request is outside of the recvWindow."),
    Code.ILLEGAL_CHARACTERS: (400, "Illegal characters found in parameter '{name}'."),
    Code.MANDATORY_PARAMETER: (
        400,
        "Mandatory parameter '{name}' was not sent, was empty/null, or malformed.",
    ),
    Code.BAD_PRECISION: (400, "Precision is over the maximum defined for this asset."),
    Code.BAD_TIME_IN_FORCE: (400, "Invalid timeInForce."),
    Code.BAD_ORDER_TYPE: (400, "Invalid orderType."),
    Code.BAD_SIDE: (400, "Invalid side."),
    Code.BAD_INTERVAL: (400, "Invalid interval."),
    Code.BAD_SYMBOL: (400, "Invalid symbol."),
    Code.INVALID_PARAMETER: (400, "Data sent for parameter '{name}' is not valid."),
    Code.CANCEL_REJECTED: (400, "Unknown order sent."),
    Code.NO_SUCH_ORDER: (400, "Order does not exist."),
    Code.BAD_API_KEY_FORMAT: (401, "API-key format invalid."),
    Code.REJECTED_API_KEY: (401, "Invalid API-key, IP, or permissions for action."),
    Code.MARGIN_INSUFFICIENT: (400, "Margin is insufficient."),
    Code.WOULD_TRIGGER: (400, "Order would immediately trigger."),
    Code.REDUCE_ONLY_REJECTED: (400, "ReduceOnly Order is rejected."),
    Code.PRICE_NOT_POSITIVE: (400, "Price less than 0."),
    Code.QUANTITY_NOT_POSITIVE: (400, "Quantity less than or equal to zero."),
    Code.QUANTITY_TOO_LARGE: (400, "Quantity greater than max quantity."),
    Code.PRICE_TOO_SMALL: (400, "Price less than min price."),
    Code.PRICE_OFF_TICK: (400, "Price not increased by tick size."),
    Code.BAD_CLIENT_ORDER_ID: (400, "Client order id is not valid."),
    Code.PRICE_TOO_HIGH: (400, "Limit price can't be higher than {limit}."),
    Code.PRICE_TOO_LOW: (400, "Limit price can't be lower than {limit}."),
    Code.BAD_LEVERAGE: (400, "Leverage {leverage} is not valid"),
    Code.MARGIN_TYPE_UNCHANGED: (400, "No need to change margin type."),
    Code.MARGIN_TYPE_LOCKED: (400, "Margin type cannot be changed if there exists position."),
    Code.POSITION_SIDE_MISMATCH: (400, "Order's position side does not match user's setting."),
    Code.DUPLICATED_CLIENT_ORDER_ID: (400, "ClientOrderId is duplicated."),
    Code.ALGO_ORDER_ELSEWHERE: (
        400,
        (
            "Order type not supported for this endpoint. "
            "Please use the Algo Order API endpoints instead."
        ),
    ),
    Code.NOTIONAL_TOO_SMALL: (
        400,
        "Order's notional must be no smaller than {least} (unless you choose reduce only).",
    ),
    Code.NO_SUCH_PATH: (404, "Path {path}, Method {method} is invalid"),
    Code.FOK_REJECTED: (400, _NOT_RECORDED.format("filled immediately", "FOK")),
    Code.POST_ONLY_REJECTED: (400, _NOT_RECORDED.format("executed as maker", "Post Only")),
}


class LoopbackError(Exception):
    """Base of all errors of the embedded exchange."""


class ApiError(LoopbackError):
    """A request that Binance would refuse; ``status``, ``code`` and ``message`` are its answer."""

    def __init__(self, code: Code, **details: object) -> None:
        self.code = code
        self.status, text = ANSWERS[code]
        self.message = text.format(**details)
        super().__init__(f"{int(code)}: {self.message}")


class PortTaken(LoopbackError):  # noqa: N818  the name says what happened
    """The server cannot listen, since another program has the port."""
