"""Liquidations: all of a burst, each once, and the time of which nothing is known."""

from __future__ import annotations

from typing import Any

import pytest
from feeds.test_recorder_readers import PAIR, T0, Wall, client, heard, order

from hydra_ft.feeds.binance import BINANCE
from hydra_ft.feeds.normal import Contract
from hydra_ft.feeds.recorder_events import LiquidationReader
from hydra_ft.feeds.recorder_policy import RecorderPolicy
from hydra_ft.feeds.sink import GapReason
from hydra_ft.types import Feed


def test_a_full_cache_of_liquidations_is_a_gap() -> None:
    wall = Wall()
    reader = LiquidationReader(BINANCE, {PAIR: Contract()}, wall)
    reader.connected(0.0)
    wall.now += 500
    reader.drain(client(*map(order, range(1, 9)), limit=5), 0.5)
    (gap,) = reader.take_gaps()
    assert (gap.reason, gap.start, gap.stop) == (GapReason.OVERFLOW, T0, T0 + 500)
    assert reader.counts.overflows == 1


def test_all_of_a_burst_of_liquidations_is_taken_even_twins() -> None:
    reader = LiquidationReader(BINANCE, {PAIR: Contract()}, Wall())
    assert reader.drain(client(order(1), order(1), order(2)), 1.0) == 3
    assert [one.quantity for one in reader.take_found()] == [1, 1, 2]
    assert reader.take_found() == ()


def test_while_two_connections_bring_the_same_each_is_told_once_and_twins_twice() -> None:
    reader = LiquidationReader(BINANCE, {PAIR: Contract()}, Wall())
    old, new = client(order(1), order(1), order(2)), client(order(1), order(1), order(3))
    reader.overlapping(is_on=True)
    reader.drain(old, 1.0)
    reader.drain(new, 1.0)
    old.liquidations.append({"symbol": PAIR, "info": order(3)})
    reader.drain(old, 1.1)
    assert [one.quantity for one in reader.take_found()] == [1, 1, 2, 3]
    reader.overlapping(is_on=False)
    reader.connected(1.2)
    reader.drain(client(order(1)), 1.2)
    assert len(reader.take_found()) == 1


def test_what_the_line_that_stays_brings_after_an_overlap_is_not_told_again() -> None:
    """L3: the new line was behind the old one when that ended."""
    reader = LiquidationReader(BINANCE, {PAIR: Contract()}, Wall())
    old, new = client(order(1)), client()
    reader.overlapping(is_on=True)
    reader.drain(old, 1.0)
    reader.overlapping(is_on=False)
    for now_s, told in ((1.1, order(1)), (1.2, order(1)), (1.3, order(2)), (30.0, order(1))):
        new.liquidations.append({"symbol": PAIR, "info": told})
        reader.drain(new, now_s)
    assert [one.quantity for one in reader.take_found()] == [1, 1, 2, 1]


def test_a_liquidation_of_another_pair_is_left_out() -> None:
    reader = LiquidationReader(BINANCE, {"ETH/USDT:USDT": Contract()}, Wall())
    assert reader.drain(client(order(1)), 1.0) == 0


def standing() -> tuple[Wall, LiquidationReader, Any]:
    """A feed that has been heard 0.4 s after its connection was made."""
    wall = Wall()
    reader = LiquidationReader(BINANCE, {PAIR: Contract()}, wall)
    reader.connected(0.0)
    one = client()
    reader.drain(one, 0.1)
    wall.now += 400
    reader.drain(heard(one), 0.4)
    return wall, reader, one


def test_a_feed_without_ids_says_when_it_stood_and_when_not() -> None:
    wall, reader, _one = standing()
    (span,) = reader.take_covered()
    assert (span.feed, span.start, span.stop) == (Feed.LIQUIDATIONS, T0, T0 + 400)
    wall.now += 100
    reader.lost(0.5)
    wall.now += 5_000
    reader.connected(5.5)
    (gap,) = reader.take_gaps()
    assert (gap.start, gap.stop, gap.missing) == (T0 + 400, T0 + 5_500, -1)
    assert reader.take_covered() == ()


def test_what_stood_before_a_loss_is_covered_though_nobody_asked_in_between() -> None:
    wall, reader, _one = standing()
    reader.lost(0.5)
    wall.now += 600
    reader.connected(1.0)
    other = client()
    reader.drain(other, 1.1)
    wall.now += 300
    reader.drain(heard(other), 1.3)
    spans = [(span.start - T0, span.stop - T0) for span in reader.take_covered()]
    assert spans == [(0, 400), (1_000, 1_300)]


