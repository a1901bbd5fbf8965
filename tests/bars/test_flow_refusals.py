"""What cannot be told rightly is refused, and said: nothing is thrown away in silence."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from bars.flow_reference import GRID, START, made_trades, picked

from hydra_ft.bars.flow import FlowFolder
from hydra_ft.bars.flow_coarser import coarser_bars
from hydra_ft.bars.flow_text import sides_from_text
from hydra_ft.bars.flow_trades import milliseconds, trades_from
from hydra_ft.bars.flow_whole import flow_of, flow_of_blocks
from hydra_ft.errors import DataError
from hydra_ft.types.flow import FlowBars, TradeGrid, Trades

MINUTE = 60_000


def one_a_second(times_ms: list[int]) -> Trades:
    n = len(times_ms)
    time = START + np.array(times_ms)
    return trades_from(np.arange(n) + 1, time, [100.0] * n, [1.0] * n, [1] * n)


def test_the_first_trades_of_a_file_may_be_out_of_order_too() -> None:
    """As all others may, for a minute; the bars begin with the earliest of them."""
    flow = flow_of(one_a_second([20_001, 19_999, 5_000, 21_000]), GRID, MINUTE)
    assert (flow.bars.count.tolist(), flow.bars.late.tolist()) == ([4], [0])
    assert flow.bars.uncovered_ms.tolist() == [5_000 + MINUTE - 21_001]
    assert flow.sub_bars.time[0] == START


def test_a_file_with_trades_that_would_be_in_no_bar_is_refused() -> None:
    far = one_a_second([*range(0, 200_000, 1_000), 30_000])
    parts = [far.part(0, 200), far.part(200, None)]
    with pytest.raises(DataError, match="none more than 60000 ms behind another, was 1; sort"):
        flow_of_blocks(parts, GRID, MINUTE)
    stray = one_a_second([0, 1_000, 200 * 86_400_000, *range(2_000, 90_000, 1_000)])
    with pytest.raises(DataError, match="was 88; sort them"):
        flow_of_blocks([stray.part(0, 3), stray.part(3, None)], GRID, MINUTE)


def test_a_trade_before_the_covered_interval_is_refused_as_one_after_it_is() -> None:
    trades = one_a_second([-20_000, 1, 2])
    with pytest.raises(DataError, match=f"expected none before {START}, .* was 1"):
        flow_of(trades, GRID, MINUTE, covered=(START, START + MINUTE))
    with pytest.raises(DataError, match="covered: expected to end after the last trade"):
        flow_of(trades, GRID, MINUTE, covered=(START - MINUTE, START + 2))


def test_bars_that_do_not_follow_each_other_are_not_summed() -> None:
    bars = flow_of(made_trades(900), GRID, MINUTE).bars
    rows = np.r_[0:4, 6:10]
    names = [f.name for f in fields(FlowBars) if f.name not in {"grid", "step_ms"}]
    torn = replace(bars, **{name: getattr(bars, name)[rows] for name in names})
    with pytest.raises(DataError, match="flow bars: expected one every 60000 ms, was"):
        coarser_bars(torn, 5 * MINUTE)


def test_a_notional_that_does_not_fit_closes_nothing() -> None:
    """The same is refused again, and no bar is skipped on the way."""
    folder = FlowFolder(TradeGrid(1e-8, 1e-8), MINUTE, covered_from=START)
    folder.fold(trades_from([1], [START], [1.23456789], [90_000.0], [1]))
    for _ in range(2):
        with pytest.raises(DataError, match="give a coarser lot_size"):
            folder.advance(START + 10_000)
        assert folder.closed_until == START


def test_numbers_that_a_float_cannot_tell_from_their_neighbours_are_refused() -> None:
    """At 1e14 ticks a step of a price is less than what the float is off by."""
    half = TradeGrid(1e-8, 0.001)
    for price in (2e6 + 0.5e-8, 2e6):
        with pytest.raises(DataError, match="price: expected a positive multiple"):
            flow_of(trades_from([1], [START], [price], [1.0], [1]), half, MINUTE)
    fits = trades_from([1], [START], [50_000.12345678], [1.0], [1])
    assert flow_of(fits, half, MINUTE).bars.close_ticks.tolist() == [5_000_012_345_678]


def side_columns(words: list[str]) -> tuple[np.ndarray, np.ndarray]:
    text = "".join(words).encode()
    offsets = np.concatenate(([0], np.cumsum([len(word) for word in words])))
    return offsets.astype(np.int64), np.frombuffer(text, dtype=np.uint8)


@pytest.mark.parametrize("seed", range(3))
def test_sides_are_read_from_text(seed: int) -> None:
    buys = np.random.default_rng(seed).random(97) < 0.5
    words = ["buy" if buy else "sell" for buy in buys]
    for n in (1, 2, 3, 97):
        found = sides_from_text(*side_columns(words[-n:]))
        assert found.tolist() == np.where(buys[-n:], 1, -1).tolist()
    assert sides_from_text(*side_columns([])).tolist() == []


@pytest.mark.parametrize(
    "words",
    [["buz", "bux"], ["yub"], ["lles"], ["sels", "elll"], ["", "buy"], ["bu", "ysell"], ["buyb"]],
)
@pytest.mark.parametrize("around", [[], ["sell", "buy", "buy", "sell"]])
def test_what_is_no_side_is_refused_though_lengths_and_letters_fit(
    words: list[str], around: list[str]
) -> None:
    with pytest.raises(DataError, match=f"side: expected buy or sell, was '{words[0]}'"):
        sides_from_text(*side_columns([*around, *words, *around]))


def test_stamps_with_fractions_are_refused_and_not_cut() -> None:
    with pytest.raises(DataError, match="expected whole numbers, was float64"):
        milliseconds([1_696_000_012.345])
    assert milliseconds(np.array([], dtype=np.float64)).size == 0


def test_trades_of_a_whole_file_in_blocks_are_those_of_one() -> None:
    trades = made_trades(3_000, seed=8)
    order = np.argsort(np.arange(3_000) + np.random.default_rng(8).uniform(0, 9, 3_000))
    shuffled = picked(trades, order)
    one = flow_of(shuffled, GRID, MINUTE)
    other = flow_of_blocks([shuffled.part(0, 1_000), shuffled.part(1_000, None)], GRID, MINUTE)
    assert one.bars.count.tolist() == other.bars.count.tolist()
    assert one.bars.count.sum() == 3_000
