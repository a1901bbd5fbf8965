"""Books, liquidations, open interest, funding: kept once, proven or not, dropped in time."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.flow_reference import GRID, START, made_trades

from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.errors import StoreError
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.flow_books import BookSamples, BookStore, put_books
from hydra_ft.store.flow_coverage import (
    Gap,
    Proof,
    Stretch,
    cover,
    covered,
    gaps_of,
    is_covered,
    put_gaps,
    uncover,
)
from hydra_ft.store.flow_derivatives import DerivativesStore, Liquidated, put_liquidations
from hydra_ft.store.flow_grids import bin_ticks, grid_of
from hydra_ft.store.flow_retention import DAY_MS, Retention, forget_old
from hydra_ft.types import Feed, Side

if TYPE_CHECKING:
    from hydra_ft.store.database import Database

BTC = "BTC/USDT:USDT"
MINUTE = 60_000


@pytest.fixture
def store(database: Database) -> FlowStore:
    return FlowStore(database, "binance")


def book(n: int = 30, levels: int = 20, seed: int = 1, start: int = START) -> BookSamples:
    """A book a second: best prices that wander, some levels that are not there."""
    random = np.random.default_rng(seed)
    best = 600_000 + np.cumsum(random.integers(-5, 6, n))
    steps = random.integers(1, 4, (2, n, levels)).cumsum(axis=2)
    bid = GRID.prices(best[:, None] + 1 - steps[0])
    ask = GRID.prices(best[:, None] + 1 + steps[1])
    sizes = GRID.quantities(random.integers(1, 50_000, (2, n, levels)))
    bid[3, 12:] = sizes[0][3, 12:] = np.nan
    ask[7] = sizes[1][7] = np.nan
    return BookSamples(start + 1_000 * np.arange(n), bid, sizes[0], ask, sizes[1])


def put(database: Database, store: FlowStore, samples: BookSamples) -> None:
    market, number = store.markets.number(BTC), store.markets.grid_number(GRID)
    with database.transaction() as connection:
        put_books(connection, market, number, GRID, samples)


def assert_same_book(left: BookSamples | None, right: BookSamples) -> None:
    assert left is not None
    for name in BookSamples.__slots__:
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name), name)


def part(samples: BookSamples, start: int, stop: int) -> BookSamples:
    return BookSamples(*(getattr(samples, name)[start:stop] for name in BookSamples.__slots__))


def test_a_book_comes_back_to_the_last_digit(store: FlowStore, database: Database) -> None:
    whole = book()
    for i in range(0, 30, 10):
        put(database, store, part(whole, i, i + 10))
        put(database, store, part(whole, i, i + 10))
    books = BookStore(database, store.markets)
    assert_same_book(books.between(BTC, 0, START + DAY_MS), whole)
    assert_same_book(books.between(BTC, START + 5_000, START + 12_000), part(whole, 5, 12))
    assert books.between(BTC, START + 30_000, START + 40_000) is None
    assert books.between("ETH/USDT:USDT", 0, START + DAY_MS) is None


def test_batches_of_books_that_overlap_count_each_time_once(
    store: FlowStore, database: Database
) -> None:
    whole = book()
    put(database, store, part(whole, 0, 20))
    put(database, store, part(whole, 10, 30))
    assert_same_book(BookStore(database, store.markets).between(BTC, 0, START + DAY_MS), whole)


def test_a_sample_of_the_book_takes_few_bytes(store: FlowStore, database: Database) -> None:
    """80 numbers of 8 bytes are 640; what is kept is a quarter of that at most."""
    put(database, store, book(60))
    with database.transaction() as connection:
        size = connection.exec_driver_sql(
            "SELECT sum(length(content)) FROM hydra_books"
        ).scalar_one()
    assert size / 60 < 160


def event(at: int, side: Side = Side.LONG, quantity: float = 2.0) -> Liquidated:
    return Liquidated(START + at, side, 100.0, quantity)


def test_liquidations_sum_up_by_minute_and_count_once(store: FlowStore, database: Database) -> None:
    """Two that are alike are two if they come together; the same batch again is none."""
    first = [event(0), event(0), event(59_999, Side.SHORT), event(60_000)]
    market = store.markets.number(BTC)
    for batch in (first, first, [event(61_000)]):
        with database.transaction() as connection:
            put_liquidations(connection, market, batch)
    kept = DerivativesStore(database, store.markets)
    minutes = kept.liquidation_minutes(BTC, START, START + DAY_MS)
    assert minutes.time.tolist() == [START, START + MINUTE]
    assert minutes.columns["long_notional"].tolist() == [400.0, 400.0]
    assert minutes.columns["short_notional"].tolist() == [200.0, 0.0]
    assert kept.events(BTC, START, START + MINUTE) == first[:3]


def test_a_vendor_stands_beside_the_exchange_and_not_over_it(
    store: FlowStore, database: Database
) -> None:
    market = store.markets.number(BTC)
    with database.transaction() as connection:
        put_liquidations(connection, market, [event(0)])
    kept = DerivativesStore(database, store.markets)
    span = (START, START + 2 * MINUTE)
    kept.put_liquidation_history(BTC, "coinalyze", [(START, 7.0, 8.0)], covered=span)
    own = kept.liquidation_minutes(BTC, *span)
    told = kept.liquidation_minutes(BTC, *span, source="coinalyze")
    assert own.columns["long_notional"].tolist() == [200.0]
    assert told.columns["long_notional"].tolist() == [7.0]
    with database.transaction() as connection:
        assert covered(connection, market, Feed.LIQUIDATIONS) == []
        assert covered(connection, market, Feed.LIQUIDATIONS, source="coinalyze") == [
            Stretch(*span)
        ]


def test_open_interest_and_funding_come_back_by_time(store: FlowStore, database: Database) -> None:
    kept = DerivativesStore(database, store.markets)
    step = 5 * MINUTE
    values = [(START, 10.0, None), (START + step, 11.0, 5.0), (START + 3 * step, 12.0, None)]
    for _ in range(2):
        kept.put_open_interest(BTC, "exchange", values, step_ms=step)
        kept.put_funding(BTC, [(START, 0.0001), (START + 1, -0.5)])
    found = kept.open_interest(BTC, START, START + DAY_MS)
    assert found.columns["amount"].tolist() == [10.0, 11.0, 12.0]
    assert np.isnan(found.columns["value"]).tolist() == [True, False, True]
    assert kept.funding(BTC, START, START + 1).columns["rate"].tolist() == [0.0001]
    with database.transaction() as connection:
        market = store.markets.number(BTC)
        assert covered(connection, market, Feed.OPEN_INTEREST) == [Stretch(START, START + step)]


def spans(stretches: list[Stretch]) -> list[tuple[int, int]]:
    return [(one.start, one.stop) for one in stretches]


def test_proven_stretches_that_touch_become_one(database: Database) -> None:
    with database.transaction() as connection:
        for start, stop in ((0, 10), (20, 30), (10, 20), (5, 7), (40, 50), (60, 60)):
            cover(connection, [Proof(1, Feed.BOOK, Stretch(start, stop))])
        assert spans(covered(connection, 1, Feed.BOOK)) == [(0, 30), (40, 50)]
        assert is_covered(connection, 1, Feed.BOOK, 3, 30)
        assert not is_covered(connection, 1, Feed.BOOK, 3, 41)
        uncover(connection, 1, Feed.BOOK, 8, 12)
        uncover(connection, 1, Feed.BOOK, 45, 99)
        assert spans(covered(connection, 1, Feed.BOOK)) == [(0, 8), (12, 30), (40, 45)]
        assert covered(connection, 2, Feed.BOOK) == covered(connection, 1, Feed.TRADES) == []


def test_stretches_of_many_feeds_at_once_are_those_one_by_one(database: Database) -> None:
    random = np.random.default_rng(3)
    proofs = [
        Proof(int(market), feed, Stretch(int(start), int(start) + 4, int(start), int(start) + 3))
        for market, start in random.integers(0, [3, 60], (60, 2))
        for feed in (Feed.TRADES, Feed.BOOK)
    ]
    halves = (proofs[:50], proofs[50:], proofs[20:70])
    moved = [Proof(one.market + 10, one.feed, one.stretch) for one in (*proofs, *proofs[20:70])]
    with database.transaction() as connection:
        for half in halves:
            cover(connection, half)
        for one in moved:
            cover(connection, [one])
        for market in range(3):
            for feed in (Feed.TRADES, Feed.BOOK):
                at_once = covered(connection, market, feed)
                assert at_once == covered(connection, market + 10, feed)
                assert len(at_once) > 1
                assert all(a.stop < b.start for a, b in pairwise(at_once))


def test_the_same_gap_told_again_is_one_gap_that_was_mended(database: Database) -> None:
    with database.transaction() as connection:
        for gap in (Gap(5, 9, "ids", 3, 100, 102), Gap(5, 9, "ids", 0, 100, 102)):
            put_gaps(connection, 1, Feed.TRADES, [gap])
        assert gaps_of(connection, 1, Feed.TRADES) == [Gap(5, 9, "ids", 0, 100, 102)]
        assert gaps_of(connection, 1, Feed.TRADES, 9, 20) == []


def test_each_kind_is_dropped_after_its_own_time_and_no_longer_proven(
    store: FlowStore, database: Database
) -> None:
    """systems.md A1: sub-bars 14 days, bars half a year."""
    trades = made_trades(900)
    store.put([(BTC, flow_of(trades, GRID, MINUTE, covered=(START, START + 10 * MINUTE)))])
    put(database, store, book())
    kept = Retention()
    ages = {"sub_bars": kept.sub_bar_days, "footprints": kept.footprint_days, "bars": kept.bar_days}
    assert list(ages.values()) == [14, 60, 180]

    def left() -> set[str]:
        bars = store.last(BTC, MINUTE, 1)
        cells = store.footprint(BTC, bars).bin.size if bars else 0
        found = {"sub_bars": store.last(BTC, 10_000, 1), "bars": bars, "footprints": cells or None}
        return {name for name, value in found.items() if value is not None}

    everything = set(ages)
    for name, days in ages.items():
        assert forget_old(database, START + days * DAY_MS) >= 0
        assert left() == everything
        forget_old(database, START + days * DAY_MS + 10 * MINUTE)
        everything.discard(name)
        assert left() == everything
    with database.transaction() as connection:
        assert covered(connection, store.markets.number(BTC), Feed.TRADES) == []


def test_what_vendors_told_is_dropped_like_the_rest(store: FlowStore, database: Database) -> None:
    kept = DerivativesStore(database, store.markets)
    for source in ("coinalyze", "other"):
        sums = [(START, 1.0, 2.0), (START + DAY_MS, 3.0, 4.0)]
        kept.put_liquidation_history(BTC, source, sums, covered=None)
    assert forget_old(database, START + 365 * DAY_MS + MINUTE) == 2
    for source in ("coinalyze", "other"):
        left = kept.liquidation_minutes(BTC, 0, START + 2 * DAY_MS, source=source)
        assert left.time.tolist() == [START + DAY_MS]


def test_what_is_kept_for_ever_is_never_dropped(store: FlowStore, database: Database) -> None:
    kept = DerivativesStore(database, store.markets)
    kept.put_open_interest(BTC, "exchange", [(START, 1.0, None)], step_ms=MINUTE)
    forget_old(database, START + 10_000 * DAY_MS)
    assert len(kept.open_interest(BTC, 0, START + 1)) == 1


@pytest.mark.parametrize(
    ("prices", "quantities", "expected"),
    [
        ([60000.1, 60000.3, 60001.0], [0.001, 0.132, 4.0], (0.1, 0.001, 50)),
        ([9682.0, 9682.5, 9683.5], [18.0, 6.0, 8.0], (0.5, 2.0, 2)),
        ([0.001413, 0.001414], [23.0, 54.0], (1e-6, 1.0, 1)),
        ([0.00001234, 0.00001233], [1e6, 2.5e6], (1e-8, 5e5, 1)),
    ],
)
def test_a_grid_is_read_off_prices_and_quantities(
    prices: list[float], quantities: list[float], expected: tuple[float, float, int]
) -> None:
    grid = grid_of(np.array(prices), np.array(quantities))
    assert (grid.tick_size, grid.lot_size, grid.bin_ticks) == pytest.approx(expected, rel=1e-12)


def test_a_bin_is_about_a_basis_point_in_round_ticks() -> None:
    assert [bin_ticks(0.1, price) for price in (60_000.0, 9_000.0, 100.0)] == [50, 10, 1]


def test_a_damaged_book_is_said_to_be_one(store: FlowStore, database: Database) -> None:
    put(database, store, book())
    with database.transaction() as connection:
        connection.exec_driver_sql("UPDATE hydra_books SET samples = samples + 1")
    with pytest.raises(StoreError, match="hydra_books: expected 31 samples"):
        BookStore(database, store.markets).between(BTC, 0, START + DAY_MS)


def test_a_vendors_sums_of_other_intervals_stand_beside_its_minutes(
    store: FlowStore, database: Database
) -> None:
    """L9: the five minutes took the place of the minute with which they begin."""
    kept, span = DerivativesStore(database, store.markets), (START, START + 5 * MINUTE)
    kept.put_liquidation_history(BTC, "coinalyze", [(START, 1.0, 2.0)], covered=span)
    kept.put_liquidation_history(
        BTC, "coinalyze", [(START, 7.0, 8.0)], covered=(0, START + 9 * MINUTE), step_ms=5 * MINUTE
    )
    for step_ms, longs in ((MINUTE, 1.0), (5 * MINUTE, 7.0)):
        told = kept.liquidation_minutes(BTC, *span, source="coinalyze", step_ms=step_ms)
        assert told.columns["long_notional"].tolist() == [longs]
    with database.transaction() as connection:
        market = store.markets.number(BTC)
        found = covered(connection, market, Feed.LIQUIDATIONS, source="coinalyze")
    assert found == [Stretch(*span)]
