"""Asks now and then in which steps a venue trades, and hands those on that have changed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from hydra_ft.errors import FeedError, HydraError
from hydra_ft.feeds.recorder_markets import bins_of, contract_of, grid_of, market_of
from hydra_ft.feeds.recorder_session import LOST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping

    from hydra_ft.feeds.normal import Contract
    from hydra_ft.feeds.recorder_pair import PairRecorder
    from hydra_ft.feeds.recorder_policy import RecorderPolicy

_LOOK_EVERY_S: Final = 0.5
_ODD_ANSWERS: Final = (HydraError, LookupError, TypeError, ValueError)
"""What ccxt and the reading of markets raise on an answer that is not as they expect it."""
_AGAIN_S, _LATEST_S = 15.0, 3_600.0
"""Pause before trades that fit no step make it ask again; it doubles up to the second number
while the answer stays the same."""


class StepWatch:
    """Keeps the grids of pairs those of the venue, for as long as they are recorded.

    It asks as often as connections are replaced, and at once when a trade has come that does not
    lie on the grid of its pair. Where the venue names no other one, and the trades lie on the
    grid of before, that one is taken again: orders from before a change keep their prices.
    """

    def __init__(
        self,
        pairs: Mapping[str, PairRecorder],
        contracts: MutableMapping[str, Contract],
        rest: Any,
        policy: RecorderPolicy,
        clock_s: Callable[[], float],
    ) -> None:
        self.failures = 0
        self._pairs, self._contracts, self._rest = pairs, contracts, rest
        self._policy, self._clock_s = policy, clock_s
        self._odd = 0
        self._pause_s, self._again_s = _AGAIN_S, 0.0
        self._due_s = clock_s() + policy.refresh_every_s

    async def run(self, stopping: asyncio.Event) -> None:
        """Look after the steps until stopped."""
        while not stopping.is_set():
            await asyncio.sleep(_LOOK_EVERY_S)
            now_s, odd = self._clock_s(), sum(pair.off_grid for pair in self._pairs.values())
            self._odd = min(self._odd, odd)  # a pair that left took its trades with it
            is_odd = odd > self._odd and now_s >= self._again_s
            if is_odd or now_s >= self._due_s:
                self._odd = odd
                await self._look(now_s)

    async def _look(self, now_s: float) -> None:
        try:
            await self._rest.load_markets(True)
        except (*LOST, *_ODD_ANSWERS):
            self.failures += 1
            self._again_s = self._due_s = now_s + _AGAIN_S
            return
        self._due_s = now_s + self._policy.refresh_every_s
        has_changed = [self._take(one) for one in self._pairs.values()]
        self._pause_s = _AGAIN_S if any(has_changed) else min(2 * self._pause_s, _LATEST_S)
        self._again_s = now_s + self._pause_s

    def _take(self, pair: PairRecorder) -> bool:
        """Whether a pair has other steps from its next bar on."""
        try:
            market = market_of(self._rest, pair.pair)
            size = pair.grid.bin_ticks * pair.grid.tick_size
            bins = self._policy.bin_ticks.get(pair.pair, bins_of(market, None, size))
            named, contract = grid_of(market, bins), contract_of(market)
        except FeedError:  # no longer listed: what still comes lies on the grid that is known
            return False
        except _ODD_ANSWERS:
            self.failures += 1
            return False
        if not pair.regrid(named):
            return False
        self._contracts[pair.pair] = contract
        return True
