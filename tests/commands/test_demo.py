"""`hydra demo` from start to end, and interrupted: nothing is left running."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from commands.freqtrade_commands import environment
from waiting import wait_until

pytestmark = [pytest.mark.ci, pytest.mark.timeout(1200)]

SECONDS = 120
LIMIT_S = 500
SEEDS = (7, 8)
"""The market goes on while the demo runs, so on a rare start no order needs a requote."""


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Start a demo in a folder, on a port that is free."""
    return subprocess.Popen(
        [sys.executable, "-m", "hydra_ft.cli.main", "demo", *words],
        cwd=folder,
        env={**os.environ, **environment(DEMO_API_PORT=str(20_000 + os.getpid() % 20_000))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def left_running(folder: Path) -> list[str]:
    """Command lines of processes that name the folder of a demo."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(folder / ".demo") in line:
            found.append(line)
    return found


def test_the_demo_requotes_fills_and_agrees(tmp_path: Path) -> None:
    for seed in SEEDS:
        process = start(tmp_path, "--seconds", str(SECONDS), "--seed", str(seed))
        output, _ = process.communicate(timeout=LIMIT_S)
        assert "Database and exchange agree" in output, output
        assert left_running(tmp_path) == []
        if process.returncode == 0:
            break
    assert process.returncode == 0, output
    shown = re.search(r"requoted and filled: (\d+)", output)
    assert shown is not None
    assert int(shown[1]) >= 1
    assert re.search(r"signal \w+ (long|short)", output)
    assert "no entry: " in output
    assert re.search(r"fill \w+ (buy|sell) ", output)
    assert "equity " in output


def test_an_interrupted_demo_leaves_nothing_running_and_starts_again(tmp_path: Path) -> None:
    for _ in range(2):
        process = start(tmp_path)
        config = tmp_path / ".demo" / "config.json"

        def has_begun() -> bool:
            assert process.poll() is None, process.communicate()[0]  # noqa: B023
            return left_running(tmp_path) != []

        wait_until(has_begun, LIMIT_S, every_s=0.2)
        assert config.exists()
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 130, output
        assert "Traceback" not in output
        assert left_running(tmp_path) == []
