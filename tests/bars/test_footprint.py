"""Imbalances by volume and true adjacency, and coarser bins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bars.profile_reference import Levels, footprint_from, imbalanced, runs
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_ft.bars.footprint import imbalances, rebinned
from hydra_ft.errors import DataError

LEVELS = st.dictionaries(
    st.integers(0, 14), st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(any), max_size=15
)
BARS = st.lists(LEVELS, min_size=1, max_size=6)


def test_a_level_is_held_against_the_other_side_one_level_away() -> None:
    """Bought 31 at 101 against 10 sold at 100, and sold 40 at 103 against 13 bought at 104."""
    levels = {100: (5, 10), 101: (31, 4), 102: (2, 0), 103: (0, 40), 104: (13, 2)}
    found = imbalances(footprint_from([levels]), ratio=3.0, stack=2)
    assert found.buy_levels.tolist() == [1]
    assert found.sell_levels.tolist() == [1]
    equal = {100: (5, 10), 101: (30, 4), 102: (2, 0)}
    assert imbalances(footprint_from([equal]), ratio=3.0).buy_levels.tolist() == [0]


def test_adjacent_levels_stack_and_a_level_without_trades_parts_them() -> None:
    stacked = {100: (0, 1), 101: (9, 1), 102: (9, 1), 103: (9, 1), 105: (9, 1), 106: (9, 1)}
    found = imbalances(footprint_from([stacked]), ratio=3.0, stack=3)
    assert found.buy_levels.tolist() == [5]
    assert found.buy_stacks.tolist() == [1]
    assert found.buy_longest.tolist() == [3]
    assert found.buy_stack_bin.tolist() == [101]
    assert found.sell_stack_bin.tolist() == [-1]


def test_beyond_the_range_of_the_bar_there_is_nothing_to_be_out_of_balance_with() -> None:
    found = imbalances(footprint_from([{100: (50, 0)}, {100: (0, 5), 101: (50, 0)}]))
    assert found.buy_levels.tolist() == [0, 1]
    assert found.sell_levels.tolist() == [0, 0]


def test_a_level_with_too_little_volume_is_no_imbalance() -> None:
    bars = [{100: (0, 1), 101: (9, 0)}] * 2
    found = imbalances(footprint_from(bars), least_lots=np.array([9, 10]))
    assert found.buy_levels.tolist() == [1, 0]


@settings(max_examples=80, deadline=None)
@given(BARS, st.sampled_from([1.0, 1.5, 3.0]), st.integers(0, 6), st.integers(1, 4))
def test_imbalances_are_those_of_plain_python(
    bars: list[Levels], ratio: float, least: int, stack: int
) -> None:
    found = imbalances(footprint_from(bars), ratio, stack, least)
    for i, levels in enumerate(bars):
        sides = imbalanced(levels, ratio, least) if levels else ([], [])
        for side, bins in zip(("buy", "sell"), sides, strict=True):
            stretches = runs(bins)
            stacks = [s for s in stretches if len(s) >= stack]
            longest = max(map(len, stretches), default=0)
            first = next((s[0] for s in stacks if len(s) == longest), -1)
            row = [
                getattr(found, f"{side}_{n}")[i]
                for n in ("levels", "stacks", "longest", "stack_bin")
            ]
            assert row == [len(bins), len(stacks), longest, first]


@settings(max_examples=50, deadline=None)
@given(BARS, st.integers(1, 5))
def test_coarser_bins_hold_what_the_finer_ones_held(bars: list[Levels], size: int) -> None:
    coarse = rebinned(footprint_from(bars), size)
    wanted: list[Levels] = []
    for bar in bars:
        summed: dict[int, tuple[int, int]] = {}
        for bin_, (buy, sell) in bar.items():
            before = summed.get(bin_ // size, (0, 0))
            summed[bin_ // size] = (before[0] + buy, before[1] + sell)
        wanted.append(summed)
    expected = footprint_from(wanted)
    for name in ("offsets", "bin", "buy", "sell"):
        assert np.array_equal(getattr(coarse, name), getattr(expected, name)), name
    assert coarse.grid == replace(expected.grid, bin_ticks=size)


def test_bins_of_nothing_are_refused() -> None:
    with pytest.raises(DataError, match="bins: expected 1 or more, was 0"):
        rebinned(footprint_from([{}]), 0)
