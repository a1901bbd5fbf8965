"""The bounded wait for the trades of the candle that has just closed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from hydra_ft.adapter.recorded.minutes import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hydra_ft.store.flow import FlowStore

EVERY_S: Final = 0.1
"""Time between two looks."""
STANDING_MS: Final = 5 * MINUTE_MS
"""A pair of which nothing newer than this is kept is not waited for: nobody records it."""


class FlowWait:
    """Waits until the last minute of a candle is kept of all pairs, once a candle.

    A recorder closes a minute when trades that are late have had their time, about three
    seconds after it is over. ``step_ms`` is the length of a candle.
    """

    def __init__(
        self,
        store: FlowStore,
        step_ms: int,
        wait_s: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store, self._step_ms = store, step_ms
        self._looks = round(wait_s / EVERY_S)
        self._sleep = sleep
        self._waited_for = 0

    def wait(self, pairs: Sequence[str], now: int) -> list[str]:
        """Return the pairs of which the candle before ``now`` (UTC ms) is not there yet."""
        close = now // self._step_ms * self._step_ms
        if close == self._waited_for:
            return []
        self._waited_for = close
        absent = self._absent(pairs, close - MINUTE_MS, close)
        silent = set(self._absent(absent, close - STANDING_MS, close))
        awaited = [pair for pair in absent if pair not in silent]
        for _ in range(self._looks):
            if not awaited:
                break
            self._sleep(EVERY_S)
            awaited = self._absent(awaited, close - MINUTE_MS, close)
        return sorted({*awaited, *silent})

    def _absent(self, pairs: Sequence[str], start: int, stop: int) -> list[str]:
        return [pair for pair in pairs if not self._has(pair, start, stop)]

    def _has(self, pair: str, start: int, stop: int) -> bool:
        market = self._store.markets.find(pair)
        return market is not None and self._store.has_bar(market, MINUTE_MS, start, stop)
