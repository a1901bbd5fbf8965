"""Bars summed up are the bars of a fold of that length, to the last lot and id."""

from __future__ import annotations

import numpy as np
import pytest
from bars.flow_reference import GRID, START, made_trades, picked
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_ft.bars.flow_tables import COUNTED, same_flow
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.errors import DataError
from hydra_ft.store.flow import bars_from
from hydra_ft.store.flow_coarser import coarser, coarser_footprint
from hydra_ft.types.flow import FlowBars, Footprint, TradeGrid, Trades

MINUTE = 60_000
COARSE = TradeGrid(GRID.tick_size, GRID.lot_size, 7)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1_000),
    n=st.integers(1, 300),
    holes=st.sets(st.integers(0, 59)),
    parts=st.sampled_from([2, 5, 15]),
)
def test_summed_up_is_folded_at_once(seed: int, n: int, holes: set[int], parts: int) -> None:
    trades = made_trades(n, seed, span_ms=60 * MINUTE)
    minute = (trades.time - START) // MINUTE
    kept = np.flatnonzero(~np.isin(minute, list(holes)))
    if kept.size:
        trades = picked(trades, kept)
    assert_summed(trades, parts * MINUTE)


def assert_summed(trades: Trades, step_ms: int) -> None:
    span = (START, START + 60 * MINUTE)
    fine = flow_of(trades, COARSE, MINUTE, covered=span)
    expected = flow_of(trades, COARSE, step_ms, covered=span)
    assert same_flow(coarser(fine.bars, step_ms), expected.bars)
    assert_same_cells(coarser_footprint(fine.footprint, fine.bars, step_ms), expected.footprint)


def assert_same_cells(left: Footprint, right: Footprint) -> None:
    for name in ("offsets", "bin", "buy", "sell"):
        assert np.array_equal(getattr(left, name), getattr(right, name)), name


def test_bars_that_are_not_whole_at_both_ends_are_left_out() -> None:
    fine = flow_of(made_trades(900, span_ms=30 * MINUTE), GRID, MINUTE).bars
    found = coarser(part(fine, 3, 24), 5 * MINUTE)
    assert found.time.tolist() == [START + i * MINUTE for i in (5, 10, 15)]
    expected = coarser(fine, 5 * MINUTE)
    assert found.notional.tolist() == expected.notional[1:4].tolist()
    assert len(coarser(part(fine, 1, 5), 5 * MINUTE)) == 0
    assert len(coarser(part(fine, 0, 0), 5 * MINUTE)) == 0


def part(bars: FlowBars, start: int, stop: int) -> FlowBars:
    cut = {name: getattr(bars, name)[:stop] for name in ("time", *COUNTED)}
    return bars_from(FlowBars(grid=bars.grid, step_ms=bars.step_ms, **cut), start)


@pytest.mark.parametrize("step_ms", [30_000, 90_000])
def test_a_length_that_bars_do_not_make_up_is_refused(step_ms: int) -> None:
    bars = flow_of(made_trades(10), GRID, MINUTE).bars
    with pytest.raises(DataError, match="expected a multiple of 60000"):
        coarser(bars, step_ms)
