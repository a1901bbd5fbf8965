"""Starts the bot in processes that hold all imports from their first moment.

A server process imports everything once and opens nothing: what it forks has no socket, no
database and no state of an earlier bot.
"""

from __future__ import annotations

import multiprocessing
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess
    from pathlib import Path

STOP_S = 10.0
_IMPORTED = ["hydra_ft.cli.drill.bot"]


@dataclass(frozen=True, slots=True)
class Boot:
    """Which start of the bot this is, from 0 on, and what it needs to know.

    ``head`` is a class in the folder of heads.
    """

    number: int
    root: Path
    seed: int
    head: str = "DrillHead"


def _launch(boot: Boot) -> None:
    from hydra_ft.cli.drill.bot import run  # noqa: PLC0415 - never in the drill's own process

    run(boot)


class BotProcess:
    """One run of the bot, alive until it is killed or stops by itself."""

    def __init__(self, boot: Boot) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_IMPORTED)
        # Threads of numerical libraries do not survive a fork; nothing here needs them.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        self._process: ForkServerProcess = context.Process(
            target=_launch, args=(boot,), name=f"drill-bot-{boot.number}"
        )
        self._process.start()

    def kill(self) -> None:
        """Send SIGKILL: nothing is closed, cancelled or said; safe from any thread."""
        with suppress(ProcessLookupError):
            self._process.kill()

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative when a signal ended it."""
        return self._process.exitcode

    def stop(self) -> None:
        """Ask it to stop, then make it; returns when it is gone."""
        if self._process.exitcode is None:
            self._process.terminate()
            self._process.join(STOP_S)
        if self._process.exitcode is None:
            self._process.kill()
        self._process.join()

    def wait(self, seconds: float) -> bool:
        """Wait for its end, at most so long; True when it has ended."""
        self._process.join(seconds)
        return self._process.exitcode is not None
