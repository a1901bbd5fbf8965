"""Asks for ids that were skipped, where the venue gives trades from an id on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from hydra_ft.errors import DataError
from hydra_ft.feeds.recorder_pair import OPEN
from hydra_ft.feeds.recorder_policy import Allowance
from hydra_ft.feeds.recorder_session import LOST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hydra_ft.feeds.normal import Contract, PublicTrade, Venue
    from hydra_ft.feeds.recorder_pair import PairRecorder
    from hydra_ft.feeds.recorder_policy import RecorderPolicy

_LOOK_EVERY_S: Final = 0.2
_AT_ONCE: Final = 1_000
_SIDE_BY_SIDE: Final = 4
_ATTEMPTS: Final = 3
_AGAIN_AFTER_S: Final = 0.5


class Refetcher:
    """Looks after the holes of all pairs, a few at a time, within its allowance."""

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
        self._most = policy.refetch_most
        self._allowance = Allowance(policy.refetch_per_minute, clock_s())

    async def run(self, stopping: asyncio.Event) -> None:
        """Fetch what is wanted until stopped."""
        while not stopping.is_set():
            await asyncio.sleep(_LOOK_EVERY_S)
            asked = [(pair, pair.wanted(self._clock_s())) for pair in self._pairs.values()]
            wanted = [(pair, *ids) for pair, ids in asked if ids is not None]
            for at in range(0, len(wanted), _SIDE_BY_SIDE):
                if stopping.is_set():
                    return
                part = wanted[at : at + _SIDE_BY_SIDE]
                await asyncio.gather(*(self._fetch(*one) for one in part))

    async def _fetch(self, pair: PairRecorder, first: int, last: int) -> None:
        found: list[PublicTrade] = []
        at, until_s = first, self._clock_s() + pair.policy.refetch_within_s
        is_answered = True
        while at <= last and len(found) <= self._most:
            answer = await self._part(pair.pair, at, until_s)
            is_answered = answer is not None
            part = [trade for trade in answer or () if trade.first_id >= at]
            if not part:
                break
            found += part
            at = part[-1].last_id + 1
        if last != OPEN:
            within = [trade for trade in found if trade.last_id <= last]
            pair.fetched(within, last, self._clock_s())
        elif is_answered:
            pair.caught_up(found if len(found) <= self._most else None)

    async def _part(self, pair: str, at: int, until_s: float) -> list[PublicTrade] | None:
        """Give some trades from an id on; None where they cannot be had in time."""
        failures = 0
        while self._venue.refetch is not None and failures < _ATTEMPTS:
            now_s = self._clock_s()
            if now_s > until_s:
                break
            if not self._allowance.take(now_s):
                await asyncio.sleep(_LOOK_EVERY_S)
                continue
            self.calls += 1
            try:
                answer = await self._rest.fetch_trades(
                    pair, None, _AT_ONCE, self._venue.refetch(at)
                )
                return [self._venue.trade(one["info"], self._contracts[pair]) for one in answer]
            except (DataError, *LOST):
                failures += 1
                self.failures += 1
                await asyncio.sleep(_AGAIN_AFTER_S)
        return None
