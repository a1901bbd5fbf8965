"""The book beside the candles: the same at once, candle by candle and after a restart."""

from __future__ import annotations

from dataclasses import fields, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from adapter.recorded_book import GRID, cut, record_book, record_trades, trades_through, walk
from adapter.recorded_tape import FIVE, HOUR, MINUTE, PAIR, START, flat_candles

from hydra_ft.adapter.recorded.feed_states import FeedStates, whole_bars
from hydra_ft.adapter.recorded.feeds import RecordedFeeds
from hydra_ft.adapter.recorded.flow_wait import FlowWait, books_of
from hydra_ft.bars.beside import with_book
from hydra_ft.bars.candles import part, same
from hydra_ft.decisions import gates
from hydra_ft.features.registry import FEATURES
from hydra_ft.store.database import Database
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.flow_books import BookStore
from hydra_ft.store.flow_coverage import uncover
from hydra_ft.store.flow_retention import Retention, forget_old
from hydra_ft.types import BookColumns, Feed
from hydra_ft.types.flow import TradeGrid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hydra_ft.types import Bars

BOOK, BOTH = (Feed.BOOK,), (Feed.BOOK, Feed.TRADES)
END = START + 4 * HOUR + 20 * MINUTE
HOLE = START + 3 * HOUR + 12 * MINUTE, START + 3 * HOUR + 19 * MINUTE
SAMPLES = walk(4 * 3_600 + 1_300)
TAPE = trades_through(SAMPLES)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Four hours of the book and of trades; both miss seven minutes. Nobody writes to it."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('book') / 'hydra.sqlite'}")
    for start, stop in ((START, HOLE[0]), (HOLE[1], END)):
        record_book(database, SAMPLES, start, stop)
        record_trades(database, TAPE, start, stop)
    yield database
    database.close()


def feeds_of(database: Database, *, keeps: bool) -> RecordedFeeds:
    return RecordedFeeds(database, "binance", keeps=keeps)


def book_of(bars: Bars) -> BookColumns:
    assert bars.book is not None
    return bars.book


