"""The first signal ends a recorder gracefully, the second one at once."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from hydra_ft.feeds.recorder import Recorder

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def signals_as_before() -> Iterator[None]:
    """Set what signals do in this process back at the end."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handled in before.items():
            signal.signal(number, handled)


def stop_on_signals(
    recorder: Recorder, came: list[signal.Signals], say: Callable[[str], None]
) -> None:
    """Let the first signal stop a recorder, and the next end the process, in whose loop this is.

    The process is ended from without, and nothing in it is asked: a database that is locked holds
    up every orderly end. Its locks belong to the operating system or the server, and go with it.
    """
    loop = asyncio.get_running_loop()

    def end(number: int, _frame: FrameType | None) -> None:
        try:
            waiting = recorder.health().queued
            line = (
                f"ended at once; what was being written, and {waiting} parts that waited, is lost"
            )
            os.write(1, f"{line}\n".encode())
        finally:  # also where nobody reads what it says any more
            os._exit(128 + number)

    def stop(number: signal.Signals) -> None:
        came.append(number)
        for other in SIGNALS:
            loop.remove_signal_handler(other)
            signal.signal(other, end)
        say(f"{number.name}: writing what has closed; a second signal ends at once")
        recorder.stop()

    for number in SIGNALS:
        loop.add_signal_handler(number, stop, number)
