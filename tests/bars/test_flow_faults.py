"""What goes wrong with trades is counted where it happened, and never counted twice."""

from __future__ import annotations

import numpy as np
import pytest
from bars.flow_reference import GRID, START, assert_bars, made_trades, picked, reference

from hydra_ft.bars.flow import GAP_ROOM, FlowFolder
from hydra_ft.bars.flow_tables import joined
from hydra_ft.bars.flow_trades import bar_start, milliseconds, trades_from
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.errors import DataError
from hydra_ft.types.flow import NO_ID, TradeGrid, Trades

MINUTE = 60_000
WHOLE = (START, START + 10 * MINUTE)


def without_ids(trades: Trades) -> Trades:
    none = np.full(len(trades), NO_ID)
    return trades_from(none, trades.time, trades.price, trades.quantity, trades.side)


def test_a_trade_that_comes_twice_is_counted_once() -> None:
    trades = made_trades(400)
    again = picked(trades, [*range(200), *range(150, 200), 7, 7, *range(200, 400)])
    bars = flow_of(again, GRID, MINUTE, covered=WHOLE).bars
    assert bars.duplicates.sum() == 52
    assert bars.missing_ids.sum() == bars.late.sum() == bars.disordered.sum() == 0
    assert_bars(bars, reference(trades, GRID, MINUTE))


def test_identical_trades_with_ids_of_their_own_are_all_counted() -> None:
    """B: a key of time, price and size drops genuine trades; the id does not."""
    same = ([5, 6, 7], [START] * 3, [100.0] * 3, [1.0] * 3, [1] * 3)
    assert flow_of(trades_from(*same), GRID, MINUTE).bars.buy_lots.tolist() == [3_000]


def test_ids_that_never_come_are_counted_in_the_bar_in_which_they_are_missed() -> None:
    trades = made_trades(600, seed=2)
    kept = np.r_[0:100, 130:400, 401:600]
    bars = flow_of(picked(trades, kept), GRID, MINUTE, covered=WHOLE).bars
    in_bar = [int(trades.time[i] - START) // MINUTE for i in (130, 401)]
    expected = np.zeros(10, dtype=int)
    np.add.at(expected, in_bar, [30, 1])
    assert bars.missing_ids.tolist() == expected.tolist()
    assert bars.count.sum() == 569


@pytest.mark.parametrize("seed", range(4))
def test_each_trade_is_counted_once_or_lies_in_a_marked_gap(seed: int) -> None:
    """Ids prove it: those of the whole feed = counted + missing, whatever was lost or late."""
    random = np.random.default_rng(seed)
    trades = made_trades(1_000, seed=seed)
    jittered = np.argsort(np.arange(1_000) + random.uniform(0, 30, 1_000))
    between = jittered[(jittered > 0) & (jittered < 999)]
    order = np.r_[0, between[random.random(998) < 0.9], 999]
    folder, parts = FlowFolder(GRID, MINUTE, covered_from=START), []
    for chunk in np.array_split(order, 23):
        folder.fold(picked(trades, np.repeat(chunk, random.integers(1, 3, chunk.size))))
        parts.append(folder.advance(int(trades.time[chunk].max()) - 500))
    bars = joined([*parts, folder.finish(WHOLE[1])]).bars
    assert bars.count.sum() + bars.missing_ids.sum() == 1_000
    assert bars.late.sum() > 0
    assert bars.duplicates.sum() > 300


def test_trades_out_of_order_within_open_bars_change_only_the_path_of_the_delta() -> None:
    random = np.random.default_rng(9)
    trades = made_trades(900, seed=9)
    shuffled = picked(trades, np.argsort(np.arange(900) + random.uniform(0, 40, 900)))
    ordered = flow_of(trades, GRID, MINUTE, covered=WHOLE)
    folder = FlowFolder(GRID, MINUTE, covered_from=START)
    folder.fold(shuffled)
    found = folder.finish(WHOLE[1])
    free = {"max_delta_lots", "min_delta_lots", "disordered", "missing_ids"}
    for name in set(found.bars.__slots__) - free - {"grid", "step_ms"}:
        assert np.array_equal(getattr(found.bars, name), getattr(ordered.bars, name)), name
    assert found.bars.missing_ids.sum() == 0
    assert found.bars.disordered.sum() > 300
    for name in ("offsets", "bin", "buy", "sell"):
        one, other = getattr(found.footprint, name), getattr(ordered.footprint, name)
        assert np.array_equal(one, other), name


def test_a_trade_of_a_closed_bar_is_late_and_leaves_the_closed_bar_as_it_was() -> None:
    """B: late trades neither change what was decided on nor stay in memory for ever."""
    trades = made_trades(300, seed=4)
    last = int(np.searchsorted(trades.time, START + MINUTE)) - 1
    folder = FlowFolder(GRID, MINUTE, covered_from=START)
    folder.fold(picked(trades, range(last)))
    closed = folder.advance(START + MINUTE)
    folder.fold(picked(trades, range(last, 300)))
    rest = folder.finish(WHOLE[1])
    assert closed.bars.count.tolist() == [last]
    assert rest.bars.late.tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0]
    assert rest.bars.missing_ids.tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0]


