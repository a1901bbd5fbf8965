"""The audit of the drill sees every breach of its rules, and nothing where there is none."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from drill.journals import ENTRY, EXIT, PAIR, STEP, Story, round_trip

from hydra_ft.cli.drill.audit import Snapshot, audit, unsettled
from hydra_ft.cli.drill.facts import Span, overlap_ms, without
from hydra_ft.types import Attempt, ChildState, Kind, ParentOrder, Side
from hydra_ft.types.books import BookedOrder, Books


def rules(story: Story) -> list[str]:
    """Names of the rules that a story breaks, each once."""
    return sorted({violation.rule for violation in audit(story.facts())})


def test_a_round_trip_breaks_no_rule() -> None:
    assert audit(round_trip().facts()) == []


# ---- more than the target


def test_a_second_entry_beyond_the_target_is_an_overfill() -> None:
    story = round_trip()
    story.events.clear()
    story.position = Decimal(0)
    story.attempt(3115, 3118, 0.6, order="4")
    story.placed(1010, 1, "1.0").filled(1500, 1, "0.4")
    story.placed(3010, 2, "0.6").placed(3120, 4, "0.6")
    assert rules(story) == ["overfill", "two_at_once"]


def test_a_position_beyond_the_target_is_an_overfill() -> None:
    story = Story().parent(quantity=1.0).book(1, 1.2)
    story.attempt(10, 20, 1.2, order="1").placed(11, 1, "1.2").filled(15, 1, "1.2")
    assert rules(story) == ["overfill"]
    assert audit(story.facts())[0].parent == ENTRY


def test_one_step_beyond_the_target_is_allowed() -> None:
    story = Story().parent(quantity=1.0).attempt(10, 20, 1.1, order="1").book(1, 1.1)
    assert audit(story.placed(11, 1, "1.1").filled(15, 1, "1.1").facts()) == []


def test_an_entry_without_any_parent_is_an_overfill() -> None:
    story = Story().attempt(10, 20, 0.0, order="1").placed(11, 1, "1.0").ended(12, 1)
    assert rules(story) == ["overfill"]


def test_an_attempt_of_unknown_outcome_counts_as_sent() -> None:
    story = Story().parent().attempt(10, 90, 1.0, state=ChildState.NOT_SENT)
    story.attempt(95, 96, 1.0, order="2").placed(50, 2, "1.0").ended(99, 2)
    assert rules(story) == ["overfill"]


def test_an_attempt_counts_once_when_its_order_shows_up() -> None:
    story = Story().parent().attempt(10, 90, 1.0, order="1", state=ChildState.LOST_CANCELLED)
    assert audit(story.placed(50, 1, "1.0").ended(80, 1).facts()) == []


def test_a_short_is_watched_like_a_long() -> None:
    story = Story().parent().attempt(10, 20, order="1").attempt(30, 40, order="2")
    story.parents[0] = replace(story.parents[0], side=Side.SHORT)
    story.placed(11, 1, "1.0", buys=False).filled(12, 1, "1.0").book(1, 1.0)
    story.placed(31, 2, "1.0", buys=False).ended(32, 2)
    assert rules(story) == ["overfill"]


# ---- one child at a time


def test_a_child_sent_while_another_is_unknown_is_seen() -> None:
    story = round_trip()
    story.attempts[0] = replace(story.attempts[0], known_at=3001)
    found = audit(story.facts())
    assert [violation.rule for violation in found] == ["child_while_unknown"]
    assert found[0].at == 3000


def test_a_child_sent_after_one_that_is_never_known_is_seen() -> None:
    story = round_trip()
    story.attempts[0] = replace(story.attempts[0], known_at=0)
    assert "child_while_unknown" in rules(story)
    assert "outcome_never_known" in rules(story)


def test_an_exit_may_be_sent_while_an_entry_is_unknown() -> None:
    story = round_trip()
    story.attempts[1] = replace(story.attempts[1], known_at=9500)
    assert audit(story.facts()) == []


def test_an_order_without_an_attempt_is_seen() -> None:
    story = round_trip()
    story.attempts.pop(1)
    assert rules(story) == ["unnoted_order"]


def test_an_exit_without_an_attempt_is_seen() -> None:
    story = round_trip()
    story.attempts.pop(2)
    assert rules(story) == ["unnoted_order"]


def test_an_attempt_that_counted_as_never_sent_still_explains_its_order() -> None:
    story = round_trip()
    story.attempts[2] = replace(story.attempts[2], order_id="", state=ChildState.NOT_SENT)
    assert audit(story.facts()) == []


@pytest.mark.parametrize(
    "changes",
    [{"sent_at": 9500}, {"price": 99.9}, {"quantity": 0.8}, {"kind": Kind.ENTRY}],
    ids=["later", "another price", "smaller", "an entry"],
)
def test_an_attempt_that_does_not_agree_explains_no_order(changes: dict[str, object]) -> None:
    story = round_trip()
    story.attempts[2] = replace(story.attempts[2], order_id="", known_at=9999, **changes)
    assert "unnoted_order" in rules(story)


def test_one_attempt_explains_one_order() -> None:
    story = round_trip()
    story.attempts[2] = replace(story.attempts[2], order_id="")
    story.placed(9600, 4, "1.0", buys=False, reduces=True).ended(9700, 4)
    assert rules(story) == ["unnoted_order"]


def test_what_takes_back_at_market_needs_no_attempt() -> None:
    story = round_trip()
    story.attempts.pop(2)
    story.events[-3:] = [event._replace(price=Decimal(0)) for event in story.events[-3:]]
    assert audit(story.facts()) == []


# ---- exits


def test_an_exit_that_opens_the_other_side_is_seen() -> None:
    story = round_trip()
    story.placed(9600, 5, "0.5", buys=False, reduces=True, at_market=True).filled(
        9700, 5, "0.5"
    ).book(5, 0.5)
    assert rules(story) == ["exit_beyond_position"]


def test_an_exit_that_turns_the_position_is_seen() -> None:
    story = Story().parent().attempt(10, 20, order="1").book(1, 1.0).book(2, 1.5)
    story.placed(11, 1, "1.0").filled(12, 1, "1.0")
    story.placed(31, 2, "1.5", buys=False, reduces=True, at_market=True).filled(32, 2, "1.5")
    assert rules(story) == ["exit_beyond_position"]


def test_an_exit_that_is_not_reduce_only_is_seen() -> None:
    story = Story().parent().attempt(10, 20, order="1")
    story.attempt(30, 40, order="2", key=EXIT).book(1, 1.0).book(2, 1.0)
    story.placed(11, 1, "1.0").filled(12, 1, "1.0")
    story.placed(31, 2, "1.0", buys=False).filled(32, 2, "1.0")
    assert rules(story) == ["entry_against_position"]


# ---- outcomes and endings


def test_an_outcome_known_after_more_than_a_minute_is_late() -> None:
    story = Story().parent().attempt(0, 60_001, state=ChildState.NOT_SENT)
    assert rules(story) == ["outcome_known_late"]


def test_time_without_bot_or_exchange_does_not_count() -> None:
    story = Story().parent().attempt(0, 90_000, state=ChildState.NOT_SENT)
    story.up = [Span(0, 10_000), Span(50_000, 100_000)]
    assert audit(story.facts()) == []


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"ended_at": 0, "end_reason": ""}, "parent_never_ended"),
        ({"end_reason": "because"}, "unnamed_ending"),
        ({"end_reason": ""}, "unnamed_ending"),
    ],
)
def test_a_parent_without_a_named_ending_is_seen(changes: dict[str, object], rule: str) -> None:
    assert rules(Story().parent(**changes)) == [rule]


# ---- fills


def test_a_fill_that_nobody_knows_is_lost() -> None:
    story = round_trip()
    story.booked.pop(1)
    assert rules(story) == ["lost_fill"]


def test_a_fill_that_is_booked_too_small_is_lost() -> None:
    story = round_trip()
    story.booked[1] = replace(story.booked[1], filled=0.5)
    assert rules(story) == ["lost_fill"]


def lost_and_taken_back(quantity: str) -> Story:
    story = Story().parent().attempt(10, 90, order="1", state=ChildState.LOST_FILLED)
    story.placed(11, 1, "1.0").filled(12, 1, "1.0")
    story.placed(80, 2, quantity, buys=False, reduces=True, at_market=True)
    return story.filled(81, 2, quantity)


def test_a_lost_fill_that_was_taken_back_is_accounted_for() -> None:
    assert audit(lost_and_taken_back("1.0").facts()) == []


def test_a_reduction_that_no_lost_fill_explains_is_seen() -> None:
    story = lost_and_taken_back("1.0")
    story.attempts[0] = replace(story.attempts[0], state=ChildState.FILLED)
    story.book(1, 1.0)
    assert rules(story) == ["lost_fill"]


# ---- quiet points


def snapshot(**changes: object) -> Snapshot:
    """Return a moment at which 1.0 is held and order 7 works, and all agree."""
    values = {
        "at": 1000,
        "positions": {PAIR: Decimal("1.0")},
        "filled": {PAIR: Decimal("1.0")},
        "working": {PAIR: frozenset({"7"})},
        "books": Books({PAIR: 1.0}, (BookedOrder(PAIR, "7", "buy", 0.0, is_open=True),)),
        "parents": (),
        "attempts": (),
        "steps": {PAIR: STEP},
    }
    return Snapshot(**{**values, **changes})


PARENT = ParentOrder(ENTRY, PAIR, Side.LONG, Kind.ENTRY, 1.0, 100.0, 0)
ATTEMPT = Attempt(ENTRY, PAIR, Side.LONG, Kind.ENTRY, 1.0, 100.0, 0)


def test_books_that_agree_are_settled() -> None:
    assert unsettled(snapshot()) == []


def test_a_stop_that_an_open_trade_has_is_no_orphan() -> None:
    stop = BookedOrder(PAIR, "1000001", "stoploss", 0.0, is_open=True)
    books = Books({PAIR: 1.0}, (*snapshot().books.orders, stop))
    assert unsettled(snapshot(books=books, stops={PAIR: frozenset({"1000001"})})) == []


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"positions": {PAIR: Decimal("1.1")}}, "books_differ"),
        ({"positions": {}}, "books_differ"),
        ({"positions": {PAIR: Decimal("-1.0")}}, "books_differ"),
        ({"filled": {PAIR: Decimal("0.9")}}, "books_differ"),
        ({"books": Books({PAIR: 0.9}, snapshot().books.orders)}, "books_differ"),
        ({"books": Books({PAIR: 1.0}, ())}, "ownerless_order"),
        ({"guarded": {}}, "stop_of_another_size"),
        ({"guarded": {PAIR: Decimal("0.9")}}, "stop_of_another_size"),
        ({"working": {PAIR: frozenset({"7", "8"})}}, "ownerless_order"),
        ({"working": {}}, "ownerless_order"),
        ({"stops": {PAIR: frozenset({"1000001"})}}, "ownerless_stop"),
        ({"parents": (PARENT,)}, "not_quiet"),
        ({"attempts": (ATTEMPT,)}, "not_quiet"),
    ],
)
def test_what_differs_at_a_quiet_point_is_seen(changes: dict[str, object], rule: str) -> None:
    assert {violation.rule for violation in unsettled(snapshot(**changes))} == {rule}


# ---- time


def test_holes_are_cut_out_of_spans() -> None:
    left = without([Span(0, 10), Span(20, 30)], [Span(5, 22), Span(25, 26)])
    assert left == [Span(0, 5), Span(22, 25), Span(26, 30)]
    assert overlap_ms(left, 3, 24) == 4