def whole_day(database: Database, step: int = FIVE) -> Bars:
    n = (END - START) // step
    return feeds_of(database, keeps=False).beside(
        PAIR, flat_candles(END // step * step, n, step), BOTH
    )


def test_columns_are_those_of_the_samples_at_once(recorded: Database) -> None:
    """No column is lost between store and bars, the microprice and sweeps among them."""
    stop = HOLE[0] // FIVE * FIVE
    n = (stop - START) // FIVE
    found = feeds_of(recorded, keeps=False).beside(PAIR, flat_candles(stop, n), BOTH)
    tape = FlowStore(recorded, "binance").told(PAIR, 10_000, START, stop)
    bars = flat_candles(stop, n)
    span = [(START, HOLE[0])]
    wanted = with_book(bars, cut(SAMPLES, START, stop), tick=0.1, covered=span, trades=tape)
    assert same(replace(found, flow=None, value=None, footprint=None), wanted)
    book = book_of(found)
    assert np.isfinite(book.micro_offset_bps_close[12:]).all()
    assert np.isnan(book.micro_offset_bps_close[:12]).all()
    assert np.nansum(book.ask_swept) > 0
    assert np.nansum(book.bid_refill_per_s != 0) > 0
    assert np.isfinite(book.order_flow[1:]).all()


def test_candle_by_candle_is_as_all_at_once_and_after_a_restart(recorded: Database) -> None:
    """Each of the last rows is equal to the last digit, as it was when it was the newest."""
    live, n, whole = feeds_of(recorded, keeps=True), 24, whole_day(recorded)
    for stop in range(END - 16 * FIVE, END + 1, FIVE):
        found = live.beside(PAIR, flat_candles(stop, n), BOTH)
        last = (stop - START) // FIVE
        assert same(replace(found, value=None), replace(part(whole, last - n, last), value=None)), (
            stop
        )
        if stop in {HOLE[1] // FIVE * FIVE + FIVE, END - 2 * FIVE}:
            begun = feeds_of(recorded, keeps=True).beside(PAIR, flat_candles(stop, n), BOTH)
            assert same(found, begun), stop


@pytest.mark.parametrize(("step", "n"), [(MINUTE, 40), (15 * MINUTE, 6), (HOUR, 2), (2 * HOUR, 1)])
def test_other_timeframes_are_prolonged_likewise(recorded: Database, step: int, n: int) -> None:
    live, whole = feeds_of(recorded, keeps=True), whole_day(recorded, step)
    for stop in range(END // step * step - step, END // step * step + 1, step):
        found = live.beside(PAIR, flat_candles(stop, n, step), BOOK)
    known = replace(whole, flow=None, value=None, footprint=None)
    plain = {name: getattr(book_of(found), name) for name in ("order_flow", "covered", "depth")}
    for name, values in plain.items():
        np.testing.assert_array_equal(values, getattr(book_of(known), name)[-n:])
    np.testing.assert_array_equal(
        book_of(found).micro_offset_bps_close, book_of(known).micro_offset_bps_close[-n:]
    )
    assert np.isfinite(book_of(known).order_flow).any() == (step <= HOUR)


def test_a_hole_is_unknown_and_never_quiet(recorded: Database) -> None:
    """Nothing is known in it, of sweeps until ten seconds after it, of its table for an hour."""
    book = book_of(whole_day(recorded))
    first, last = (HOLE[0] - START) // FIVE, (HOLE[1] - START) // FIVE
    assert np.isnan(book.order_flow[first : last + 1]).all()
    assert np.isfinite(book.order_flow[[first - 1, last + 1]]).all()
    assert book.covered[first : last + 2] == pytest.approx([0.4, 0.2, 1.0])
    assert np.isfinite(book.micro_offset_bps_close[[first - 1, last + 1]]).all()
    assert np.isnan(book.micro_offset_bps_close[48:]).all()
    rows = whole_bars(whole_day(recorded), Feed.BOOK)
    assert np.flatnonzero(~rows).tolist() == [0, first, last]


def test_what_is_taken_back_later_is_unknown_from_then_on(tmp_path: Path) -> None:
    """A gap that is told of late reaches what is kept, and the hour after it loses its table."""
    database = Database(f"sqlite:///{tmp_path / 'hydra.sqlite'}")
    stop = START + 2 * HOUR + 30 * MINUTE
    record_book(database, SAMPLES, START, stop)
    live, bars = feeds_of(database, keeps=True), flat_candles(stop, 18)
    assert np.isfinite(book_of(live.beside(PAIR, bars, BOOK)).micro_offset_bps_close).all()
    number = FlowStore(database, "binance").markets.number(PAIR)
    with database.transaction() as connection:
        uncover(connection, number, Feed.BOOK, START + 80 * MINUTE, START + 81 * MINUTE)
    found = live.beside(PAIR, bars, BOOK)
    assert same(found, feeds_of(database, keeps=False).beside(PAIR, bars, BOOK))
    late = book_of(found)
    assert np.isnan(late.order_flow).sum() == 1
    assert np.isnan(late.micro_offset_bps_close[-6:]).all()
    database.close()


def test_what_is_dropped_hourly_leaves_the_rest_as_it_is(tmp_path: Path) -> None:
    """Of a frame that reaches back further than samples are kept, the head alone is lost."""
    database = Database(f"sqlite:///{tmp_path / 'hydra.sqlite'}")
    record_book(database, SAMPLES, START, START + 4 * HOUR)
    live, n = feeds_of(database, keeps=True), 42
    for dropped, stop in ((0, 43), (20, 44), (65, 47), (65, 48)):
        forget_old(database, START + 24 * HOUR + dropped * MINUTE, Retention(book_days=1))
        bars = flat_candles(START + stop * FIVE, n)
        found = live.beside(PAIR, bars, BOOK)
        assert same(found, feeds_of(database, keeps=False).beside(PAIR, bars, BOOK)), dropped
    database.close()


def test_a_book_that_stands_still_is_known_for_ten_minutes(tmp_path: Path) -> None:
    """Which bars that makes does not depend on where the frame begins."""
    database = Database(f"sqlite:///{tmp_path / 'hydra.sqlite'}")
    record_book(database, cut(SAMPLES, START, START + 10 * MINUTE), START, START + HOUR)
    for n in (12, 8, 1):
        found = feeds_of(database, keeps=False).beside(PAIR, flat_candles(START + HOUR, n), BOOK)
        known = np.isfinite(book_of(found).touch)
        assert known.tolist() == ([False, *[True] * 3, *[False] * 8])[-n:]
        assert (book_of(found).covered == 1).all()
    database.close()


def test_a_change_of_tick_rewrites_nothing(tmp_path: Path) -> None:
    """Bars go on across it; the table of an hour in two ticks is told in the finer one."""
    database = Database(f"sqlite:///{tmp_path / 'hydra.sqlite'}")
    changed, stop = START + 90 * MINUTE, START + 2 * HOUR + 40 * MINUTE
    record_book(database, SAMPLES, START, changed)
    live, rows = feeds_of(database, keeps=True), {}
    rows[changed] = live.beside(PAIR, flat_candles(changed, 12), BOOK)
    record_book(database, SAMPLES, changed, stop, TradeGrid(0.05, 0.1, 20))
    for end in range(changed + FIVE, stop + 1, FIVE):
        rows[end] = live.beside(PAIR, flat_candles(end, 12), BOOK)
    whole = feeds_of(database, keeps=False).beside(PAIR, flat_candles(stop, 32), BOOK)
    for end, seen in rows.items():
        i = 32 - (stop - end) // FIVE
        assert same(part(seen, 11, 12), part(whole, i - 1, i)), end
    markets = FlowStore(database, "binance").markets
    assert BookStore(database, markets).tick(PAIR, START + HOUR, START + 2 * HOUR) == 0.05
    plain = cut(SAMPLES, START, stop)
    span = [(START, stop)]
    wanted = [with_book(flat_candles(stop, 32), plain, tick=t, covered=span) for t in (0.1, 0.05)]
    micro = book_of(whole).micro_offset_bps_close
    first, second = (book_of(bars).micro_offset_bps_close for bars in wanted)
    np.testing.assert_array_equal(micro, np.r_[first[:24], second[24:]])
    assert not np.array_equal(first[24:], second[24:])
    for field in fields(BookColumns):
        if field.name != "micro_offset_bps_close":
            name = field.name
            np.testing.assert_array_equal(
                getattr(book_of(whole), name), getattr(book_of(wanted[0]), name), name
            )
    database.close()


def test_only_what_is_newer_is_read(recorded: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a candle more its last minutes, and an hour once an hour; never much more at once."""
    asked: list[int] = []
    plain = BookStore.between

    def noted(self: BookStore, pair: str, start: int, stop: int) -> object:
        asked.append(stop - start)
        return plain(self, pair, start, stop)

    monkeypatch.setattr(BookStore, "between", noted)
    live = feeds_of(recorded, keeps=True)
    live.beside(PAIR, flat_candles(START + 3 * HOUR, 36), BOOK)
    assert max(asked) <= HOUR + 11 * MINUTE
    assert sum(asked) < 4 * HOUR
    for stop, most in ((FIVE, 96 * MINUTE), (4 * FIVE, 46 * MINUTE), (5 * FIVE, 26 * MINUTE)):
        asked.clear()
        live.beside(PAIR, flat_candles(START + 3 * HOUR + stop, 36), BOOK)
        assert 0 < sum(asked) <= most


def test_bars_finer_than_a_minute_have_a_book(recorded: Database) -> None:
    live, at_once = (feeds_of(recorded, keeps=keeps) for keeps in (True, False))
    for stop in (START + 2 * HOUR, START + 2 * HOUR + 3 * MINUTE):
        fine = live.fine(PAIR, "10s", stop - 30 * MINUTE, stop)
        found = live.beside(PAIR, fine, BOOK)
        assert same(found, at_once.beside(PAIR, fine, BOOK))
        assert np.isfinite(book_of(found).micro_offset_bps_close).all()
    five = whole_day(recorded)
    row = (stop - START) // FIVE - 1
    last = book_of(found).order_flow[-48:-18]
    assert last.sum() == pytest.approx(book_of(five).order_flow[row])


def test_fine_columns_of_the_book_are_stale_with_the_book() -> None:
    state: Any = SimpleNamespace(rules=SimpleNamespace(fine="10s"))
    comes = [
        gates._comes_from(state, frame, FEATURES[name])
        for name, frame in (("ofi", "10s"), ("ema_20", "10s"), ("ofi", "5m"))
    ]
    assert comes == [(Feed.BOOK,), (Feed.TRADES,), (Feed.BOOK,)]


def test_a_bot_waits_until_the_book_stood_a_second_beyond_the_candle(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'hydra.sqlite'}")
    close = START + 10 * MINUTE
    record_book(database, SAMPLES, START, close + 999)
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 7:
            record_book(database, SAMPLES, close + 999, close + 1_000)

    books = books_of(database, FlowStore(database, "binance").markets)
    assert FlowWait([books], FIVE, 5.0, sleep).wait([PAIR, "ETH/USDT:USDT"], close) == [
        "ETH/USDT:USDT"
    ]
    assert len(waited) == 7
    assert FlowWait([books], FIVE, 5.0, sleep).wait([PAIR], close + HOUR) == [PAIR]
    assert len(waited) == 7
    database.close()


def test_without_trades_sweeps_are_not_known(recorded: Database) -> None:
    found = feeds_of(recorded, keeps=False).beside(PAIR, flat_candles(END, 6), BOOK)
    assert found.flow is None
    assert np.isnan(book_of(found).ask_swept).all()
    assert np.isfinite(book_of(found).order_flow).all()


def test_a_pair_without_a_book_is_unknown_and_told_of(
    recorded: Database, caplog: pytest.LogCaptureFixture
) -> None:
    states = FeedStates()
    for keeps in (True, False):
        feeds = feeds_of(recorded, keeps=keeps)
        bars = feeds.beside("ETH/USDT:USDT", flat_candles(END, 50), BOOK)
        assert not book_of(bars).covered.any()
        assert np.isnan(book_of(bars).order_flow).all()
        assert len(book_of(feeds.beside(PAIR, part(bars, 0, 0), BOOK))) == 0
    states.see("ETH/USDT:USDT", bars, END + 2_000)
    states.see(PAIR, feeds.beside(PAIR, flat_candles(END, 50), BOOK), END + 2_000)
    with caplog.at_level("INFO"):
        states.tell()
    said = "\n".join(caplog.messages)
    assert "books are not complete, nothing is entered (data_stale:book): ETH" in said
    assert "books are complete: BTC" in said
    assert states.states[Feed.BOOK, PAIR].age_s == pytest.approx(2.0)
    assert GRID.tick_size == 0.1
