"""What was recorded lies beside the candles: the same whether read at once or candle by candle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from adapter.recorded_tape import (
    DAY,
    FIVE,
    GRID,
    HOUR,
    MINUTE,
    PAIR,
    START,
    flat_candles,
    made_flow,
    made_trades,
)

from hydra_ft.adapter.recorded import feeds
from hydra_ft.adapter.recorded.feeds import RecordedFeeds
from hydra_ft.bars.candles import part, resample, same
from hydra_ft.bars.flow import FlowFolder
from hydra_ft.bars.flow_coarser import coarser_bars
from hydra_ft.bars.flow_columns import with_flow
from hydra_ft.bars.flow_tables import same_flow
from hydra_ft.bars.flow_whole import flow_of, flow_of_blocks
from hydra_ft.store.database import Database
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.flow_coverage import OWN, Proof, Stretch, cover
from hydra_ft.store.flow_derivatives import DerivativesStore, Liquidated, put_liquidations
from hydra_ft.store.flow_resumption import resumption
from hydra_ft.types import Feed, Side

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hydra_ft.types.flow import TradeGrid, Trades

TRADES = (Feed.TRADES,)
END = START + 3 * DAY + 12 * HOUR
HOLE = START + 3 * DAY + 5 * HOUR, START + 3 * DAY + 5 * HOUR + 7 * MINUTE


@pytest.fixture(scope="module")
def trades() -> Trades:
    return made_trades(3.5)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, trades: Trades) -> Iterator[Database]:
    """Three and a half days, of which a recorder missed seven minutes; nobody writes to it."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('recorded') / 'hydra.sqlite'}")
    parts = [(START, HOLE[0]), (HOLE[1], END)]
    FlowStore(database, "binance").put([(PAIR, made_flow(trades, *part)) for part in parts])
    yield database
    database.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'hydra.sqlite'}")
    yield opened
    opened.close()


def feeds_of(database: Database, *, keeps: bool) -> RecordedFeeds:
    return RecordedFeeds(database, "binance", keeps=keeps)


def test_columns_are_those_of_the_trades_folded_at_once(trades: Trades, tmp_path: Path) -> None:
    """No sum is lost between store and bars, in flow nor in value."""
    stop = START + 2 * DAY + 2 * HOUR
    first = int(np.searchsorted(trades.time, stop))
    whole = flow_of(trades.part(0, first), GRID, FIVE, covered=(START, stop))
    database = Database(f"sqlite:///{tmp_path / 'one.sqlite'}")
    FlowStore(database, "binance").put([(PAIR, made_flow(trades, START, stop))])
    bars = flat_candles(stop, 300)
    beside = feeds_of(database, keeps=False).beside(PAIR, bars, TRADES)
    database.close()
    assert same(beside, with_flow(bars, whole))
    assert np.isfinite(beside.value.previous_poc).all()  # type: ignore[union-attr]
    assert np.nansum(beside.value.returns_above) > 0  # type: ignore[union-attr]


def test_candle_by_candle_is_as_all_at_once(recorded: Database) -> None:
    """The last 200 bars are equal to the last digit, each as it was when it was the newest."""
    live, n = feeds_of(recorded, keeps=True), 300
    chance = np.random.default_rng(5)
    steps = np.r_[END - 200 * FIVE : END + 1 : FIVE]
    steps = steps[np.r_[chance.random(len(steps) - 1) < 0.35, True]].tolist()
    rows = {}
    for stop in steps:
        found = live.beside(PAIR, flat_candles(stop, n), TRADES)
        rows[stop] = part(found, n - 1, None)
    whole = feeds_of(recorded, keeps=False).beside(PAIR, flat_candles(END, n), TRADES)
    assert same(found, whole)
    for stop, row in rows.items():
        i = n - (END - stop) // FIVE
        assert same(row, part(whole, i - 1, i)), i


@pytest.mark.parametrize("step", [MINUTE, HOUR, 4 * HOUR])
def test_other_timeframes_are_prolonged_likewise(recorded: Database, step: int) -> None:
    live, n = feeds_of(recorded, keeps=True), 18
    for stop in range(END - 3 * step, END + 1, step):
        found = live.beside(PAIR, flat_candles(stop, n, step), TRADES)
        again = live.beside(PAIR, flat_candles(stop, n, step), TRADES)
        assert same(found, again)
    assert same(found, feeds_of(recorded, keeps=False).beside(PAIR, found, TRADES))
    assert np.isfinite(found.flow.buy_volume).any()  # type: ignore[union-attr]
    assert (found.value is None) == (step > 1_800_000)


