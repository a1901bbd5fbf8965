"""Samples of books, and what is said of each pair's own."""

from __future__ import annotations

import asyncio
import itertools
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from exchange.conftest import client_options
from feeds.recording import PAIRS, QUICK, KeepingSink, record
from waiting import await_until

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
        self.now_s = self.asleep_s = 0.0
        self.reader = BookReader(BINANCE, contracts, chosen, self.wall_ms)
        self.wire = SimpleNamespace(last_message_at=T0)
        self.client = SimpleNamespace(orderbooks={}, options={}, clients={"wss": self.wire})
        self.connected()

    def wall_ms(self) -> int:
        """Tell the time; it goes on while the machine sleeps."""
        return T0 + round(1000 * (self.now_s + self.asleep_s))

    def connected(self) -> None:
        """Stand anew, without a book yet, and see the wire as it is."""
        self.client.orderbooks = {}
        self.reader.connected(self.now_s)
        self.reader.drain(self.client, self.now_s)

    def drain(self, now_s: float) -> int:
        """Look at a time, after something has been heard."""
        self.now_s = now_s
        self.wire.last_message_at += 1
        return self.reader.drain(self.client, now_s)

    def look(self, *pairs: str, times: int = 1) -> None:
        """Look once a second, while these pairs have books that change."""
        for _ in range(times):
            now_s = self.now_s + 1.0
            books = {pair: book(100.0, 101.0, int(now_s)) for pair in pairs}
            self.client.orderbooks = books
            self.drain(now_s)

    def wait(self, times: int, *, lives: bool = True) -> None:
        """Look once a second at books that do not change; a line that lives answers pings."""
        for _ in range(times):
            self.now_s += 1.0
            self.wire.last_message_at += lives
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
    assert [rig.drain(now) for now in (1.0, 1.5, 2.0)] == [1, 0, 0]
    first, second = rig.reader.take_found()
    assert first.bids.ravel().tolist() == pytest.approx([100.0, 0.2, 99.0, 0.3])
    assert second.asks.tolist()[0] == pytest.approx([101.0, 0.4])


def test_a_crossed_or_empty_book_is_no_sample() -> None:
    rig = Rig(PAIR)
    rig.client.orderbooks = {PAIR: book(101.0, 101.0, 1)}
    rig.drain(1.0)
    rig.client.orderbooks = {PAIR: {**book(1.0, 2.0, 2), "asks": []}}
    rig.drain(2.0)
    assert rig.reader.take_found() == ()
    assert rig.reader.counts.refused == 1


def test_a_book_is_covered_from_its_own_first_sample() -> None:
    rig = Rig()
    rig.look(PAIR, times=4)
    rig.look(PAIR, OTHER, times=3)
    assert rig.covered(OTHER) == [(5, 7)]
    rig.look(PAIR, OTHER)
    assert rig.covered(PAIR) == [(7, 8)]
    assert rig.gaps() == []


@pytest.mark.parametrize(("lives", "until"), [(True, 5), (False, 3)])
def test_a_book_stands_while_nothing_changes_on_a_line_that_lives(lives: bool, until: int) -> None:
    rig = Rig(PAIR)
    rig.look(PAIR, times=3)
    rig.wait(2, lives=lives)
    assert rig.covered(PAIR) == [(1, until)]
    rig.look(PAIR)
    assert rig.covered(PAIR) == [(until, 6)]
    assert rig.gaps() == []


def test_a_line_that_lives_and_brings_no_book_is_not_believed_for_long() -> None:
    rig = Rig(PAIR, silence_s=30.0)
    rig.look(PAIR, times=3)
    rig.wait(27)
    assert rig.covered(PAIR) == [(1, 13)]
    rig.wait(4)
    assert "30.0 s" in str(rig.reader.complaint(rig.now_s))
    rig.reader.lost(34.0)
    rig.connected()
    rig.look(PAIR)
    assert rig.gaps() == [(PAIR, 13, 35)]


def test_a_book_that_was_not_there_for_a_while_is_a_gap_of_its_pair_alone() -> None:
    rig = Rig()
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
    rig.look(PAIR, OTHER, times=2)
    rig.reader.lost(2.0)
    rig.now_s = 8.0
    rig.connected()
    rig.look(PAIR, times=2)
    rig.look(PAIR, OTHER, times=2)
    assert rig.gaps() == [(PAIR, 2, 9), (OTHER, 2, 11)]
    assert rig.covered(PAIR) == [(1, 2), (9, 12)]


def test_one_pair_without_a_book_takes_no_other_down_and_is_tried_anew_ever_more_seldom() -> None:
    rig, asked = Rig(), []
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
    rig.look(PAIR, OTHER)
    for now_s in (2.0, 5.0, 6.5):
        rig.drain(now_s)
    assert rig.reader.complaint(5.5) is None
    assert rig.reader.complaint(6.5) == "silent for more than 5.0 s"


def test_a_line_that_answers_nothing_is_no_book_that_does_not_change() -> None:
    rig = Rig(silence_s=30.0)
    rig.look(PAIR, OTHER, times=5)
    rig.wait(lives=False, times=9)
    assert rig.reader.complaint(rig.now_s) is None
    rig.look(PAIR, OTHER, times=3)
    assert rig.gaps() == [(PAIR, 5, 15), (OTHER, 5, 15)]
    assert rig.covered(PAIR) == [(1, 5), (15, 17)]
    rig.wait(lives=False, times=24)
    assert rig.reader.complaint(rig.now_s) == "no answer for more than 10 s"


def test_of_a_line_that_is_dead_no_sample_is_taken_and_a_moment_of_silence_is_no_gap() -> None:
    rig = Rig(PAIR)
    rig.look(PAIR, times=2)
    rig.wait(lives=False, times=3)
    rig.look(PAIR)
    assert rig.gaps() == []
    assert len(rig.reader.take_found()) == 6
    assert rig.covered(PAIR) == [(1, 6)]
    rig.wait(lives=False, times=30)
    assert len(rig.reader.take_found()) == 3


def test_what_answered_at_once_is_covered_up_to_its_last_message_only() -> None:
    rig = Rig(PAIR)
    rig.look(PAIR)
    rig.drain(1.4)
    rig.client.orderbooks = {PAIR: book(100.0, 101.0, 9)}
    rig.wait(lives=False, times=1)
    assert rig.covered(PAIR) == [(1, 1.4)]


@pytest.mark.parametrize("goes_on", [True, False])
def test_while_this_process_did_not_run_no_book_stood(goes_on: bool) -> None:
    """Stopped, or on a machine that slept: one clock goes on then, or none but the wall's."""
    rig = Rig()
    rig.look(PAIR, OTHER, times=3)
    rig.now_s, rig.asleep_s = (46.0, 0.0) if goes_on else (3.0, 43.0)
    rig.look(PAIR, OTHER, times=2)
    assert rig.gaps() == [(PAIR, 3, 47), (OTHER, 3, 47)]
    assert rig.covered(PAIR) == [(1, 3), (47, 48)]


def test_samples_that_are_far_apart_by_setting_leave_no_gap() -> None:
    rig = Rig(PAIR, book_every_s=60.0, silence_s=300.0)
    rig.look(PAIR, times=181)
    assert rig.gaps() == []
    assert len(rig.reader.take_found()) == 3


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
        await await_until(lambda: all(samples(pair) for pair in PAIRS))
        one.refresh()
        await running

    asyncio.run(run())
    assert not sink.gaps
    for pair in PAIRS:
        spans = [c for b in sink.batches for c in b.covered if c.pair == pair]
        assert all(one.stop == two.start for one, two in itertools.pairwise(spans))
