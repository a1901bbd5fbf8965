"""With stops on the exchange: a position that stands bare for two loops is seen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from drill.journals import EXIT, Story

from hydra_ft.cli.drill.audit import audit
from hydra_ft.cli.drill.facts import Span
from hydra_ft.types import ChildState


def entered() -> Story:
    """One entry, filled at 15 and known to freqtrade; loops end at 10, 30, 50 and 70."""
    story = Story(stops=True).parent().attempt(10, 20, order="1").book(1, 1.0)
    story.looped((0, 10), (11, 30), (31, 50), (51, 70))
    return story.placed(11, 1, "1.0").filled(15, 1, "1.0")


def stopped(story: Story, at: int, quantity: str = "1.0", number: int = 1_000_001) -> Story:
    return story.placed(
        at, number, quantity, buys=False, reduces=True, algo=True, client_id=f"stop-{number}"
    )


def rules(story: Story) -> list[str]:
    return sorted({violation.rule for violation in audit(story.facts())})


def test_a_stop_in_the_second_loop_after_the_fill_is_in_time() -> None:
    assert audit(stopped(entered(), 69).facts()) == []


def test_a_stop_in_the_third_loop_is_late() -> None:
    assert rules(stopped(entered().looped((71, 90)), 80)) == ["bare_position"]


def test_no_stop_at_all_is_seen() -> None:
    assert rules(entered()) == ["bare_position"]


@pytest.mark.parametrize("quantity", ["0.8", "1.2"])
def test_a_stop_of_another_size_is_seen(quantity: str) -> None:
    assert rules(stopped(entered(), 40, quantity)) == ["bare_position"]


def test_without_stops_on_the_exchange_nothing_is_asked() -> None:
    story = entered()
    story.stops = False
    assert audit(story.facts()) == []


def test_a_fill_that_freqtrade_had_no_two_loops_to_see_is_not_judged() -> None:
    story = entered()
    story.loops = story.loops[:3]
    assert audit(story.facts()) == []


def test_a_loop_during_which_the_exchange_was_away_does_not_count() -> None:
    story = stopped(entered().looped((71, 90)), 80)
    story.up = [Span(0, 35), Span(45, 10**9)]
    assert audit(story.facts()) == []


def test_a_position_that_is_gone_needs_no_stop() -> None:
    story = entered().book(2, 1.0, side="sell")
    story.placed(40, 2, "1.0", buys=False, reduces=True, at_market=True).filled(45, 2, "1.0")
    assert audit(story.facts()) == []


def test_a_lost_entry_that_freqtrade_found_later_was_not_seen() -> None:
    story = entered()
    story.booked[0] = replace(story.booked[0], is_adopted=True)
    story.placed(60, 2, "1.0", buys=False, reduces=True, at_market=True).filled(65, 2, "1.0")
    assert audit(story.book(2, 1.0, side="sell", adopted=True).facts()) == []


def test_a_lost_exit_that_freqtrade_found_later_left_nothing_to_cover() -> None:
    story = entered().attempt(40, 60, order="2", key=EXIT, state=ChildState.LOST_FILLED)
    story.placed(41, 2, "1.0", buys=False, reduces=True).filled(45, 2, "1.0")
    assert audit(story.book(2, 1.0, side="sell", adopted=True).facts()) == []


def test_the_stop_must_follow_a_top_up() -> None:
    story = stopped(entered(), 20).parent(quantity=2.0).book(3, 1.0)
    story.attempt(21, 22, order="3").placed(22, 3, "1.0").filled(25, 3, "1.0")
    assert rules(story) == ["bare_position"]
    assert audit(stopped(story.ended(40, 1_000_001), 41, "2.0", 1_000_002).facts()) == []


def test_what_a_stop_became_is_booked_under_the_stop() -> None:
    story = stopped(entered(), 20).ended(60, 1_000_001)
    story.placed(60, 9, "1.0", buys=False, reduces=True, client_id="stop-1000001")
    story.filled(60, 9, "1.0")
    assert rules(story) == ["lost_fill"]
    assert audit(story.book(1_000_001, 1.0, side="stoploss").facts()) == []


def parted() -> Story:
    """Four tenths of a position that is guarded left at 60."""
    story = stopped(entered(), 20).book(2, 0.4, side="sell")
    story.attempt(50, 55, order="2", key=EXIT)
    return story.placed(51, 2, "0.4", buys=False, reduces=True).filled(60, 2, "0.4")


def test_the_stop_must_follow_a_part_that_left() -> None:
    story = parted().looped((71, 90), (91, 110))
    assert rules(story) == ["bare_position"]
    assert audit(stopped(story.ended(80, 1_000_001), 81, "0.6", 1_000_002).facts()) == []


def test_an_emergency_exit_whose_answer_was_lost_left_nothing_to_cover() -> None:
    story = entered()
    story.booked[0] = replace(story.booked[0], trade=3)
    story.placed(20, 2, "1.0", buys=False, reduces=True, at_market=True).filled(20, 2, "1.0")
    story.book(2, 1.0, side="sell", adopted=True)
    story.booked[1] = replace(story.booked[1], trade=3)
    assert audit(story.facts()) == []
