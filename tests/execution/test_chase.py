"""The chase decides the same way every time, and never against its caps."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_ft.execution.chase import decide, must_cross, next_price
from hydra_ft.execution.policy import ENTRY_CHASE, EXIT_CHASE, ChasePolicy
from hydra_ft.execution.pricing import buys
from hydra_ft.execution.pricing import passive_price as price_at
from hydra_ft.types import (
    Abandon,
    Cross,
    Keep,
    Kind,
    ParentOrder,
    Quote,
    Requote,
    Side,
    WorkingOrder,
)

START = 1_700_000_000_000
AT_TOUCH = replace(EXIT_CHASE, max_slippage_bps=0.0)
"""Exits that cross at the far touch and not beyond it."""


def parent(**changes: object) -> ParentOrder:
    base = ParentOrder("k", "BTC/USDT:USDT", Side.LONG, Kind.ENTRY, 0.01, 50_000.0, START)
    return replace(base, **changes)


def quote(
    bid: float = 49_999.8, ask: float = 50_000.0, *, at: int = START, **sizes: float
) -> Quote:
    sizes = {"bid_size": 5.0, "ask_size": 5.0} | sizes
    return Quote(bid, ask, sizes["bid_size"], sizes["ask_size"], 0.1, at)


def working(price: float = 49_999.8, *, filled: float = 0.0, at: int = START) -> WorkingOrder:
    return WorkingOrder("1", price, 0.01, filled, at)


def passive_price(intent: ParentOrder, seen: Quote, policy: ChasePolicy) -> float:
    return price_at(intent, seen, policy, START)


def later(seconds: float) -> int:
    return START + int(seconds * 1000)


@pytest.mark.parametrize(
    ("side", "kind", "is_buy"),
    [
        (Side.LONG, Kind.ENTRY, True),
        (Side.LONG, Kind.EXIT, False),
        (Side.SHORT, Kind.ENTRY, False),
        (Side.SHORT, Kind.EXIT, True),
    ],
)
def test_a_long_entry_and_a_short_exit_buy(side: Side, kind: Kind, is_buy: bool) -> None:
    assert buys(side, kind) is is_buy


@pytest.mark.parametrize(("offset", "price"), [(0, 49_999.8), (1, 49_999.9), (-3, 49_999.5)])
def test_a_buy_joins_or_improves_the_bid_by_ticks_not_by_a_factor(
    offset: int, price: float
) -> None:
    """X78: ask times 0.9999 would quote 4.8 below the bid and never fill."""
    assert passive_price(parent(), quote(), ChasePolicy(offset_ticks=offset)) == price


def test_an_offset_never_reaches_the_far_side() -> None:
    policy = ChasePolicy(offset_ticks=50)
    assert passive_price(parent(), quote(), policy) == 49_999.9
    assert passive_price(parent(kind=Kind.EXIT), quote(), policy) == 49_999.9


def test_prices_off_the_tick_are_rounded_away_from_the_far_side() -> None:
    ragged = quote(49_999.87, 50_000.03)
    assert passive_price(parent(), ragged, ENTRY_CHASE) == 49_999.8
    assert passive_price(parent(side=Side.SHORT), ragged, ENTRY_CHASE) == 50_000.1


def test_a_buy_stops_at_its_cap_from_arrival() -> None:
    policy = ChasePolicy(max_chase_bps=2)
    assert passive_price(parent(), quote(50_050.0, 50_050.1), policy) == 50_010.0
    low = quote(49_900.0, 49_900.1)
    assert passive_price(parent(side=Side.SHORT), low, policy) == 49_990.0


def test_it_keeps_its_place_while_the_touch_stands() -> None:
    assert decide(parent(), working(), quote(at=later(60)), ENTRY_CHASE, later(60)) == Keep()


def test_it_requotes_when_the_touch_has_moved_and_the_interval_is_over() -> None:
    moved = quote(50_000.8, 50_001.0, at=later(5))
    assert decide(parent(), working(), moved, ENTRY_CHASE, later(5)) == Requote(50_000.8)


def test_it_waits_for_the_interval_since_the_last_child() -> None:
    moved = quote(50_000.8, 50_001.0, at=later(9))
    just_quoted = parent(last_quoted_at=later(5))
    assert decide(just_quoted, working(), moved, ENTRY_CHASE, later(9)) == Keep()


def test_it_does_not_requote_below_the_threshold() -> None:
    policy = ChasePolicy(requote_threshold_ticks=3)
    near, far = quote(50_000.0, 50_000.1, at=later(9)), quote(50_000.1, 50_000.2, at=later(9))
    assert decide(parent(), working(), near, policy, later(9)) == Keep()
    assert decide(parent(), working(), far, policy, later(9)) == Requote(50_000.1)


def test_it_does_not_chase_itself_when_it_is_alone_at_the_touch() -> None:
    policy = ChasePolicy(offset_ticks=1)
    alone = quote(49_999.8, 50_000.4, at=later(9), bid_size=0.01)
    crowd = quote(49_999.8, 50_000.4, at=later(9), bid_size=0.5)
    assert decide(parent(), working(), alone, policy, later(9)) == Keep()
    assert decide(parent(), working(), crowd, policy, later(9)) == Requote(49_999.9)


def test_after_the_last_requote_it_rests_to_the_deadline() -> None:
    moved = quote(50_000.8, 50_001.0, at=later(30))
    spent = parent(children=ENTRY_CHASE.max_requotes + 1)
    assert decide(spent, working(), moved, ENTRY_CHASE, later(30)) == Keep()


@pytest.mark.parametrize(
    "unusable",
    [
        None,
        quote(50_000.0, 49_999.0, at=later(9)),
        quote(0.0, 50_000.0, at=later(9)),
        quote(49_000.0, 50_000.0, at=later(9)),
        quote(50_000.8, 50_001.0, at=later(9) - 10_001),
    ],
    ids=["none", "crossed", "one-sided", "wide", "old"],
)
def test_nothing_is_decided_on_an_unusable_quote(unusable: Quote | None) -> None:
    assert decide(parent(), working(), unusable, ENTRY_CHASE, later(9)) == Keep()


def test_a_wide_spread_is_no_reason_to_cross() -> None:
    """F-E1: the original took liquidity exactly when it was dearest."""
    wide = quote(49_000.0, 50_000.0, at=later(70))
    exit_parent = parent(kind=Kind.EXIT)
    assert decide(exit_parent, working(50_000.0), wide, EXIT_CHASE, later(70)) == Keep()


def test_an_exit_does_not_wait_for_a_narrow_spread_for_ever() -> None:
    late = quote(49_000.0, 50_000.0, at=later(90))
    exit_parent = parent(kind=Kind.EXIT)
    assert decide(exit_parent, working(50_000.0), late, AT_TOUCH, later(90)) == Cross(49_000.0)


def test_a_stop_does_not_wait_for_a_narrow_spread() -> None:
    wide = quote(49_000.0, 50_000.0, at=later(2))
    stop = parent(kind=Kind.EXIT, urgent=True)
    assert isinstance(decide(stop, working(50_000.0), wide, EXIT_CHASE, later(2)), Cross)


def test_an_entry_that_cannot_cross_is_abandoned_when_its_grace_is_over() -> None:
    policy = ChasePolicy(on_deadline="cross")
    wide = quote(49_000.0, 50_000.0, at=later(150))
    assert decide(parent(), working(), wide, policy, later(149)) == Keep()
    assert decide(parent(), working(), wide, policy, later(150)) == Abandon("deadline")


def test_an_exit_past_its_deadline_follows_the_market_beyond_its_cap() -> None:
    fallen = quote(49_000.0, 49_000.2, at=later(60))
    exit_parent = parent(kind=Kind.EXIT)
    assert decide(exit_parent, working(50_000.0), fallen, AT_TOUCH, later(60)) == Cross(49_000.0)


def test_an_entry_is_abandoned_at_its_deadline() -> None:
    for seen in (quote(at=later(120)), None):
        assert decide(parent(), working(), seen, ENTRY_CHASE, later(120)) == Abandon("deadline")


def test_an_entry_that_crosses_at_its_deadline_stays_within_its_cap() -> None:
    policy = ChasePolicy(on_deadline="cross", max_chase_bps=2, max_slippage_bps=0)
    near, far = quote(50_000.8, 50_001.0, at=later(120)), quote(50_020, 50_020.2, at=later(120))
    assert decide(parent(), working(), near, policy, later(120)) == Cross(50_001.0)
    assert decide(parent(), working(), far, policy, later(120)) == Abandon("deadline_beyond_cap")


def test_an_exit_crosses_at_its_deadline() -> None:
    leaving = parent(kind=Kind.EXIT)
    seen = quote(49_990.0, 49_990.2, at=later(60))
    assert decide(leaving, working(50_000.0), seen, AT_TOUCH, later(60)) == Cross(49_990.0)


def test_an_urgent_exit_crosses_at_once_and_beyond_the_arrival_cap() -> None:
    leaving = parent(kind=Kind.EXIT, urgent=True)
    crash = quote(45_000.0, 45_000.2, at=later(1))
    action = decide(leaving, working(50_000.0), crash, EXIT_CHASE, later(1))
    assert action == Cross(44_550.0)


def test_a_crossing_child_is_left_the_time_to_fill() -> None:
    leaving = parent(kind=Kind.EXIT, urgent=True)
    seen = quote(49_990.0, 49_990.2, at=later(2))
    crossing = working(49_980.0, at=later(1))
    assert decide(leaving, crossing, seen, EXIT_CHASE, later(2)) == Keep()
    late = replace(seen, at=later(7))
    assert isinstance(decide(leaving, crossing, late, EXIT_CHASE, later(7)), Cross)


def test_an_ended_parent_takes_its_child_with_it() -> None:
    ended = parent(ended_at=later(3), end_reason="exit")
    assert decide(ended, working(), None, ENTRY_CHASE, later(4)) == Abandon("exit")


PRICES = st.floats(100.0, 90_000.0)


@given(
    bid=PRICES,
    spread=st.floats(0.0001, 0.004),
    arrival=PRICES,
    offset=st.integers(-50, 50),
    tick=st.sampled_from([0.0001, 0.01, 0.1, 0.5]),
    side=st.sampled_from(list(Side)),
    kind=st.sampled_from(list(Kind)),
    urgent=st.booleans(),
    waited=st.floats(0, 500),
)
def test_a_price_is_on_the_tick_and_within_the_cap(
    bid, spread, arrival, offset, tick, side, kind, urgent, waited
) -> None:
    now = later(waited)
    seen = Quote(bid, bid * (1 + spread), 1.0, 1.0, tick, now)
    policy = ChasePolicy(offset_ticks=offset, on_deadline="cross")
    intent = parent(side=side, kind=kind, arrival_price=arrival, urgent=urgent)
    price = next_price(intent, seen, policy, now)
    assert abs(price / tick - round(price / tick)) < 1e-6
    if kind is Kind.EXIT and must_cross(intent, policy, now):
        return
    worst = arrival * policy.max_chase_bps / 1e4 + tick * 1e-3
    assert price <= arrival + worst if buys(side, kind) else price >= arrival - worst


@given(
    bid=PRICES,
    spread=st.floats(0.0001, 0.004),
    tick=st.sampled_from([0.0001, 0.01, 0.1]),
    side=st.sampled_from(list(Side)),
    kind=st.sampled_from(list(Kind)),
    offset=st.integers(-20, 20),
)
def test_a_requote_settles(bid, spread, tick, side, kind, offset) -> None:
    """After a requote on the same quote there is nothing left to do: no endless loop."""
    now = later(30)
    seen = Quote(bid, bid * (1 + spread), 100.0, 100.0, tick, now)
    policy = ChasePolicy(offset_ticks=offset)
    intent = parent(side=side, kind=kind, arrival_price=bid)
    action = decide(intent, working(bid * 0.9), seen, policy, now)
    if isinstance(action, Requote):
        assert decide(intent, working(action.price), seen, policy, now) == Keep()


def test_a_parent_without_an_arrival_price_has_no_cap_to_measure() -> None:
    leaving = parent(side=Side.SHORT, kind=Kind.EXIT, arrival_price=0.0)
    assert next_price(leaving, quote(), EXIT_CHASE, START) == 49_999.8


def test_the_rhythm_bounds_the_requotes_before_the_conversion() -> None:
    """X79: 3 s between two children and a conversion at 24 s leave at most eight requotes."""
    policy = ChasePolicy(min_requote_interval_s=3.0, deadline_s=24.0, on_deadline="cross")
    intent, child, requotes = parent(last_quoted_at=START), working(), 0
    for second in range(1, 60):
        now = later(second)
        touch = round(49_999.8 + 0.1 * second, 1)
        seen = quote(touch, round(touch + 0.2, 1), at=now)
        action = decide(intent, child, seen, policy, now)
        if isinstance(action, Cross):
            assert second >= 24
            break
        if isinstance(action, Requote):
            requotes += 1
            child = working(action.price, at=now)
            intent = replace(intent, children=requotes + 1, last_quoted_at=now)
    assert requotes == 7
