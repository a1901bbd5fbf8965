"""Exits by the trades of the base bars: by side, sustained, and never on what is not known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from decisions.flow_frames import flow_frames, torn
from decisions.heads import FULL, HEAD

from hydra_ft.decisions.evaluation import observe
from hydra_ft.decisions.exits import EXIT_TAGS
from hydra_ft.decisions.flow_exits import (
    ABSORPTION,
    BY_REVERSAL,
    BY_VALUE,
    HELD,
    FlowExitRules,
    exit_features,
    flow_reversed,
    value_rejected,
)
from hydra_ft.decisions.pipeline import decide, judge
from hydra_ft.decisions.rules import entry_features, needed_features
from hydra_ft.features.value import rejected
from hydra_ft.types import Feed, Side

if TYPE_CHECKING:
    from hydra_ft.decisions.pipeline import Decisions
    from hydra_ft.types import BoolArray, FloatArray

RULES = FlowExitRules()
TRADED = (*FULL, Feed.TRADES)
HEARD = replace(HEAD, feeds=TRADED)
LOUD = replace(
    HEARD,
    flow_exits=FlowExitRules(
        beyond_atr=0.0,
        value_absorption=0.0,
        fast_z=0.5,
        fast_absorption=0.0,
        slow_z=0.5,
        slow_absorption=0.0,
    ),
)
"""Finds what the numbers of a head seldom find in random bars."""
FRAMES = flow_frames(30, seed=7)
SIDES = pytest.mark.parametrize("side", Side)

REFUSED = {
    "close": 100.0,
    "previous_value_high_distance_14": 0.15,
    "previous_value_low_distance_14": 9.0,
    "rejected_above_12": 1.0,
    "rejected_below_12": 0.0,
    ABSORPTION: 1.01,
    HELD: -2.0,
}
"""A long above value: it came back once, is above again, and the asks take the buyers in."""
MIRROR = {
    "close": 100.0,
    "previous_value_high_distance_14": -9.0,
    "previous_value_low_distance_14": -0.15,
    "rejected_above_12": 0.0,
    "rejected_below_12": 1.0,
    ABSORPTION: 1.01,
    HELD: 2.0,
}


def refuses(side: Side, **changes: float) -> bool:
    values = {**(REFUSED if side is Side.LONG else MIRROR), **changes}
    columns = {name: np.array([value]) for name, value in values.items()}
    return bool(value_rejected(columns, side, RULES)[0])


@SIDES
def test_a_price_beyond_value_that_is_absorbed_there_closes_the_side_that_bet_on_it(
    side: Side,
) -> None:
    """A8-7: and no other; the original told neither who absorbed nor on which side."""
    assert refuses(side)
    where = "above" if side is Side.LONG else "below"
    edge = f"previous_value_{'high' if side is Side.LONG else 'low'}_distance_14"
    changes: list[dict[str, float]] = [
        {f"rejected_{where}_12": 0.0},
        {edge: 0.149 * side.sign},
        {ABSORPTION: 1.0},
        {HELD: 2.0 * side.sign},
        {HELD: 0.0},
    ]
    changes += [{name: np.nan} for name in (f"rejected_{where}_12", edge, ABSORPTION, HELD)]
    for change in changes:
        assert not refuses(side, **change), change
    other = {name: np.array([v]) for name, v in (REFUSED if side is Side.LONG else MIRROR).items()}
    assert not value_rejected(other, side.opposite, RULES)[0]


@pytest.mark.parametrize(
    ("time", "volume", "returns", "expected"),
    [
        (1 / 12, 0.20, 0, 0),
        (0.59, 0.90, 0, 0),
        (0.30, 0.10, 1, 1),
        (0.60, 0.549, 0, 1),
        (0.60, 0.550, 0, 0),
        (1.00, 1.000, 0, 0),
        (np.nan, 0.5, 1, np.nan),
        (0.5, 0.5, np.nan, np.nan),
    ],
)
def test_a_breakout_has_an_hour_to_be_accepted(
    time: float, volume: float, returns: float, expected: float
) -> None:
    """X08, F-A6: the price that has just gone out is not accepted yet, and not rejected either.

    The original declared 3 minutes, used 60 seconds, and asked only at the moment.
    """
    found = rejected(*(np.array([each]) for each in (time, volume, returns)))
    np.testing.assert_array_equal(found, [expected])


def flow(imbalance: list[float], velocity: list[float], absorption: list[float]) -> BoolArray:
    """What a long hears of these bars."""
    given = zip((*BY_REVERSAL, "close"), (imbalance, velocity, absorption, imbalance), strict=True)
    columns: dict[str, FloatArray] = {name: np.array(values) for name, values in given}
    return flow_reversed(columns, Side.LONG, RULES)


def test_takers_against_a_position_for_some_bars_on_end_close_it() -> None:
    """A8-7: both beyond -1.5 for two bars with 1.5, or beyond -1.0 for three with 1.2."""
    strong, weak = [0.0, -1.6, -1.6, -1.6], [0.0, -1.1, -1.1, -1.1]
    loud, soft = [0.0, 0.0, 1.6, 1.6], [0.0, 0.0, 1.3, 1.3]
    assert flow(strong, strong, loud).tolist() == [False, False, True, True]
    assert flow(strong, strong, soft).tolist() == [False, False, False, True]
    assert flow(weak, weak, loud).tolist() == [False, False, False, True]
    assert flow(weak, strong, soft).tolist() == [False, False, False, True]
    for quiet in ([1.2] * 4, [np.nan] * 4):
        assert not flow(strong, strong, quiet).any()
    for half in ([0.0, -1.6, -0.9, -1.6], [0.0, 1.6, 1.6, 1.6]):
        assert not flow(strong, half, loud).any()
        assert not flow(half, strong, loud).any()


def test_a_stretch_with_a_bar_that_is_not_known_is_no_stretch() -> None:
    """A8-7: the original's "sustained" was true where few samples lay in the window."""
    torn_stretch = [-1.6, -1.6, np.nan, -1.6]
    assert not flow(torn_stretch, [-1.6] * 4, [2.0] * 4)[2:].any()
    assert not flow([-1.6] * 4, torn_stretch, [2.0] * 4)[2:].any()
    assert not flow([-1.6], [-1.6], [2.0]).any()


