"""What a recorder hands over is in the database: once, as a whole, and proven or not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.flow_reference import GRID, START, made_trades
from sqlalchemy import select

from hydra_ft.bars.flow_tables import same_flow
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.errors import StoreError
from hydra_ft.feeds.flow_sink import FlowSink
from hydra_ft.feeds.sink import (
    Batch,
    BookSample,
    Covered,
    FeedGap,
    GapReason,
    Liquidation,
    PairFlow,
    Resume,
)
from hydra_ft.store.database import Database
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.flow_books import BookStore
from hydra_ft.store.flow_coverage import covered, gaps_of
from hydra_ft.store.flow_derivatives import DerivativesStore
from hydra_ft.store.flow_retention import DAY_MS
from hydra_ft.store.flow_schema import BOOKS, FLOW_BARS, FLOW_TABLES, LIQUIDATIONS
from hydra_ft.types import Feed, Side

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hydra_ft.feeds.sink import Sink

BTC = "BTC/USDT:USDT"
MINUTE = 60_000
END = START + 10 * MINUTE


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'hydra.sqlite'}")
    yield opened
    opened.close()


def flow(pair: str = BTC, start: int = START) -> PairFlow:
    trades = made_trades(3_000, start=start)
    return PairFlow(
        "binance", pair, flow_of(trades, GRID, MINUTE, covered=(start, start + 10 * MINUTE))
    )


def sample(at: int, levels: int = 3) -> BookSample:
    below = np.array([[60_000.0 - i / 10, 0.5 + i] for i in range(levels)])
    above = np.array([[60_000.1 + i / 10, 0.25 + i] for i in range(levels + 1)])
    return BookSample("binance", BTC, at, below, above)


def gap(
    feed: Feed, missing: int, start: int = START + 30_000, stop: int = START + 50_000
) -> FeedGap:
    return FeedGap("binance", BTC, feed, GapReason.CONNECTION, start, stop, missing=missing)


def stood(feed: Feed, start: int = START, stop: int = END) -> Covered:
    return Covered("binance", BTC, feed, start, stop)


BATCH = Batch(
    flows=(flow(), flow("ETH/USDT:USDT")),
    liquidations=(Liquidation("binance", BTC, START + 5, Side.LONG, 100.0, 2.0),),
    books=(sample(START + 2_000), sample(START + 1_000)),
    gaps=(gap(Feed.LIQUIDATIONS, -1),),
    covered=(stood(Feed.LIQUIDATIONS), stood(Feed.BOOK)),
)


def spans(database: Database, feed: Feed) -> list[tuple[int, int]]:
    market = FlowStore(database, "binance").markets.number(BTC)
    with database.transaction() as connection:
        return [(one.start, one.stop) for one in covered(connection, market, feed)]


def rows(database: Database) -> dict[str, list[tuple[object, ...]]]:
    with database.transaction() as connection:
        return {t.name: sorted(map(tuple, connection.execute(select(t)))) for t in FLOW_TABLES}


def test_a_batch_is_there_whole_and_only_once(database: Database) -> None:
    sink: Sink = FlowSink(database)
    sink.write(BATCH)
    once = rows(database)
    sink.write(BATCH)
    FlowSink(database).write(BATCH)
    assert rows(database) == once
    store = FlowStore(database, "binance")
    bars = store.last(BTC, MINUTE, 100)
    assert bars is not None
    assert same_flow(bars, BATCH.flows[0].flow.bars)
    books = BookStore(database, store.markets).between(BTC, START, END)
    assert books is not None
    assert books.time.tolist() == [START + 1_000, START + 2_000]
    assert books.bid[0].tolist()[:3] == [60_000.0, 59_999.9, 59_999.8]
    assert np.isnan(books.bid[0, 3])
    assert books.ask_quantity[0].tolist() == [0.25, 1.25, 2.25, 3.25]
    minutes = DerivativesStore(database, store.markets).liquidation_minutes(BTC, START, END)
    assert minutes.columns["long_notional"].tolist() == [200.0]


def test_feeds_without_ids_are_proven_but_for_their_gaps(database: Database) -> None:
    """No liquidations while the recorder was there is calm; while it was away nobody knows."""
    FlowSink(database).write(BATCH)
    assert spans(database, Feed.TRADES) == [(START, END)]
    assert spans(database, Feed.BOOK) == [(START, END)]
    assert spans(database, Feed.LIQUIDATIONS) == [
        (START, START + 30_000),
        (START + 50_000, END),
    ]
    market = FlowStore(database, "binance").markets.number(BTC)
    with database.transaction() as connection:
        (found,) = gaps_of(connection, market, Feed.LIQUIDATIONS)
    assert (found.reason, found.missing, found.start) == ("connection", -1, START + 30_000)


def test_a_gap_that_was_told_of_before_its_bars_closed_stays_one(database: Database) -> None:
    sink = FlowSink(database)
    sink.write(Batch(gaps=(gap(Feed.LIQUIDATIONS, -1), gap(Feed.BOOK, 0))))
    sink.write(Batch(covered=(stood(Feed.LIQUIDATIONS), stood(Feed.BOOK))))
    assert spans(database, Feed.LIQUIDATIONS) == [
        (START, START + 30_000),
        (START + 50_000, END),
    ]
    assert spans(database, Feed.BOOK) == [(START, END)]


def test_a_gap_that_was_mended_leaves_the_feed_proven(database: Database) -> None:
    FlowSink(database).write(replace(BATCH, gaps=(gap(Feed.TRADES, 0),)))
    assert spans(database, Feed.TRADES) == [(START, END)]
    FlowSink(database).write(Batch(gaps=(gap(Feed.TRADES, 4),)))
    assert spans(database, Feed.TRADES) == [(START, START + 30_000), (START + 50_000, END)]


def test_a_feed_of_which_nothing_is_said_is_not_proven(database: Database) -> None:
    FlowSink(database).write(replace(BATCH, covered=()))
    assert spans(database, Feed.LIQUIDATIONS) == spans(database, Feed.BOOK) == []


def test_a_recorder_resumes_where_the_bars_end(database: Database) -> None:
    assert FlowSink(database).resume("binance", BTC) is None
    FlowSink(database).write(BATCH)
    last = int(BATCH.flows[0].flow.bars.close_ticks[-1])
    grid = BATCH.flows[0].flow.bars.grid
    assert FlowSink(database).resume("binance", BTC) == Resume(
        9_999, last, END, grid.bin_ticks * grid.tick_size, grid
    )
    assert FlowSink(database).resume("bybit", BTC) is None


def test_a_batch_that_cannot_be_kept_leaves_nothing_behind(database: Database) -> None:
    with database.transaction() as connection:
        BOOKS.drop(connection)
    with pytest.raises(StoreError, match="hydra_books"):
        FlowSink(database).write(BATCH)
    with database.transaction() as connection:
        BOOKS.create(connection)
    assert rows(database)[FLOW_BARS.name] == []
    assert spans(database, Feed.TRADES) == []


def test_what_is_too_old_goes_while_recording(database: Database) -> None:
    sink = FlowSink(database)
    sink.write(BATCH)
    sink.write(Batch(flows=(flow(start=START + 15 * DAY_MS),)))
    with database.transaction() as connection:
        of = select(FLOW_BARS.c.step_ms).where(FLOW_BARS.c.time < START + DAY_MS).distinct()
        assert connection.execute(of).scalars().all() == [MINUTE]


def test_what_is_too_old_goes_where_no_trades_are_recorded(database: Database) -> None:
    sink = FlowSink(database)
    sink.write(replace(BATCH, flows=()))
    later = END + 4 * DAY_MS
    sink.write(Batch(covered=(stood(Feed.BOOK, later - 1_000, later),)))
    with database.transaction() as connection:
        assert connection.execute(select(BOOKS.c.time)).all() == []
    assert spans(database, Feed.BOOK) == [(later - 1_000, later)]


def test_a_machine_whose_clock_is_ahead_deletes_nothing(database: Database) -> None:
    """Only trades tell the venue's own time; what stood is told by this machine's clock."""
    FlowSink(database).write(BATCH)
    kept = rows(database)
    ahead = START + 400 * DAY_MS
    sink = FlowSink(database)
    sink.write(Batch(covered=(stood(Feed.LIQUIDATIONS, ahead, ahead + 1_000),)))
    sink.write(Batch(flows=(flow(start=END),)))
    sink.write(Batch(covered=(stood(Feed.BOOK, ahead, ahead + 5_000_000),)))
    found = rows(database)
    for name in (BOOKS.name, LIQUIDATIONS.name):
        assert kept[name]
        assert found[name] == kept[name]
    assert len(found[FLOW_BARS.name]) > len(kept[FLOW_BARS.name])


def test_a_book_off_the_grid_of_the_trades_keeps_its_own(database: Database) -> None:
    fine = BookSample("binance", BTC, START, np.array([[60_000.05, 0.0005]]), np.zeros((0, 2)))
    FlowSink(database).write(replace(BATCH, books=(fine,)))
    store = FlowStore(database, "binance")
    books = BookStore(database, store.markets).between(BTC, START, END)
    assert books is not None
    assert (books.bid[0, 0], books.bid_quantity[0, 0]) == (60_000.05, 0.0005)
    assert np.isnan(books.ask[0, 0])


def test_a_bar_that_was_closed_before_ids_showed_a_loss_is_read_as_uncovered(
    database: Database,
) -> None:
    """On a silent line bars are closed by the clock; what was lost shows with the next trade."""
    sink = FlowSink(database)
    sink.write(BATCH)
    store = FlowStore(database, "binance")
    subs = store.last(BTC, 10_000, 100)
    assert subs is not None
    assert not subs.uncovered_ms.any()
    start = int(subs.time[3])
    ids = {"first_id": int(subs.last_id[3]) + 1, "last_id": int(subs.last_id[3]) + 9}
    sink.write(Batch(gaps=(replace(gap(Feed.TRADES, 9, start + 4_000, start + 12_000), **ids),)))
    marked = store.last(BTC, 10_000, 100)
    assert marked is not None
    assert np.flatnonzero(marked.uncovered_ms).tolist() == [3, 4]
