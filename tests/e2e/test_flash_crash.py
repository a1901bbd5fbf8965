"""The flash crash, short: a real bot, twenty positions, and a fifth of all prices gone."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.ci, pytest.mark.e2e, pytest.mark.timeout(420)]


def rows(text: str) -> dict[str, str]:
    """Lines of the printed figures of one crash, by name."""
    found = {}
    for line in text.splitlines():
        name, _, value = line.partition("  ")
        if value.strip():
            found.setdefault(name, value.strip())
    return found


@pytest.mark.parametrize(
    ("variant", "fall_s"), [("gap-stops", 20), ("kill", 20)], ids=["gap", "kill"]
)
def test_twenty_positions_end_closed_or_protected_and_the_budget_holds(
    tmp_path: Path, variant: str, fall_s: int
) -> None:
    program = [sys.executable, "-m", "hydra_ft.cli.main", "dev", "crash"]
    words = ["--variants", variant, "--fall", str(fall_s), "--folder", str(tmp_path / "crash")]
    done = subprocess.run([*program, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    seen = rows(done.stdout)
    assert seen["trades"] == "20, 2 short"
    assert seen["violations"] == "none"
    assert int(seen["stops touched"]) >= 15
    lost, budget = float(seen["day lost"]), float(seen["budget"])
    assert 0.5 * budget < lost <= float(seen["promised at most"])
    # A fall within one trade jumps over every stop, and loses more than the budget.
    assert variant == "kill" or (lost > budget and "UTC" in seen["paused until"])
    assert seen["kills, restarts"] == ("1, 1" if variant == "kill" else "0, 0")
    assert seen["parts taken before"] == ("6" if variant == "kill" else "0")
