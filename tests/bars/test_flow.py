"""Flow bars: one pass over trades, closed by time, the same however the trades are cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bars.flow_reference import (
    GRID,
    START,
    assert_bars,
    assert_footprint,
    made_trades,
    picked,
    reference,
)

from hydra_ft.bars.candles import check
from hydra_ft.bars.flow import FlowFolder
from hydra_ft.bars.flow_coarser import coarser_bars, coarser_footprint
from hydra_ft.bars.flow_tables import candles, joined, same_flow
from hydra_ft.bars.flow_trades import trades_from
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.errors import DataError
from hydra_ft.types.flow import Flow, FlowBars, TradeGrid, Trades

MINUTE, TEN_S = 60_000, 10_000


def by_hand(*rows: tuple[int, int, float, float, int]) -> Trades:
    """Trades from (id, ms after the start, price, quantity, side)."""
    id_, time, price, quantity, side = zip(*rows, strict=True)
    return trades_from(id_, np.array(time) + START, price, quantity, side)


def assert_same(left: Flow, right: Flow) -> None:
    assert same_flow(left.bars, right.bars)
    assert same_flow(left.sub_bars, right.sub_bars)
    for name in ("offsets", "bin", "buy", "sell"):
        assert np.array_equal(getattr(left.footprint, name), getattr(right.footprint, name)), name


def test_a_bar_holds_what_was_worked_out_by_hand() -> None:
    """X57 too: the range of a bar is that of its trades, 105 - 98 = 7."""
    flow = flow_of(
        by_hand(
            (1, 0, 100.0, 2.0, 1),
            (2, 500, 105.0, 1.5, -1),
            (3, 12_000, 98.0, 3.0, -1),
            (4, 59_999, 102.0, 1.0, 1),
        ),
        GRID,
        MINUTE,
        covered=(START, START + MINUTE),
    )
    bars = flow.bars
    assert (bars.open[0], bars.high[0], bars.low[0], bars.close[0]) == (100, 105, 98, 102)
    assert (bars.buy_volume[0], bars.sell_volume[0], bars.volume[0]) == (3.0, 4.5, 7.5)
    assert (bars.delta[0], bars.max_delta[0], bars.min_delta[0]) == (-1.5, 2.0, -2.5)
    assert (bars.count[0], bars.buy_count[0]) == (4, 2)
    assert bars.vwap[0] == pytest.approx((200 + 157.5 + 294 + 102) / 7.5, rel=1e-15)
    assert (bars.first_id[0], bars.last_id[0], bars.uncovered_ms[0]) == (1, 4, 0)
    assert flow.footprint.bin.tolist() == [980, 1000, 1020, 1050]
    assert flow.footprint.buy.tolist() == [0, 2000, 1000, 0]
    assert flow.footprint.sell.tolist() == [3000, 0, 0, 1500]
    assert flow.sub_bars.count.tolist() == [2, 1, 0, 0, 0, 1]
    assert flow.sub_bars.close.tolist() == [105, 98, 98, 98, 98, 102]


@pytest.mark.parametrize("bin_ticks", [1, 7])
def test_bars_sub_bars_and_footprints_are_those_of_plain_python(bin_ticks: int) -> None:
    grid = replace(GRID, bin_ticks=bin_ticks)
    trades = made_trades(3_000)
    flow = flow_of(trades, grid, MINUTE)
    expected = reference(trades, grid, MINUTE)
    assert_bars(flow.bars, expected)
    assert_footprint(flow.footprint, expected)
    inner = reference(trades, grid, TEN_S)
    first = (int(trades.time[0]) // TEN_S * TEN_S - int(flow.sub_bars.time[0])) // TEN_S
    assert_bars(_rows(flow, first, first + len(inner)), inner)


def _rows(flow: Flow, start: int, stop: int) -> FlowBars:
    names = [n for n in flow.sub_bars.__slots__ if n not in {"grid", "step_ms"}]
    return replace(flow.sub_bars, **{n: getattr(flow.sub_bars, n)[start:stop] for n in names})


def test_an_interval_without_trades_is_a_flat_bar_with_zero_delta() -> None:
    """F-A1: a bar is closed by time, and empty time is neither skipped nor stretched."""
    flow = flow_of(by_hand((1, 0, 100.0, 1.0, 1), (2, 185_000, 90.0, 1.0, -1)), GRID, MINUTE)
    assert flow.bars.time.tolist() == [START + i * MINUTE for i in range(4)]
    assert flow.bars.empty.tolist() == [False, True, True, False]
    assert flow.bars.delta.tolist() == [1.0, 0.0, 0.0, -1.0]
    assert flow.bars.close.tolist() == [100.0, 100.0, 100.0, 90.0]
    assert flow.bars.open.tolist() == [100.0, 100.0, 100.0, 90.0]
    assert np.isnan(flow.bars.vwap).tolist() == [False, True, True, False]
    assert np.all(np.diff(flow.sub_bars.time) == TEN_S)


def test_a_bar_closes_when_its_time_is_over_and_not_with_the_next_trade() -> None:
    """F-A1: nobody has to trade for a bar to close, and a trade closes none."""
    folder = FlowFolder(GRID, MINUTE, covered_from=START)
    folder.fold(by_hand((1, 0, 100.0, 1.0, 1), (2, MINUTE + 5, 101.0, 1.0, 1)))
    assert len(folder.advance(START + TEN_S - 1).sub_bars) == 0
    assert len(folder.advance(START + TEN_S).sub_bars) == 1
    last = folder.advance(START + MINUTE)
    assert (len(last.bars), len(last.sub_bars)) == (1, 5)
    assert last.bars.close.tolist() == [100.0]
    silent = folder.advance(START + 5 * MINUTE)
    assert silent.bars.count.tolist() == [1, 0, 0, 0]
    assert folder.closed_until == START + 5 * MINUTE


def test_before_the_first_trade_the_price_is_unknown_and_not_zero() -> None:
    flow = flow_of(
        by_hand((1, 65_000, 100.0, 1.0, 1)), GRID, MINUTE, covered=(START, START + 120_000)
    )
    assert np.isnan(flow.bars.close[0])
    assert flow.bars.uncovered_ms.tolist() == [0, 0]
    plain = candles(flow.bars)
    assert plain.time.tolist() == [START + MINUTE]
    check(plain)


@pytest.mark.parametrize("size", [1, 2, 17, 256, 257, 1_000])
def test_chunks_of_any_size_give_the_same_to_the_last_digit(size: int) -> None:
    trades = made_trades(1_500, seed=3)
    whole = flow_of(trades, GRID, MINUTE)
    folder = FlowFolder(GRID, MINUTE)
    parts = []
    for start in range(0, len(trades), size):
        chunk = trades.part(start, start + size)
        folder.fold(chunk)
        parts.append(folder.advance(int(chunk.time[-1])))
    parts.append(folder.finish(int(trades.time[-1]) + 1))
    assert_same(joined(parts), whole)


def test_going_on_after_a_restart_gives_the_bars_of_a_run_without_one() -> None:
    trades = made_trades(800, seed=5)
    cut = START + 5 * MINUTE
    before = int(np.searchsorted(trades.time, cut))
    whole = flow_of(trades, GRID, MINUTE, covered=(START, START + 10 * MINUTE))
    first = FlowFolder(GRID, MINUTE, covered_from=START)
    first.fold(trades.part(0, before + 40))
    closed = first.advance(cut)
    again = FlowFolder(
        GRID, MINUTE, covered_from=cut, last_id=int(closed.bars.last_id.max()),
        last_price_ticks=int(closed.bars.close_ticks[-1]),
    )  # fmt: skip
    again.fold(trades.part(before - 30, None))  # the exchange is asked from a little earlier
    rest = again.advance(START + 10 * MINUTE)
    assert rest.bars.duplicates.sum() == 30
    both = joined([closed, rest])
    clean = np.zeros_like(both.bars.duplicates)
    assert same_flow(replace(both.bars, duplicates=clean), whole.bars)
    assert both.bars.missing_ids.sum() == 0


def test_a_restart_that_missed_trades_says_how_many() -> None:
    trades = made_trades(800, seed=5)
    again = FlowFolder(GRID, MINUTE, covered_from=START + 5 * MINUTE, last_id=7_099)
    again.fold(trades.part(400, None))
    bars = again.finish(int(trades.time[-1]) + 1).bars
    assert bars.missing_ids.sum() == 300 + bars.late.sum()


def test_the_parts_of_the_first_and_last_bar_that_are_not_covered_are_counted() -> None:
    trades = by_hand((1, 15_500, 100.0, 1.0, 1), (2, 130_000, 100.0, 1.0, 1))
    bars = flow_of(trades, GRID, MINUTE).bars
    assert bars.uncovered_ms.tolist() == [15_500, 0, 49_999]
    subs = flow_of(trades, GRID, MINUTE).sub_bars
    assert subs.time[0] == START + TEN_S
    assert subs.uncovered_ms[0] == 5_500
    assert subs.uncovered_ms[-6:].tolist() == [0, 9_999, 10_000, 10_000, 10_000, 10_000]


def test_prices_and_volumes_are_the_nearest_floats_of_their_decimals() -> None:
    """Ten trades of 0.1 are 1.0 and not 0.9999999999999999."""
    trades = by_hand(*((i, i, 0.3, 0.1, 1) for i in range(1, 11)))
    bars = flow_of(trades, TradeGrid(0.1, 0.1), MINUTE).bars
    assert (bars.volume[0], bars.high[0], bars.vwap[0]) == (1.0, 0.3, 0.3)
    assert sum([0.1] * 10) != 1.0


def test_read_only_arrays_are_folded_as_they_are() -> None:
    trades = made_trades(50)
    for name in ("id", "time", "price", "quantity", "side"):
        getattr(trades, name).setflags(write=False)
    assert flow_of(trades, GRID, MINUTE).bars.count.sum() == 50


def test_flow_that_does_not_follow_is_not_joined() -> None:
    whole = flow_of(made_trades(200), GRID, MINUTE)
    with pytest.raises(DataError, match="expected one every 60000 ms"):
        joined([whole, whole])


@pytest.mark.parametrize("minutes", [1, 5])
def test_coarser_bars_are_those_folded_from_the_trades(minutes: int) -> None:
    trades = made_trades(900, seed=6, start=START + 70_000)
    step = minutes * MINUTE
    covered = (START + 65_000, START + 15 * MINUTE)
    fine = flow_of(trades, GRID, MINUTE, covered=covered)
    coarse = flow_of(trades, GRID, step, covered=covered)
    assert same_flow(coarser_bars(fine.bars, step), coarse.bars)
    assert same_flow(coarser_bars(fine.sub_bars, step), coarse.bars)
    summed = coarser_footprint(fine.footprint, fine.bars, step)
    for name in ("offsets", "bin", "buy", "sell"):
        wanted = getattr(coarse.footprint, name).tolist()
        assert getattr(summed, name).tolist() == wanted, name


def test_a_price_carried_into_the_first_bar_is_carried_on_by_coarser_ones() -> None:
    """F-A1: a restart begins with what was stored, and that may begin with empty bars."""
    trades = by_hand((1, 0, 100.0, 1.0, 1), (2, 570_000, 90.0, 1.0, -1))
    covered = (START, START + 10 * MINUTE)
    bars = flow_of(trades, GRID, MINUTE, covered=covered).bars
    names = [n for n in bars.__slots__ if n not in {"grid", "step_ms"}]
    quiet = replace(bars, **{n: getattr(bars, n)[2:] for n in names})
    assert coarser_bars(quiet, 2 * MINUTE).close.tolist() == [100.0, 100.0, 100.0, 90.0]
    whole = coarser_bars(bars, 2 * MINUTE)
    rest = replace(whole, **{n: getattr(whole, n)[1:] for n in names})
    assert same_flow(coarser_bars(quiet, 2 * MINUTE), rest)


def test_a_coarser_bar_that_is_not_complete_is_left_out() -> None:
    flow = flow_of(made_trades(300), GRID, MINUTE, covered=(START, START + 14 * MINUTE))
    assert len(coarser_bars(flow.bars, 5 * MINUTE)) == 2
    assert len(coarser_footprint(flow.footprint, flow.bars, 5 * MINUTE)) == 2
    with pytest.raises(DataError, match="step_ms: expected a multiple of 60000, was 90000"):
        coarser_bars(flow.bars, 90_000)


def test_a_bar_is_whole_when_it_was_covered_and_no_id_was_missed() -> None:
    trades = made_trades(600, span_ms=5 * MINUTE)
    kept = picked(trades, np.r_[:300, 310:600])
    bars = flow_of(kept, GRID, MINUTE, covered=(START + 1_000, START + 5 * MINUTE)).bars
    missed = int(trades.time[310] - START) // MINUTE
    expected = [i not in {0, missed} for i in range(5)]
    assert bars.whole.tolist() == expected


def test_no_trades_in_a_covered_interval_are_empty_bars_without_a_price() -> None:
    flow = flow_of(made_trades(0), GRID, MINUTE, covered=(START, START + 2 * MINUTE))
    assert flow.bars.empty.all()
    assert len(flow.bars) == 2
    assert np.isnan(flow.bars.close).all()
    assert len(flow.footprint.bin) == 0
    with pytest.raises(DataError, match="trades: expected one at least"):
        flow_of(made_trades(0), GRID, MINUTE)
