"""Waits for what other threads and processes do; no test proves by it how long that takes."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

HANG_S: Final = 60.0
"""What takes so long, on a machine under load too, hangs."""


def wait_until(
    condition: Callable[[], object], within_s: float = HANG_S, *, every_s: float = 0.05
) -> None:
    """Return once a condition holds; AssertionError where it does not within the limit.

    The time is real, whatever a test makes of the clock.
    """
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s:g} s"
        time.sleep(every_s)


async def await_until(
    condition: Callable[[], object], within_s: float = HANG_S, *, every_s: float = 0.05
) -> None:
    """Do the same in a loop, whose other tasks go on meanwhile."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s:g} s"
        await asyncio.sleep(every_s)