def test_a_hole_is_unknown_and_never_quiet(recorded: Database) -> None:
    """F-A1: bars that a recorder saw in part are NaN, and say how much of them is there."""
    bars = feeds_of(recorded, keeps=False).beside(PAIR, flat_candles(END, 120), TRADES)
    row = int((HOLE[0] - bars.time[0]) // FIVE)
    assert bars.flow is not None
    assert np.isnan(bars.flow.buy_volume[[row, row + 1]]).all()
    assert bars.flow.covered[row : row + 3] == pytest.approx([0.0, 0.6, 1.0])
    assert np.isfinite(bars.flow.count[row - 1])


def test_what_is_fetched_later_comes_in(trades: Trades, database: Database) -> None:
    """Trades of an outage that are put in hours later change what was read before."""
    store, live = FlowStore(database, "binance"), feeds_of(database, keeps=True)
    stop, outage = START + 2 * DAY, (START + 30 * HOUR, START + 31 * HOUR)
    store.put([(PAIR, made_flow(trades, START, outage[0]))])
    store.put([(PAIR, made_flow(trades, outage[1], stop))])
    bars = flat_candles(stop, 400)
    torn = live.beside(PAIR, bars, TRADES)
    assert np.isnan(torn.flow.count).sum() == 12  # type: ignore[union-attr]
    store.put([(PAIR, made_flow(trades, *outage))])
    mended = live.beside(PAIR, bars, TRADES)
    assert np.isfinite(mended.flow.count).all()  # type: ignore[union-attr]
    assert same(mended, feeds_of(database, keeps=False).beside(PAIR, bars, TRADES))


def test_a_recorder_goes_on_within_the_minute_in_which_a_file_ends(
    trades: Trades, database: Database
) -> None:
    """What `hydra data build` leaves in part is built anew, so that no hole lies behind it."""
    store, cut = FlowStore(database, "binance"), START + HOUR + 25_000
    store.put([(PAIR, made_flow(trades, START, cut))])
    found = resumption(database, store, PAIR, MINUTE)
    assert found is not None
    assert found.closed_until == START + HOUR
    begun = FlowFolder(
        found.grid,
        MINUTE,
        covered_from=found.closed_until,
        last_id=found.last_id,
        last_price_ticks=found.last_price_ticks,
    )
    begun.fold(trades.part(found.last_id, int(np.searchsorted(trades.time, START + 2 * HOUR))))
    store.put([(PAIR, begun.advance(START + 2 * HOUR))])
    bars = store.between(PAIR, MINUTE, START, START + 2 * HOUR)
    assert bars is not None
    assert bars.whole.all()
    assert same_flow(bars, made_flow(trades, START, START + 2 * HOUR).bars)


def test_only_what_is_newer_is_read(recorded: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    live, asked = feeds_of(recorded, keeps=True), []
    live.beside(PAIR, flat_candles(END - FIVE, 200), TRADES)
    plain = FlowStore.between

    def noted(
        self: FlowStore, pair: str, step: int, start: int, stop: int, *grid: TradeGrid
    ) -> object:
        asked.append(stop - start)
        return plain(self, pair, step, start, stop, *grid)

    monkeypatch.setattr(FlowStore, "between", noted)
    live.beside(PAIR, flat_candles(END, 200), TRADES)
    assert asked
    assert max(asked) <= 15 * MINUTE


def test_a_pair_of_which_nothing_is_kept_is_unknown(recorded: Database) -> None:
    for keeps in (True, False):
        bars = feeds_of(recorded, keeps=keeps).beside(
            "ETH/USDT:USDT", flat_candles(END, 50), (Feed.TRADES, Feed.LIQUIDATIONS)
        )
        assert bars.flow is not None
        assert not bars.flow.covered.any()
        assert np.isnan(bars.flow.buy_volume).all()
        assert np.isnan(bars.long_liquidated).all()  # type: ignore[arg-type]


def test_feeds_that_are_not_listed_are_not_carried(recorded: Database) -> None:
    bars = flat_candles(END, 5)
    assert feeds_of(recorded, keeps=False).beside(PAIR, bars, (Feed.CANDLES, Feed.FUNDING)) is bars


def test_fine_candles_are_those_of_the_trades(recorded: Database, trades: Trades) -> None:
    """An interval without a trade is flat and whole; one that was not recorded is not whole."""
    before, after = np.searchsorted(trades.time, HOLE).tolist()
    parts = (trades.part(0, before), trades.part(after, None))
    whole = flow_of_blocks(parts, GRID, 10_000, contiguous_ids=False)
    for read in (feeds_of(recorded, keeps=False), feeds_of(recorded, keeps=True)):
        read.beside(PAIR, flat_candles(END, 10, MINUTE), TRADES)
        fine = read.fine(PAIR, "10s", HOLE[0] - HOUR, HOLE[1] + HOUR)
        assert (len(fine), fine.step_ms) == (2 * 360 + 42, 10_000)
        at = np.searchsorted(whole.bars.time, fine.time)
        known = np.isfinite(fine.flow.count)  # type: ignore[union-attr]
        assert (~known).sum() == 42
        for name in ("open", "high", "low", "close", "volume"):
            assert np.array_equal(
                getattr(fine, name)[known], getattr(whole.bars, name)[at][known]
            ), name
        empty = fine.flow.empty == 1  # type: ignore[union-attr]
        assert empty.any()
        assert (fine.close[1:] == fine.close[:-1])[empty[1:]].all()
        coarse = read.fine(PAIR, "30s", HOLE[0] - HOUR, HOLE[1] + HOUR)
        assert np.array_equal(coarse.close, resample(fine, 30_000).close)


def test_fine_candles_of_long_are_read_in_parts(
    recorded: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = feeds_of(recorded, keeps=False).fine(PAIR, "10s", START - HOUR, END)
    monkeypatch.setattr(feeds, "AT_ONCE_MS", 7 * HOUR)
    assert same(feeds_of(recorded, keeps=False).fine(PAIR, "10s", START - HOUR, END), whole)


def test_nothing_is_fine_where_nothing_is_kept(recorded: Database) -> None:
    fine = feeds_of(recorded, keeps=True).fine("ETH/USDT:USDT", "10s", START, END)
    assert len(fine) == 0
    assert fine.flow is not None


def test_liquidations_are_sums_where_the_feed_stood(database: Database) -> None:
    """0 is said where none came, NaN where nobody listened; a vendor fills what was missed."""
    kept, markets = feeds_of(database, keeps=True), FlowStore(database, "binance").markets
    number = markets.number(PAIR)
    events = [
        Liquidated(START + 1, Side.LONG, 100.0, 2.0),
        Liquidated(START + FIVE - 1, Side.SHORT, 100.0, 1.0),
        Liquidated(START + 2 * FIVE, Side.LONG, 100.0, 5.0),
    ]
    with database.transaction() as connection:
        put_liquidations(connection, number, events)
        standing = Stretch(START, START + 2 * FIVE + MINUTE)
        cover(connection, [Proof(number, Feed.LIQUIDATIONS, standing, OWN)])
    bars = flat_candles(START + 4 * FIVE, 4)
    seen = kept.beside(PAIR, bars, (Feed.LIQUIDATIONS,))
    assert seen.long_liquidated.tolist()[:2] == [200.0, 0.0]  # type: ignore[union-attr]
    assert seen.short_liquidated.tolist()[:2] == [100.0, 0.0]  # type: ignore[union-attr]
    assert np.isnan(seen.long_liquidated[2:]).all()  # type: ignore[index]
    store = DerivativesStore(database, markets)
    sums = [(START, 999.0, 999.0), (START + 2 * FIVE, 700.0, 0.0)]
    span = (START, START + 3 * FIVE)
    store.put_liquidation_history(PAIR, "coinalyze", sums, covered=span)
    for read in (kept, feeds_of(database, keeps=False)):
        filled = read.beside(PAIR, bars, (Feed.LIQUIDATIONS,))
        assert filled.long_liquidated.tolist()[:3] == [200.0, 0.0, 700.0]  # type: ignore[union-attr]
        assert np.isnan(filled.long_liquidated[3])  # type: ignore[index]


def test_minutes_that_a_vendor_revises_are_read_again(database: Database) -> None:
    """An hour later the vendor's last minutes come with the next ones, and not as they were."""
    kept, markets = feeds_of(database, keeps=True), FlowStore(database, "binance").markets
    store, end = DerivativesStore(database, markets), START + 4 * HOUR
    late = end - 9 * MINUTE - MINUTE
    store.put_liquidation_history(PAIR, "coinalyze", [(late, 1_000.0, 0.0)], covered=(START, end))
    for stop in range(end, end + HOUR, FIVE):
        seen = kept.beside(PAIR, flat_candles(stop, 40), (Feed.LIQUIDATIONS,))
    assert np.nansum(seen.long_liquidated) == 1_000.0  # type: ignore[arg-type]
    fresh = end - 10 * MINUTE, end + HOUR
    store.put_liquidation_history(PAIR, "coinalyze", [(late, 9_000.0, 0.0)], covered=fresh)
    bars = flat_candles(end + HOUR, 40)
    for read in (kept, feeds_of(database, keeps=False)):
        revised = read.beside(PAIR, bars, (Feed.LIQUIDATIONS,)).long_liquidated
        assert np.nansum(revised) == 9_000.0  # type: ignore[arg-type]


def test_what_lacks_a_coarse_bar_is_told_of(recorded: Database) -> None:
    minutes = FlowStore(recorded, "binance").between(PAIR, MINUTE, HOLE[0] - HOUR, HOLE[1])
    assert minutes is not None
    assert coarser_bars(minutes, HOUR).uncovered_ms.sum() == 0
    found = feeds_of(recorded, keeps=False).beside(PAIR, flat_candles(END, 12, HOUR), TRADES)
    assert found.flow is not None
    row = int((HOLE[0] - found.time[0]) // HOUR)
    assert found.flow.covered[row] == pytest.approx(53 / 60)
    assert np.isnan(found.flow.count[row])
