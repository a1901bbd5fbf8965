"""Flow bars that were kept come back as they were, gaps marked, whatever came twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.flow_reference import GRID, START, made_trades, picked

from hydra_ft.bars.flow import FlowFolder
from hydra_ft.bars.flow_tables import COUNTED, joined, same_flow
from hydra_ft.bars.flow_trades import trades_from
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.flow_coverage import Stretch, covered
from hydra_ft.store.flow_resumption import Resumption, resumption
from hydra_ft.types import Feed
from hydra_ft.types.flow import UNKNOWN, TradeGrid

if TYPE_CHECKING:
    from hydra_ft.store.database import Database
    from hydra_ft.types.flow import Flow, FlowBars, Trades

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
MINUTE, TEN_S = 60_000, 10_000


@pytest.fixture
def store(database: Database) -> FlowStore:
    return FlowStore(database, "binance")


def by_hand(*rows: tuple[int, int, float, float, int]) -> Trades:
    """Trades from (id, ms after the start, price, quantity, side)."""
    id_, time, price, quantity, side = zip(*rows, strict=True)
    return trades_from(id_, np.array(time) + START, price, quantity, side)


def whole(n: int = 3_000, seed: int = 1) -> Flow:
    """Ten minutes of trades of which nothing is missing."""
    trades = made_trades(n, seed)
    return flow_of(trades, GRID, MINUTE, covered=(START, START + 10 * MINUTE))


def assert_footprint_of(store: FlowStore, bars: FlowBars, flow: Flow) -> None:
    kept = store.footprint(BTC, bars)
    for name in ("offsets", "bin", "buy", "sell"):
        assert np.array_equal(getattr(kept, name), getattr(flow.footprint, name)), name


def proven(store: FlowStore, pair: str = BTC) -> list[Stretch]:
    market = store.markets.number(pair)
    with store._database.transaction() as connection:
        return covered(connection, market, Feed.TRADES)


def test_bars_sub_bars_and_footprints_come_back_as_they_were(store: FlowStore) -> None:
    flow = whole()
    store.put([(BTC, flow)])
    bars, sub_bars = store.last(BTC, MINUTE, 100), store.last(BTC, TEN_S, 100)
    assert bars is not None
    assert sub_bars is not None
    assert same_flow(bars, flow.bars)
    assert same_flow(sub_bars, flow.sub_bars)
    assert_footprint_of(store, bars, flow)


def test_the_last_bars_are_the_newest_ones_oldest_first(store: FlowStore) -> None:
    flow = whole()
    store.put([(BTC, flow)])
    bars = store.last(BTC, MINUTE, 3)
    assert bars is not None
    assert bars.time.tolist() == flow.bars.time[-3:].tolist()
    before = store.last(BTC, MINUTE, 3, until=START + 5 * MINUTE)
    assert before is not None
    assert before.time.tolist() == flow.bars.time[2:5].tolist()


def test_the_same_batch_again_changes_nothing(store: FlowStore) -> None:
    flow = whole()
    for _ in range(2):
        store.put([(BTC, flow)])
    bars = store.last(BTC, MINUTE, 100)
    assert bars is not None
    assert same_flow(bars, flow.bars)
    assert proven(store) == [Stretch(START, START + 10 * MINUTE, 7_000, 9_999)]


def test_pairs_and_exchanges_do_not_mix(store: FlowStore, database: Database) -> None:
    one, two = whole(seed=1), whole(seed=2)
    other = FlowStore(database, "bybit")
    store.put([(BTC, one), (ETH, two)])
    other.put([(BTC, two)])
    for place, pair, flow in ((store, BTC, one), (store, ETH, two), (other, BTC, two)):
        bars = place.last(pair, MINUTE, 100)
        assert bars is not None
        assert same_flow(bars, flow.bars)
    assert other.last(ETH, MINUTE, 100) is None
    assert (store.markets.pairs(), other.markets.pairs()) == ([BTC, ETH], [BTC])


def test_what_was_not_kept_is_uncovered_at_the_price_before(store: FlowStore) -> None:
    """F-A1: an outage is marked in the bars, and neither skipped nor taken for calm."""
    first = flow_of(picked(made_trades(900), range(300)), GRID, MINUTE)
    later = replace_times(first, 30 * MINUTE)
    store.put([(BTC, first), (BTC, later)])
    bars = store.last(BTC, MINUTE, 1_000, until=int(later.bars.time[-1]) + 3 * MINUTE)
    assert bars is not None
    assert (np.diff(bars.time) == MINUTE).all()
    n = len(first.bars)
    gap, tail = slice(n, 30), slice(30 + n, None)
    for part in (gap, tail):
        assert set(bars.uncovered_ms[part].tolist()) == {MINUTE}
        assert not bars.count[part].any()
        assert set(bars.close_ticks[part].tolist()) == {int(first.bars.close_ticks[-1])}
        assert set(bars.last_id[part].tolist()) == {-1}
    assert bars.uncovered_ms[30 : 30 + n].tolist() == first.bars.uncovered_ms.tolist()
    assert len(bars) == 30 + n + 2
    assert store.footprint(BTC, bars).offsets[n] == store.footprint(BTC, bars).offsets[30]


def replace_times(flow: Flow, by_ms: int) -> Flow:
    """The same flow at a later time."""
    return replace(
        flow,
        bars=replace(flow.bars, time=flow.bars.time + by_ms),
        sub_bars=replace(flow.sub_bars, time=flow.sub_bars.time + by_ms),
    )


def halved(trades: Trades) -> tuple[Flow, Flow]:
    """What a recorder saw that stood still for the second half, and what it missed in all."""
    seen = picked(trades, np.flatnonzero(trades.time < START + 330_000))
    return flow_of(seen, GRID, MINUTE, covered=(START, START + 330_000)), flow_of(
        trades, GRID, MINUTE, covered=(START, START + 10 * MINUTE)
    )


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_the_same_bar_the_one_that_lacks_less_is_kept(
    store: FlowStore, order: tuple[int, int]
) -> None:
    flows = halved(made_trades(3_000))
    for i in order:
        store.put([(BTC, flows[i])])
    bars = store.last(BTC, MINUTE, 100)
    assert bars is not None
    assert same_flow(bars, flows[1].bars)
    assert_footprint_of(store, bars, flows[1])
    assert proven(store) == [Stretch(START, START + 10 * MINUTE, 7_000, 9_999)]


def test_a_folder_goes_on_where_the_kept_bars_end(database: Database) -> None:
    """After a restart nothing is counted twice, and nothing asked of the exchange but the rest."""
    trades = made_trades(3_000)
    expected = flow_of(trades, GRID, MINUTE, covered=(START, START + 10 * MINUTE))
    before = FlowFolder(GRID, MINUTE, covered_from=START)
    before.fold(picked(trades, range(1_700)))
    cut = START + 5 * MINUTE
    FlowStore(database, "binance").put([(BTC, before.advance(cut))])

    store = FlowStore(database, "binance")
    found = resumption(database, store, BTC, MINUTE)
    assert found is not None
    assert found.closed_until == cut
    folder = FlowFolder(
        found.grid,
        MINUTE,
        covered_from=found.closed_until,
        last_id=found.last_id,
        last_price_ticks=found.last_price_ticks,
    )
    folder.fold(trades)
    store.put([(BTC, folder.advance(START + 10 * MINUTE))])
    bars = store.last(BTC, MINUTE, 100)
    assert bars is not None
    differing = [n for n in COUNTED if (getattr(bars, n) != getattr(expected.bars, n)).any()]
    # All that was known came again, and was not counted again.
    assert differing == ["duplicates"]
    assert proven(store) == [Stretch(START, START + 10 * MINUTE, 7_000, 9_999)]


def test_the_last_trade_is_known_however_long_nothing_traded(
    database: Database, store: FlowStore
) -> None:
    trades = by_hand((41, 0, 100.0, 1.0, 1), (42, 5, 101.0, 1.0, -1))
    store.put([(BTC, flow_of(trades, GRID, MINUTE, covered=(START, START + 10 * MINUTE)))])
    found = resumption(database, store, BTC, MINUTE)
    assert found == Resumption(GRID, START + 10 * MINUTE, 42, 1_010)


def test_a_bar_that_was_never_closed_is_gone_on_with_from_its_first_whole_part(
    database: Database, store: FlowStore
) -> None:
    """A recorder that ended within its first minute leaves parts of a bar, and no bar."""
    trades = made_trades(3_000)
    folder = FlowFolder(GRID, MINUTE, covered_from=START + 4_000)
    folder.fold(picked(trades, np.flatnonzero(trades.time >= START + 4_000)[:300]))
    store.put([(BTC, folder.advance(START + 35_000))])
    assert store.last(BTC, MINUTE, 1) is None
    parts = store.last(BTC, TEN_S, 10)
    assert parts is not None
    assert parts.uncovered_ms.tolist() == [4_000, 0, 0]
    found = resumption(database, store, BTC, MINUTE)
    assert found == Resumption(GRID, START + TEN_S, int(parts.first_id[1]) - 1, UNKNOWN)


def test_where_no_part_of_a_bar_is_whole_it_is_gone_on_with_after_the_last(
    database: Database, store: FlowStore
) -> None:
    folder = FlowFolder(GRID, MINUTE, covered_from=START + 4_000)
    folder.fold(by_hand((41, 4_100, 100.0, 1.0, 1), (42, 5_000, 101.0, 1.0, -1)))
    store.put([(BTC, folder.advance(START + TEN_S))])
    found = resumption(database, store, BTC, MINUTE)
    assert found == Resumption(GRID, START + TEN_S, 42, 1_010)


def test_bars_of_an_older_coarser_grid_are_told_in_the_new_one(store: FlowStore) -> None:
    coarse, fine = TradeGrid(0.5, 0.01, 4), TradeGrid(0.1, 0.001, 20)
    trades = made_trades(600, grid=coarse)
    store.put([(BTC, flow_of(trades, coarse, MINUTE))])
    later = made_trades(600, seed=2, grid=fine, start=START + 10 * MINUTE)
    store.put([(BTC, flow_of(later, fine, MINUTE))])
    bars = store.last(BTC, MINUTE, 100)
    assert bars is not None
    assert bars.grid == fine
    plain = flow_of(trades, coarse, MINUTE)
    n = len(plain.bars)
    for name in ("open", "high", "low", "close", "volume", "delta", "min_delta", "vwap"):
        got, want = getattr(bars, name)[:n], getattr(plain.bars, name)
        assert np.allclose(got, want, rtol=1e-12, atol=0), name
    cells = store.footprint(BTC, bars)
    assert cells.bin[: cells.offsets[n]].tolist() == plain.footprint.bin.tolist()
    assert cells.buy[: cells.offsets[n]].tolist() == (10 * plain.footprint.buy).tolist()


def test_a_price_that_was_not_known_stays_unknown_in_the_new_grid(store: FlowStore) -> None:
    coarse, fine = TradeGrid(0.5, 0.01), TradeGrid(0.1, 0.01)
    early = by_hand((1, 3 * MINUTE, 100.0, 1.0, 1))
    store.put([(BTC, flow_of(early, coarse, MINUTE, covered=(START, START + 4 * MINUTE)))])
    late = by_hand((2, 4 * MINUTE, 100.1, 1.0, 1))
    span = (START + 4 * MINUTE, START + 5 * MINUTE)
    store.put([(BTC, flow_of(late, fine, MINUTE, covered=span))])
    bars = store.last(BTC, MINUTE, 10)
    assert bars is not None
    assert bars.close_ticks.tolist() == [-1, -1, -1, 1_000, 1_001]


def test_history_begins_after_a_grid_that_cannot_be_told_exactly(store: FlowStore) -> None:
    odd = TradeGrid(0.03, 0.001)
    store.put([(BTC, flow_of(made_trades(600, grid=odd), odd, MINUTE))])
    later = made_trades(600, seed=2, start=START + 20 * MINUTE)
    flow = flow_of(later, GRID, MINUTE)
    store.put([(BTC, flow)])
    bars = store.last(BTC, MINUTE, 100)
    assert bars is not None
    assert same_flow(bars, flow.bars)


def test_a_few_bars_of_long_ago_are_no_long_history(store: FlowStore) -> None:
    """However far apart what is kept lies, no more bars come than were asked for."""
    store.put([(BTC, whole())])
    years = 3 * 365 * 1_440
    bars = store.last(BTC, MINUTE, 5, until=START + years * MINUTE)
    assert bars is not None
    assert bars.time.tolist() == [START + (years - i) * MINUTE for i in range(5, 0, -1)]
    assert set(bars.uncovered_ms.tolist()) == {MINUTE}
    assert set(bars.close_ticks.tolist()) == {int(whole().bars.close_ticks[-1])}


def test_many_small_batches_are_one_proven_stretch(store: FlowStore) -> None:
    trades = made_trades(3_000)
    folder = FlowFolder(GRID, MINUTE, covered_from=START)
    parts = []
    for second in range(10, 610, 10):
        until = START + second * 1_000
        folder.fold(
            picked(trades, np.flatnonzero((trades.time >= until - 10_000) & (trades.time < until)))
        )
        parts.append(folder.advance(until))
        store.put([(BTC, parts[-1])])
    bars = store.last(BTC, TEN_S, 100)
    assert bars is not None
    assert same_flow(bars, joined(parts).sub_bars)
    assert proven(store) == [Stretch(START, START + 10 * MINUTE, 7_000, 9_999)]


def test_a_pair_of_which_nothing_is_kept_has_no_bars(database: Database, store: FlowStore) -> None:
    assert store.last(BTC, MINUTE, 10) is None
    assert resumption(database, store, BTC, MINUTE) is None
    store.put([(BTC, whole())])
    assert store.last(BTC, 300_000, 10) is None
    assert store.between(BTC, MINUTE, START - 10 * MINUTE, START) is None
