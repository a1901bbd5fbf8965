"""Every id is counted once, or known to be missing."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from hydra_ft.feeds import gaps
from hydra_ft.feeds.gaps import IdLedger
from hydra_ft.feeds.normal import BUY, PublicTrade
from hydra_ft.feeds.sink import GapReason
from hydra_ft.types.flow import NO_ID


def trade(first: int, last: int | None = None, time: int = 0) -> PublicTrade:
    last = first if last is None else last
    return PublicTrade(first, last, time or 1_000 * last, 1.0, 1.0, BUY, str(last))


def ids(trades: list[PublicTrade]) -> list[int]:
    return [one.last_id for one in trades]


def ledger(last_id: int = NO_ID) -> IdLedger:
    return IdLedger(has_id_ranges=True, last_id=last_id)


def test_the_first_trade_of_all_misses_nothing_before_it() -> None:
    book = ledger()
    assert ids(book.admit([trade(7), trade(8)])) == [7, 8]
    assert not book.holes


def test_a_skipped_id_is_a_hole_between_the_times_of_its_neighbours() -> None:
    book = ledger()
    book.admit([trade(7), trade(11)], GapReason.CONNECTION)
    (hole,) = book.holes
    assert (hole.first, hole.last, hole.missing) == (8, 10, 3)
    assert (hole.start, hole.stop, hole.reason) == (7_000, 11_000, GapReason.CONNECTION)


def test_after_a_restart_the_ids_since_then_are_missing() -> None:
    book = ledger(last_id=4)
    book.admit([trade(6)])
    assert [(h.first, h.last) for h in book.holes] == [(5, 5)]


def test_what_comes_twice_is_admitted_once_and_counted() -> None:
    book = ledger()
    assert ids(book.admit([trade(1), trade(2), trade(2), trade(1)])) == [1, 2]
    assert book.duplicates == 2


def test_what_comes_late_fills_its_hole_once() -> None:
    book = ledger()
    book.admit([trade(1), trade(6)])
    assert ids(book.admit([trade(3), trade(3), trade(5), trade(2)])) == [3, 5, 2]
    (hole,) = book.settle()
    assert hole.left == [(4, 4)]
    assert (book.duplicates, book.holes) == (1, [])


def test_a_range_of_ids_counts_as_a_whole() -> None:
    book = ledger()
    assert ids(book.admit([trade(1, 3), trade(4, 4), trade(8, 9), trade(5, 7)])) == [3, 4, 9, 7]
    assert book.settle()[0].missing == 0
    assert book.admit([trade(6, 7)]) == []


def test_a_range_of_which_a_part_is_known_is_not_counted_again() -> None:
    book = ledger()
    book.admit([trade(1, 3)])
    assert book.admit([trade(3, 4)]) == []
    book.admit([trade(5)])
    assert [(h.first, h.last) for h in book.holes] == [(4, 4)]


def test_ids_that_begin_anew_are_new_and_all_holes_are_given_up() -> None:
    """A pair that was listed again, or a test network that was cleared."""
    book = ledger()
    book.admit([trade(500), trade(502)])
    admitted = book.admit([trade(1, time=600_000), trade(2, time=601_000), trade(2, time=601_000)])
    assert (ids(admitted), book.anew_at(admitted), book.duplicates) == ([1, 2], 0, 1)
    assert not book.holes
    old, anew = book.settle()
    assert (old.first, old.last, old.missing) == (501, 501, 1)
    assert (anew.first, anew.missing, anew.start, anew.stop) == (NO_ID, -1, 502_000, 600_000)
    assert ids(book.admit([trade(4, time=602_000)])) == [4]
    assert [(hole.first, hole.last) for hole in book.holes] == [(3, 3)]


def test_after_a_restart_ids_far_below_begin_anew_and_those_just_below_came_out_of_order() -> None:
    book = IdLedger(has_id_ranges=True, last_id=50_000, last_time=1_000)
    assert book.admit([trade(49_999, time=1_001)]) == []
    assert ids(book.admit([trade(7, time=2_000), trade(8, time=2_001)])) == [7, 8]
    (hole,) = book.settle()
    assert (hole.start, hole.stop, hole.missing) == (1_000, 2_000, -1)


def test_without_numbers_a_trade_is_known_by_its_name_and_none_is_missing() -> None:
    book = IdLedger(has_id_ranges=False)
    named = [PublicTrade(NO_ID, NO_ID, 5, 1.0, 1.0, BUY, key) for key in "abcab"]
    assert [one.key for one in book.admit(named)] == ["a", "b", "c"]
    assert (book.duplicates, book.holes) == (2, [])


def test_too_many_holes_give_the_oldest_up_and_forget_none() -> None:
    book = ledger()
    book.admit([trade(2 * i) for i in range(gaps.MOST_HOLES + 6)])
    assert len(book.holes) == gaps.MOST_HOLES
    settled = book.settle()
    assert [h.first for h in settled] == [2 * i + 1 for i in range(gaps.MOST_HOLES + 5)]


@given(st.integers(0, 2**32), st.floats(0, 0.5), st.floats(0, 0.5))
def test_whatever_is_lost_doubled_or_late_each_id_is_admitted_or_missing(
    seed: int, lost: float, doubled: float
) -> None:
    chance = random.Random(seed)
    sent = [trade(i) for i in range(1, 200) if i == 1 or chance.random() >= lost]
    sent += [one for one in sent if chance.random() < doubled]
    sent[1:] = sorted(sent[1:], key=lambda one: one.last_id + chance.randrange(12))
    book = ledger(last_id=0)
    admitted = [i for at in range(0, len(sent), 7) for i in ids(book.admit(sent[at : at + 7]))]
    missing = [i for h in book.settle() for a, b in h.left for i in range(a, b + 1)]
    assert sorted(admitted + missing) == list(range(1, book.last_id + 1))
    assert set(admitted) == {one.last_id for one in sent}
    assert book.duplicates == len(sent) - len(admitted)
