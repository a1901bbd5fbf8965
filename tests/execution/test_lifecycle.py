"""A parent knows what is left of it (T6), in whole steps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_ft.execution.lifecycle import Progress, progress, remaining
from hydra_ft.execution.ticks import floor_steps, is_dust
from hydra_ft.types import Kind, ParentOrder, Side


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


@given(steps=st.integers(1, 10**7), step=st.sampled_from([0.001, 0.01, 0.1, 1.0]))
def test_a_whole_number_of_steps_survives_its_own_rounding(steps: int, step: float) -> None:
    quantity = steps * step
    assert round(floor_steps(quantity, step) / step) == steps
    assert not is_dust(quantity, step)
