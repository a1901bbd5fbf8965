"""Holes of many pairs, fetched through a limiter that lets one call after another through."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from feeds import payloads
from waiting import await_until

from hydra_ft.feeds.binance import BINANCE
from hydra_ft.feeds.normal import Contract
from hydra_ft.feeds.recorder_pair import PairRecorder
from hydra_ft.feeds.recorder_policy import RecorderPolicy
from hydra_ft.feeds.recorder_refetch import Refetcher
from hydra_ft.types.flow import TradeGrid

T0 = payloads.BINANCE_AGG_TRADE["T"]
MANY = [f"S{number:02d}/USDT:USDT" for number in range(60)]
GRID = TradeGrid(0.1, 0.001)


def aggregate(number: int) -> dict[str, Any]:
    return {**payloads.BINANCE_AGG_TRADE, "a": number, "T": T0 + number}


class Limited:
    """Tells so many trades from an id on, one call a second of its own clock."""

    def __init__(self, at_once: int) -> None:
        self.now_s, self.at_once = 2.0, at_once

    def clock_s(self) -> float:
        """Tell the time."""
        return self.now_s

    async def fetch_trades(
        self, _pair: str, _since: None, _most: int, params: dict[str, Any]
    ) -> list[dict[str, Any]]:
        self.now_s += 1.0
        await asyncio.sleep(0)
        first = int(params["fromId"])
        return [{"info": aggregate(number)} for number in range(first, first + self.at_once)]


def test_holes_of_sixty_pairs_are_all_fetched_though_that_takes_longer() -> None:
    policy = RecorderPolicy(refetch_after_s=2.0).for_pairs(len(MANY))
    pairs = {pair: PairRecorder(BINANCE, pair, GRID, policy) for pair in MANY}

    async def run() -> None:
        for number, pair in enumerate(pairs.values()):
            seen = [BINANCE.trade(aggregate(at), Contract()) for at in (1, 10)]
            pair.begin(T0)
            pair.take(seen, 0.0 if number < 40 else 1.0)  # the others wait until 40 calls are made
        rest, contracts = Limited(9), dict.fromkeys(MANY, Contract())
        refetcher = Refetcher(BINANCE, pairs, contracts, rest, policy, rest.clock_s)
        running = asyncio.ensure_future(refetcher.run(stopping := asyncio.Event()))
        await await_until(lambda: not any(pair.counts().held for pair in pairs.values()))
        stopping.set()
        await running

    asyncio.run(run())
    counts = [pair.counts() for pair in pairs.values()]
    assert {(one.counted, one.refetched, one.missing) for one in counts} == {(10, 8, 0)}


@pytest.mark.parametrize(("within_s", "pairs", "refetched"), [(30.0, 60, 39), (10.0, 20, 11)])
def test_one_hole_is_fetched_for_as_long_as_its_policy_says(
    within_s: float, pairs: int, refetched: int
) -> None:
    """It takes 39 calls of a second: sixty pairs are given 90 s, twenty what is set."""
    policy = RecorderPolicy(refetch_within_s=within_s).for_pairs(pairs)
    pair = PairRecorder(BINANCE, MANY[0], GRID, policy)

    async def run() -> None:
        pair.begin(T0)
        pair.take([BINANCE.trade(aggregate(at), Contract()) for at in (1, 41)], 0.0)
        rest, mine = Limited(1), {pair.pair: pair}
        refetcher = Refetcher(BINANCE, mine, {pair.pair: Contract()}, rest, policy, rest.clock_s)
        running = asyncio.ensure_future(refetcher.run(stopping := asyncio.Event()))
        await await_until(lambda: not pair.counts().held)
        stopping.set()
        await running

    asyncio.run(run())
    counts = pair.counts()
    assert (counts.refetched, counts.missing) == (refetched, 39 - refetched)


def test_few_pairs_are_given_the_time_that_is_set() -> None:
    policy = RecorderPolicy()
    assert policy.for_pairs(20) == policy
    assert policy.for_pairs(200).refetch_within_s == 300.0
