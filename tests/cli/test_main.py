"""The `hydra` command: dispatch, exit codes and what reaches the terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hydra_ft import __version__
from hydra_ft.cli.main import COMMANDS, main

LOOPBACK_MODULE = """
import sys, time
print(*sys.argv[1:], flush=True)
if "--wait" in sys.argv:
    time.sleep(60)
sys.exit(int(sys.argv[-1]))
"""


def dev_exchange(home: Path, *words: str) -> subprocess.Popen[str]:
    """Start `hydra dev exchange` with a stand-in for the exchange package in front."""
    package = home / "loopback_exchange"
    package.mkdir(exist_ok=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(LOOPBACK_MODULE)
    paths = [str(home), *filter(None, [os.environ.get("PYTHONPATH")]), str(Path.cwd())]
    return subprocess.Popen(
        [sys.executable, "-m", "hydra_ft.cli.main", "dev", "exchange", *words],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(["--version"])
    assert leaving.value.code == 0
    assert capsys.readouterr().out == f"hydra {__version__}\n"


def test_the_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert [name for name in COMMANDS if name not in text] == []


@pytest.mark.parametrize("words", [[], ["nonsense"], ["install"], ["dev"]])
def test_a_command_that_is_not_understood_exits_with_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(words)
    assert leaving.value.code == 2


def test_an_error_is_one_message_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["install", "--userdir", str(tmp_path / "absent")]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("hydra install: expected ")
    assert shown.err.count("\n") == 1


def test_the_exchange_gets_every_option_and_gives_its_exit_code(tmp_path: Path) -> None:
    running = dev_exchange(tmp_path, "--port", "0", "--help", "7")
    out, err = running.communicate(timeout=60)
    assert (out, err, running.returncode) == ("--port 0 --help 7\n", "", 7)


def test_an_interrupt_while_a_command_is_imported_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hydra_ft.cli.main.import_module", interrupted)
    assert main(["record"]) == 130
    assert capsys.readouterr().err == "hydra: interrupted\n"


def test_an_interrupt_ends_with_130_and_one_line(tmp_path: Path) -> None:
    running = dev_exchange(tmp_path, "--wait", "0")
    assert running.stdout is not None
    assert running.stdout.readline() == "--wait 0\n"
    time.sleep(0.2)
    running.send_signal(signal.SIGINT)
    _out, err = running.communicate(timeout=60)
    assert (err, running.returncode) == ("hydra: interrupted\n", 130)
