"""Samples of books, and what is said of each pair's own."""

from __future__ import annotations

import asyncio
import itertools
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from exchange.conftest import client_options
from feeds.recording import PAIRS, QUICK, KeepingSink, record

from hydra_ft.feeds.binance import BINANCE
from hydra_ft.feeds.normal import Contract
from hydra_ft.feeds.recorder import Recorder
from hydra_ft.feeds.recorder_books import BookReader, snapshot_levels
from hydra_ft.feeds.recorder_policy import RecorderPolicy
from hydra_ft.feeds.recorder_session import client_of
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from loopback_exchange import Server

PAIR, OTHER = "BTC/USDT:USDT", "ETH/USDT:USDT"
T0 = 1_700_000_000_000


class Rig:
    """A reader of two pairs, whose clocks and books are moved by hand."""

    def __init__(self, *pairs: str, **policy: Any) -> None:
        chosen = RecorderPolicy(**{**QUICK, "book_every_s": 1.0, "silence_s": 5.0, **policy})
        contracts = dict.fromkeys(pairs or (PAIR, OTHER), Contract(size=0.1))
        self.now_s = 0.0
        self.reader = BookReader(BINANCE, contracts, chosen, lambda: T0 + round(self.now_s * 1000))
        self.wire = SimpleNamespace(last_message_at=None)
        self.client = SimpleNamespace(orderbooks={}, options={}, clients={"wss": self.wire})

    def look(self, *pairs: str, times: int = 1) -> None:
        """Look once a second, while these pairs have books that change."""
        for _ in range(times):
            self.now_s += 1.0
            books = {pair: book(100.0, 101.0, int(self.now_s)) for pair in pairs}
            self.client.orderbooks = books
            self.reader.drain(self.client, self.now_s)

    def wait(self, times: int, *, lives: bool = True) -> None:
        """Look once a second at books that do not change; a line that lives answers pings."""
        for _ in range(times):
            self.now_s += 1.0
            self.wire.last_message_at = T0 + round(self.now_s) if lives else None
            self.reader.drain(self.client, self.now_s)

    def covered(self, pair: str) -> list[tuple[float, float]]:
        """Seconds that are covered, since it was asked last."""
        told = self.reader.take_covered()
        return [((c.start - T0) / 1000, (c.stop - T0) / 1000) for c in told if c.pair == pair]

    def gaps(self) -> list[tuple[str, float, float]]:
        """Gaps that are new."""
        told = self.reader.take_gaps()
        return [(gap.pair, (gap.start - T0) / 1000, (gap.stop - T0) / 1000) for gap in told]


def book(bid: float, ask: float, nonce: int) -> dict[str, Any]:
    sides = {"bids": [[bid, 2.0], [bid - 1, 3.0]], "asks": [[ask, 4.0]]}
    return {**sides, "nonce": nonce, "timestamp": T0}


def test_a_book_is_sampled_once_a_second_in_base_currency() -> None:
    rig = Rig(PAIR)
    rig.client.orderbooks = {PAIR: book(100.0, 101.0, 1)}
    assert [rig.reader.drain(rig.client, now) for now in (1.0, 1.5, 2.0)] == [1, 0, 0]
    first, second = rig.reader.take_found()
    assert first.bids.ravel().tolist() == pytest.approx([100.0, 0.2, 99.0, 0.3])
    assert second.asks.tolist()[0] == pytest.approx([101.0, 0.4])


def test_a_crossed_or_empty_book_is_no_sample() -> None:
    rig = Rig(PAIR)
    rig.client.orderbooks = {PAIR: book(101.0, 101.0, 1)}
    rig.reader.drain(rig.client, 1.0)
    rig.client.orderbooks = {PAIR: {**book(1.0, 2.0, 2), "asks": []}}
    rig.reader.drain(rig.client, 2.0)
    assert rig.reader.take_found() == ()
    assert rig.reader.counts.refused == 1


def test_a_book_is_covered_from_its_own_first_sample() -> None:
    rig = Rig()
    rig.reader.connected(0.0)
    rig.look(PAIR, times=4)
    rig.look(PAIR, OTHER, times=3)
    assert rig.covered(OTHER) == [(5, 7)]
    rig.look(PAIR, OTHER)
    assert rig.covered(PAIR) == [(7, 8)]
    assert rig.gaps() == []


@pytest.mark.parametrize(("lives", "until"), [(True, 7), (False, 3)])
def test_a_book_stands_while_nothing_changes_on_a_line_that_lives(lives: bool, until: int) -> None:
    rig = Rig(PAIR)
    rig.reader.connected(0.0)
    rig.look(PAIR, times=3)
    rig.wait(4, lives=lives)
    assert rig.covered(PAIR) == [(1, until)]
    rig.look(PAIR)
    assert rig.covered(PAIR) == [(until, 8)]
    assert rig.gaps() == []


