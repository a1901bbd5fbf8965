"""From the parameters of a new order to an order on the book, or to an error code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from loopback_exchange.errors import ApiError, Code

if TYPE_CHECKING:
    from loopback_exchange.market.specs import SymbolSpec

MAX_STEPS: Final = 10**9
MAX_TICKS: Final = 10**9
PRICE_BAND: Final = Decimal("0.15")
"""Share of the mark price by which a limit price may cross it (PERCENT_PRICE)."""
_CLIENT_ID = re.compile(r"^[.A-Z:/a-z0-9_-]{1,36}$")
_CONDITIONAL = {
    "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"
}  # fmt: skip
_NUMBER = re.compile(r"^[+-]?\d*\.?\d+$")


@dataclass(frozen=True, slots=True)
class NewOrder:
    """A new order whose every parameter is valid by itself."""

    symbol: str
    is_buy: bool
    is_limit: bool
    time_in_force: str
    price: int  # ticks, 0 for a market order
    quantity: int  # steps
    reduce_only: bool
    client_id: str | None


def parse(params: dict[str, str], spec: SymbolSpec) -> NewOrder:
    """Check the parameters of POST /order one by one.

    Raises
    ------
    ApiError
        With the code that Binance gives for the first parameter that is wrong.
    """
    is_buy, kind = is_buy_of(params), needed(params, "type")
    if kind in _CONDITIONAL:
        raise ApiError(Code.ALGO_ORDER_ELSEWHERE)
    if kind not in {"LIMIT", "MARKET"}:
        raise ApiError(Code.BAD_ORDER_TYPE)
    check_position_side(params)
    is_limit = kind == "LIMIT"
    return NewOrder(
        symbol=spec.symbol,
        is_buy=is_buy,
        is_limit=is_limit,
        time_in_force=force_of(params) if is_limit else "GTC",
        client_id=client_id_of(params, "newClientOrderId"),
        price=ticks_of(params, spec) if is_limit else 0,
        quantity=steps_of(params, spec),
        reduce_only=flag(params, "reduceOnly"),
    )


def is_buy_of(params: dict[str, str]) -> bool:
    """Give whether the side is BUY."""
    side = needed(params, "side")
    if side not in {"BUY", "SELL"}:
        raise ApiError(Code.BAD_SIDE)
    return side == "BUY"


def check_position_side(params: dict[str, str]) -> None:
    """Refuse what belongs to hedge mode."""
    if params.get("positionSide", "BOTH") != "BOTH":
        raise ApiError(Code.POSITION_SIDE_MISMATCH)


def force_of(params: dict[str, str], default: str | None = None) -> str:
    """Give the time in force, which must be there unless there is a default."""
    force = needed(params, "timeInForce") if default is None else params.get("timeInForce", default)
    if force not in {"GTC", "IOC", "FOK", "GTX"}:
        raise ApiError(Code.BAD_TIME_IN_FORCE)
    return force


def client_id_of(params: dict[str, str], name: str) -> str | None:
    """Give the client's own id, if there is one."""
    client_id = params.get(name)
    if client_id is not None and not _CLIENT_ID.match(client_id):
        raise ApiError(Code.BAD_CLIENT_ORDER_ID)
    return client_id


def needed(params: dict[str, str], name: str) -> str:
    """Give a parameter that must be there."""
    value = params.get(name, "")
    if not value:
        raise ApiError(Code.MANDATORY_PARAMETER, name=name)
    return value


def number(params: dict[str, str], name: str) -> Decimal:
    """Give a parameter that must be a plain decimal number."""
    text = needed(params, name)
    if not _NUMBER.match(text):
        raise ApiError(Code.ILLEGAL_CHARACTERS, name=name)
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ApiError(Code.ILLEGAL_CHARACTERS, name=name) from error


def flag(params: dict[str, str], name: str) -> bool:
    """Give a parameter that is true or false, false when missing."""
    text = params.get(name, "false").lower()
    if text not in {"true", "false"}:
        raise ApiError(Code.INVALID_PARAMETER, name=name)
    return text == "true"


def _over_precision(value: Decimal, decimals: int) -> bool:
    exponent = value.normalize().as_tuple().exponent
    return isinstance(exponent, int) and -exponent > decimals


def ticks_of(params: dict[str, str], spec: SymbolSpec, name: str = "price") -> int:
    """Give a price in ticks."""
    price = number(params, name)
    if price <= 0:
        raise ApiError(Code.PRICE_NOT_POSITIVE)
    if _over_precision(price, spec.price_precision):
        raise ApiError(Code.BAD_PRECISION)
    if price < spec.tick:
        raise ApiError(Code.PRICE_TOO_SMALL)
    if price % spec.tick:
        raise ApiError(Code.PRICE_OFF_TICK)
    return spec.ticks(price)


def steps_of(params: dict[str, str], spec: SymbolSpec) -> int:
    """Give the quantity in steps."""
    quantity = number(params, "quantity")
    if quantity <= 0:
        raise ApiError(Code.QUANTITY_NOT_POSITIVE)
    # Steps are powers of ten, so a quantity of the right precision lies on the step.
    if _over_precision(quantity, spec.quantity_decimals):
        raise ApiError(Code.BAD_PRECISION)
    steps = spec.steps(quantity)
    if steps > MAX_STEPS:
        raise ApiError(Code.QUANTITY_TOO_LARGE)
    return steps
