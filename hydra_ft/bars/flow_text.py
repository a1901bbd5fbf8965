"""Ids and sides that come as text: a column of strings as the bytes that it consists of.

That is how freqtrade keeps them: ``offsets`` of shape (n + 1,), and ``characters`` in which
string i stands from ``offsets[i]`` to ``offsets[i + 1]``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import types

from hydra_ft.bars.compiled import READ_INTS, inlined, kernel
from hydra_ft.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hydra_ft.types import IntArray
    from hydra_ft.types.flow import SideArray

    Bytes = NDArray[np.uint8]
    Words = NDArray[np.uint64]
    Fours = NDArray[np.uint32]

_READ_BYTES = types.Array(types.uint8, 1, "C", readonly=True)
_READ_WORDS = types.Array(types.uint64, 1, "C", readonly=True)
_READ_FOURS = types.Array(types.uint32, 1, "A", readonly=True, aligned=False)
_INTS, _SIDES = types.Array(types.int64, 1, "C"), types.Array(types.int8, 1, "C")
_ZERO, _EIGHT = np.uint64(0), np.uint64(0xFFFFFFFF)
_TENS, _DIGITS = np.uint64(0xF0F0F0F0F0F0F0F0), np.uint64(0x3030303030303030)
_SIXES = np.uint64(0x0606060606060606)
_NONE, _THREE, _FOURTH = np.uint32(0), np.uint32(0x00FFFFFF), np.uint32(0xFF000000)
_BUY, _OTHER = np.uint32(0x00797562), np.uint32(0x00797562 ^ 0x6C6C6573)
"""``buy``, and in which bits ``sell`` is another word."""
_PAIRS, _FOURS = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0000FFFF0000FFFF)


def ids_from_text(offsets: IntArray, characters: Bytes) -> IntArray:
    """Ids from strings of up to 18 digits, shape (n,); raises DataError for any other."""
    found = np.empty(offsets.shape[0] - 1, dtype=np.int64)
    whole = characters[: characters.shape[0] // 8 * 8]
    words = np.require(whole, requirements=["C", "ALIGNED"]).view(np.uint64)
    wrong = parse_ids(offsets, characters, words, found)
    if wrong >= 0:
        raise DataError(f"id: expected 1 to 18 digits, was {_text(offsets, characters, wrong)!r}")
    return found


def sides_from_text(offsets: IntArray, characters: Bytes) -> SideArray:
    """1 for ``buy`` and -1 for ``sell``, shape (n,); raises DataError for any other."""
    found = np.empty(offsets.shape[0] - 1, dtype=np.int8)
    fours = np.ndarray(max(characters.size - 3, 0), "<u4", characters, strides=(1,))
    wrong = parse_sides(offsets, characters, fours, found) if found.size else -1
    if wrong >= 0:
        raise DataError(f"side: expected buy or sell, was {_text(offsets, characters, wrong)!r}")
    return found


def _text(offsets: IntArray, characters: Bytes, i: int) -> str:
    return bytes(characters[offsets[i] : offsets[i + 1]]).decode("utf-8", "replace")


@inlined
def _eight_characters(words: Words, first: int) -> np.uint64:
    """Return the eight characters from ``first`` on, the first of them in the lowest byte."""
    at, shift = np.uint64(first >> 3), np.uint64(8 * (first & 7))
    chunk = np.uint64(words[at] >> shift)
    if shift > _ZERO:
        chunk |= words[at + np.uint64(1)] << (np.uint64(64) - shift)
    return np.uint64(chunk)


@inlined
def _number_of(chunk: np.uint64) -> np.int64:
    """Return the number of eight characters, -1 where one is no digit.

    All at once: pairs are joined, then fours, then the two halves (as Lemire does).
    """
    if (chunk & _TENS) != _DIGITS or ((chunk + _SIXES) & _TENS) != _DIGITS:
        return np.int64(-1)
    chunk &= ~_TENS
    chunk = (chunk * np.uint64(10) + (chunk >> np.uint64(8))) & _PAIRS
    chunk = (chunk * np.uint64(100) + (chunk >> np.uint64(16))) & _FOURS
    return np.int64((chunk * np.uint64(10_000) + (chunk >> np.uint64(32))) & _EIGHT)


@kernel(READ_INTS, _READ_BYTES, _READ_WORDS, _INTS)
def parse_ids(offsets: IntArray, characters: Bytes, words: Words, found: IntArray) -> int:
    """Fill in the numbers; the first row that is none, -1 if all are.

    Ids rise: mostly the first eight digits are those of the id before.
    """
    last_word = words.shape[0] - 1
    seen, leading = _ZERO, -1
    for i in range(found.shape[0]):
        first, last = offsets[i], offsets[i + 1]
        if not 0 < last - first <= 18:
            return i
        number = strays = 0
        if last - first >= 8 and (first >> 3) < last_word:
            chunk = _eight_characters(words, first)
            if chunk != seen:
                seen, leading = chunk, int(_number_of(chunk))
            number = leading
            strays += number < 0
            first += 8
        for j in range(np.uint64(first), np.uint64(last)):
            digit = int(characters[j]) - 48
            strays += (digit < 0) | (digit > 9)
            number = 10 * number + digit
        if strays:
            return i
        found[i] = number
    return -1


@inlined
def _is_side(first: int, length: int, characters: Bytes) -> bool:
    """Whether ``buy`` or ``sell`` stands here."""
    if length == 3:
        begin = characters[first] == 98 and characters[first + 1] == 117
        return begin and bool(characters[first + 2] == 121)
    begin = length == 4 and characters[first] == 115 and characters[first + 1] == 101
    return begin and bool(characters[first + 2] == 108 and characters[first + 3] == 108)


@kernel(READ_INTS, _READ_BYTES, _READ_FOURS, _SIDES)
def parse_sides(offsets: IntArray, characters: Bytes, fours: Fours, found: SideArray) -> int:
    """Fill in the sides; the first row that is none, -1 if all are.

    ``fours`` are the four characters from each one on, the first in the lowest byte: one look
    at a string tells which it is. Only where one is neither, and at the end, each is looked at.
    """
    n, strays, longer = found.shape[0], _NONE, 0
    fast = n
    while fast > 0 and offsets[fast - 1] >= fours.shape[0]:
        fast -= 1
    for i in range(np.uint64(fast)):
        more = offsets[i + np.uint64(1)] - offsets[i] - 3
        longer |= more & -2
        is_sell = np.uint32(-more)
        told = fours[np.uint64(offsets[i])] & (_THREE | is_sell & _FOURTH)
        strays |= told ^ (_BUY ^ is_sell & _OTHER)
        found[i] = 1 - 2 * more
    for i in range(0 if strays or longer else fast, n):
        length = offsets[i + 1] - offsets[i]
        if not _is_side(offsets[i], length, characters):
            return i
        found[i] = 7 - 2 * length
    return -1
