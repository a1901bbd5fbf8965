"""The generated market: any moment of it can be read without simulating from the beginning."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from loopback_exchange.clock import DAY_MS, HOUR_MS, MINUTE_MS
from loopback_exchange.market.block import (
    DAY,
    MINUTE,
    TRADES_A_DAY,
    CommonDay,
    common_day,
    day_block,
    premium,
)
from loopback_exchange.market.candles import sum_rows
from loopback_exchange.market.source import MarketSource
from loopback_exchange.market.specs import DEFAULT_SYMBOLS, spec_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loopback_exchange.market.noise import Floats, Ints

LISTED_MS = 1_567_900_800_000
"""2019-09-08: nothing traded before."""
_END_MINUTE = 2**31
_FUNDING_MINUTES = 480
_SAMPLE_MINUTES = 10


class Market(MarketSource):
    """A generated market.

    Parameters
    ----------
    seed : int
        The same seed gives the same market for ever.
    symbols : sequence of str, optional
        The eight default symbols, or any names that ``spec_of`` takes, such as ``symbols(50)``.
    epoch_shift_s : int
        Real time t shows the market of t + shift; a whole number of minutes.
    """

    def __init__(
        self, seed: int = 7, symbols: Sequence[str] | None = None, epoch_shift_s: int = 0
    ) -> None:
        if epoch_shift_s % 60:
            raise ValueError(
                f"epoch_shift_s is a whole number of minutes; it was {epoch_shift_s}. "
                "Round it to a multiple of 60."
            )
        names = DEFAULT_SYMBOLS if symbols is None else symbols
        super().__init__({name: spec_of(name) for name in names})
        self.seed = seed
        self._shift = epoch_shift_s // 60
        self._common = lru_cache(maxsize=200)(self._compute_common)
        self._block = lru_cache(maxsize=500)(self._compute_block)
        self._day_hours = lru_cache(maxsize=12_000)(self._compute_hours)

    def span(self, symbol: str) -> tuple[int, int]:  # noqa: ARG002  all were listed at once
        """Everything from the listing on."""
        return LISTED_MS // MINUTE_MS, _END_MINUTE

    def _compute_common(self, day: int) -> CommonDay:
        return common_day(self.seed, day)

    def _compute_block(self, symbol: str, day: int) -> np.ndarray:
        return day_block(self.seed, self.spec(symbol), day, self._common(day))

    def _compute_hours(self, symbol: str, day: int) -> np.ndarray:
        return sum_rows(self._block(symbol, day), np.arange(DAY) // 60)

    def _rows(self, symbol: str, first: int, stop: int) -> np.ndarray:
        first, stop = first + self._shift, stop + self._shift
        days = range(first // DAY, (stop - 1) // DAY + 1)
        if len(days) == 1:
            return self._block(symbol, days[0])[first - days[0] * DAY : stop - days[0] * DAY]
        whole = np.concatenate([self._block(symbol, day) for day in days])
        return whole[first - days[0] * DAY : stop - days[0] * DAY]

    def _hours(self, symbol: str, first: int, stop: int) -> np.ndarray:
        if self._shift % 60:
            return super()._hours(symbol, first, stop)
        first, stop = first + self._shift // 60, stop + self._shift // 60
        days = range(first // 24, (stop - 1) // 24 + 1)
        whole = np.concatenate([self._day_hours(symbol, day) for day in days])
        return whole[first - days[0] * 24 : stop - days[0] * 24]

    def _minute_of_trade(self, symbol: str, trade_id: int) -> int:
        day = trade_id // TRADES_A_DAY
        if not 0 <= day - self._shift // DAY < _END_MINUTE // DAY:
            return _END_MINUTE
        ids = self._block(symbol, day)["first_id"]
        within = int(np.searchsorted(ids, trade_id, side="right")) - 1
        return day * DAY + within - self._shift

    def funding(self, symbol: str, start_ms: int, stop_ms: int) -> tuple[Ints, Floats]:
        """Settle every eight hours at the mean premium of the eight hours before."""
        first = max(-(-start_ms // (8 * HOUR_MS)), LISTED_MS // (8 * HOUR_MS) + 1)
        times = np.arange(first, max(first, -(-stop_ms // (8 * HOUR_MS)))) * 8 * HOUR_MS
        if not len(times):
            return times, np.zeros(0)
        return times, self._mean_premium(symbol, int(times[0]) // MINUTE_MS, len(times))

    def funding_now(self, symbol: str, now_ms: int) -> tuple[float, int]:
        """Give the mean premium of the last eight hours and the next settlement."""
        rate = float(self._mean_premium(symbol, now_ms // MINUTE_MS, 1)[0])
        return rate, (now_ms // (8 * HOUR_MS) + 1) * 8 * HOUR_MS

    def _mean_premium(self, symbol: str, minute: int, count: int) -> Floats:
        """Give the mean premium of ``count`` spans of eight hours, the first ending at a minute.

        The premium bends no oftener than every few hours, so every tenth minute is enough.
        """
        begin = minute + self._shift - _FUNDING_MINUTES
        at = np.arange(begin, begin + count * _FUNDING_MINUTES, _SAMPLE_MINUTES)
        level = premium(self.seed, self.spec(symbol), at).reshape(count, -1)
        rounded: Floats = np.round(level.mean(axis=1), 8)
        return rounded

    def days_of(self, symbol: str, start_ms: int, days: int) -> np.ndarray:
        """Give whole market days (``MINUTE`` rows) from the day of ``start_ms`` on, unshifted."""
        first = start_ms // DAY_MS
        blocks = [self._block(symbol, first + day) for day in range(days)]
        return np.concatenate(blocks) if blocks else np.zeros(0, dtype=MINUTE)
