"""A recorder over real ccxt.pro against the embedded exchange, with what goes wrong on a wire."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from feeds.recording import PAIRS, SUB_MS, TRADES, KeepingSink, account, record, recorder
from waiting import await_until

from hydra_ft.errors import FeedError
from hydra_ft.feeds.sink import GapReason
from hydra_ft.types import Feed, Side
from loopback_exchange import Market, Server


@pytest.mark.ci
def test_what_was_traded_is_recorded_exactly(server: Server) -> None:
    sink = KeepingSink()

    async def run() -> None:
        one = recorder(server.url, PAIRS, sink, TRADES)
        assert not one.has_ended
        await record(one, lambda: len(sink.sub_bars) >= 12)
        assert one.has_ended
        assert one.health().feeds[0].connections == 1
        assert all(pair.duplicates == pair.missing == 0 for pair in one.health().pairs)

    asyncio.run(run())
    for pair in PAIRS:
        whole, missing = account(server, sink, pair)
        assert whole >= 2
        assert missing == 0
    assert not sink.gaps


def test_lost_events_are_fetched_by_id_and_the_gap_is_told_all_the_same(server: Server) -> None:
    sink = KeepingSink()

    async def run() -> None:
        server.streams.faults.drop_share = server.streams.faults.twice_share = 0.05
        one = recorder(server.url, PAIRS, sink, TRADES)
        await record(one, lambda: len(sink.sub_bars) >= 15)
        counts = one.health().pairs
        assert sum(pair.refetched for pair in counts) > 10
        assert sum(pair.duplicates for pair in counts) > 10

    asyncio.run(run())
    for pair in PAIRS:
        whole, missing = account(server, sink, pair)
        assert whole >= 3
        assert missing == 0
        assert sink.gaps_of(pair)
        assert {gap.reason for gap in sink.gaps_of(pair)} == {GapReason.IDS}


@pytest.mark.ci
def test_what_cannot_be_fetched_is_marked_by_id_and_in_the_bars(server: Server) -> None:
    sink = KeepingSink()

    async def run() -> None:
        server.streams.faults.drop_share = 0.05
        few = {"refetch_per_minute": 0.001, "refetch_within_s": 1.0}
        one = recorder(server.url, PAIRS, sink, TRADES, **few)
        await record(one, lambda: len(sink.sub_bars) >= 15)

    asyncio.run(run())
    missing = sum(account(server, sink, pair)[1] for pair in PAIRS)
    assert missing > 10
    assert any(row[6] > 0 for row in sink.sub_bars.values())


@pytest.mark.ci
def test_a_broken_line_is_mended_and_what_was_missed_is_fetched(server: Server) -> None:
    sink = KeepingSink()

    async def run() -> None:
        one = recorder(server.url, PAIRS, sink, TRADES)
        running = asyncio.ensure_future(record(one, lambda: len(sink.sub_bars) >= 20))
        for _ in range(3):
            await asyncio.sleep(0.5)
            server.streams.disconnect()
            server.streams.faults.refuse(0.3)
        await running
        assert one.health().feeds[0].connections >= 2
        assert one.health().feeds[0].losses >= 2

    asyncio.run(run())
    for pair in PAIRS:
        assert account(server, sink, pair)[1] == 0
    assert GapReason.CONNECTION in {gap.reason for gap in sink.gaps.values()}


@pytest.mark.ci
def test_a_silent_line_is_given_up(server: Server) -> None:
    sink = KeepingSink()

    async def run() -> None:
        one = recorder(server.url, PAIRS, sink, TRADES, silence_s=0.5)
        running = asyncio.ensure_future(record(one, lambda: len(sink.sub_bars) >= 15))
        await asyncio.sleep(1.0)
        server.streams.faults.silence(0.8)
        await running
        assert one.health().feeds[0].losses >= 1
        assert "silent" in one.health().feeds[0].last_error

    asyncio.run(run())
    for pair in PAIRS:
        assert account(server, sink, pair)[1] == 0


@pytest.mark.ci
def test_a_refresh_replaces_the_connection_without_a_gap(server: Server) -> None:
    sink = KeepingSink()

    async def run() -> None:
        one = recorder(server.url, PAIRS, sink, TRADES)
        running = asyncio.ensure_future(record(one, lambda: len(sink.sub_bars) >= 30))
        await asyncio.sleep(0.5)
        one.refresh()
        await running
        (feed,) = one.health().feeds
        assert (feed.refreshes, feed.losses) == (1, 0)

    asyncio.run(run())
    assert not sink.gaps
    for pair in PAIRS:
        assert account(server, sink, pair)[1] == 0


@pytest.mark.ci
def test_after_a_restart_the_bars_are_whole_from_where_they_were_left(server: Server) -> None:
    sink = KeepingSink()

    async def run() -> None:
        await record(
            recorder(server.url, PAIRS, sink, TRADES), lambda: len(sink.left) == len(PAIRS)
        )
        await asyncio.sleep(1.0)
        had = len(sink.sub_bars)
        await record(
            recorder(server.url, PAIRS, sink, TRADES), lambda: len(sink.sub_bars) >= had + 15
        )

    asyncio.run(run())
    for pair in PAIRS:
        rows = sorted(time for name, time in sink.sub_bars if name == pair)
        assert rows == list(range(rows[0], rows[-1] + 1, SUB_MS))
        assert account(server, sink, pair)[1] == 0
    assert {gap.reason for gap in sink.gaps.values()} == {GapReason.RESTART}


async def stood(sink: KeepingSink, *feeds: Feed) -> None:
    """Wait until some time of each feed is covered."""
    await await_until(
        lambda: set(feeds) <= {one.feed for batch in sink.batches for one in batch.covered}
    )


@pytest.mark.ci
def test_liquidations_and_books_are_recorded_beside_the_trades(server: Server) -> None:
    sink = KeepingSink()

    def found() -> int:
        return sum(len(batch.liquidations) for batch in sink.batches)

    async def run() -> None:
        one = recorder(server.url, PAIRS, sink, book_every_s=0.2)
        running = asyncio.ensure_future(record(one, lambda: found() >= 20, settle_s=4.0))
        await stood(sink, Feed.LIQUIDATIONS)
        for number in range(20):
            server.streams.liquidate("ETHUSDT", 3_000.0, 1 + number, is_long=number % 2 == 0)
        await running

    asyncio.run(run())
    events = [one for batch in sink.batches for one in batch.liquidations if one.price == 3_000]
    assert [event.quantity for event in events] == list(range(1, 21))
    assert [event.side for event in events] == [Side.LONG, Side.SHORT] * 10
    books = [one for batch in sink.batches for one in batch.books]
    assert {book.pair for book in books} == set(PAIRS)
    assert all(book.bids.shape == book.asks.shape == (20, 2) for book in books)
    assert all(book.bids[0, 0] < book.asks[0, 0] for book in books)
    spans = [
        c
        for b in sink.batches
        for c in b.covered
        if (c.pair, c.feed) == (PAIRS[1], Feed.LIQUIDATIONS)
    ]
    assert all(one.stop == two.start for one, two in itertools.pairwise(spans))
    assert spans[0].start < events[0].time < spans[-1].stop


@pytest.mark.ci
def test_a_lost_connection_is_a_gap_of_liquidations_and_books(server: Server) -> None:
    sink = KeepingSink()

    async def run() -> None:
        one = recorder(server.url, PAIRS[:1], sink, (Feed.LIQUIDATIONS, Feed.BOOK))
        running = asyncio.ensure_future(record(one, lambda: len(sink.gaps) >= 2))
        await stood(sink, Feed.LIQUIDATIONS, Feed.BOOK)
        server.streams.disconnect()
        await running

    asyncio.run(run())
    assert {(gap.feed, gap.reason) for gap in sink.gaps.values()} == {
        (Feed.LIQUIDATIONS, GapReason.CONNECTION),
        (Feed.BOOK, GapReason.CONNECTION),
    }
    assert all(gap.start < gap.stop for gap in sink.gaps.values())


def test_a_pair_that_the_venue_does_not_have_is_refused_by_name(server: Server) -> None:
    async def run() -> None:
        await recorder(server.url, ["BTC/EUR"], KeepingSink(), TRADES).run()

    with pytest.raises(FeedError, match=r"was 'BTC/EUR'"):
        asyncio.run(run())


@pytest.mark.ci
def test_a_pair_that_is_listed_no_more_is_named_and_the_others_are_recorded(
    server: Server,
) -> None:
    sink = KeepingSink()

    async def run() -> None:
        one = recorder(server.url, [*PAIRS, "GONE/USDT:USDT"], sink)
        await record(one, lambda: len(sink.sub_bars) >= 12)
        assert [pair.pair for pair in one.health().pairs] == list(PAIRS)
        (why,) = one.health().left_out
        assert "was 'GONE/USDT:USDT'" in why

    asyncio.run(run())
    assert {pair for pair, _ in sink.sub_bars} == set(PAIRS)


@pytest.mark.ci
def test_it_waits_for_an_exchange_that_is_away_and_ends_at_once_when_told_to() -> None:
    exchange = Server(Market(seed=7, symbols=("BTCUSDT", "ETHUSDT", "SOLUSDT"))).start()
    exchange.streams.start_load(300)
    exchange.stop()
    sink = KeepingSink()

    async def run() -> None:
        one = recorder(exchange.url, PAIRS, sink, TRADES)
        running = asyncio.ensure_future(record(one, lambda: len(sink.sub_bars) >= 3))
        await asyncio.sleep(0.4)
        assert not running.done()
        await asyncio.to_thread(exchange.start)
        await running
        await asyncio.to_thread(exchange.stop)
        waits = {"backoff_base_s": 1_000.0, "backoff_cap_s": 1_000.0}
        away = recorder(exchange.url, PAIRS, KeepingSink(), TRADES, **waits)
        await record(away, lambda: away.health().markets_error)

    asyncio.run(run())
    assert len(sink.sub_bars) >= 3
