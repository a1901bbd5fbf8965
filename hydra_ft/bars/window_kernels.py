"""The compiled sums over windows, put together from those of 1, 2, 4, 8 ... values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.compiled import FLOATS, INT, READ_FLOATS, kernel

if TYPE_CHECKING:
    from hydra_ft.types import FloatArray


@kernel(READ_FLOATS, INT, READ_FLOATS, READ_FLOATS, FLOATS, FLOATS)
def window_sums(
    values: FloatArray,
    window: int,
    doubled: FloatArray,
    joined: FloatArray,
    block: FloatArray,
    sums: FloatArray,
) -> None:
    """Fill ``sums`` with sum(decay**age * value) over the last ``window`` values, NaN before.

    ``block`` is room to work in, of the same shape (n,). It holds such sums over ``length``
    values, from each on, and is doubled; those whose lengths add up to the window are joined,
    the newest first. Weights: ``doubled[k]`` = decay**(2**k), ``joined[k]`` = decay**(length that
    was joined before the block of 2**k).
    """
    n, length, done, k = np.uint64(values.shape[0]), np.uint64(1), np.uint64(0), 0
    first = np.uint64(window - 1)
    for i in range(n):
        block[i] = values[i]
    # A sum stands where its window ends; what is joined so far ends there too.
    while True:
        if np.uint64(window) & length:
            for i in range(first, n):
                older = block[i + np.uint64(1) - done - length]
                sums[i] = sums[i] + joined[k] * older if done else older
            done += length
        if done == np.uint64(window):
            break
        for i in range(n - length):
            block[i] = block[i + length] + doubled[k] * block[i]
        length, k = length + length, k + 1
    for i in range(min(first, n)):
        sums[i] = math.nan
