"""A parent knows what is left of it (T6), in whole steps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_ft.execution.lifecycle import (
    ENDS,
    LEGAL,
    Progress,
    is_legal,
    progress,
    remaining,
    seen_as,
)
from hydra_ft.execution.ticks import floor_steps, is_dust
from hydra_ft.types import ChildState, Kind, ParentOrder, Side


def parent(quantity: float) -> ParentOrder:
    return ParentOrder("k", "BTC/USDT:USDT", Side.LONG, Kind.ENTRY, quantity, 50_000.0, 0)


@pytest.mark.parametrize(
    ("filled", "expected", "rest"),
    [
        (0.0, Progress.REST, 0.083),
        (0.025, Progress.REST, 0.058),
        (0.083, Progress.DONE, 0.0),
        (0.0825, Progress.DUST, 0.0),
        (0.09, Progress.DONE, 0.0),
    ],
)
def test_what_is_left_of_a_parent(filled: float, expected: Progress, rest: float) -> None:
    assert progress(parent(0.083), filled, 0.001) is expected
    assert remaining(parent(0.083), filled, 0.001) == rest


def test_thirty_percent_twice_leaves_forty_whatever_the_last_bit_says() -> None:
    filled = 0.025 + 0.025
    assert remaining(parent(0.083), filled, 0.001) == 0.033


@pytest.mark.parametrize(
    ("filled", "is_open", "expected"),
    [
        (0.083, False, ChildState.FILLED),
        (0.083, True, ChildState.FILLED),
        (0.0, False, ChildState.CANCELLED),
        (0.025, False, ChildState.CANCELLED),
        (0.025, True, ChildState.PART_FILLED),
        (0.0, True, ChildState.WORKING),
    ],
)
def test_what_an_order_is_seen_as(filled: float, is_open: bool, expected: ChildState) -> None:
    assert seen_as(0.083, filled, is_open=is_open) is expected


def test_nothing_follows_an_end_and_every_state_leads_to_one() -> None:
    """2-15: the state machine is one table."""
    assert set(LEGAL) == set(ChildState)
    for state in ChildState:
        assert is_legal(state, state)
        assert all(not is_legal(end, state) for end in ENDS if end is not state)
        reached, seen = {state}, set()
        while reached:
            seen |= reached
            reached = {after for before in reached for after in LEGAL[before]} - seen
        assert seen & ENDS


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ChildState.FILLED, ChildState.CANCELLED),
        (ChildState.CANCELLED, ChildState.FILLED),
        (ChildState.WORKING, ChildState.REJECTED),
        (ChildState.WORKING, ChildState.UNKNOWN),
        (ChildState.REJECTED, ChildState.WORKING),
        (ChildState.NOT_SENT, ChildState.WORKING),
    ],
)
def test_what_contradicts_itself_is_not_legal(before: ChildState, after: ChildState) -> None:
    assert not is_legal(before, after)


@given(steps=st.integers(1, 10**7), step=st.sampled_from([0.001, 0.01, 0.1, 1.0]))
def test_a_whole_number_of_steps_survives_its_own_rounding(steps: int, step: float) -> None:
    quantity = steps * step
    assert round(floor_steps(quantity, step) / step) == steps
    assert not is_dust(quantity, step)
