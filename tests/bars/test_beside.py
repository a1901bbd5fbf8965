"""What is put beside bars is that of their own times, and unknown where there is none."""

from __future__ import annotations

import numpy as np
from bars.made_book import BARS, SPAN, tape, walk

from hydra_ft.bars.beside import with_book, with_forced, with_reference
from hydra_ft.bars.book_columns import book_columns
from hydra_ft.bars.candles import check, same
from hydra_ft.bars.forced_columns import forced_columns
from hydra_ft.types import ForcedClosures


def test_a_reference_is_of_the_same_time_and_unknown_at_others() -> None:
    time = BARS.time[[2, 3, 7]] + np.array([0, 1, 0])
    found = with_reference(BARS, time, np.array([10.0, 11.0, 12.0])).reference
    assert found is not None
    assert np.flatnonzero(np.isfinite(found)).tolist() == [2, 7]
    assert found[[2, 7]].tolist() == [10, 12]


def test_a_reference_that_is_no_price_is_unknown() -> None:
    """A close of 0 would make the basis endless."""
    found = with_reference(BARS, BARS.time, np.zeros(len(BARS))).reference
    assert found is not None
    assert np.isnan(found).all()
    none = with_reference(BARS, BARS.time[:0], np.empty(0)).reference
    assert none is not None
    assert np.isnan(none).all()


def test_book_and_forced_closures_are_put_beside_the_bars() -> None:
    samples, trades = walk(), tape(walk())
    events = ForcedClosures(BARS.time[3:5] + 1, np.array([5.0, 6.0]), np.array([1, -1]))
    bars = with_forced(with_book(BARS, samples, tick=0.1, trades=trades), events, [SPAN])
    check(bars)
    book = book_columns(BARS, samples, tick=0.1, trades=trades)
    wanted = with_forced(BARS, events, [SPAN])
    assert bars.book is not None
    np.testing.assert_array_equal(bars.book.ask_swept, book.ask_swept)
    assert bars.forced is not None
    assert np.nansum(forced_columns(BARS, events, [SPAN]).long_300_s) > 0
    assert not same(bars, wanted)
    np.testing.assert_array_equal(bars.forced.long_300_s, wanted.forced.long_300_s)