def test_a_lost_interval_is_marked_on_every_bar_that_it_touches() -> None:
    folder = FlowFolder(GRID, MINUTE, covered_from=START)
    folder.fold(picked(made_trades(10, span_ms=1_000), range(10)))
    assert folder.lost(START + 55_000, START + 130_000) == 0
    assert folder.lost(START + 100_000, START + 131_000) == 0  # overlapping is counted once
    flow = folder.advance(START + 3 * MINUTE)
    assert flow.bars.uncovered_ms.tolist() == [5_000, 60_000, 11_000]
    assert (
        flow.sub_bars.uncovered_ms.tolist() == [0] * 5 + [5_000] + [10_000] * 7 + [1_000] + [0] * 4
    )
    assert folder.lost(START + 170_000, START + 190_000) == 10_000  # so much had closed


def test_without_ids_every_trade_counts_and_nothing_is_proved() -> None:
    trades = without_ids(made_trades(200))
    bars = flow_of(trades, GRID, MINUTE, covered=WHOLE).bars
    assert bars.count.sum() == 200
    assert set(bars.last_id.tolist()) == {NO_ID}
    assert_bars(bars, reference(trades, GRID, MINUTE))


def test_ids_with_holes_by_nature_are_told_apart_but_not_counted_as_missing() -> None:
    trades = made_trades(500)
    sparse = trades_from(trades.id * 7, trades.time, trades.price, trades.quantity, trades.side)
    twice = picked(sparse, [*range(500), *range(480, 500)])
    bars = flow_of(twice, GRID, MINUTE, covered=WHOLE, contiguous_ids=False).bars
    assert (bars.count.sum(), bars.duplicates.sum(), bars.missing_ids.sum()) == (500, 20, 0)


def test_more_gaps_than_are_remembered_make_old_ids_known_and_keep_memory_small() -> None:
    n = 3 * GAP_ROOM
    ids = np.arange(n) * 2
    time = START + np.arange(n)
    rows = trades_from(ids, time, np.full(n, 100.0), np.full(n, 1.0), np.ones(n))
    folder = FlowFolder(GRID, MINUTE, covered_from=START)
    folder.fold(rows)
    late = [ids[-1] - 1, 3]  # a hole of late, and one that is long forgotten
    folder.fold(trades_from(late, time[-2:], [100.0] * 2, [1.0] * 2, [1, 1]))
    bars = folder.finish(START + MINUTE).bars
    assert (bars.count[0], bars.duplicates[0], bars.missing_ids[0]) == (n + 1, 1, n - 2)


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        (2, 100.05, "price: expected a positive multiple of tick_size = 0.1, .*, was 100.05"),
        (2, 0.0, "price: expected a positive"),
        (2, float("nan"), "price: expected a positive"),
        (2, float("inf"), "price: expected a positive"),
        (2, -1.0, "price: expected a positive"),
        (3, 0.0005, "quantity: expected a positive multiple of lot_size = 0.001, .*, was 0.0005"),
        (3, 0.0, "quantity: expected a positive"),
        (3, float("nan"), "quantity: expected a positive"),
        (3, 1e30, "quantity: expected a positive"),
        (4, 0, r"side: expected 1 \(taker bought\) or -1, was 0"),
        (4, 2, r"side: expected 1 \(taker bought\) or -1, was 2"),
    ],
)
@pytest.mark.parametrize("at", [0, 1, 30])
def test_what_cannot_be_a_trade_is_refused_and_those_before_it_are_kept(
    column: int, value: float, expected: str, at: int
) -> None:
    good = made_trades(40, span_ms=5_000)
    columns = [c.copy() for c in (good.id, good.time, good.price, good.quantity, good.side)]
    columns[column][at] = value
    folder = FlowFolder(GRID, MINUTE, covered_from=START)
    with pytest.raises(DataError, match=expected):
        folder.fold(trades_from(*columns))
    assert folder.finish(START + MINUTE).bars.count.tolist() == [at]


