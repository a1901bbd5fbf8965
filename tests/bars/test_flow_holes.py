"""A hole is no calm: what may be missing is marked, by ids, by time, and no more than that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bars.flow_reference import GRID, START, made_trades, picked

from hydra_ft.bars.flow import FlowFolder
from hydra_ft.bars.flow_coarser import coarser_bars
from hydra_ft.bars.flow_columns import flow_columns
from hydra_ft.bars.flow_tables import joined
from hydra_ft.bars.flow_trades import trades_from
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.types.flow import NO_ID, Trades

MINUTE = 60_000
WHOLE = (START, START + 10 * MINUTE)


def by_id(*rows: tuple[int, int]) -> Trades:
    """Trades of one lot from (id, ms after the start)."""
    id_, time = zip(*rows, strict=True)
    n = len(rows)
    return trades_from(id_, START + np.array(time), [100.0] * n, [1.0] * n, [1] * n)


def test_a_hole_in_the_ids_makes_no_quiet_bars_of_those_that_it_swallowed() -> None:
    """Nothing is known from the last bar that traded to the one that noticed; else all is."""
    trades = made_trades(3_000)
    at, later = START + 125_000, START + 455_000
    kept = picked(trades, np.flatnonzero((trades.time < at) | (trades.time >= later)))
    flow = flow_of(kept, GRID, MINUTE, covered=WHOLE)
    swallowed = [False] * 2 + [True] * 6 + [False] * 2
    assert (~flow.bars.whole).tolist() == swallowed
    found = flow_columns(flow.bars)
    assert np.isnan(found.buy_volume).tolist() == swallowed
    assert (~((found.covered == 1) & (found.missing == 0))).tolist() == swallowed
    assert np.flatnonzero(~flow.sub_bars.whole).tolist() == list(range(12, 46))
    coarse = coarser_bars(flow.bars, 5 * MINUTE)
    assert (~coarse.whole).tolist() == [True, True]


@pytest.mark.parametrize("closed_before", [False, True])
def test_bars_that_had_closed_before_the_hole_was_noticed_are_not_whole_either(
    *, closed_before: bool
) -> None:
    """Of those nothing is covered: rows that the feed covered tell a gap from calm."""
    trades = by_id((10, 0), (11, 30_000), (2_000, 4 * MINUTE + 5_000), (2_001, 5 * MINUTE + 1))
    folder, parts = FlowFolder(GRID, MINUTE, covered_from=START), []
    folder.fold(trades.part(0, 2))
    if closed_before:
        parts.append(folder.advance(START + 3 * MINUTE))
    folder.fold(trades.part(2, None))
    bars = joined([*parts, folder.advance(START + 6 * MINUTE)]).bars
    assert bars.whole.tolist() == [False] * 5 + [True]
    assert bars.missing_ids.tolist() == [0, 0, 0, 0, 1_988, 0]
    found = flow_columns(bars)
    assert ((found.covered == 1) & (found.missing == 0)).tolist() == [False] * 5 + [True]
    assert np.isnan(found.empty).tolist() == [True] * 5 + [False]


def test_one_id_missed_between_two_busy_bars_costs_those_two() -> None:
    trades = made_trades(6_000, span_ms=600_000)
    last = int(np.searchsorted(trades.time, START + 4 * MINUTE)) - 1
    within = int(np.searchsorted(trades.time, START + 7 * MINUTE + 30_000))
    kept = picked(trades, np.delete(np.arange(6_000), [last, within]))
    bars = flow_of(kept, GRID, MINUTE, covered=WHOLE).bars
    assert np.flatnonzero(~bars.whole).tolist() == [3, 4, 7]
    assert not bars.uncovered_ms.any()


def test_a_bar_whose_trade_came_too_late_is_not_whole() -> None:
    """Without ids too, which would tell of it."""
    made = made_trades(300, seed=4)
    trades = replace(made, id=np.full(300, NO_ID))
    last = int(np.searchsorted(trades.time, START + MINUTE)) - 1
    folder, parts = FlowFolder(GRID, MINUTE, covered_from=START), []
    folder.fold(trades.part(0, last))
    parts.append(folder.advance(START + MINUTE))
    folder.fold(trades.part(last, None))
    bars = joined([*parts, folder.finish(WHOLE[1])]).bars
    assert bars.late.tolist() == [0, 1, *[0] * 8]
    assert np.flatnonzero(~bars.whole).tolist() == [0, 1]


def test_a_hole_is_found_by_ids_where_trades_came_out_of_order_too() -> None:
    """The trade with the highest id came first, and it was there that all others were missed."""
    times = ((1, 0), (2, 11_000), (5, 41_000), (7, 55_000))
    trades = by_id(times[0], times[3], times[1], times[2], (6, 52_000))
    folder = FlowFolder(GRID, MINUTE, covered_from=START)
    folder.fold(trades)
    flow = folder.advance(START + MINUTE)
    assert flow.sub_bars.missing_ids.tolist() == [0, 0, 0, 0, 0, 2]
    assert flow.sub_bars.uncovered_ms.tolist() == [0, 1, 10_000, 10_000, 1, 0]


def test_ids_that_begin_anew_are_new_trades_and_a_hole_lies_before_them() -> None:
    """A pair that was listed again: nothing of it is a repeat, and nothing looks quiet."""
    old = [(500 + i, 1_000 * i) for i in range(100)]
    new = [(1 + i, 200_000 + 1_000 * i) for i in range(150)]
    folder = FlowFolder(GRID, MINUTE, covered_from=START, last_id=499)
    folder.fold(by_id(*old, *new, *new[-30:]))
    bars = folder.advance(START + 6 * MINUTE).bars
    assert bars.count.tolist() == [60, 40, 0, 40, 60, 50]
    assert bars.duplicates.tolist() == [0, 0, 0, 0, 0, 30]
    assert bars.missing_ids.tolist() == [0, 0, 0, 1, 0, 0]
    assert bars.whole.tolist() == [True, False, False, False, True, True]
    folder.fold(by_id((151, 361_000), (153, 362_000), (152, 363_000)))
    assert folder.advance(START + 7 * MINUTE).bars.missing_ids.tolist() == [0]


@pytest.mark.parametrize("last_id", [5_000_000, NO_ID])
def test_ids_that_begin_anew_are_known_by_the_first_of_them(last_id: int) -> None:
    """After a restart as well, and where the file begins with the old ones."""
    folder, old = FlowFolder(GRID, MINUTE, covered_from=START, last_id=last_id), 0
    if last_id == NO_ID:
        folder.fold(by_id((5_000_000, 0)))
        old = 1
    folder.fold(by_id((1, 61_000), (2, 62_000), (2, 62_000), (3, 123_000)))
    bars = folder.advance(START + 3 * MINUTE).bars
    assert bars.count.tolist() == [old, 2, 1]
    assert bars.duplicates.tolist() == [0, 1, 0]
    assert bars.missing_ids.tolist() == [0, 1, 0]
    assert bars.whole.tolist() == [False, False, True]


def test_what_comes_again_after_a_restart_is_no_new_count() -> None:
    folder = FlowFolder(GRID, MINUTE, covered_from=START, last_id=5_000)
    folder.fold(by_id(*((4_900 + i, 100 * i) for i in range(102))))
    bars = folder.advance(START + MINUTE).bars
    assert (bars.count[0], bars.duplicates[0], bars.missing_ids[0]) == (1, 101, 0)
    assert bars.whole.all()


def test_intervals_are_marked_as_lost_in_whatever_order_they_are_told() -> None:
    folder = FlowFolder(GRID, MINUTE, covered_from=START)
    told = [(240, 300), (60, 120), (90, 100), (115, 130), (200, 250), (0, 10)]
    for start, stop in told:
        assert folder.lost(START + start * 1_000, START + stop * 1_000) == 0
    bars = folder.advance(START + 6 * MINUTE).bars
    assert (bars.uncovered_ms // 1_000).tolist() == [10, 60, 10, 40, 60, 0]


def test_a_gap_that_is_told_again_after_a_part_of_it_closed_is_counted_once() -> None:
    folder = FlowFolder(GRID, MINUTE, covered_from=START)
    folder.lost(START + 30_000, START + 90_000)
    first = folder.advance(START + MINUTE).bars
    assert folder.lost(START + 30_000, START + 100_000) == 30_000
    second = folder.advance(START + 2 * MINUTE).bars
    assert (*first.uncovered_ms, *second.uncovered_ms) == (30_000, 40_000)


def test_a_bar_never_lacks_more_time_than_it_has() -> None:
    """What was lost before the feed began is uncovered already."""
    folder = FlowFolder(GRID, MINUTE, covered_from=START + 59_000)
    folder.lost(START + 30_000, START + 60_000)
    flow = folder.advance(START + MINUTE)
    assert flow.sub_bars.uncovered_ms.tolist() == [10_000]
    assert flow.bars.uncovered_ms.tolist() == [MINUTE]
    assert flow_columns(flow.bars).covered.tolist() == [0.0]
