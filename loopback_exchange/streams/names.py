"""Names of streams, as in ``btcusdt@aggTrade`` and ``!forceOrder@arr``."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from loopback_exchange.errors import LoopbackError

if TYPE_CHECKING:
    from collections.abc import Collection

AGG_TRADE, TRADE, TOUCH, FORCED = "aggTrade", "trade", "bookTicker", "forceOrder"
EVERY_TOUCH, EVERY_FORCED = "!bookTicker", "!forceOrder@arr"
DEPTHS = {"depth@100ms": 100, "depth": 250, "depth@250ms": 250, "depth@500ms": 500}
KINDS = (AGG_TRADE, TRADE, TOUCH, FORCED, *DEPTHS)


class UnknownStream(LoopbackError):  # noqa: N818
    """A stream that this exchange does not have; the message names those it has."""


class Stream(NamedTuple):
    """One stream: a kind, and the symbol, which is empty for those of all symbols."""

    symbol: str
    kind: str

    @property
    def name(self) -> str:
        """Name as it is subscribed to."""
        return f"{self.symbol.lower()}@{self.kind}" if self.symbol else self.kind


def stream_of(name: str, symbols: Collection[str]) -> Stream:
    """Read the name of a stream.

    The real exchange takes any name and then says nothing; here it is refused, so that a
    mistake is seen at once.

    Raises
    ------
    UnknownStream
        When the kind or the symbol is unknown.
    """
    if name in {EVERY_TOUCH, EVERY_FORCED}:
        return Stream("", name)
    symbol, _, kind = name.partition("@")
    if symbol != symbol.lower() or symbol.upper() not in symbols or kind not in KINDS:
        raise UnknownStream(
            f"Expected a lower-case symbol and one of {', '.join(KINDS)}, as in "
            f"btcusdt@aggTrade, or {EVERY_FORCED}; it was {name!r}."
        )
    return Stream(symbol.upper(), kind)
