"""A port that is taken stops what needs it, by number, and leaves everything as it was."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from commands.freqtrade_commands import BOOT_S, environment

from hydra_ft.cli.demo.workspace import Workspace
from hydra_ft.errors import HydraError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which this test listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.mark.e2e
def test_the_embedded_exchange_names_a_port_that_is_taken(taken: int, tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    done = subprocess.run(
        [sys.executable, "-m", "loopback_exchange", "--port", str(taken), "--state", str(state)],
        cwd=tmp_path,
        env={**os.environ, **environment()},
        capture_output=True,
        text=True,
        timeout=BOOT_S,
        check=False,
    )
    assert done.returncode == 2
    (message,) = done.stderr.splitlines()
    assert f"port {taken} on 127.0.0.1" in message
    assert "choose another port" in message
    assert done.stdout == ""


def test_a_demo_names_a_port_that_is_taken_before_it_makes_anything(
    taken: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEMO_API_PORT", str(taken))
    with pytest.raises(HydraError, match=rf"port {taken} on 127.0.0.1 .* DEMO_API_PORT="):
        Workspace.create()
    assert list(tmp_path.iterdir()) == []


def test_a_demo_that_cannot_have_its_port_keeps_the_folder_of_the_last_one(
    taken: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEMO_API_PORT", str(free_port()))
    last = Workspace.create()
    last.log_file.write_text("what happened")
    monkeypatch.setenv("DEMO_API_PORT", str(taken))
    with pytest.raises(HydraError, match=f"port {taken}"):
        Workspace.create()
    assert last.log_file.read_text() == "what happened"


def test_a_demo_does_not_touch_a_folder_that_no_demo_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEMO_API_PORT", str(free_port()))
    (tmp_path / ".demo").mkdir()
    (tmp_path / ".demo" / "mine").touch()
    with pytest.raises(HydraError, match="move it away"):
        Workspace.create()
    assert (tmp_path / ".demo" / "mine").exists()


@pytest.mark.parametrize("text", ["http", "80", "65536", ""])
def test_a_demo_refuses_a_port_that_is_none(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEMO_API_PORT", text)
    with pytest.raises(HydraError, match="DEMO_API_PORT: expected a port from 1024 to 65535"):
        Workspace.create()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