def test_time_stamps_in_microseconds_are_refused_or_normalised_at_the_edge() -> None:
    """X55."""
    assert bar_start(1_696_000_012_345, 10_000) == 1_696_000_010_000
    micros = np.array([1_696_000_012_345_678])
    with pytest.raises(DataError, match=r"expected milliseconds since 1970, was .* \(us\)"):
        trades_from([1], micros, [100.0], [1.0], [1])
    trades = trades_from([1], milliseconds(micros), [100.0], [1.0], [1])
    assert trades.time.tolist() == [1_696_000_012_345]
    assert milliseconds([1_696_000_012]).tolist() == [1_696_000_012_000]
    assert milliseconds([1_696_000_012_345_678_901]).tolist() == [1_696_000_012_345]
    assert milliseconds([1_696_000_012_345]).tolist() == [1_696_000_012_345]


@pytest.mark.parametrize("stamps", [[0], [-5], [1_696_000_012, 1_696_000_012_345]])
def test_stamps_that_are_no_times_or_of_two_units_are_refused(stamps: list[int]) -> None:
    with pytest.raises(DataError, match="expected stamps of one unit"):
        milliseconds(stamps)


def test_a_stray_time_stamp_does_not_fill_the_memory() -> None:
    folder = FlowFolder(GRID, MINUTE, covered_from=START)
    with pytest.raises(DataError, match="is a time stamp in another unit"):
        folder.fold(trades_from([1], [START * 20], [100.0], [1.0], [1]))


def test_a_price_far_off_is_written_down_apart_and_summed_where_it_belongs() -> None:
    prices = [100.0, 90_000.0, 100.0, 90_000.0, 100.1, 12.5]
    n = len(prices)
    trades = trades_from(np.arange(n) + 1, START + np.arange(n), prices, [1.0] * n, [1, -1] * 3)
    found = flow_of(trades, GRID, MINUTE).footprint
    assert found.bin.tolist() == [125, 1_000, 1_001, 900_000]
    assert found.buy.tolist() == [0, 2_000, 1_000, 0]
    assert found.sell.tolist() == [1_000, 0, 0, 2_000]


def test_lengths_that_do_not_divide_and_arrays_that_differ_are_refused() -> None:
    with pytest.raises(DataError, match="step_ms: expected a multiple of sub_ms = 7000"):
        FlowFolder(GRID, MINUTE, 7_000)
    with pytest.raises(DataError, match="price: expected shape"):
        trades_from([1, 2], [START] * 2, [1.0], [1.0] * 2, [1, 1])
    with pytest.raises(DataError, match="lot_size: expected a positive number, was 0"):
        TradeGrid(0.1, 0.0)
    with pytest.raises(DataError, match="covered: expected to end after the last trade"):
        flow_of(made_trades(9), GRID, MINUTE, covered=(START, START + 1))


def test_a_notional_that_does_not_fit_is_refused_and_not_wrapped_around() -> None:
    trades = trades_from([1], [START], [9e8], [1e6], [1])
    with pytest.raises(DataError, match="give a coarser lot_size"):
        flow_of(trades, TradeGrid(1e-4, 1e-4), MINUTE)
