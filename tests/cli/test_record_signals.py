"""Two signals to a recorder, however close, and what they do once it has stopped."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from hydra_ft.cli.record import signals
from hydra_ft.cli.record.signals import SIGNALS, stop_on_signals, told_to_end

if TYPE_CHECKING:
    from collections.abc import Iterator

TWO = """
import asyncio, os, signal, sys
from types import SimpleNamespace
from hydra_ft.cli.record.signals import stop_on_signals, told_to_end
from hydra_ft.cli.record.telling import Telling

async def run(came):
    health = SimpleNamespace(queued=7, writing=3, dropped=0)
    going = SimpleNamespace(health=lambda: health, stop=lambda: None, has_ended=False)
    stop_on_signals(going, came, Telling(sys.stdout))
    for number in sys.argv[1:]:
        os.kill(os.getpid(), int(number))
    await asyncio.sleep(600)

for _ in range(20):
    if not (child := os.fork()):
        with told_to_end() as came:
            asyncio.run(run(came))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(autouse=True)
def _signals_as_they_were() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handled in before.items():
        signal.signal(number, handled)


@pytest.mark.parametrize("first", SIGNALS)
@pytest.mark.parametrize("second", SIGNALS)
def test_a_second_signal_right_after_the_first_ends_with_its_sentence(
    first: signal.Signals, second: signal.Signals
) -> None:
    """Each of twenty times; asyncio's own handlers hear one of two that come together."""
    words = [sys.executable, "-c", TWO, str(int(first)), str(int(second))]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    sentence = (
        "ended at once; not written: 7 parts that waited, and what had come since; being written: "
        "3 parts"
    )
    said = [re.sub(r"^\d{4}-\S+ \S+ ", "", line) for line in done.stdout.splitlines()]
    lines = [line for line in said if "a second signal ends" not in line]
    assert lines == [sentence, str(128 + second)] * 20


@pytest.mark.parametrize(
    ("counts", "has_ended", "expected"),
    [
        ((0, 0, 0), False, "not written: 0 parts that waited, and what had come since"),
        ((5, 0, 2), False, "5 parts that waited, and what had come since, 2 that were dropped"),
        ((0, 0, 0), True, "while the database was closing; all that had closed is written"),
        ((0, 0, 2), True, "closing; 2 parts of what was recorded were not written"),
    ],
)
def test_an_end_at_once_says_what_it_leaves_unwritten(
    counts: tuple[int, int, int], expected: str, *, has_ended: bool
) -> None:
    """Where all is written, and only the database does not close, nothing is called lost."""
    queued, writing, dropped = counts
    health = SimpleNamespace(queued=queued, writing=writing, dropped=dropped)
    recorder: Any = SimpleNamespace(health=lambda: health, has_ended=has_ended)
    assert expected in signals._at_once(recorder)


def heard(number: signal.Signals) -> tuple[list[int], list[str]]:
    """What a signal leaves in the list, and what is said, of a recorder that then stops."""
    said: list[str] = []

    async def run(came: list[int]) -> None:
        stopped = asyncio.Event()
        one: Any = SimpleNamespace(stop=stopped.set)
        telling: Any = SimpleNamespace(say=said.append)
        stop_on_signals(one, came, telling)
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stopped.wait(), 60)

    with told_to_end() as came:
        asyncio.run(run(came))
    return came, said


@pytest.mark.parametrize("number", SIGNALS)
def test_one_signal_stops_and_later_ones_do_nothing(number: signal.Signals) -> None:
    came, said = heard(number)
    assert came == [number]
    assert said == [f"{number.name}: writing what has closed; a second signal ends at once"]
    # Looked at first: a signal that is not ignored would end the tests, and name none of them.
    assert {signal.getsignal(one) for one in SIGNALS} == {signal.SIG_IGN}
    for late in SIGNALS:
        os.kill(os.getpid(), late)


def test_without_a_signal_they_do_what_they_did_before() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]

    async def run(came: list[int]) -> None:
        nothing: Any = SimpleNamespace()
        stop_on_signals(nothing, came, nothing)

    with told_to_end() as came:
        asyncio.run(run(came))
    assert came == []
    assert [signal.getsignal(number) for number in SIGNALS] == before
