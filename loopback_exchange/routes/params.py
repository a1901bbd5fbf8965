"""Parameters of a request, checked as Binance checks them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from loopback_exchange.errors import ApiError, Code

if TYPE_CHECKING:
    from loopback_exchange.market.specs import SymbolSpec

Params = dict[str, str]
_LONGEST_MS = 2**45


def text(amount: Decimal | float) -> str:
    """Write a number as the exchange does: plain decimals, at most eight of them."""
    return f"{Decimal(repr(amount)) if isinstance(amount, float) else amount:f}"


def eight(amount: Decimal | float) -> str:
    """Write an amount with exactly eight decimals."""
    return f"{amount:.8f}"


def integer(params: Params, name: str, default: int | None = None) -> int:
    """Give a whole number of zero or more; without a default it must be there."""
    value = params.get(name, "")
    if not value:
        if default is None:
            raise ApiError(Code.MANDATORY_PARAMETER, name=name)
        return default
    if not value.isascii() or not value.isdigit():
        raise ApiError(Code.ILLEGAL_CHARACTERS, name=name)
    if int(value) > _LONGEST_MS:
        raise ApiError(Code.INVALID_PARAMETER, name=name)
    return int(value)


def limit_of(params: Params, default: int, most: int) -> int:
    """Give the number of rows that is asked for, between 1 and ``most``."""
    limit = integer(params, "limit", default)
    if not 1 <= limit <= most:
        raise ApiError(Code.INVALID_PARAMETER, name="limit")
    return limit


def window(params: Params, at: int) -> tuple[int, int]:
    """Give start (0 if absent) and the end exclusive (now if absent), in ms."""
    return integer(params, "startTime", 0), integer(params, "endTime", at) + 1


def number(value: Decimal | float, spec: SymbolSpec) -> str:
    """Write a price that need not lie on the tick, with two decimals more than the tick."""
    return f"{value:.{spec.price_decimals + 2}f}"
