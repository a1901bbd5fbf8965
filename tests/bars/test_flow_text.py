"""Ids and sides as text, the way freqtrade keeps them."""

from __future__ import annotations

import numpy as np
import pytest

from hydra_ft.bars.flow_text import ids_from_text, sides_from_text
from hydra_ft.errors import DataError


def as_bytes(*texts: str) -> tuple[np.ndarray, np.ndarray]:
    offsets = np.cumsum([0, *(len(t.encode()) for t in texts)]).astype(np.int64)
    return offsets, np.frombuffer("".join(texts).encode(), dtype=np.uint8)


def test_ids_and_sides_are_read_from_their_characters() -> None:
    texts = ["0", "7", "1206419187", "999999999999999999"]
    assert ids_from_text(*as_bytes(*texts)).tolist() == [int(t) for t in texts]
    assert sides_from_text(*as_bytes("buy", "sell", "sell", "buy")).tolist() == [1, -1, -1, 1]
    assert ids_from_text(*as_bytes()).size == sides_from_text(*as_bytes()).size == 0


def test_ids_of_any_length_are_read_wherever_they_stand() -> None:
    random = np.random.default_rng(1)
    texts = [str(random.integers(10 ** int(random.integers(0, 18)))) for _ in range(2_000)]
    assert ids_from_text(*as_bytes(*texts)).tolist() == [int(t) for t in texts]
    offsets, characters = as_bytes("1", *texts)
    shifted = characters[1:]  # begins at an odd address
    assert ids_from_text(offsets[1:] - 1, shifted).tolist() == [int(t) for t in texts]


@pytest.mark.parametrize("at", range(10))
@pytest.mark.parametrize("letter", ["/", ":", "a", "\x00", "-", " "])
def test_a_letter_anywhere_in_a_long_id_is_seen(at: int, letter: str) -> None:
    text = f"{'1234567890'[:at]}{letter}{'1234567890'[at + 1 :]}"
    with pytest.raises(DataError, match="id: expected 1 to 18 digits"):
        ids_from_text(*as_bytes("12345678901", text, "12345678901"))


@pytest.mark.parametrize("wrong", ["", "12a", "-5", "1234567890123456789", "d3b0-7384"])
def test_an_id_that_is_no_number_is_refused(wrong: str) -> None:
    with pytest.raises(DataError, match=f"id: expected 1 to 18 digits, was '{wrong}'"):
        ids_from_text(*as_bytes("12", wrong, "13"))


@pytest.mark.parametrize("wrong", ["", "Buy", "bid", "buys", "sel", "sold", "b"])
@pytest.mark.parametrize("before", [[], ["buy", "sell"]])
def test_a_side_that_is_none_is_refused(wrong: str, before: list[str]) -> None:
    with pytest.raises(DataError, match=f"side: expected buy or sell, was '{wrong}'"):
        sides_from_text(*as_bytes(*before, wrong, "sell"))


def test_a_column_of_nothing_but_empty_texts_is_refused() -> None:
    with pytest.raises(DataError, match="side: expected buy or sell, was ''"):
        sides_from_text(*as_bytes("", ""))
