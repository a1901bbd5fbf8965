"""Ids and sides that come as text: a column of strings as the bytes that it consists of.

That is how freqtrade keeps them: ``offsets`` of shape (n + 1,), and ``characters`` in which
string i stands from ``offsets[i]`` to ``offsets[i + 1]``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import types

from hydra_ft.bars.compiled import READ_INTS, kernel
from hydra_ft.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hydra_ft.types import IntArray
    from hydra_ft.types.flow import SideArray

    Bytes = NDArray[np.uint8]

_READ_BYTES = types.Array(types.uint8, 1, "C", readonly=True)
_INTS, _SIDES = types.Array(types.int64, 1, "C"), types.Array(types.int8, 1, "C")


def ids_from_text(offsets: IntArray, characters: Bytes) -> IntArray:
    """Ids from strings of up to 18 digits, shape (n,); raises DataError for any other."""
    found = np.empty(offsets.shape[0] - 1, dtype=np.int64)
    wrong = parse_ids(offsets, characters, found)
    if wrong >= 0:
        raise DataError(f"id: expected 1 to 18 digits, was {_text(offsets, characters, wrong)!r}")
    return found


def sides_from_text(offsets: IntArray, characters: Bytes) -> SideArray:
    """1 for ``buy`` and -1 for ``sell``, shape (n,); raises DataError for any other."""
    found = np.empty(offsets.shape[0] - 1, dtype=np.int8)
    wrong = parse_sides(offsets, characters, found) if characters.size else found.size - 1
    if wrong >= 0:
        raise DataError(f"side: expected buy or sell, was {_text(offsets, characters, wrong)!r}")
    return found


def _text(offsets: IntArray, characters: Bytes, i: int) -> str:
    return bytes(characters[offsets[i] : offsets[i + 1]]).decode("utf-8", "replace")


@kernel(READ_INTS, _READ_BYTES, _INTS)
def parse_ids(offsets: IntArray, characters: Bytes, found: IntArray) -> int:
    """Fill in the numbers; the first row that is none, -1 if all are."""
    for i in range(found.shape[0]):
        first, last = offsets[i], offsets[i + 1]
        if not 0 < last - first <= 18:
            return i
        number, strays = 0, 0
        for j in range(np.uint64(first), np.uint64(last)):
            digit = int(characters[j]) - 48
            strays += (digit < 0) | (digit > 9)
            number = 10 * number + digit
        if strays:
            return i
        found[i] = number
    return -1


@kernel(READ_INTS, _READ_BYTES, _SIDES)
def parse_sides(offsets: IntArray, characters: Bytes, found: SideArray) -> int:
    """Fill in the sides; the first row that is none, -1 if all are.

    Told by length, first and last letter (b 98, y 121, s 115, l 108), and without a branch:
    which side comes next cannot be guessed, and guessing wrong is dear.
    """
    strays, most = 0, characters.shape[0] - 1
    for i in range(found.shape[0]):
        first, last = offsets[i], offsets[i + 1] - 1
        letter = characters[np.uint64(min(first, most))]
        end = characters[np.uint64(min(max(last, 0), most))]
        sells = letter == 115
        strays += (last - first != 2 + sells) | (letter != 98 + 17 * sells)
        strays += end != 121 - 13 * sells
        found[i] = 1 - 2 * sells
        if strays:
            return i
    return -1
