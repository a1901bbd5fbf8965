"""Where the grid of kept bars changes, and bars on both sides of a change told together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from bars.flow_reference import START, made_trades

from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.store.flow import FlowStore
from hydra_ft.types.flow import TradeGrid

if TYPE_CHECKING:
    from hydra_ft.store.database import Database

PAIR, MINUTE = "BTC/USDT:USDT", 60_000
FINE, COARSE = TradeGrid(0.1, 0.001, 10), TradeGrid(0.5, 0.002, 4)
CHANGED, END = START + 4 * MINUTE, START + 8 * MINUTE


def test_bars_on_both_sides_of_a_change_are_told_together(database: Database) -> None:
    """Ticks became five times as wide; the newest grid cannot tell what was before."""
    tape = made_trades(200)
    time = START + np.arange(200) * (END - START) // 200
    price, quantity = 100 + np.arange(200) % 7 * 0.5, np.arange(1, 201) * 0.002
    tape = replace(tape, time=time, price=price, quantity=quantity)
    store = FlowStore(database, "binance")
    assert store.changes(PAIR, MINUTE, START, END) == []
    for grid, start, stop in ((FINE, START, CHANGED), (COARSE, CHANGED, END)):
        first, last = np.searchsorted(time, (start, stop)).tolist()
        store.put([(PAIR, flow_of(tape.part(first, last), grid, MINUTE, covered=(start, stop)))])
    for step_ms in (MINUTE, 10_000):
        assert store.changes(PAIR, step_ms, START, END) == [CHANGED]
        assert store.changes(PAIR, step_ms, CHANGED, END) == []
        assert store.changes(PAIR, step_ms, START, CHANGED) == []
    newest, told = (read(PAIR, MINUTE, START, END) for read in (store.between, store.told))
    assert newest is not None
    assert told is not None
    assert (newest.grid, int(newest.time[0])) == (COARSE, CHANGED)
    assert (told.grid, int(told.time[0])) == (TradeGrid(0.1, 0.001), START)
    volume = np.bincount((time - START) // MINUTE, quantity)
    np.testing.assert_allclose(told.volume, volume)
    np.testing.assert_array_equal(told.close, price[np.searchsorted(time, told.time + MINUTE) - 1])
    after = store.told(PAIR, MINUTE, CHANGED, END)
    assert after is not None
    assert after.grid == COARSE
    assert store.between(PAIR, MINUTE, START, CHANGED, TradeGrid(0.3, 0.001)) is None
