"""When a recorder asks an exchange for its steps."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ccxt.base.errors import NetworkError
from feeds.one_pair import GRID, T0, pair, trade

from hydra_ft.feeds import recorder_steps
from hydra_ft.feeds.normal import Contract
from hydra_ft.feeds.recorder_policy import RecorderPolicy
from hydra_ft.feeds.recorder_steps import StepWatch

if TYPE_CHECKING:
    import pytest

    from hydra_ft.feeds.recorder_pair import PairRecorder


class Venue:
    """What is asked of a client; a stand-in, since no real one changes its steps when told to."""

    id = "binance"

    def __init__(self) -> None:
        self.tick, self.asked, self.fails = 0.1, 0, False
        self.is_odd = False

    async def load_markets(self, reload: bool) -> None:
        assert reload
        self.asked += 1
        if self.fails:
            raise NetworkError("away")
        if self.is_odd:
            raise KeyError("filters")

    def market(self, _pair: str) -> dict[str, Any]:
        return {"precision": {"price": self.tick, "amount": GRID.lot_size}}


def test_it_asks_at_once_then_more_and_more_seldom_and_again_with_each_refresh(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recorder_steps, "_LOOK_EVERY_S", 0.0)
    venue, one, now = Venue(), pair(), [0.0]
    one.begin(T0)
    policy = RecorderPolicy(refresh_every_s=40_000)
    watch = StepWatch({"X": one}, {"X": Contract()}, venue, policy, lambda: now[0])
    asked_at: list[float] = []

    async def run() -> None:
        stopping = asyncio.Event()
        running = asyncio.ensure_future(watch.run(stopping))
        for second in range(0, 52_000, 5):
            now[0], before = float(second), venue.asked
            if second < 10_000:  # a price that no step of the exchange explains
                one.take([trade(second // 5 + 1, 100)._replace(price=100.05)], now[0])
            for _ in range(3):
                await asyncio.sleep(0)
            asked_at.extend([second] * (venue.asked - before))
        stopping.set()
        await running

    asyncio.run(run())
    assert asked_at == [0, 30, 90, 210, 450, 930, 1890, 3810, 7410, 11_010, 51_010]


def watched() -> tuple[Venue, PairRecorder, StepWatch]:
    """A pair of a venue whose steps are watched; the clock stands."""
    venue, one = Venue(), pair()
    one.begin(T0)
    watch = StepWatch({"X": one}, {"X": Contract()}, venue, RecorderPolicy(), lambda: 0.0)
    return venue, one, watch


def test_what_it_is_told_counts_and_a_venue_that_is_away_is_asked_again() -> None:
    async def run() -> None:
        venue, one, watch = watched()
        venue.fails = True
        await watch._look(0.0)
        assert (watch.failures, watch._due_s) == (1, 15.0)
        venue.fails, venue.tick = False, 0.05
        await watch._look(20.0)
        assert one.grid.tick_size == 0.05

    asyncio.run(run())


def test_an_answer_that_cannot_be_read_is_a_failure_and_asked_for_again() -> None:
    async def run() -> None:
        venue, one, watch = watched()
        venue.is_odd = True
        await watch._look(0.0)
        assert (watch.failures, watch._due_s) == (1, 15.0)
        venue.is_odd, venue.market = False, {}.__getitem__  # type: ignore[assignment, method-assign]
        await watch._look(15.0)
        assert watch.failures == 2
        assert one.grid == GRID

    asyncio.run(run())


def test_trades_off_the_grid_are_noticed_after_a_pair_that_had_more_has_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recorder_steps, "_LOOK_EVERY_S", 0.0)

    async def run() -> None:
        venue, now = Venue(), [0.0]
        pairs = {"A": pair(), "B": pair()}
        for one in pairs.values():
            one.begin(T0)
        for number in range(1, 4):
            pairs["A"].take([trade(number, 100)._replace(price=100.05)], 0.0)
        assert pairs["A"].off_grid == 3
        watch = StepWatch(pairs, {}, venue, RecorderPolicy(), lambda: now[0])
        stopping = asyncio.Event()
        running = asyncio.ensure_future(watch.run(stopping))
        await asyncio.sleep(0.01)
        del pairs["A"]
        await asyncio.sleep(0.01)
        assert venue.asked == 1
        now[0] = 1_000.0
        pairs["B"].take([trade(1, 100)._replace(price=100.05)], now[0])
        await asyncio.sleep(0.01)
        stopping.set()
        await running
        assert venue.asked == 2

    asyncio.run(run())
