"""Trades as columns, and the latest trade of a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loopback_exchange.market.bridge import Flags
    from loopback_exchange.market.noise import Ints


class Trades(NamedTuple):
    """Trades in time order; arrays of one length.

    Ids of generated and bridged trades have no gaps; those of recorded ones are as recorded.
    """

    id: Ints
    price: Ints  # ticks
    quantity: Ints  # steps
    is_buy: Flags  # the aggressor bought
    time_ms: Ints

    def part(self, begin: int, end: int) -> Trades:
        """Give the trades at positions [begin, end), as views."""
        return Trades._make(column[begin:end] for column in self)

    def before(self, moment_ms: int) -> int:
        """Give how many trades are earlier than a moment."""
        return int(np.searchsorted(self.time_ms, moment_ms, side="left"))

    def place_of(self, trade_id: int) -> int:
        """Give the position of an id, else of the first one above it, else the length."""
        for found in (self.id == trade_id, self.id > trade_id):
            if found.any():
                return int(found.argmax())
        return len(self.id)


_NONE = np.zeros(0, dtype=np.int64)
NO_TRADES = Trades(_NONE, _NONE, _NONE, _NONE.astype(np.bool_), _NONE)


def joined(parts: Sequence[Trades]) -> Trades:
    """Put trades that follow each other into one; a single part is not copied."""
    if len(parts) == 1:
        return parts[0]
    columns = zip(*(parts or [NO_TRADES]), strict=True)
    return Trades._make(np.concatenate(column) for column in columns)


class LastTrade(NamedTuple):
    """The latest trade at a moment; ``id`` names it for ever."""

    id: int
    price: int  # ticks
    is_buy: bool
    time_ms: int


def last_of(trades: Trades) -> LastTrade:
    """Give the last of some trades, of which there is at least one."""
    at = len(trades.id) - 1
    bought = bool(trades.is_buy[at])
    return LastTrade(int(trades.id[at]), int(trades.price[at]), bought, int(trades.time_ms[at]))
