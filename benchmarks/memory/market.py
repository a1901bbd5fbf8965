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

    from hydra_ft.types import FloatArray as Floats
    from hydra_ft.types import IntArray as Ints

ORIGINALS = 8


def names_of(count: int) -> list[str]:
    """Symbols; what is not known to the embedded exchange is made up from its name."""
    return [f"H{number:03d}USDT" for number in range(count)]


class EchoMarket(Market):
    """The first eight symbols are generated, the others are copies under their own names."""

    def __init__(self, count: int) -> None:
        names = names_of(count)
        super().__init__(seed=7, symbols=names)
        self._marks: dict[tuple[str, int, int, int, int], tuple[Ints, Floats]] = {}
        self._original = {name: names[index % ORIGINALS] for index, name in enumerate(names)}
        for name, original in self._original.items():
            self._specs[name] = replace(self._specs[original], symbol=name)

    def mark_candles(
        self, symbol: str, interval_ms: int, start_ms: int, end_ms: int, now_ms: int
    ) -> tuple[Ints, Floats]:
        """Give what was given before: an answer about funding asks for a thousand of them."""
        asked = (self._original[symbol], interval_ms, start_ms, end_ms, now_ms)
        if asked not in self._marks:
            self._marks[asked] = super().mark_candles(
                self._original[symbol], interval_ms, start_ms, end_ms, now_ms
            )
        return self._marks[asked]

    def funding(self, symbol: str, start_ms: int, stop_ms: int) -> tuple[Ints, Floats]:
        """Settle at the rates of the original."""
        return super().funding(self._original[symbol], start_ms, stop_ms)

    def _rows(self, symbol: str, first: int, stop: int) -> np.ndarray:
        return super()._rows(self._original[symbol], first, stop)

    def _hours(self, symbol: str, first: int, stop: int) -> np.ndarray:
        return super()._hours(self._original[symbol], first, stop)

    def _minute_of_trade(self, symbol: str, trade_id: int) -> int:
        return super()._minute_of_trade(self._original[symbol], trade_id)
