"""Pairs that join and leave a recorder while it runs."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any

import pytest
from feeds import payloads
from feeds.one_pair import trade
from feeds.recording import PAIRS, QUICK, KeepingSink, account, record, recorder
from feeds.test_recorder_books import Rig
from feeds.test_recorder_readers import T0, Wall, client, heard
from waiting import await_until

from hydra_ft.errors import FeedError
from hydra_ft.feeds.binance import BINANCE
from hydra_ft.feeds.bybit import BYBIT
from hydra_ft.feeds.normal import Contract
from hydra_ft.feeds.recorder import MOST_PAIRS
from hydra_ft.feeds.recorder_events import LiquidationReader
from hydra_ft.feeds.recorder_feeds import TradeReader
from hydra_ft.feeds.recorder_pair import PairRecorder
from hydra_ft.feeds.recorder_policy import RecorderPolicy
from hydra_ft.feeds.recorder_roster import Roster
from hydra_ft.feeds.sink import GapReason
from hydra_ft.types import Feed
from hydra_ft.types.flow import TradeGrid

if TYPE_CHECKING:
    from loopback_exchange import Server

BTC, ETH, SOL = PAIRS


def test_of_liquidations_of_a_pair_that_joins_nothing_is_covered_before_its_line_stands() -> None:
    wall, contracts = Wall(), {BTC: Contract()}
    reader = LiquidationReader(BINANCE, contracts, wall)
    reader.connected(0.0)
    contracts[ETH] = Contract()
    reader.follow((BTC, ETH))
    one = client()
    for now_s in (1.0, 2.0, 3.0, 4.0):
        wall.now = T0 + round(1000 * now_s)
        reader.drain(heard(one), now_s)
        if now_s == 2.0:
            reader._asked = reader._pairs  # as subscribe does
            reader.renewed(now_s)
    spans = {c.pair: (c.start - T0, c.stop - T0) for c in reader.take_covered()}
    assert spans == {BTC: (0, 4_000), ETH: (2_000, 4_000)}
    reader.follow((ETH,))
    wall.now = T0 + 9_000
    reader.lost(9.0)
    reader.connected(9.0)
    assert [(gap.pair, gap.start - T0) for gap in reader.take_gaps()] == [(ETH, 4_000)]


def test_the_trades_of_a_pair_that_joins_begin_once_its_line_stands() -> None:
    """Else a venue without ids would prove quiet what nobody listened to."""
    policy, grid = RecorderPolicy(**QUICK), TradeGrid(0.5, 0.001)
    pairs = {BTC: PairRecorder(BYBIT, BTC, grid, policy)}
    contracts = dict.fromkeys(PAIRS, Contract())
    reader = TradeReader(BYBIT, pairs, contracts, policy, lambda: T0)
    reader.connected(0.0)

    def bring(now_s: float) -> None:
        told = {**payloads.BYBIT_TRADE["data"][0], "T": T0 + round(1000 * now_s), "i": f"{now_s}"}
        one = client()
        one.trades[BTC].append({"symbol": BTC, "info": told})
        reader.drain(one, now_s)

    bring(1.0)
    pairs[ETH] = PairRecorder(BYBIT, ETH, grid, policy)
    reader.follow((BTC, ETH))
    bring(2.0)
    assert (pairs[BTC].has_begun, pairs[ETH].has_begun) == (True, False)
    reader._asked = tuple(pairs)  # as subscribe does
    reader.renewed(2.5)
    bring(3.0)
    flow = pairs[ETH].close(T0 + 4_000, 4.0)
    assert flow is not None
    assert int(flow.sub_bars.time[0] + flow.bars.uncovered_ms[0]) == T0 + 3_000
    del pairs[ETH]
    reader.follow((BTC,))
    reader.renewed(4.0)
    bring(5.0)


def test_the_book_of_a_pair_that_leaves_is_covered_until_then_and_no_longer_awaited() -> None:
    rig = Rig(BTC, ETH, SOL)
    rig.reader.follow((BTC, ETH))
    rig.connected()
    rig.look(BTC, ETH, times=3)
    rig.reader.follow((BTC, SOL))
    rig.look(BTC, ETH, SOL, times=2)
    assert rig.covered(ETH) == [(1.0, 3.0)]
    rig.look(BTC, SOL, times=20)
    assert rig.covered(SOL) == [(5.0, 25.0)]
    assert not rig.reader.counts.wants_anew


@pytest.mark.ci
def test_a_pair_that_joins_is_recorded_and_the_streams_of_the_others_go_on(
    server: Server,
) -> None:
    sink = KeepingSink()

    def has(pair: str, count: int) -> bool:
        return sum(name == pair for name, _ in sink.sub_bars) >= count

    def stood() -> bool:
        sampled = {sample.pair for batch in sink.batches for sample in batch.books}
        covered = {(one.feed, one.pair) for batch in sink.batches for one in batch.covered}
        return sampled == set(PAIRS) and (Feed.LIQUIDATIONS, SOL) in covered

    async def run() -> None:
        one = recorder(server.url, (BTC, ETH), sink)
        running = asyncio.ensure_future(record(one, lambda: has(SOL, 12) and stood()))
        await await_until(lambda: has(BTC, 6))
        assert await one.follow((SOL, ETH, "GONE/USDT:USDT"))
        await running
        health = one.health()
        assert [pair.pair for pair in health.pairs] == [ETH, SOL]
        assert "GONE" in health.left_out[0]
        assert [(feed.losses, feed.refreshes) for feed in health.feeds] == [(0, 1)] * 3

    asyncio.run(run())
    for pair in PAIRS:
        whole, missing = account(server, sink, pair)
        assert whole >= 2
        assert missing == 0
    assert not [gap for gap in sink.gaps.values() if gap.reason is not GapReason.IDS]
    spans = [c for batch in sink.batches for c in batch.covered if c.feed is Feed.LIQUIDATIONS]
    kept = sorted((c.start, c.stop) for c in spans if c.pair == ETH)
    assert all(a[1] == b[0] for a, b in itertools.pairwise(kept))
    assert min(c.start for c in spans if c.pair == SOL) > kept[0][0]


class Listed:
    """What a roster uses of a client; a stand-in, since no venue here lists so many pairs."""

    id = "stand-in"

    def __init__(self, names: list[str]) -> None:
        steps = {"price": 0.1, "amount": 0.001}
        self.markets = {name: {"symbol": name, "precision": steps} for name in names}
        self.market = self.markets.__getitem__

    async def fetch_tickers(self, _pairs: list[str]) -> dict[str, Any]:
        return {}


def test_ids_are_waited_for_as_long_as_the_pairs_that_joined_need() -> None:
    """One call a second: 60 pairs are not fetched for in the half minute that few are given."""
    many = [f"S{number:02d}/USDT:USDT" for number in range(60)]
    roster = Roster(
        BINANCE, Listed(many), KeepingSink(), RecorderPolicy(refetch_after_s=2.0), with_trades=True
    )

    def waits() -> list[int]:
        """Seconds for which each pair waits for ids that were skipped."""
        found = []
        for pair in roster.trades.values():
            one = PairRecorder(BINANCE, pair.pair, pair.grid, pair.policy)
            one.begin(T0)
            one.take([trade(1, 0), trade(9, 1)], 0.0)
            found.append(next(s for s in range(2, 500) if one.wanted(s) is None) - 3)
        return found

    asyncio.run(roster.follow(many[:1]))
    assert waits() == [30]
    asyncio.run(roster.follow(many))
    assert waits() == [90] * 60
    # Who waits has been given that time: it is not taken back.
    asyncio.run(roster.follow(many[:5]))
    assert waits() == [90] * 5


def test_before_it_records_and_after_it_follows_nothing() -> None:
    async def run() -> None:
        one = recorder("http://127.0.0.1:9", (BTC,), KeepingSink())
        assert not await one.follow((ETH,))
        with pytest.raises(FeedError, match=f"expected 1 to {MOST_PAIRS} of them, was 0"):
            await one.follow(())

    asyncio.run(run())
