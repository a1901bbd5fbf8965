"""Where a stop stands, by hand-worked numbers and for any path of the price."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_ft.risk.exits import (
    BREAK_EVEN,
    LOCK,
    STOP,
    TIME,
    TRAIL,
    Stance,
    is_over,
    net_r,
    partials,
    risk_quote,
    stop_level,
    stop_price,
    target_price,
)
from hydra_ft.risk.policy import LADDER, ExitRules
from hydra_ft.types import Side

NOW = 1_700_000_000_000
RULES = ExitRules()
LONG = Stance(Side.LONG, 100.0, 0.01, 0.03, 0.001, NOW, 3600)
SHORT = replace(LONG, side=Side.SHORT)


def test_one_r_is_the_loss_at_the_stop_with_its_fees() -> None:
    """50 units at 100, stop 1 %, fees 0.1 %: 50 + 5."""
    assert risk_quote(100, 50, 0.01, 0.001) == pytest.approx(55)
    assert net_r(LONG, 99.0) == pytest.approx(-1)
    assert net_r(LONG, 100.1) == pytest.approx(0)
    assert net_r(LONG, 101.2) == pytest.approx(1)
    assert net_r(SHORT, 98.8) == pytest.approx(1)


@pytest.mark.parametrize(
    ("price", "stop", "reason"),
    [
        (100.0, 99.0, STOP),
        (97.0, 99.0, STOP),
        (100.79, 99.0, STOP),
        (100.8, 100.1, BREAK_EVEN),
        (101.19, 100.1, BREAK_EVEN),
        (101.2, 100.65, LOCK),
        (101.7, 100.65, LOCK),
        (101.74, 100.65, LOCK),
        (102.3, 101.2, TRAIL),
    ],
)
def test_the_stop_by_the_best_price(price: float, stop: float, reason: str) -> None:
    """R is 1.1 %: +0.8 % covers the fees, 1 R at 101.2 keeps 0.5 R, from 1.5 R it trails by 1 R."""
    assert stop_level(LONG, RULES, price, NOW) == (pytest.approx(stop), reason)
    mirrored = stop_level(SHORT, RULES, 200 - price, NOW)
    assert mirrored == (pytest.approx(200 - stop), reason)


def test_x63_a_trailing_stop_follows_the_high_by_one_distance_and_is_never_blocked() -> None:
    """High 103, a trail of 0.8 % of the entry: 102.2; no momentum widens or blocks it."""
    stance = replace(LONG, stop=0.007, highest=103.0)
    level, reason = stop_level(stance, RULES, 102.5, NOW)
    assert (level, reason) == (pytest.approx(102.2), TRAIL)


def test_the_trail_begins_only_after_its_gain() -> None:
    """F-C12: the audited one trailed from the first tick, which made the first stop 0.8 %."""
    assert stop_price(replace(LONG, stop=0.02), RULES, 100.7, NOW) == pytest.approx(98.0)


def test_break_even_in_r() -> None:
    rules = ExitRules(break_even_at=0, break_even_at_r=0.5)
    assert stop_level(LONG, rules, 100.64, NOW)[1] == STOP
    assert stop_level(LONG, rules, 100.65, NOW) == (pytest.approx(100.1), BREAK_EVEN)


def test_switched_off_rules_leave_the_first_stop() -> None:
    off = ExitRules(break_even_at=0, lock_at_r=0, trail_from_r=0, time_stop=False)
    assert stop_level(LONG, off, 150.0, NOW + 10**9) == (pytest.approx(99.0), STOP)


def test_the_extreme_counts_when_the_price_has_come_back() -> None:
    assert stop_price(replace(LONG, highest=102.3), RULES, 100.2, NOW) == pytest.approx(101.2)
    assert stop_price(replace(SHORT, lowest=97.7), RULES, 99.8, NOW) == pytest.approx(98.8)


def test_after_its_time_the_stop_moves_to_the_price() -> None:
    late = NOW + 3_600_000
    assert not is_over(LONG, RULES, late - 1)
    assert stop_level(LONG, RULES, 100.3, late) == (pytest.approx(100.3), TIME)
    assert stop_level(SHORT, RULES, 100.3, late) == (pytest.approx(100.3), TIME)
    assert not is_over(replace(LONG, max_hold_s=0), RULES, late * 2)


def test_a_time_stop_of_a_backtest_does_not_stand_at_the_best_price_of_the_candle() -> None:
    late = NOW + 3_600_000
    assert stop_level(LONG, RULES, 100.6, late, 100.2) == (pytest.approx(100.2), TIME)
    assert stop_level(SHORT, RULES, 99.4, late, 99.8) == (pytest.approx(99.8), TIME)
    assert stop_level(LONG, RULES, 100.6, late - 1, 100.2) == (pytest.approx(99.0), STOP)
    assert stop_level(LONG, RULES, 100.6, late, nan) == (pytest.approx(99.0), STOP)


def test_after_its_time_a_stop_that_is_nearer_stays() -> None:
    """The price has fallen through the stop: it stays where it was, and fills."""
    assert stop_level(LONG, RULES, 98.0, NOW + 3_600_000) == (pytest.approx(99.0), STOP)


def test_a_stop_that_stands_is_not_loosened_by_other_rules() -> None:
    kept = replace(LONG, kept_stop=99.7)
    assert stop_price(kept, RULES, 100.0, NOW) == pytest.approx(99.7)
    assert stop_price(replace(SHORT, kept_stop=100.3), RULES, 100.0, NOW) == pytest.approx(100.3)
    assert stop_price(kept, RULES, 102.3, NOW) == pytest.approx(101.2)


def test_an_unknown_price_leaves_the_stop() -> None:
    for stance, stop in ((replace(LONG, highest=102.3), 101.2), (SHORT, 101.0)):
        assert stop_price(stance, RULES, nan, NOW + 10**9) == pytest.approx(stop)


def test_the_target_is_that_of_the_signal_unless_the_rules_set_one_in_r() -> None:
    assert target_price(LONG, RULES) == pytest.approx(103)
    assert target_price(SHORT, RULES) == pytest.approx(97)
    rules = ExitRules(target_r=2.0)
    assert net_r(LONG, target_price(LONG, rules)) == pytest.approx(2)


def test_x75_a_ladder_closes_40_and_40_and_leaves_20() -> None:
    """F-D9. Quantity 10: 4, 4 and 2; the audited code closed 5 and half of the rest."""
    assert partials(LONG, LADDER, 0.99) == 0
    assert partials(LONG, LADDER, 1.0) * 10 == pytest.approx(4)
    once = replace(LONG, taken=0.4)
    assert partials(once, LADDER, 2.4) == 0
    assert partials(once, LADDER, 2.5) * 10 == pytest.approx(4)
    assert partials(replace(LONG, taken=0.8), LADDER, 9.0) == 0


def test_a_leap_over_both_rungs_closes_both() -> None:
    assert partials(LONG, LADDER, 3.0) == pytest.approx(0.8)


def test_a_rung_that_was_filled_in_part_is_completed() -> None:
    assert partials(replace(LONG, taken=0.25), LADDER, 1.2) == pytest.approx(0.15)


def test_x66_without_a_ladder_nothing_is_closed_in_part() -> None:
    """The audited table closed 20 % only from a gain of 26 % on; here R says, and only if asked."""
    assert partials(LONG, RULES, 50.0) == 0


STANCES = st.builds(
    Stance,
    side=st.sampled_from(Side),
    entry_price=st.floats(1e-4, 1e5),
    stop=st.floats(0.002, 0.2),
    target=st.floats(0.002, 0.5),
    round_trip_fee=st.floats(0, 0.002),
    opened_at=st.just(NOW),
    max_hold_s=st.sampled_from([0, 600]),
)


@given(stance=STANCES, moves=st.lists(st.floats(-0.1, 0.1), min_size=2, max_size=30))
def test_a_stop_never_loosens_on_any_path(stance: Stance, moves: list[float]) -> None:
    sign, price, stops = stance.side.sign, stance.entry_price, []
    high = low = price
    for at, move in enumerate(moves):
        price *= 1 + move
        high, low = max(high, price), min(low, price)
        seen = replace(stance, highest=high, lowest=low, kept_stop=stops[-1] if stops else 0.0)
        stops.append(stop_price(seen, RULES, price, NOW + at * 60_000))
    first = stance.entry_price * (1 - sign * stance.stop)
    assert sign * (stops[0] - first) >= -1e-9 * first
    assert all(sign * (after - before) >= 0 for before, after in pairwise(stops))


@given(stance=STANCES, gains=st.lists(st.floats(-0.3, 0.5), min_size=2, max_size=10))
def test_the_rules_alone_are_monotone_in_the_best_price(stance: Stance, gains: list[float]) -> None:
    sign, entry = stance.side.sign, stance.entry_price
    prices = [entry * (1 + sign * gain) for gain in sorted(gains)]
    stops = [sign * stop_price(stance, RULES, price, NOW) for price in prices]
    assert all(after >= before for before, after in pairwise(stops))


@given(stance=STANCES, gain=st.floats(0, 0.5))
def test_no_rule_puts_a_stop_beyond_the_best_price(stance: Stance, gain: float) -> None:
    sign, entry = stance.side.sign, stance.entry_price
    best = entry * (1 + sign * gain)
    assert sign * (best - stop_price(stance, RULES, best, NOW)) >= -1e-9 * entry
