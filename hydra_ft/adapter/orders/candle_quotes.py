"""Quotes of a backtest, modelled from the candles of each pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ccxt
from ccxt import TICK_SIZE

from hydra_ft.execution.candle_quote import CandleRanges, candle_quote, candle_ranges
from hydra_ft.execution.pricing import is_buy

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra_ft.types import Bars, ParentOrder, Quote


class CandleQuotes:
    """Ranges and tick sizes of the pairs that are tested."""

    def __init__(self, exchange: str, market: Callable[[str], Any]) -> None:
        self._exchange = exchange
        self._market = market
        self._ranges: dict[str, CandleRanges] = {}
        self._ticks: dict[str, float] = {}

    def note(self, pair: str, bars: Bars) -> None:
        """Note the ranges of a pair's candles."""
        self._ranges[pair] = candle_ranges(bars)

    def quote(self, parent: ParentOrder, open_price: float, now: int) -> Quote:
        """Quote at the open of a candle, for the side that the parent trades."""
        ranges, tick = self._ranges[parent.pair], self._tick_size(parent.pair)
        return candle_quote(open_price, ranges, tick, now, buys=is_buy(parent))

    def bar(self, pair: str, at: int) -> int:
        """Number of the candle (not the detail candle) that a time lies in."""
        return at // self._ranges[pair].step_ms

    def _tick_size(self, pair: str) -> float:
        """Smallest price step of a pair, read from the market once."""
        if pair not in self._ticks:
            value = self._market(pair)["precision"]["price"]
            mode = getattr(ccxt, self._exchange)().precisionMode
            self._ticks[pair] = float(value) if mode == TICK_SIZE else float(10 ** -int(value))
        return self._ticks[pair]
