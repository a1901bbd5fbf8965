"""Whole numbers in few bytes, and none of them another when it comes back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_ft.errors import StoreError
from hydra_ft.store.flow_cells import (
    folded,
    footprint_blobs,
    footprint_from,
    packed,
    unfolded,
    unpacked,
)
from hydra_ft.types.flow import Footprint, TradeGrid

GRID = TradeGrid(0.1, 0.001)
MOST = (1 << 63) - 1


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_the_bytes_are_those_of_the_standard() -> None:
    """624485 is the example of DWARF 5, appendix C: E5 8E 26."""
    content, starts = packed(ints(2, 127, 128, 624_485))
    assert content.tobytes() == bytes([2, 127, 0x80, 1, 0xE5, 0x8E, 0x26])
    assert starts.tolist() == [0, 1, 2, 4, 7]


@given(st.lists(st.integers(0, MOST)))
def test_every_number_comes_back(values: list[int]) -> None:
    content, starts = packed(ints(*values))
    numbers, stops = unpacked(content)
    assert numbers.tolist() == values
    assert stops.tolist() == starts[1:].tolist()


@given(st.lists(st.integers(-(1 << 61), 1 << 61)))
def test_signed_numbers_come_back_and_small_ones_stay_small(values: list[int]) -> None:
    written = folded(ints(*values))
    assert unfolded(written).tolist() == values
    assert all(abs(w) <= 2 * abs(v) for w, v in zip(written.tolist(), values, strict=True))


levels = st.dictionaries(
    st.integers(0, 1 << 40), st.tuples(st.integers(0, 1 << 40), st.integers(0, 1 << 40)), max_size=8
)


@given(st.lists(levels, max_size=8))
def test_footprints_come_back_whatever_bars_are_empty(
    bars: list[dict[int, tuple[int, int]]],
) -> None:
    rows = [(bin_, *bar[bin_]) for bar in bars for bin_ in sorted(bar)]
    bins, buy, sell = (ints(*column) for column in (zip(*rows, strict=True) if rows else ((),) * 3))
    offsets = np.cumsum([0, *(len(bar) for bar in bars)]).astype(np.int64)
    blobs = footprint_blobs(Footprint(GRID, offsets, bins, buy, sell))
    assert [bool(blob) for blob in blobs] == [bool(bar) for bar in bars]
    back = footprint_from(blobs, GRID)
    assert back.offsets.tolist() == offsets.tolist()
    for name, column in (("bin", bins), ("buy", buy), ("sell", sell)):
        assert getattr(back, name).tolist() == column.tolist()


@pytest.mark.parametrize("damage", [b"\x80", b"\x01" * 4, b"\x80" * 10 + b"\x01" * 3])
def test_a_damaged_blob_is_said_to_be_one(damage: bytes) -> None:
    with pytest.raises(StoreError, match="expected"):
        footprint_from([damage], GRID)
