"""The waits of a recorder, its allowance of calls, and numbers that cannot be."""

from __future__ import annotations

import random
from typing import Any

import pytest

from hydra_ft.errors import PolicyError
from hydra_ft.feeds.recorder_policy import Allowance, RecorderPolicy, backoff_s


def test_the_wait_before_a_connection_is_jittered_over_all_of_a_doubling_bound() -> None:
    chance = random.Random(3)
    for attempt, most in ((1, 1.0), (3, 4.0), (20, 30.0)):
        waits = [backoff_s(attempt, 0.5, 30.0, chance) for _ in range(400)]
        assert 0 <= min(waits) < 0.05 * most
        assert 0.95 * most < max(waits) <= most


def test_an_allowance_is_used_up_and_comes_back_with_time() -> None:
    allowance = Allowance(30, 0.0)
    assert [allowance.take(0.0) for _ in range(31)] == [True] * 30 + [False]
    assert not allowance.take(1.9)
    assert allowance.take(2.0)


@pytest.mark.parametrize(
    "wrong", [{"sub_ms": 7_000}, {"most_queued": 0}, {"drain_every_s": -1.0}, {"sub_ms": 0}]
)
def test_a_policy_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(PolicyError, match="expected"):
        RecorderPolicy(**wrong)
