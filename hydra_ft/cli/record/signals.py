"""The first signal ends a recorder gracefully, the second one at once."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from hydra_ft.cli.record.telling import Telling
    from hydra_ft.feeds.recorder import Recorder

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def told_to_end() -> Iterator[list[int]]:
    """Yield a list for the signal that stops the recorder of the block, see ``stop_on_signals``.

    At its end signals do what they did before. After one that was heard they do nothing: what
    could be written is, the process ends by itself, and its exit code is to say how that went.
    """
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield came
    finally:
        for number, handled in before.items():
            signal.signal(number, signal.SIG_IGN if came else handled)


def stop_on_signals(recorder: Recorder, came: list[int], telling: Telling) -> None:
    """Let the first signal stop a recorder, and the next end the process, in whose loop this is.

    The process is ended from without, and nothing in it is asked: a database that is locked holds
    up every orderly end. Its locks belong to the operating system or the server, and go with it.
    The signals are heard between two instructions, not in the loop, which hears one of two that
    come together. Two equal ones that come within microseconds are one to the kernel already.
    """
    loop = asyncio.get_running_loop()

    def end(number: int) -> None:
        try:
            telling.say(_at_once(recorder))
            telling.close()
        finally:
            os._exit(128 + number)

    def heard(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        if len(came) > 1:
            end(number)
        name = signal.Signals(number).name
        telling.say(f"{name}: writing what has closed; a second signal ends at once")
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(recorder.stop)

    for number in SIGNALS:
        signal.signal(number, heard)


def _at_once(recorder: Recorder) -> str:
    """Return what is left unwritten by an end that waits for nothing."""
    health = recorder.health()
    if recorder.has_ended:
        left = (
            f"{health.dropped} parts of what was recorded were not written"
            if health.dropped
            else "all that had closed is written"
        )
        return f"ended at once, while the database was closing; {left}"
    line = f"ended at once; not written: {health.queued} parts that waited, and what had come since"
    lost = f", {health.dropped} that were dropped before" if health.dropped else ""
    return line + lost + (f"; being written: {health.writing} parts" if health.writing else "")
