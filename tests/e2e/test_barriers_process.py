"""A trade outlives the process of its bot: SIGKILL and SIGINT, and a new process after it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.ci, pytest.mark.timeout(240)]
SCRIPT = Path(__file__).with_name("held_position.py")


def started(folder: Path, part: str, bid: float = 0.0) -> subprocess.Popen[str]:
    words = [sys.executable, str(SCRIPT), str(folder), part, str(bid)]
    log = (folder / f"{part}.log").open("w")
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log, text=True)


def heard(process: subprocess.Popen[str]) -> Any:
    """What the process tells next."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("TOLD "):
            return json.loads(line.removeprefix("TOLD "))
    raise AssertionError("the process ended and told nothing")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_p8_a_trade_outlives_its_process(tmp_path: Path, number: signal.Signals) -> None:
    """P8, F-D10: stop, target, R, break-even and the part that was taken, and then the target."""
    first = started(tmp_path, "begin")
    try:
        before = heard(first)
    finally:
        first.send_signal(number)
    first.wait(60)
    assert (before["rule"], before["moved"]) == ("break_even", True)
    assert (before["parts"], before["target"]) == (["partial_1"], 0.03)
    second = started(tmp_path, "resume", before["bid"])
    try:
        assert heard(second) == before
        assert heard(second) == "target"
        assert second.wait(60) == 0
    finally:
        second.kill()