def test_on_a_line_that_answers_nothing_no_time_is_free_of_liquidations() -> None:
    """H4: five orders were sent into a frozen line, and the time of all five was covered."""
    wall, reader, one = standing()
    for now_s in range(1, 22):
        wall.now = T0 + now_s * 1_000
        reader.drain(one, now_s)
    (span,) = reader.take_covered()
    assert (span.start, span.stop) == (T0, T0 + 400)
    reader.lost(21.0)
    reader.connected(22.0)
    (gap,) = reader.take_gaps()
    assert (gap.start, gap.stop) == (T0 + 400, T0 + 21_000)


def test_a_line_that_answers_nothing_is_given_up_and_one_without_liquidations_is_not() -> None:
    reader, one = LiquidationReader(BINANCE, {PAIR: Contract()}, Wall()), client()
    reader.connected(0.0)
    for tenth in range(1_000):
        reader.drain(heard(one) if tenth % 10 == 0 else one, tenth / 10)
        assert reader.complaint(tenth / 10) is None
    for tenth in range(1_000, 1_110):
        reader.drain(one, tenth / 10)
    assert reader.complaint(111.0) == "no answer for more than 10 s"
    reader.connected(112.0)
    assert reader.complaint(112.0) is None


def test_a_process_that_was_busy_does_not_take_its_line_for_dead() -> None:
    reader, one = LiquidationReader(BINANCE, {PAIR: Contract()}, Wall()), client()
    reader.connected(0.0)
    reader.drain(one, 0.1)
    reader.drain(one, 60.0)
    assert reader.complaint(60.0) is None


def test_time_in_which_one_may_still_be_told_of_is_not_covered() -> None:
    """Binance sends a forced order up to a second after it was filled."""
    wall = Wall()
    reader = LiquidationReader(BINANCE, {PAIR: Contract()}, wall, late_ms=1_000)
    reader.connected(0.0)
    one = client()
    for tenth in range(21):
        wall.now = T0 + 100 * tenth
        reader.drain(heard(one), tenth / 10)
    (span,) = reader.take_covered()
    assert (span.start, span.stop) == (T0, T0 + 1_000)
    reader.lost(2.0)
    wall.now += 3_000
    reader.connected(5.0)
    (gap,) = reader.take_gaps()
    assert (gap.start, gap.stop) == (T0 + 1_000, T0 + 5_000)
    assert [RecorderPolicy(grace_ms=of).late_ms for of in (0, 2_000)] == [1_000, 2_000]


@pytest.mark.parametrize(
    ("stamp", "start", "stop"),
    [(T0 + 450, 450, 451), (None, 400, 601), (7, 400, 601), (T0 + 86_400_000, 400, 601)],
)
def test_one_that_cannot_be_read_is_a_gap_at_its_time_or_since_the_last_look(
    stamp: int | None, start: int, stop: int
) -> None:
    wall, other = Wall(), "ETH/USDT:USDT"
    reader = LiquidationReader(BINANCE, dict.fromkeys((PAIR, other), Contract()), wall)
    reader._asked = reader._pairs  # as subscribe does
    reader.connected(0.0)
    one = client()
    reader.drain(one, 0.1)
    wall.now += 400
    reader.drain(heard(one), 0.4)
    one.liquidations.append({"symbol": PAIR, "info": {**order(1), "ap": "0"}, "timestamp": stamp})
    one.liquidations.append({"symbol": PAIR, "info": order(2)})
    wall.now += 200
    assert reader.drain(heard(one), 0.6) == 1
    (gap,) = reader.take_gaps()
    assert (gap.pair, gap.reason, gap.missing) == (PAIR, GapReason.IDS, -1)
    assert (gap.start - T0, gap.stop - T0) == (start, stop)
    assert "ap: expected a positive number, was '0'" in reader.counts.refused_why


@pytest.mark.parametrize("goes_on", [True, False])
def test_what_a_line_still_held_when_its_machine_woke_proves_nothing_of_the_sleep(
    goes_on: bool,
) -> None:
    wall = Wall()
    reader = LiquidationReader(BINANCE, {PAIR: Contract()}, wall)
    reader.connected(0.0)
    one, now_s = client(), 0.0
    for _ in range(10):
        now_s, wall.now = now_s + 0.1, wall.now + 100
        reader.drain(heard(one), now_s)
    now_s, wall.now = now_s + 3_600 * goes_on, wall.now + 3_600_000
    reader.drain(one, now_s + 0.1)
    one.liquidations.append({"symbol": PAIR, "info": order(1)})
    for tenth in range(2, 5):
        wall.now = T0 + 3_601_000 + 100 * tenth
        reader.drain(heard(one), now_s + tenth / 10)
    (gap,) = reader.take_gaps()
    assert (gap.start - T0, gap.stop - T0) == (1_000, 3_601_200)
    spans = [(span.start - T0, span.stop - T0) for span in reader.take_covered()]
    assert spans == [(0, 1_000), (3_601_200, 3_601_400)]
    assert len(reader.take_found()) == 1
