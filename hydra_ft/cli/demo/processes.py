"""Freqtrade's commands as processes of their own; none outlives the demo."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hydra_ft.errors import HydraError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from hydra_ft.cli.demo.workspace import Workspace

STOP_S = 30
"""How long a process is given to stop by itself before it is killed."""

_FIGURES = re.compile(r"│ (Total/Daily Avg Trades|Total profit %|Profit factor|Max % of account)")
_PROGRESS = re.compile(r"Downloaded data for (\S+, \w+)|(Running backtesting) ")


class Freqtrade:
    """The `freqtrade` beside this Python, run on one workspace."""

    def __init__(self, workspace: Workspace, console: Console) -> None:
        self._workspace = workspace
        self._console = console

    def download(self, days: int) -> None:
        """Fetch candles, funding and mark of all pairs, then open interest."""
        common = ("download-data", "--days", str(days))
        self._run(*common, "--timeframes", "5m", "1h", "4h")
        self._run(*common, "--timeframes", "1h", "--candle-types", "open_interest")
        files = sorted((self._workspace.userdir / "data").rglob("*.feather"))
        size = sum(path.stat().st_size for path in files)
        self._console.print(f"{len(files)} files, {size / 1e6:.1f} MB.")

    def backtest(self) -> None:
        """Run a backtest over what was downloaded."""
        self._run("backtesting", "--cache", "none", "--export", "none")
        self._console.print("An invented market: these figures say nothing about any real one.")

    def _run(self, *words: str) -> None:
        """Run a command to its end, showing what matters of its output as it comes."""
        log = self._workspace.root / f"{words[0]}.log"
        with (
            log.open("a", encoding="utf-8") as file,
            self._console.status(f"freqtrade {' '.join(words)} ...") as status,
            _started(self._command(*words), subprocess.PIPE) as process,
        ):
            for line in process.stdout or ():
                file.write(line)
                if _FIGURES.search(line):
                    self._console.print(line.strip(), markup=False)
                elif found := _PROGRESS.search(line):
                    status.update(f"freqtrade {words[0]}: {found[1] or found[2]} ...")
            code = process.wait()
        if code:
            raise HydraError(f"freqtrade {words[0]} ended with code {code}; see {log}")

    def _command(self, *words: str) -> list[str]:
        program = Path(sys.executable).parent / "freqtrade"
        place = ("--config", str(self._workspace.config_file), "--userdir")
        return [str(program), *words, *place, str(self._workspace.userdir)]

    @contextmanager
    def trading(self) -> Iterator[subprocess.Popen[str]]:
        """Run `freqtrade trade` while the block runs; it is stopped when the block ends."""
        with (
            self._workspace.log_file.open("w", encoding="utf-8") as log,
            _started(self._command("trade"), log.fileno()) as process,
        ):
            yield process


@contextmanager
def _started(command: list[str], output: int) -> Iterator[subprocess.Popen[str]]:
    """Run a process in a session of its own, so that a Ctrl-C comes to us alone.

    However the block ends, the process is asked to stop, then made to.
    """
    process = subprocess.Popen(  # noqa: S603 - our own command, no shell
        command,
        stdout=output,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "120"},
    )
    try:
        yield process
    finally:
        _stop(process)
        if process.stdout:
            process.stdout.close()


def _stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_S)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
