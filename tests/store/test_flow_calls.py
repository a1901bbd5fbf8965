"""Processes that share a budget of calls never take more than there is."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from hydra_ft.store.flow_calls import CallBudget

if TYPE_CHECKING:
    from hydra_ft.store.database import Database

NOW = 1_790_640_000_000

TAKING = f"""
import sys
from hydra_ft.store.database import Database
from hydra_ft.store.flow_calls import CallBudget
database = Database(sys.argv[1])
sys.stdin.readline()
budget = CallBudget(database, "vendor")
print(sum(budget.ask(1, {NOW}) == 0 for _ in range(25)))
"""


@pytest.fixture
def budget(database: Database) -> CallBudget:
    return CallBudget(database, "vendor")


def test_no_minute_has_more_calls_than_the_budget(budget: CallBudget) -> None:
    assert [budget.ask(10, NOW + 1_000 * i) for i in range(5)] == [0, 0, 0, 0, 56_000]
    assert budget.ask(1, NOW + 59_999) == 1
    assert budget.ask(10, NOW + 60_000) == 0
    assert budget.ask(20, NOW + 60_000) == 2_000


def test_a_refusal_holds_everybody_for_as_long_as_it_says(
    database: Database, budget: CallBudget
) -> None:
    budget.hold(NOW + 5_000)
    budget.hold(NOW + 1_000)
    assert CallBudget(database, "vendor").ask(1, NOW) == 5_000
    assert CallBudget(database, "another").ask(1, NOW) == 0
    assert budget.ask(1, NOW + 5_000) == 0


def test_a_clock_that_was_set_back_does_not_stop_the_calls(budget: CallBudget) -> None:
    assert budget.ask(40, NOW) == 0
    assert budget.ask(40, NOW - 3_600_000) == 0


@pytest.mark.parametrize("cost", [0, 41])
def test_more_than_is_ever_granted_is_refused(budget: CallBudget, cost: int) -> None:
    with pytest.raises(ValueError, match="expected 1 to 40 calls"):
        budget.ask(cost, NOW)


def test_processes_together_get_what_one_would(url: str, database: Database) -> None:
    command = [sys.executable, "-c", TAKING, url]
    pipe = subprocess.PIPE
    running = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(3)]
    for one in running:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    granted = [int(one.communicate(timeout=60)[0]) for one in running]
    assert sum(granted) == 40
