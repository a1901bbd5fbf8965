"""After an interruption: what nobody knows of yet is waited for, asked for, or marked."""

from __future__ import annotations

from feeds.one_pair import T0, closed, pair, trade

from hydra_ft.feeds.okx import OKX
from hydra_ft.feeds.recorder_pair import OPEN
from hydra_ft.feeds.sink import GapReason
from hydra_ft.types.flow import NO_ID


def test_an_interruption_that_the_next_id_proves_whole_is_none() -> None:
    one = pair()
    one.begin(T0)
    one.take([trade(1, 0)], 0.0)
    one.interrupted(T0 + 10, T0 + 300)
    one.take([trade(2, 400)], 0.5)
    assert [row[6] for row in closed(one, 600)] == [0, 0]
    assert one.take_gaps() == []


def test_an_interruption_that_nothing_has_proven_whole_is_marked_once_it_has_waited() -> None:
    one = pair()
    one.begin(T0)
    one.take([trade(1, 0)], 0.0)
    one.interrupted(T0 + 50, T0 + 300)
    assert closed(one, 600, 0.0) == closed(one, 600, 1.2) == []
    assert [row[6] for row in closed(one, 600, 1.3)] == [200, 50]
    (gap,) = one.take_gaps()
    assert (gap.reason, gap.start, gap.stop) == (GapReason.CONNECTION, T0 + 50, T0 + 300)
    assert (gap.missing, gap.first_id) == (-1, NO_ID)
    one.take([trade(3, 700)], 0.5)
    one.fetched([trade(2, 200)], 2, 1.0)
    assert one.take_gaps()[0].missing == 1


def test_interruptions_that_nothing_comes_between_are_one() -> None:
    one = pair()
    one.begin(T0)
    one.take([trade(1, 0)], 0.0)
    one.interrupted(T0 + 50, T0 + 100)
    assert closed(one, 600, 0.0) == []
    one.interrupted(T0 + 120, T0 + 300)
    closed(one, 600, 1.3)
    (gap,) = one.take_gaps()
    assert (gap.start, gap.stop) == (T0 + 50, T0 + 300)


def test_a_pair_that_does_not_trade_is_asked_for_after_an_interruption() -> None:
    """Its bar would else close before the first trade that shows what was missed."""
    one = pair()
    one.begin(T0)
    one.take([trade(1, 0)], 0.0)
    one.interrupted(T0 + 50, T0 + 700)
    assert closed(one, 900, 0.0) == []
    assert one.wanted(0.1) is None
    assert one.wanted(0.2) == (2, OPEN)
    one.caught_up([trade(2, 300), trade(3, 310)])
    assert [(row[1], row[6]) for row in closed(one, 900, 0.3)] == [(1, 0), (2, 0), (0, 0)]
    (gap,) = one.take_gaps()
    assert (gap.reason, gap.first_id, gap.last_id, gap.missing) == ("connection", 2, 3, 0)
    one.take([trade(3, 310), trade(4, 950)], 0.5)
    assert [row[1] for row in closed(one, 1_000, 0.6)] == [1]
    assert one.take_gaps() == []


def test_an_interruption_in_which_the_venue_says_that_nothing_was_traded_is_none() -> None:
    one = pair()
    one.begin(T0)
    one.take([trade(1, 0)], 0.0)
    one.interrupted(T0 + 50, T0 + 300)
    closed(one, 600, 0.0)
    assert one.wanted(0.2) == (2, OPEN)
    one.caught_up([])
    assert [row[6] for row in closed(one, 600, 0.3)] == [0, 0]
    assert one.take_gaps() == []


def test_a_doubt_that_a_trade_has_settled_meanwhile_is_not_settled_twice() -> None:
    one = pair()
    one.begin(T0)
    one.take([trade(1, 0)], 0.0)
    one.interrupted(T0 + 50, T0 + 300)
    one.wanted(0.0)
    assert one.wanted(0.2) == (2, OPEN)
    one.take([trade(3, 400)], 0.25)
    one.caught_up([trade(2, 100), trade(3, 400)])
    assert one.wanted(0.5) == (2, 2)
    one.fetched([trade(2, 100)], 2, 0.5)
    assert [row[1] for row in closed(one, 600, 0.6)] == [2, 1]


def test_more_than_can_be_fetched_is_not_asked_for_again() -> None:
    one = pair()
    one.begin(T0)
    one.take([trade(1, 0)], 0.0)
    one.interrupted(T0 + 50, T0 + 300)
    closed(one, 600, 0.0)
    assert one.wanted(0.2) == (2, OPEN)
    one.caught_up(None)
    assert one.wanted(0.3) is None
    assert [row[6] for row in closed(one, 600, 0.3)] == [200, 50]


def test_an_interruption_where_nothing_can_be_asked_is_marked_when_its_bar_closes() -> None:
    one = pair(OKX)
    one.begin(T0)
    one.take([trade(1, 0)], 0.0)
    one.interrupted(T0 + 50, T0 + 300)
    assert [row[6] for row in closed(one, 600, 0.0)] == [200, 50]
    assert one.take_gaps()[0].missing == -1


def test_an_answer_to_an_earlier_doubt_settles_no_later_one() -> None:
    one = pair()
    one.begin(T0)
    one.take([trade(1, 0)], 0.0)
    one.interrupted(T0 + 50, T0 + 300)
    closed(one, 600, 0.0)
    assert one.wanted(0.2) == (2, OPEN)
    one.interrupted(T0 + 400, T0 + 700)
    one.caught_up([])
    assert closed(one, 900, 0.3) == []
    assert one.wanted(0.3) == (2, OPEN)
