"""Of a position that is closed in parts: what leaves twice, or is taken twice, is seen."""

from __future__ import annotations

from dataclasses import replace

from drill.journals import Story

from hydra_ft.cli.drill.audit import audit
from hydra_ft.types.books import BookedOrder

PAIR = "ETH/USDT:USDT"


def part(story: Story, number: int, quantity: float, tag: str, side: str = "sell") -> Story:
    """A fill of trade 7, on the exchange and in the books."""
    order = BookedOrder(PAIR, str(number), side, quantity, is_open=False, trade=7, tag=tag)
    story.booked.append(order)
    story.placed(
        20 + number, number, str(quantity), buys=side == "buy", reduces=side != "buy"
    ).filled(20 + number, number, str(quantity))
    return story


def held() -> Story:
    """Ten bought by one child."""
    story = Story().parent(quantity=10.0).attempt(10, 20, order="1", quantity=10.0)
    return part(story, 1, 10.0, "drill", "buy")


def rules(story: Story) -> list[str]:
    return sorted({found.rule for found in audit(replace(story.facts(), ladder=True))})


def test_two_parts_of_a_ladder_break_nothing() -> None:
    assert rules(part(part(held(), 2, 4.0, "partial_1"), 3, 4.0, "partial_2")) == []


def test_a_part_that_is_taken_twice_is_seen() -> None:
    story = part(part(part(held(), 2, 4.0, "partial_1"), 3, 4.0, "partial_1"), 4, 1.0, "partial_2")
    assert rules(story) == ["part_taken_twice"]


def test_a_part_that_closes_a_rest_below_the_minimum_is_none() -> None:
    assert rules(part(part(held(), 2, 4.0, "partial_1"), 3, 6.0, "partial_2")) == []


def test_a_trade_that_left_more_than_it_entered_is_seen() -> None:
    story = part(held(), 2, 10.0, "partial_1")
    story.booked.append(
        BookedOrder(PAIR, "9", "sell", 4.0, is_open=False, trade=7, tag="partial_2")
    )
    assert "left_twice" in rules(story)


def test_a_stop_and_the_order_that_it_became_are_one() -> None:
    story = held()
    story.placed(
        30, 1_000_001, "10.0", buys=False, reduces=True, algo=True, client_id="stop-1"
    ).ended(40, 1_000_001)
    story.placed(40, 3, "10.0", buys=False, reduces=True, at_market=True, client_id="stop-1")
    story.filled(40, 3, "10.0")
    for name, side in (("1000001", "stoploss"), ("3", "sell")):
        story.booked.append(BookedOrder(PAIR, name, side, 10.0, is_open=False, trade=7))
    assert "left_twice" not in rules(story)


def test_a_reduction_that_nobody_booked_and_that_filled_was_not_noted() -> None:
    story = held().placed(50, 5, "4.0", buys=False, reduces=True).filled(51, 5, "4.0")
    assert "unnoted_order" in rules(story)


def test_a_part_that_was_lost_and_taken_down_is_no_order_too_many() -> None:
    story = held().placed(50, 5, "4.0", buys=False, reduces=True).ended(55, 5)
    assert rules(story) == []
