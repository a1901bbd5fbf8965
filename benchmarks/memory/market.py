"""A market of as many pairs as are wanted, in which each moves as one of eight does.

The generated market computes every symbol for itself, half a year of minutes for candles of 4h: at
hundreds of them a bot would wait for the exchange. What a bot holds is the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from loopback_exchange import Market

if TYPE_CHECKING:
    import numpy as np

ORIGINALS = 8


def names_of(count: int) -> list[str]:
    """Symbols; what is not known to the embedded exchange is made up from its name."""
    return [f"H{number:03d}USDT" for number in range(count)]


class EchoMarket(Market):
    """The first eight symbols are generated, the others are copies under their own names."""

    def __init__(self, count: int) -> None:
        names = names_of(count)
        super().__init__(seed=7, symbols=names)
        self._original = {name: names[index % ORIGINALS] for index, name in enumerate(names)}
        for name, original in self._original.items():
            self._specs[name] = replace(self._specs[original], symbol=name)

    def _rows(self, symbol: str, first: int, stop: int) -> np.ndarray:
        return super()._rows(self._original[symbol], first, stop)

    def _hours(self, symbol: str, first: int, stop: int) -> np.ndarray:
        return super()._hours(self._original[symbol], first, stop)

    def _minute_of_trade(self, symbol: str, trade_id: int) -> int:
        return super()._minute_of_trade(self._original[symbol], trade_id)
