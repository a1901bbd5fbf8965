"""The pairs of a recorder: who is recorded, who joins, and who leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hydra_ft.errors import FeedError
from hydra_ft.feeds.aside import aside
from hydra_ft.feeds.recorder_markets import bins_of, contract_of, grid_of, markets_of, prices_of
from hydra_ft.feeds.recorder_pair import PairRecorder

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from hydra_ft.feeds.normal import Contract, Venue
    from hydra_ft.feeds.recorder_policy import RecorderPolicy
    from hydra_ft.feeds.sink import Sink


class Roster:
    """Pairs that are recorded, by name; ``trades`` is empty where no trades are wanted.

    ``contracts`` knows those that have left, too: what was asked for them may still come.
    ``left_out`` says why pairs are not recorded that were asked for, one by one. Ids are waited
    for as long as fetching takes for the most pairs there have been.
    """

    def __init__(
        self, venue: Venue, rest: Any, sink: Sink, policy: RecorderPolicy, *, with_trades: bool
    ) -> None:
        self.names: tuple[str, ...] = ()
        self.left_out: tuple[str, ...] = ()
        self.contracts: dict[str, Contract] = {}
        self.trades: dict[str, PairRecorder] = {}
        self.leaving: list[PairRecorder] = []
        self._venue, self._rest, self._sink, self._policy = venue, rest, sink, policy
        self._with_trades, self._most = with_trades, 0

    async def follow(self, names: Sequence[str]) -> bool:
        """Make these the pairs; whether that changes anything.

        Raises what ccxt raises, StoreError where the sink cannot say where one was left: nothing
        has changed then. FeedError where none of them can be recorded.
        """
        if any(name not in self._rest.markets for name in names):
            await self._rest.load_markets(True)
        markets, left_out = markets_of(self._rest, names, with_grid=self._with_trades)
        fresh = {name: market for name, market in markets.items() if name not in self.names}
        trades: dict[str, PairRecorder] = {}
        if self._with_trades:
            prices = await prices_of(self._rest, list(fresh))
            for name, market in fresh.items():
                trades[name] = await self._made(name, market, prices.get(name))
        has_changed = bool(fresh) or len(markets) != len(self.names)
        self.contracts.update({name: contract_of(market) for name, market in fresh.items()})
        self._let_go(markets)
        self.trades.update(trades)
        self._most = max(self._most, len(markets))
        policy = self._policy.for_pairs(self._most)
        for pair in self.trades.values():
            pair.policy = policy
        self.names, self.left_out = tuple(markets), left_out
        return has_changed

    async def _made(self, name: str, market: Any, price: float | None) -> PairRecorder:
        left = await aside(self._sink.resume, self._venue.name, name)
        bins = bins_of(market, price, left.bin_size if left else 0.0)
        grid = grid_of(market, self._policy.bin_ticks.get(name, bins))
        return PairRecorder(self._venue, name, grid, self._policy, left)

    def _let_go(self, kept: Collection[str]) -> None:
        for name in [name for name in self.trades if name not in kept]:
            self.leaving.append(self.trades.pop(name))

    def take_leaving(self) -> list[PairRecorder]:
        """Take out those that have left, whose last bars are still to be handed over."""
        left, self.leaving = self.leaving, []
        return left


def refuse_pairs(names: Sequence[str], most: int) -> tuple[str, ...]:
    """Names without repeats; raises FeedError for none, or more than a subscription holds."""
    some = tuple(dict.fromkeys(names))
    if not 0 < len(some) <= most:
        raise FeedError(f"pairs: expected 1 to {most} of them, was {len(some)}")
    return some
