"""Freqtrade's own commands, run against an embedded exchange and told apart by their output."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from benchmarks.recorded.freqtrade_home import (
    PAIRS,
    REPOSITORY,
    configuration,
    environment,
    newest_result,
)

__all__ = ["PAIRS", "REPOSITORY", "configuration", "environment"]

SPAWNER = Path(__file__).with_name("spawner.py")
TIMEFRAMES = ("5m", "1h", "4h")
DOWNLOADED = ("--timerange", "20250601-20250701")
TESTED = ("--timerange", "20250612-20250701", "--cache", "none")
"""What is tested begins after 253 candles of 1h, the warm-up of HydraFlow: ten days and a half."""

BOOT_S, COMMAND_S = 120, 150
"""Limits, not durations: a machine that is busy with other tests is slow."""


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    output: str

    def errors(self) -> list[str]:
        """Every message that freqtrade logged as an error, continuation lines included."""
        messages: list[list[str]] = []
        wanted = False
        for line in self.output.splitlines():
            if " - INFO - " in line or " - WARNING - " in line:
                wanted = False
            elif " - ERROR - " in line:
                wanted = True
                messages.append([line.split(" - ERROR - ", 1)[1]])
            elif wanted:
                messages[-1].append(line)
        return ["\n".join(lines) for lines in messages]

    def refusal(self) -> str:
        """The one error of a command that refused; it came without a traceback."""
        assert self.code not in (0, None), self.output[-3000:]
        assert "Traceback" not in self.output, self.output[-5000:]
        (message,) = self.errors()
        return message


class Commands:
    """Starts commands one after another; none outlives its time limit."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(SPAWNER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment()},
        )
        self._answers: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self._answer(BOOT_S)

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            self._answers.put(line)

    def _answer(self, limit_s: float) -> str:
        return self._answers.get(timeout=limit_s).strip()

    def run(self, folder: Path, *words: str, limit_s: float = COMMAND_S, **more: str) -> Done:
        """Run ``freqtrade`` with these words to its end."""
        log = folder / "output.log"
        request = {
            "argv": list(words),
            "folder": str(folder),
            "environment": more,
            "output": str(log),
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        child = int(self._answer(limit_s))
        try:
            code = int(self._answer(limit_s))
        except queue.Empty:
            os.kill(child, signal.SIGKILL)
            self._answer(limit_s)
            said = log.read_text()[-3000:]
            raise AssertionError(f"freqtrade {words[0]} took over {limit_s} s\n{said}") from None
        return Done(code, log.read_text(encoding="utf-8"))

    def close(self) -> None:
        """End the spawner by ending its input."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(COMMAND_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


@dataclass
class Home:
    """A freqtrade home: configuration, data and results of its own."""

    folder: Path
    commands: Commands
    config: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.userdir.mkdir(parents=True, exist_ok=True)

    @property
    def userdir(self) -> Path:
        return self.folder / "user_data"

    @property
    def datadir(self) -> Path:
        return self.userdir / "data" / "binance"

    @property
    def futures(self) -> Path:
        return self.datadir / "futures"

    def result(self) -> dict[str, Any]:
        """The newest exported result of a backtest, of its one strategy."""
        return newest_result(self.userdir)

    def write(self) -> Path:
        """Write the configuration as it stands now."""
        file = self.folder / "config.json"
        file.write_text(json.dumps(self.config), encoding="utf-8")
        return file

    def freqtrade(self, command: str, *words: str, **more: Any) -> Done:
        """Run a command on this home."""
        place = ("--config", str(self.write()), "--userdir", str(self.userdir))
        return self.commands.run(self.folder, command, *place, *words, **more)
