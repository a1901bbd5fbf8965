"""A grid that changes leaves the past as it was: for the bot that ran, a restart and a test."""

from __future__ import annotations

from dataclasses import replace
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
    made_trades,
)

from hydra_ft.adapter.recorded.feeds import RecordedFeeds
from hydra_ft.adapter.recorded.stretches import Part, parts_of
from hydra_ft.bars.candles import part, same
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.store.database import Database
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.flow_rows import common_grid
from hydra_ft.types import Feed
from hydra_ft.types.flow import TradeGrid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hydra_ft.types import Bars
    from hydra_ft.types.flow import Trades

CHANGED = START + 2 * DAY + 3 * HOUR + 17 * MINUTE
END = CHANGED + 103 * MINUTE
GRIDS = {
    "narrower bins": TradeGrid(0.1, 0.001, 10),
    "wider bins": TradeGrid(0.1, 0.001, 100),
    "coarser tick": TradeGrid(1.0, 0.001, 5),
    "coarser lot": TradeGrid(0.1, 0.002, 50),
    "steps without a common multiple": TradeGrid(0.25, 0.003, 20),
}
TOLD = {"narrower bins": False, "wider bins": True, "coarser tick": False}
"""Whether yesterday's value can be told in the new bins."""


def tape_of(grid: TradeGrid) -> Trades:
    """Trades that lie on the new grid from the change on."""
    tape = made_trades((END - START) / DAY, per_minute=3)
    late = tape.time >= CHANGED
    price = np.round(tape.price / grid.tick_size) * grid.tick_size
    lots = np.maximum(1, np.round(tape.quantity / grid.lot_size)) * grid.lot_size
    return replace(
        tape,
        price=np.where(late, price, tape.price),
        quantity=np.where(late, lots, tape.quantity),
    )


@pytest.fixture(
    params=[
        "narrower bins",
        "coarser tick",
        *(pytest.param(name, marks=pytest.mark.ci) for name in list(GRIDS)[3:]),
        pytest.param("wider bins", marks=pytest.mark.ci),
    ]
)
def change(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def tape(change: str) -> Trades:
    return tape_of(GRIDS[change])


@pytest.fixture
def database(tmp_path: Path, tape: Trades) -> Iterator[Database]:
    """The tape up to the change; ``change_grid`` brings the rest."""
    opened = Database(f"sqlite:///{tmp_path / 'hydra.sqlite'}")
    put(opened, tape, START, CHANGED, GRID)
    yield opened
    opened.close()


def put(database: Database, tape: Trades, start: int, stop: int, grid: TradeGrid) -> None:
    first, last = np.searchsorted(tape.time, (start, stop)).tolist()
    flow = flow_of(tape.part(first, last), grid, MINUTE, covered=(start, stop))
    FlowStore(database, "binance").put([(PAIR, flow)])


def read(feeds: RecordedFeeds, stop: int, n: int, step: int = FIVE) -> Bars:
    return feeds.beside(PAIR, flat_candles(stop // step * step, n, step), (Feed.TRADES,))


def feeds_of(database: Database, *, keeps: bool) -> RecordedFeeds:
    return RecordedFeeds(database, "binance", keeps=keeps)


@pytest.mark.parametrize(("step", "n"), [(FIVE, 100), (HOUR, 30)])
def test_a_change_of_grid_rewrites_nothing(
    database: Database, tape: Trades, change: str, step: int, n: int
) -> None:
    """Bot that ran, bot that begins anew and test are equal in all bars, and know the flow."""
    ran = feeds_of(database, keeps=True)
    before = read(ran, CHANGED, n, step)
    put(database, tape, CHANGED, END, GRIDS[change])
    first = CHANGED // step * step
    for stop in (first + step, first + 3 * FIVE + step, END):
        found = read(ran, stop, n, step)
        assert same(found, read(feeds_of(database, keeps=True), stop, n, step)), stop
    span = int(found.time[-1] + step - START)
    tested = read(feeds_of(database, keeps=False), START + span, span // step, step)
    assert same(found, part(tested, len(tested) - n, None))
    stop = int(before.time[-1] + step - START) // step
    assert same(before, part(tested, stop - n, stop))
    assert found.flow is not None
    assert np.isfinite(found.flow.count).all()
    if tested.value is not None and change in TOLD:
        known = np.isfinite(tested.value.previous_high[DAY // step :])
        assert known[: (CHANGED - DAY - START) // step].all()
        assert known[(CHANGED - DAY - START) // step :].all() == TOLD[change]


def test_a_bar_in_which_the_grid_changes_sums_both(
    database: Database, tape: Trades, change: str
) -> None:
    put(database, tape, CHANGED, END, GRIDS[change])
    opened = CHANGED // HOUR * HOUR
    flow = read(feeds_of(database, keeps=False), opened + HOUR, 1, HOUR).flow
    within = (tape.time >= opened) & (tape.time < opened + HOUR)
    bought = tape.quantity[within & (tape.side == 1)].sum()
    mean = np.average(tape.price[within], weights=tape.quantity[within])
    assert flow is not None
    assert flow.count.tolist() == [within.sum()]
    assert flow.buy_volume == pytest.approx([bought])
    assert flow.vwap == pytest.approx([mean])


def test_fine_candles_go_through_a_change(database: Database, tape: Trades, change: str) -> None:
    """Those without a trade are flat at the price before, be that of the old grid."""
    put(database, tape, CHANGED, END, GRIDS[change])
    feeds = feeds_of(database, keeps=True)
    read(feeds, END, 10, MINUTE)
    for step, name in ((10_000, "10s"), (120_000, "2m")):
        start = (CHANGED - HOUR) // step * step
        fine = feeds.fine(PAIR, name, start, END)
        assert len(fine) == (END - start) // step
        empty = 1 + np.flatnonzero(fine.volume[1:] == 0)
        assert (fine.close[empty] == fine.close[empty - 1]).all()
        assert fine.flow is not None
        assert np.isfinite(fine.flow.count).all()
        rows = (tape.time - start) // step
        for i in np.unique(rows[(rows >= 0) & (rows < len(fine))]).tolist():
            traded = tape.price[rows == i]
            prices = [traded[0], traded.max(), traded.min(), traded[-1]]
            seen = [fine.open[i], fine.high[i], fine.low[i], fine.close[i]]
            assert seen == pytest.approx(prices), i


def test_an_interval_is_cut_where_the_grid_changes() -> None:
    assert parts_of(0, 40, 10, []) == [Part(0, 40, is_mixed=False)]
    assert parts_of(0, 40, 10, [20], [10]) == [
        Part(0, 10, is_mixed=False),
        Part(10, 20, is_mixed=False),
        Part(20, 40, is_mixed=False),
    ]
    assert parts_of(0, 40, 10, [3, 27]) == [
        Part(0, 10, is_mixed=True),
        Part(10, 20, is_mixed=False),
        Part(20, 30, is_mixed=True),
        Part(30, 40, is_mixed=False),
    ]
    assert parts_of(10, 10, 10, []) == []


def test_steps_in_which_grids_can_be_told() -> None:
    assert common_grid([GRID]) == GRID
    assert common_grid([GRID, GRIDS["coarser tick"]]) == TradeGrid(0.1, 0.001)
    assert common_grid([TradeGrid(0.25, 1e-8), TradeGrid(0.1, 3e-5)]) == TradeGrid(0.05, 1e-8)
