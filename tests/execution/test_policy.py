"""A policy is checked when it is made, whoever makes it."""

from __future__ import annotations

import pytest

from hydra_ft.errors import DeclarationError, PolicyError
from hydra_ft.execution.breaker import BreakerPolicy
from hydra_ft.execution.policy import PRESETS, ChasePolicy


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"deadline_s": 0.0}, "deadline_s from 1 to 86400, was 0"),
        ({"max_chase_bps": 0.0}, "max_chase_bps"),
        ({"max_chase_bps": 1000.1}, "max_chase_bps"),
        ({"urgency_time": -0.1}, "urgency_time"),
        ({"max_requotes": 1001}, "max_requotes"),
        ({"peg": "far", "post_only": True}, "a peg that rests"),
    ],
)
def test_a_policy_out_of_bounds_or_against_itself_is_not_made(changes, named: str) -> None:
    with pytest.raises(PolicyError, match=named):
        ChasePolicy(**changes)


def test_a_breaker_is_checked_the_same_way() -> None:
    with pytest.raises(PolicyError, match="failures from 1 to 1000, was 0"):
        BreakerPolicy(failures=0)


def test_a_head_that_declares_nonsense_is_skipped_by_freqtrade_and_named_by_pydantic() -> None:
    """Freqtrade skips a file over an ImportError; pydantic names a section over a ValueError."""
    assert issubclass(PolicyError, (DeclarationError, ImportError))
    assert issubclass(PolicyError, ValueError)


def test_presets_differ_and_know_their_names() -> None:
    assert {name: chosen.entry.preset for name, chosen in PRESETS.items()} == {
        name: name for name in PRESETS
    }
    assert len({(p.entry, p.exit) for p in PRESETS.values()}) == len(PRESETS) == 4
