"""What a recorder says to a reader who stalls, and to one who is back."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from waiting import wait_until

from hydra_ft.cli.record.telling import MOST_LINES, Telling

if TYPE_CHECKING:
    from collections.abc import Iterator

PIPE = 4096
LINE = "x" * 1000
STALLED = """
import asyncio, os, signal, sys
from types import SimpleNamespace
from hydra_ft.cli.record.signals import stop_on_signals
from hydra_ft.cli.record.telling import Telling

async def run(telling):
    health = SimpleNamespace(queued=7, writing=3, dropped=0)
    going = SimpleNamespace(health=lambda: health, stop=lambda: None, has_ended=False)
    stop_on_signals(going, [], telling)
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(os.getpid(), number)
    await asyncio.sleep(600)

telling = Telling(sys.stdout)
for _ in range(1000):
    telling.say("x" * 1000)
asyncio.run(run(telling))
"""


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Both ends of a pipe that holds four lines; what is read does not wait."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE)
    os.set_blocking(reading, False)
    yield reading, writing
    for end in (reading, writing):
        os.close(end)


def rest(reading: int, telling: Telling) -> list[str]:
    """All that is read of one who has said all, without the times."""
    parts: list[bytes] = []

    def is_over() -> bool:
        with suppress(BlockingIOError):
            parts.append(os.read(reading, PIPE))
            return False
        return not telling._thread.is_alive()

    wait_until(is_over, every_s=0.01)
    return [line[20:] for line in b"".join(parts).decode().splitlines()]


def test_lines_that_nobody_reads_hold_nothing_up_and_are_counted(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    said = MOST_LINES + 50
    with os.fdopen(os.dup(writing), "w") as file:
        telling = Telling(file)
        for number in range(said):
            telling.say(f"{number} {LINE}")
        telling.close()  # not for ever, either
        assert telling._thread.is_alive()
        untold = telling._untold
        lines = rest(reading, telling)
    assert [int(line.split()[0]) for line in lines] == list(range(said - untold))
    assert 0 < untold <= 50


def test_what_was_left_out_is_told_in_its_place_once_there_is_room(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    with os.fdopen(os.dup(writing), "w") as file:
        telling = Telling(file)
        while telling._untold < 3:
            telling.say(LINE)
        first: list[bytes] = []

        def has_room() -> bool:
            with suppress(BlockingIOError):
                first.append(os.read(reading, 100))
            return telling._lines.qsize() < MOST_LINES

        wait_until(has_room, every_s=0.001)
        telling.say("back")
        telling.close()
        lines = rest(reading, telling)
    left_out = "3 lines were left out here: what was said was not read"
    assert lines[-3:] == [LINE, left_out, "back"]


def test_two_signals_end_one_whose_lines_nobody_reads(pipe: tuple[int, int]) -> None:
    process = subprocess.Popen([sys.executable, "-c", STALLED], stdout=pipe[1])
    try:
        assert process.wait(30) == 130
    finally:
        process.kill()


def test_a_reader_that_has_gone_is_passed_over() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as file:
        telling, began_s = Telling(file), time.monotonic()
        telling.say("nobody hears this")
        telling.close()
        assert not telling._thread.is_alive()
    assert time.monotonic() - began_s < 30