@SIDES
def test_a_reversal_of_one_side_is_the_others_wind(side: Side) -> None:
    columns = {name: np.full(4, 1.6 * side.sign) for name in BY_REVERSAL[:2]}
    columns |= {ABSORPTION: np.full(4, 2.0), "close": np.ones(4)}
    assert not flow_reversed(columns, side, RULES).any()
    assert flow_reversed(columns, side.opposite, RULES)[1:].all()


def tags(found: Decisions, side: Side) -> np.ndarray:
    indices = found.exit_long_tag if side is Side.LONG else found.exit_short_tag
    return np.array(EXIT_TAGS)[indices]


@SIDES
def test_exits_by_flow_are_columns_and_stand_behind_those_of_the_market(side: Side) -> None:
    loud, deaf = decide(FRAMES, LOUD, TRADED), decide(FRAMES, LOUD, FULL)
    both = {"value_rejected", "flow_reversal"}
    assert both <= set(tags(loud, side))
    assert not both & set(tags(deaf, side))
    none = FlowExitRules(by_value=False, by_reversal=False)
    quiet = decide(FRAMES, replace(LOUD, flow_exits=none), TRADED)
    first = tags(quiet, side) != ""
    assert first.any()
    assert (tags(loud, side)[first] == tags(quiet, side)[first]).all()
    assert set(tags(loud, side)[~first]) <= {"", *both}


def test_what_only_exits_read_blocks_no_entry() -> None:
    """A hole five hours back is within the day that absorption looks back on, and no entry is."""
    row = len(FRAMES["5m"]) - 60
    frames = {**FRAMES, "5m": torn(FRAMES["5m"], row)}
    whole, holed = (decide(each, LOUD, TRADED) for each in (FRAMES, frames))
    np.testing.assert_array_equal(whole.code[row + 1 :], holed.code[row + 1 :])
    stale = [holed.verdict(at).code for at in range(row - 1, row + 2)]
    assert stale.count("data_stale:trades") == 1
    names = {made.name for made in entry_features(LOUD, TRADED)["5m"]}
    assert not names & {*BY_VALUE, *BY_REVERSAL}
    assert {*BY_VALUE, *BY_REVERSAL} <= {f.name for f in needed_features(LOUD, TRADED)["5m"]}


def test_an_exit_that_a_head_does_without_is_not_computed_either() -> None:
    assert exit_features(FlowExitRules(by_value=False)) == BY_REVERSAL
    assert set(exit_features(FlowExitRules(by_reversal=False))) == set(BY_VALUE)
    none = replace(HEARD, flow_exits=FlowExitRules(by_value=False, by_reversal=False))
    assert needed_features(none, TRADED) == entry_features(none, TRADED)
    for rules in (HEARD, none):
        judge(observe(FRAMES, rules, TRADED), rules)
