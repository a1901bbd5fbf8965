"""Every error code reaches ccxt over HTTP and becomes the right exception there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import ccxt
import ccxt.async_support
import pytest
import requests
from exchange.conftest import client_options

from loopback_exchange.errors import ANSWERS, Code

if TYPE_CHECKING:
    from loopback_exchange import Server

LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"} | {
    "price": "59000.0",
    "quantity": "0.01",
}
ORDER = "fapiPrivatePostOrder"


@dataclass(frozen=True)
class Case:
    """A request that is refused, what must have gone before, and the classes it becomes."""

    code: Code
    error: type[Exception]
    call: str
    params: dict[str, Any]
    plain: type[Exception] | None = None
    before: tuple[tuple[str, dict[str, Any]], ...] = ()
    fault: str = ""  # of the order request, for what no request can provoke
    client: dict[str, Any] = field(default_factory=dict)


def order(**changes: Any) -> dict[str, Any]:
    """A valid limit order with some parameters changed; None removes one."""
    return {name: value for name, value in (LIMIT | changes).items() if value is not None}


CASES = [
    Case(Code.TOO_MANY_REQUESTS, ccxt.DDoSProtection, ORDER, order(), fault="rate_limited"),
    Case(Code.STATUS_UNKNOWN, ccxt.RequestTimeout, ORDER, order(), fault="status_unknown"),
    Case(Code.SERVER_BUSY, ccxt.OperationFailed, ORDER, order(), fault="unavailable"),
    Case(
        Code.INVALID_TIMESTAMP,
        ccxt.InvalidNonce,
        "fapiPrivateV3GetAccount",
        {},
        client={"options": {"timeDifference": 60_000}},
    ),
    Case(Code.ILLEGAL_CHARACTERS, ccxt.BadRequest, ORDER, order(price="cheap")),
    Case(Code.MANDATORY_PARAMETER, ccxt.BadRequest, ORDER, order(quantity=None)),
    Case(Code.BAD_PRECISION, ccxt.BadRequest, ORDER, order(quantity="0.0105")),
    Case(Code.BAD_TIME_IN_FORCE, ccxt.BadRequest, ORDER, order(timeInForce="SOON")),
    Case(Code.BAD_ORDER_TYPE, ccxt.BadRequest, ORDER, order(type="ICEBERG")),
    Case(Code.BAD_SIDE, ccxt.BadRequest, ORDER, order(side="HOLD")),
    Case(
        Code.BAD_INTERVAL,
        ccxt.BadRequest,
        "fapiPublicGetKlines",
        {"symbol": "BTCUSDT", "interval": "7m"},
    ),
    Case(Code.BAD_SYMBOL, ccxt.BadSymbol, ORDER, order(symbol="NOSUCHUSDT")),
    Case(Code.INVALID_PARAMETER, ccxt.BadRequest, ORDER, order(reduceOnly="perhaps")),
    Case(
        Code.CANCEL_REJECTED,
        ccxt.OrderNotFound,
        "fapiPrivateDeleteOrder",
        {"symbol": "BTCUSDT", "orderId": 99},
        plain=ccxt.OrderNotFound,
    ),
    Case(
        Code.NO_SUCH_ORDER,
        ccxt.OrderNotFound,
        "fapiPrivateGetOrder",
        {"symbol": "BTCUSDT", "orderId": 99},
        plain=ccxt.OrderNotFound,
    ),
    Case(
        Code.BAD_API_KEY_FORMAT,
        ccxt.AuthenticationError,
        "fapiPrivateV3GetAccount",
        {},
        client={"apiKey": "not a key"},
    ),
    Case(
        Code.REJECTED_API_KEY,
        ccxt.AuthenticationError,
        "fapiPrivateV3GetAccount",
        {},
        plain=ccxt.AuthenticationError,
        client={"apiKey": "another"},
    ),
    Case(
        Code.MARGIN_INSUFFICIENT,
        ccxt.InsufficientFunds,
        ORDER,
        order(quantity="500"),
        plain=ccxt.ExchangeError,
    ),
    Case(
        Code.REDUCE_ONLY_REJECTED,
        ccxt.InvalidOrder,
        ORDER,
        order(reduceOnly="true"),
        plain=ccxt.ExchangeError,
    ),
    Case(Code.PRICE_NOT_POSITIVE, ccxt.BadRequest, ORDER, order(price="-1")),
    Case(Code.QUANTITY_NOT_POSITIVE, ccxt.BadRequest, ORDER, order(quantity="0")),
    Case(Code.QUANTITY_TOO_LARGE, ccxt.BadRequest, ORDER, order(quantity="1000001")),
    Case(Code.PRICE_TOO_SMALL, ccxt.BadRequest, ORDER, order(price="0.05")),
    Case(Code.PRICE_OFF_TICK, ccxt.BadRequest, ORDER, order(price="59000.05")),
    Case(
        Code.BAD_CLIENT_ORDER_ID, ccxt.BadRequest, ORDER, order(newClientOrderId="no spaces please")
    ),
    Case(Code.PRICE_TOO_HIGH, ccxt.BadRequest, ORDER, order(price="80000.0")),
    Case(Code.PRICE_TOO_LOW, ccxt.BadRequest, ORDER, order(price="40000.0", side="SELL")),
    Case(
        Code.BAD_LEVERAGE,
        ccxt.BadRequest,
        "fapiPrivatePostLeverage",
        {"symbol": "BTCUSDT", "leverage": 126},
    ),
    Case(
        Code.MARGIN_TYPE_UNCHANGED,
        ccxt.MarginModeAlreadySet,
        "fapiPrivatePostMarginType",
        {"symbol": "BTCUSDT", "marginType": "ISOLATED"},
        plain=ccxt.MarginModeAlreadySet,
        before=(("fapiPrivatePostMarginType", {"symbol": "BTCUSDT", "marginType": "ISOLATED"}),),
    ),
    Case(
        Code.MARGIN_TYPE_LOCKED,
        ccxt.OperationRejected,
        "fapiPrivatePostMarginType",
        {"symbol": "BTCUSDT", "marginType": "ISOLATED"},
        before=((ORDER, order(price="60000.1")),),
    ),
    Case(Code.POSITION_SIDE_MISMATCH, ccxt.OperationRejected, ORDER, order(positionSide="LONG")),
    Case(
        Code.DUPLICATED_CLIENT_ORDER_ID,
        ccxt.InvalidOrder,
        ORDER,
        order(newClientOrderId="twice"),
        plain=ccxt.ExchangeError,
        before=((ORDER, order(newClientOrderId="twice")),),
    ),
    Case(
        Code.ALGO_ORDER_ELSEWHERE,
        ccxt.InvalidOrder,
        ORDER,
        order(type="STOP_MARKET", stopPrice="58000"),
        plain=ccxt.ExchangeError,
    ),
    Case(
        Code.WOULD_TRIGGER,
        ccxt.OrderImmediatelyFillable,
        "fapiPrivatePostAlgoOrder",
        order(algoType="CONDITIONAL", type="STOP_MARKET", triggerPrice="60000", price=None),
        plain=ccxt.ExchangeError,
    ),
    Case(
        Code.NOTIONAL_TOO_SMALL,
        ccxt.InvalidOrder,
        ORDER,
        order(quantity="0.001"),
        plain=ccxt.ExchangeError,
    ),
    Case(Code.NO_SUCH_PATH, ccxt.ExchangeError, "fapiPrivateGetPositionMarginHistory", {}),
    Case(
        Code.FOK_REJECTED,
        ccxt.InvalidOrder,
        ORDER,
        order(price="60000.1", quantity="2.001", timeInForce="FOK"),
        plain=ccxt.ExchangeError,
    ),
    Case(
        Code.POST_ONLY_REJECTED,
        ccxt.InvalidOrder,
        ORDER,
        order(price="60000.1", timeInForce="GTX"),
        plain=ccxt.ExchangeError,
    ),
]
# The exact class where the table above names only its parent.
EXACT = {Code.FOK_REJECTED: ccxt.OrderNotFillable, Code.POST_ONLY_REJECTED: ccxt.OrderNotFillable}
by_code = pytest.mark.parametrize("case", CASES, ids=lambda case: str(int(case.code)))


def plan_fault(server: Server, case: Case) -> None:
    """Plan the fault that a case needs."""
    if case.fault:
        server.control.fault(case.fault, "POST", "/fapi/v1/order")


def refused(server: Server, case: Case, *, merged: bool = True) -> Exception:
    """Provoke the error by synchronous ccxt and give what it raised."""
    more = case.client | {"options": _options(case)}
    client = ccxt.binance(client_options(server.url, merged=merged, **more))
    plan_fault(server, case)
    for call, params in case.before:
        getattr(client, call)(params)
    with pytest.raises(ccxt.BaseError) as caught:
        getattr(client, case.call)(case.params)
    return caught.value


async def refused_async(server: Server, case: Case) -> Exception:
    """Provoke the error by asynchronous ccxt and give what it raised."""
    more = case.client | {"options": _options(case)}
    client = ccxt.async_support.binance(client_options(server.url, **more))
    plan_fault(server, case)
    try:
        for call, params in case.before:
            await getattr(client, call)(params)
        with pytest.raises(ccxt.BaseError) as caught:
            await getattr(client, case.call)(case.params)
        return caught.value
    finally:
        await client.close()


def _options(case: Case) -> dict[str, Any]:
    return {"defaultType": "swap", **case.client.get("options", {})}


def expect(error: Exception, case: Case) -> None:
    """The exact class, and our code and message in it."""
    assert type(error) is EXACT.get(case.code, case.error)
    assert f'"code":{int(case.code)},' in str(error)


@by_code
def test_the_code_becomes_its_class_in_synchronous_ccxt(server: Server, case: Case) -> None:
    expect(refused(server, case), case)


@by_code
def test_the_code_becomes_its_class_in_asynchronous_ccxt(server: Server, case: Case) -> None:
    expect(asyncio.run(refused_async(server, case)), case)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.plain], ids=lambda case: str(int(case.code))
)
def test_plain_http_without_the_merge_loses_the_futures_only_codes(
    server: Server, case: Case
) -> None:
    assert type(refused(server, case, merged=False)) is case.plain


def test_every_code_of_the_table_is_provoked() -> None:
    assert {case.code for case in CASES} == set(Code) == set(ANSWERS)


def test_a_missing_key_is_minus_2014_with_status_401(server: Server) -> None:
    answer = requests.get(f"{server.url}/fapi/v3/account", timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (401, -2014)


def test_a_missing_timestamp_is_minus_1102(server: Server) -> None:
    headers = {"X-MBX-APIKEY": "loopback"}
    answer = requests.get(f"{server.url}/fapi/v3/account", headers=headers, timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (400, -1102)


def test_a_refused_order_leaves_nothing_behind(server: Server) -> None:
    refused(server, next(case for case in CASES if case.code is Code.POST_ONLY_REJECTED))
    assert server.exchange.ledger.orders == {}
