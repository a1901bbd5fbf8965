"""Calls that may hang keep nobody from ending."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from hydra_ft.errors import StoreError
from hydra_ft.feeds.aside import aside

HANGS = """
import asyncio, threading
from hydra_ft.feeds.aside import aside

async def main():
    task = asyncio.ensure_future(aside(threading.Event().wait))
    await asyncio.sleep(0.1)
    task.cancel()

asyncio.run(main())
"""


def test_what_a_call_gives_or_raises_is_passed_on() -> None:
    def fail(text: str) -> None:
        raise StoreError(text)

    async def run() -> None:
        assert await aside(divmod, 7, 2) == (3, 1)
        with pytest.raises(StoreError, match="lost"):
            await aside(fail, "lost")

    asyncio.run(run())


def test_who_is_cancelled_does_not_wait_and_the_answer_goes_nowhere() -> None:
    let_go = threading.Event()

    async def run() -> None:
        asked = asyncio.ensure_future(aside(let_go.wait))
        await asyncio.sleep(0.05)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        let_go.set()
        await asyncio.sleep(0.05)

    asyncio.run(run())


@pytest.mark.ci
def test_a_process_ends_while_a_call_hangs() -> None:
    ended = subprocess.run([sys.executable, "-c", HANGS], check=False, timeout=60)
    assert ended.returncode == 0
