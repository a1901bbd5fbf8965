"""What bars prove complete, and what takes it back; of two rows the one that lacks less."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.flow_reference import GRID, START, made_trades, picked

from hydra_ft.bars.flow import FlowFolder
from hydra_ft.bars.flow_tables import same_flow
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.feeds.bybit import BYBIT
from hydra_ft.feeds.flow_sink import FlowSink
from hydra_ft.feeds.normal import BUY, PublicTrade
from hydra_ft.feeds.recorder_pair import PairRecorder
from hydra_ft.feeds.recorder_policy import RecorderPolicy
from hydra_ft.feeds.sink import Batch, PairFlow
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.flow_coverage import Stretch, covered
from hydra_ft.types import Feed
from hydra_ft.types.flow import NO_ID

if TYPE_CHECKING:
    from hydra_ft.store.database import Database

BTC = "BTC/USDT:USDT"
MINUTE = 60_000


@pytest.fixture
def store(database: Database) -> FlowStore:
    return FlowStore(database, "binance")


def proven(store: FlowStore) -> list[Stretch]:
    market = store.markets.number(BTC)
    with store._database.transaction() as connection:
        return covered(connection, market, Feed.TRADES)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_the_same_bar_the_one_with_fewer_missing_ids_is_kept(
    store: FlowStore, order: tuple[int, int]
) -> None:
    """Both cover all of their time; one lost trades on the way."""
    trades, span = made_trades(3_000), (START, START + 10 * MINUTE)
    lossy = picked(trades, np.flatnonzero(np.arange(3_000) % 7 != 3))
    flows = [flow_of(part, GRID, MINUTE, covered=span) for part in (lossy, trades)]
    for i in order:
        store.put([(BTC, flows[i])])
    bars = store.last(BTC, MINUTE, 100)
    assert bars is not None
    assert same_flow(bars, flows[1].bars)
    assert store.footprint(BTC, bars).buy.tolist() == flows[1].footprint.buy.tolist()


def test_bars_with_missing_ids_are_not_proven(store: FlowStore) -> None:
    trades = made_trades(3_000)
    at = START + 125_000
    kept = np.flatnonzero((trades.time < at) | (trades.time >= at + 1_000))
    flow = flow_of(picked(trades, kept), GRID, MINUTE, covered=(START, START + 10 * MINUTE))
    store.put([(BTC, flow)])
    starts = [(one.start, one.stop) for one in proven(store)]
    assert starts == [(START, START + 120_000), (START + 130_000, START + 10 * MINUTE)]


@pytest.mark.parametrize("in_one_batch", [True, False])
def test_missed_ids_leave_nothing_proven_back_to_the_trade_before(
    store: FlowStore, *, in_one_batch: bool
) -> None:
    """A hole of minutes looks like calm until the next trade comes, with its id."""
    trades = made_trades(3_000)
    at, later = START + 125_000, START + 455_000
    kept = picked(trades, np.flatnonzero((trades.time < at) | (trades.time >= later)))
    folder = FlowFolder(GRID, MINUTE, covered_from=START)
    folder.fold(kept if in_one_batch else picked(kept, np.flatnonzero(kept.time < at)))
    if not in_one_batch:
        store.put([(BTC, folder.advance(START + 420_000))])
        folder.fold(picked(kept, np.flatnonzero(kept.time >= later)))
    store.put([(BTC, folder.advance(START + 10 * MINUTE))])
    assert [(one.start, one.stop) for one in proven(store)] == [
        (START, START + 120_000),
        (START + 460_000, START + 10 * MINUTE),
    ]


def test_a_trade_that_came_too_late_takes_the_proof_of_its_bar_back(store: FlowStore) -> None:
    trades = made_trades(3_000)
    folder = FlowFolder(GRID, MINUTE, covered_from=START)
    first = int(np.searchsorted(trades.time, START + 60_000))
    for part, until in (
        (picked(trades, range(first - 1)), START + MINUTE),
        (picked(trades, [first - 1, *range(first, 3_000)]), START + 10 * MINUTE),
    ):
        folder.fold(part)
        store.put([(BTC, folder.advance(until))])
    assert [(one.start, one.stop) for one in proven(store)] == [
        (START, START + 50_000),
        (START + 70_000, START + 10 * MINUTE),
    ]


@pytest.mark.parametrize("in_one_batch", [True, False])
def test_bars_in_a_hole_are_read_back_as_not_covered(
    store: FlowStore, *, in_one_batch: bool
) -> None:
    """Also those that were kept before the hole was noticed; bars beside it are as they were."""
    trades = made_trades(3_000)
    at, later = START + 125_000, START + 455_000
    kept = picked(trades, np.flatnonzero((trades.time < at) | (trades.time >= later)))
    folder = FlowFolder(GRID, MINUTE, covered_from=START)
    folder.fold(kept if in_one_batch else picked(kept, np.flatnonzero(kept.time < at)))
    if not in_one_batch:
        store.put([(BTC, folder.advance(START + 420_000))])
        folder.fold(picked(kept, np.flatnonzero(kept.time >= later)))
    store.put([(BTC, folder.advance(START + 10 * MINUTE))])
    for step_ms, hole in ((MINUTE, (2, 8)), (10_000, (12, 46))):
        for stop in (START + 10 * MINUTE, START + 6 * MINUTE):  # where it was noticed, or before
            bars = store.between(BTC, step_ms, START, stop)
            assert bars is not None
            inside = range(hole[0], min(hole[1], len(bars)))
            assert np.flatnonzero(~bars.whole).tolist() == list(inside)
            assert set(bars.uncovered_ms[hole[0] + 1 : hole[1] - 1].tolist()) == {step_ms}


def test_a_bar_of_which_a_gap_was_told_is_read_back_as_not_covered(database: Database) -> None:
    """A trade that came after its bar had been handed over is in no bar, and in a gap."""
    sink, pair = FlowSink(database), PairRecorder(BYBIT, BTC, GRID, RecorderPolicy())
    named = [
        PublicTrade(NO_ID, NO_ID, START + 1_000 * i, 100.0, 1.0, BUY, f"{i}") for i in range(300)
    ]
    pair.begin(START)
    pair.take([*named[:100], *named[101:]], 0.0)
    for late in ([], [named[100]]):
        pair.take(late, 1.0)
        flow = pair.close(START + (2 + len(late)) * MINUTE, 1.0)
        assert flow is not None
        assert flow.bars.whole.all()
        sink.write(Batch(flows=(PairFlow("bybit", BTC, flow),), gaps=tuple(pair.take_gaps())))
    bars = FlowStore(database, "bybit").last(BTC, MINUTE, 10)
    assert bars is not None
    assert bars.uncovered_ms.tolist() == [0, 1, 0]
