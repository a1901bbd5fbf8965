"""What a recorder says, written beside it: a reader who stalls holds up neither it nor its end."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from datetime import UTC, datetime
from queue import SimpleQueue
from threading import Thread
from typing import IO, Final

MOST_LINES: Final = 100
"""Lines that wait for a reader; of more there is a count."""
PATIENCE_S: Final = 0.5
"""How long an end waits for a reader."""


class Telling:
    """Lines with their time (UTC) to a file, in their order, from a thread of their own.

    A pager that is left open or a terminal that hangs takes nothing: what finds no room then is
    counted, and told of before the next line. A full disk, or a reader that has gone, is passed
    over. Both methods may be called in a signal handler.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._lines: SimpleQueue[str | None] = SimpleQueue()  # the one whose put may be re-entered
        self._untold = 0
        self._thread = Thread(target=self._write, name="hydra record says", daemon=True)
        self._thread.start()

    def say(self, line: str) -> None:
        """Have a line written; never waits."""
        if self._lines.qsize() >= MOST_LINES:
            self._untold += 1
            return
        if self._untold:
            untold, self._untold = self._untold, 0
            self._put(f"{untold} lines were left out here: what was said was not read")
        self._put(line)

    def _put(self, line: str) -> None:
        self._lines.put(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {line}\n")

    def close(self) -> None:
        """Wait until all is written, but not for long."""
        self._lines.put(None)
        until = time.monotonic() + PATIENCE_S
        while self._thread.is_alive() and time.monotonic() < until:
            time.sleep(0.005)

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            with suppress(OSError, ValueError):  # ValueError: a file that is closed
                os.write(self._file.fileno(), line.encode())
