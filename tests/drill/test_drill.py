"""The drill itself: three fixed seeds, and what a Ctrl-C leaves behind."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.ci, pytest.mark.timeout(240)]

NOTHING = ("safety violations", "orphans", "overfills", "lost")
"""Rows of the table that must be 0."""


def command(folder: Path, *words: str) -> list[str]:
    program = [sys.executable, "-m", "hydra_ft.cli.main", "dev", "drill"]
    return [*program, "--folder", str(folder), "--minutes", "3", *words]


def rows(text: str) -> dict[str, str]:
    """Rows of the printed table, by name; a long row is joined again."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if match := re.match(r"([a-z]+(?: [a-z]+)*) {2,}(\S.*)", line):
            name = match[1]
            found[name] = match[2].strip()
        elif name and line.startswith("    "):
            found[name] += f" {line.strip()}"
    return found


@pytest.mark.parametrize(
    ("seed", "orders", "stops"), [(11, 40, False), (12, 30, False), (13, 30, True)]
)
def test_every_rule_holds_under_faults_and_a_kill(
    tmp_path: Path, seed: int, orders: int, *, stops: bool
) -> None:
    words = ["--orders", str(orders), "--faults", "0.2", "--seed", str(seed), "--kills", "1"]
    folder = tmp_path / "drill"
    done = subprocess.run(
        command(folder, *words, *(["--stops"] if stops else [])),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    seen = rows(done.stdout)
    assert int(seen["orders"].split()[0]) >= orders
    assert int(seen["kills"]) >= 1
    assert int(seen["restarts"]) >= 1
    requests, hit = (int(number) for number in re.findall(r"\d+", seen["order requests"]))
    assert 0.1 < hit / requests < 0.3
    assert [seen[name] for name in NOTHING] == ["0"] * len(NOTHING)
    assert seen["all violations"] == "none"
    assert (folder / "journal.jsonl").stat().st_size
    assert (folder / "bot.log").stat().st_size


def test_an_interrupted_drill_ends_its_bot_and_says_what_it_saw(tmp_path: Path) -> None:
    folder = tmp_path / "drill"
    process = subprocess.Popen(
        command(folder, "--orders", "500", "--kills", "0", "--pairs", "8"),
        stdout=subprocess.PIPE,
        text=True,
    )
    journal = folder / "journal.jsonl"
    try:
        wait_until(lambda: journal.exists() and journal.stat().st_size, every_s=0.5)
    except AssertionError:
        process.kill()
        raise
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "Interrupted" in output
    assert "children" in rows(output)
    written = (folder / "loops.jsonl").stat().st_size
    time.sleep(3)
    assert (folder / "loops.jsonl").stat().st_size == written
