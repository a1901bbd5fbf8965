"""Asks for ids that were skipped, where the venue gives trades from an id on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from hydra_ft.errors import DataError
from hydra_ft.feeds.recorder_policy import Allowance
from hydra_ft.feeds.recorder_session import LOST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hydra_ft.feeds.normal import Contract, PublicTrade, Venue
    from hydra_ft.feeds.recorder_pair import PairRecorder
    from hydra_ft.feeds.recorder_policy import RecorderPolicy

_LOOK_EVERY_S: Final = 0.2
_AT_ONCE: Final = 1_000
_ATTEMPTS: Final = 3
_AGAIN_AFTER_S: Final = 0.5


class Refetcher:
    """Looks after the holes of all pairs, one call at a time, within its allowance."""

    def __init__(
        self,
        venue: Venue,
        pairs: Mapping[str, PairRecorder],
        contracts: Mapping[str, Contract],
        rest: Any,
        policy: RecorderPolicy,
        clock_s: Callable[[], float],
    ) -> None:
        self.calls = self.failures = 0
        self._venue, self._pairs, self._contracts = venue, pairs, contracts
        self._rest, self._clock_s = rest, clock_s
        self._allowance = Allowance(policy.refetch_per_minute, clock_s())

    async def run(self, stopping: asyncio.Event) -> None:
        """Fetch what is wanted until stopped."""
        while not stopping.is_set():
            await asyncio.sleep(_LOOK_EVERY_S)
            for pair in self._pairs.values():
                wanted = pair.wanted(self._clock_s())
                if wanted is not None and not stopping.is_set():
                    await self._fetch(pair, *wanted)

    async def _fetch(self, pair: PairRecorder, first: int, last: int) -> None:
        found: list[PublicTrade] = []
        at = first
        while at <= last:
            part = [trade for trade in await self._part(pair.pair, at) if trade.first_id >= at]
            if not part:
                break
            found += part
            at = part[-1].last_id + 1
        within = [trade for trade in found if trade.last_id <= last]
        pair.fetched(within, last, self._clock_s())

    async def _part(self, pair: str, at: int) -> list[PublicTrade]:
        """Give some trades from an id on; none where they cannot be had now."""
        if self._venue.refetch is None:
            return []
        for _ in range(_ATTEMPTS):
            if not self._allowance.take(self._clock_s()):
                return []
            self.calls += 1
            try:
                answer = await self._rest.fetch_trades(
                    pair, None, _AT_ONCE, self._venue.refetch(at)
                )
                return [self._venue.trade(one["info"], self._contracts[pair]) for one in answer]
            except (DataError, *LOST):
                self.failures += 1
                await asyncio.sleep(_AGAIN_AFTER_S)
        return []