def test_a_line_that_lives_and_brings_no_book_is_not_believed_for_long() -> None:
    rig = Rig(PAIR, silence_s=30.0)
    rig.reader.connected(0.0)
    rig.look(PAIR, times=3)
    rig.wait(27)
    assert rig.covered(PAIR) == [(1, 13)]
    rig.wait(4)
    assert "30.0 s" in str(rig.reader.complaint(rig.now_s))
    rig.reader.lost(34.0)
    rig.reader.connected(34.0)
    rig.look(PAIR)
    assert rig.gaps() == [(PAIR, 13, 35)]


def test_a_book_that_was_not_there_for_a_while_is_a_gap_of_its_pair_alone() -> None:
    rig = Rig()
    rig.reader.connected(0.0)
    rig.look(PAIR, OTHER, times=3)
    rig.look(PAIR, times=2)
    rig.look(PAIR, OTHER)
    assert rig.gaps() == []
    rig.look(PAIR, times=3)
    rig.look(PAIR, OTHER, times=2)
    assert rig.gaps() == [(OTHER, 6, 10)]
    assert rig.covered(OTHER) == [(1, 6), (10, 11)]


def test_the_time_without_a_connection_is_a_gap_until_each_book_has_come() -> None:
    rig = Rig()
    rig.reader.connected(0.0)
    rig.look(PAIR, OTHER, times=2)
    rig.reader.lost(2.0)
    rig.now_s = 8.0
    rig.reader.connected(8.0)
    rig.look(PAIR, times=2)
    rig.look(PAIR, OTHER, times=2)
    assert rig.gaps() == [(PAIR, 2, 9), (OTHER, 2, 11)]
    assert rig.covered(PAIR) == [(1, 2), (9, 12)]


def test_one_pair_without_a_book_takes_no_other_down_and_is_tried_anew_ever_more_seldom() -> None:
    rig, asked = Rig(), []
    rig.reader.connected(0.0)
    for _ in range(80):
        rig.look(PAIR)
        assert rig.reader.complaint(rig.now_s) is None
        if rig.reader.counts.wants_anew:
            asked.append(rig.now_s)
            rig.reader.counts.wants_anew = False
    assert asked == [6, 17, 38, 79]
    assert rig.covered(PAIR) == [(1, 80)]
    rig.look(PAIR, OTHER)
    rig.look(PAIR, times=6)
    assert rig.reader.counts.wants_anew


def test_books_of_which_none_changes_are_complained_of() -> None:
    rig = Rig()
    rig.reader.connected(0.0)
    rig.look(PAIR, OTHER)
    for now_s in (2.0, 5.0, 6.5):
        rig.reader.drain(rig.client, now_s)
    assert rig.reader.complaint(5.5) is None
    assert rig.reader.complaint(6.5) == "silent for more than 5.0 s"


@pytest.mark.parametrize("pairs", [1, 15, 16, 30, 31, 60, 61, 200])
def test_the_snapshots_of_all_pairs_come_within_twenty_seconds(pairs: int) -> None:
    weight = {1_000: 20, 500: 10, 100: 5, 50: 2}[snapshot_levels(pairs)]
    assert pairs * weight * 0.05 <= 20.0


@pytest.mark.ci
def test_a_refresh_leaves_no_hole_in_any_book_though_they_come_one_by_one(server: Server) -> None:
    sink = KeepingSink()
    policy = RecorderPolicy(**{**QUICK, "book_every_s": 0.2})
    options = {**client_options(server.url), "enableRateLimit": True}

    def samples(pair: str) -> int:
        return sum(one.pair == pair for batch in sink.batches for one in batch.books)

    async def run() -> None:
        one = Recorder(
            BINANCE, PAIRS, lambda: client_of("binance", options, policy), sink, policy,
            feeds=(Feed.BOOK,),
        )  # fmt: skip

        def is_refreshed() -> bool:
            return any(feed.refreshes for feed in one.health().feeds)

        running = asyncio.ensure_future(record(one, is_refreshed, settle_s=3.0))
        while not all(samples(pair) for pair in PAIRS):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        one.refresh()
        await running

    asyncio.run(run())
    assert not sink.gaps
    for pair in PAIRS:
        spans = [c for b in sink.batches for c in b.covered if c.pair == pair]
        assert all(one.stop == two.start for one, two in itertools.pairwise(spans))
