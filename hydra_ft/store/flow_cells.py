"""Whole numbers as few bytes: footprints and books as compact blobs.

Each number is written in groups of seven bits, the lowest first, all but its last byte with
the top bit set (LEB128, DWARF 5, section 7.6). A signed number n goes as 2n, or as -2n - 1
where it is negative, so that small ones stay short.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.errors import StoreError
from hydra_ft.types.flow import Footprint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hydra_ft.types import IntArray
    from hydra_ft.types.flow import TradeGrid

    ByteArray = NDArray[np.uint8]

_GROUPS = 10
"""Bytes of the longest number: 64 bits in groups of seven."""


def folded(values: IntArray) -> IntArray:
    """Signed numbers as those that are written."""
    return (values << 1) ^ (values >> 63)


def unfolded(values: IntArray) -> IntArray:
    """Numbers that were written as the signed ones that they stand for."""
    return (values >> 1) ^ -(values & 1)


def packed(values: IntArray) -> tuple[ByteArray, IntArray]:
    """Bytes of numbers that are not negative, and where each begins, shape (n + 1,)."""
    sizes = np.ones(values.shape[0], dtype=np.int64)
    for group in range(1, _GROUPS - 1):
        sizes += values >= 1 << 7 * group
    starts = np.concatenate(([0], np.cumsum(sizes)))
    content = np.zeros(int(starts[-1]), dtype=np.uint8)
    for group in range(int(sizes.max(initial=0))):
        rows = np.flatnonzero(sizes > group)
        more = (sizes[rows] > group + 1) * 128
        content[starts[rows] + group] = (values[rows] >> 7 * group & 127) | more
    return content, starts


def unpacked(content: ByteArray) -> tuple[IntArray, IntArray]:
    """Numbers of what ``packed`` made, and the byte at which each ends (exclusive).

    Raises StoreError where the bytes end within a number, or one is too long.
    """
    if not content.size:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    stops = np.flatnonzero(content < 128) + 1
    if not stops.size or stops[-1] != content.size:
        raise StoreError("expected whole numbers in a blob, was one cut off; fetch that data anew")
    starts = np.concatenate(([0], stops[:-1]))
    sizes = stops - starts
    if sizes.max() >= _GROUPS:
        raise StoreError("expected numbers of 63 bits in a blob, was a longer one; fetch it anew")
    place = np.arange(content.size) - np.repeat(starts, sizes)
    groups = (content & 127).astype(np.int64) << 7 * place
    return np.add.reduceat(groups, starts), stops


def footprint_blobs(footprint: Footprint) -> list[bytes]:
    """Footprint as one blob a bar: of each level the way from the one before, buy and sell.

    The way of the first level is that from bin 0.
    """
    way = np.diff(footprint.bin, prepend=0)
    heads = footprint.offsets[:-1][np.diff(footprint.offsets) > 0]
    way[heads] = footprint.bin[heads]
    numbers = np.stack([folded(way), footprint.buy, footprint.sell], axis=1).ravel()
    content, starts = packed(numbers)
    edges = starts[3 * footprint.offsets]
    whole = content.tobytes()
    pairs = zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    return [whole[begin:end] for begin, end in pairs]


def footprint_from(blobs: Sequence[bytes], grid: TradeGrid) -> Footprint:
    """Footprint of blobs that ``footprint_blobs`` made, one a bar.

    Raises StoreError where a blob is damaged.
    """
    content = np.frombuffer(b"".join(blobs), dtype=np.uint8)
    numbers, stops = unpacked(content)
    edges = np.cumsum([0, *map(len, blobs)])
    offsets, rest = np.divmod(np.searchsorted(stops, edges, side="right"), 3)
    if rest.any() or (offsets[-1] * 3 != numbers.size):
        raise StoreError("expected three numbers a level in a footprint, was another count")
    way, buy, sell = (np.ascontiguousarray(numbers[i::3]) for i in range(3))
    bins = np.cumsum(unfolded(way))
    sizes = np.diff(offsets)
    heads = offsets[:-1][sizes > 0]
    # Within a bar the sum of the ways is right but for what had been summed before the bar.
    before = np.repeat(bins[heads] - unfolded(way[heads]), sizes[sizes > 0])
    return Footprint(grid, offsets.astype(np.int64), bins - before, buy, sell)
