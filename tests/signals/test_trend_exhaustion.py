"""Exhaustion: a large move, its crowd paying, its swings failing, and room to fall back (A6)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from signals.cases import DOWN, UP, fires, market, run

from hydra_ft.decisions.rules import HeadRules, active_signals, needed_features
from hydra_ft.signals.trend_exhaustion import OPEN_INTEREST, confidence, target_of
from hydra_ft.signals.trend_exhaustion import trend_exhaustion as exhaustion
from hydra_ft.types import Feed, Regime

# X37: +8 % in 48 h, price 101, the high of 4 h at 103.
SHORT = {
    "close_5m": 101.0,
    "ema_20_1h": 101.0,
    "change_48_1h": 0.08,
    "rsi_high_12_1h": 77.0,
    "rsi_low_12_1h": 45.0,
    "funding_z_168_1h": 1.8,
    "funding_last_24_1h": 0.0005,
    "lower_high_30_4h": 1.0,
    "higher_low_30_4h": 0.0,
    "low_4_1h": 99.0,
    "high_4_1h": 103.0,
    OPEN_INTEREST: 0.0,
}
LONG = {
    **SHORT,
    "change_48_1h": -0.08,
    "rsi_high_12_1h": 55.0,
    "rsi_low_12_1h": 23.0,
    "funding_z_168_1h": -1.8,
    "funding_last_24_1h": -0.0005,
    "lower_high_30_4h": 0.0,
    "higher_low_30_4h": 1.0,
}
FEEDS = (Feed.CANDLES, Feed.FUNDING, Feed.OPEN_INTEREST)
HEAD = HeadRules(name="Test", signals=(exhaustion,), feeds=FEEDS)


def test_it_is_short_after_a_rise_and_long_after_a_fall() -> None:
    assert fires(exhaustion, SHORT, UP) == (False, True)
    assert fires(exhaustion, LONG, DOWN) == (True, False)


def test_numbers_of_a_short() -> None:
    """X37: stop 2.376 %; 2 R are 59 % of the move, so the target is half of it, 1.68 R."""
    found = run(exhaustion, SHORT)
    assert found.stop[1][0] == pytest.approx(0.02376, abs=1e-5)
    assert found.target[1][0] == pytest.approx(0.040)
    assert found.target[1][0] / found.stop[1][0] == pytest.approx(1.68, abs=0.005)


def test_longs_have_the_numbers_of_the_mirrored_short() -> None:
    mirror = {**LONG, "low_4_1h": 99.0, "high_4_1h": 101.5}
    short, long = run(exhaustion, SHORT), run(exhaustion, mirror, DOWN)
    assert long.stop[0][0] == pytest.approx(short.stop[1][0])
    assert long.target[0][0] == pytest.approx(short.target[1][0])
    assert long.confidence[0][0] == pytest.approx(short.confidence[1][0])


@pytest.mark.parametrize(
    ("stop", "change", "target"),
    [
        (0.015, 0.08, 0.0304),
        (0.015, 0.20, 0.040),
        (0.025, 0.20, 0.050),
        (0.025, -0.08, 0.040),
        (0.015, -0.07, 0.030),
    ],
)
def test_the_target_is_two_r_or_a_share_of_the_move_and_half_of_it_at_most(
    stop: float, change: float, target: float
) -> None:
    found = target_of(np.array([stop]), np.array([change]), exhaustion.rules)
    assert found[0] == pytest.approx(target)


def test_too_little_room_to_fall_back_is_no_signal() -> None:
    """A6: below 1.5 R; at a stop of 2.376 % half of the move must be 3.564 %."""
    assert fires(exhaustion, {**SHORT, "change_48_1h": 0.0713}) == (False, True)
    assert fires(exhaustion, {**SHORT, "change_48_1h": 0.0712}) == (False, False)


def test_stop_stays_within_its_bounds() -> None:
    assert run(exhaustion, {**SHORT, "high_4_1h": 101.5}).stop[1][0] == pytest.approx(0.015)
    assert run(exhaustion, {**SHORT, "high_4_1h": 110.0}).stop[1][0] == pytest.approx(0.025)
    assert run(exhaustion, {**SHORT, "high_4_1h": 100.0}).stop[1][0] == pytest.approx(0.015)


NEAR = {"high_4_1h": 101.5, "low_4_1h": 100.5}
EDGES = [
    ("change_48_1h", 0.0501, 0.05),
    ("funding_z_168_1h", 1.5, 1.49),
    ("funding_z_168_1h", 1.5, -1.8),
    ("funding_last_24_1h", 0.0001, 0.0),
    ("funding_last_24_1h", 0.0001, -0.0001),
    (OPEN_INTEREST, 0.0, 0.001),
    (OPEN_INTEREST, -0.05, np.nan),
]


@pytest.mark.parametrize(("key", "inside", "outside"), EDGES)
def test_each_condition_has_its_edge_on_both_sides(key: str, inside: float, outside: float) -> None:
    """F-A11: the change is that of 48 h itself."""
    sign = 1 if key == OPEN_INTEREST else -1
    for value, expected in ((inside, True), (outside, False)):
        assert fires(exhaustion, {**SHORT, **NEAR, key: value}, UP) == (False, expected)
        assert fires(exhaustion, {**LONG, **NEAR, key: sign * value}, DOWN) == (expected, False)


def test_the_rsi_must_have_been_extreme_on_the_side_of_the_move() -> None:
    """A6: within the last 12 bars, because back at its average no price has an extreme RSI."""
    for high, expected in ((75.0, True), (74.9, False)):
        assert fires(exhaustion, {**SHORT, "rsi_high_12_1h": high}) == (False, expected)
    for low, expected in ((25.0, True), (25.1, False)):
        assert fires(exhaustion, {**LONG, "rsi_low_12_1h": low}, DOWN) == (expected, False)
    assert fires(exhaustion, {**SHORT, "rsi_high_12_1h": 60.0, "rsi_low_12_1h": 10.0}) == (
        False,
        False,
    )


def test_the_swings_of_four_hours_must_fail_against_the_move() -> None:
    assert fires(exhaustion, {**SHORT, "lower_high_30_4h": 0.0, "higher_low_30_4h": 1.0}) == (
        False,
        False,
    )
    assert fires(exhaustion, {**LONG, "lower_high_30_4h": 1.0, "higher_low_30_4h": 0.0}, DOWN) == (
        False,
        False,
    )


def test_the_price_must_be_back_at_its_average() -> None:
    for beyond, expected in ((1.0049, True), (1.0051, False), (0.97, True)):
        assert fires(exhaustion, {**SHORT, "ema_20_1h": 101 / beyond}) == (False, expected)
    for beyond, expected in ((0.9951, True), (0.9949, False), (1.03, True)):
        assert fires(exhaustion, {**LONG, "ema_20_1h": 101 / beyond}, DOWN) == (expected, False)


def test_a_reversal_is_permitted_in_either_trend_and_silent_in_an_unknown_one() -> None:
    """T3: its regime is that of the move, or already that of its own side."""
    assert exhaustion.regimes == (Regime.UP, Regime.DOWN)
    assert fires(exhaustion, SHORT, DOWN) == (False, True)
    assert fires(exhaustion, SHORT, market(confidence=np.nan)) == (False, False)


@pytest.mark.parametrize("key", exhaustion.needs)
def test_it_is_silent_when_a_needed_column_is_unknown(key: str) -> None:
    assert fires(exhaustion, {**SHORT, key: np.nan}) == (False, False)
    assert fires(exhaustion, {**LONG, key: np.nan}, DOWN) == (False, False)


def test_parts_of_the_confidence_add_up() -> None:
    yes, no = np.array([True]), np.array([False])
    assert confidence(no, no, no)[0] == pytest.approx(0.55)
    assert confidence(yes, no, no)[0] == pytest.approx(0.60)
    assert confidence(no, yes, no)[0] == pytest.approx(0.60)
    assert confidence(no, no, yes)[0] == pytest.approx(0.60)
    assert confidence(yes, yes, yes)[0] == pytest.approx(0.70)


@pytest.mark.parametrize(
    ("change", "trust"),
    [
        ({"rsi_high_12_1h": 80.0}, 0.55),
        ({"rsi_high_12_1h": 80.1}, 0.60),
        ({"funding_z_168_1h": 2.0}, 0.55),
        ({"funding_z_168_1h": 2.1}, 0.60),
        ({OPEN_INTEREST: -0.02}, 0.55),
        ({OPEN_INTEREST: -0.021}, 0.60),
    ],
)
def test_confidence_reads_its_columns(change: dict[str, float], trust: float) -> None:
    assert run(exhaustion, {**SHORT, **change}).confidence[1][0] == pytest.approx(trust)


def test_a_long_is_surer_after_an_even_lower_rsi() -> None:
    for low, trust in ((20.0, 0.55), (19.9, 0.60)):
        found = run(exhaustion, {**LONG, "rsi_low_12_1h": low}, DOWN)
        assert found.confidence[0][0] == pytest.approx(trust)


def test_without_open_interest_the_other_witnesses_decide() -> None:
    bare = {name: value for name, value in SHORT.items() if name != OPEN_INTEREST}
    assert fires(exhaustion, bare) == (False, True)
    assert run(exhaustion, bare).confidence[1][0] == pytest.approx(0.55)
    light = (Feed.CANDLES, Feed.FUNDING)
    assert active_signals(HEAD, light) == (exhaustion,)
    names = {feature.name for feature in needed_features(HEAD, light)["1h"]}
    assert "change_48" in names
    assert "open_interest_change_24" not in names


def test_without_funding_it_is_off() -> None:
    assert active_signals(HEAD, (Feed.CANDLES, Feed.OPEN_INTEREST)) == ()


def test_one_extreme_is_entered_once() -> None:
    """The RSI stays in sight for 12 hours, and so long is the cooldown."""
    assert exhaustion.cooldown_s == 12 * 3600


def test_thresholds_are_those_of_its_rules() -> None:
    strict = replace(exhaustion, rules=replace(exhaustion.rules, min_change=0.09))
    assert fires(strict, SHORT) == (False, False)
