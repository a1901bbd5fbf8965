"""Faults on request: add a kind to ``FaultKind`` and its callable to ``ACTIONS``."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from aiohttp import web

Proceed = Callable[[], web.StreamResponse]
"""Lets the request take effect and gives the answer that it would get."""
Action = Callable[[web.Request, Proceed], Awaitable[web.StreamResponse]]


class FaultKind(StrEnum):
    """What can go wrong on demand."""

    ANSWER_LOST = "answer_lost"


@dataclass(slots=True)
class Fault:
    """A fault that strikes the next ``count`` requests of this method and path."""

    kind: FaultKind
    method: str
    path: str
    count: int = 1


async def _answer_lost(request: web.Request, proceed: Proceed) -> web.StreamResponse:
    """Let the request take effect, then close the connection without an answer."""
    response = proceed()
    if request.transport is not None:
        request.transport.close()
    return response


ACTIONS: dict[FaultKind, Action] = {FaultKind.ANSWER_LOST: _answer_lost}


class Faults:
    """The faults that are still to strike, oldest first."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Plan a fault."""
        if fault.count < 1:
            raise ValueError(
                f"A fault strikes at least once; count was {fault.count}. Give 1 or more."
            )
        with self._lock:
            self._waiting.append(fault)

    def take(self, method: str, path: str) -> Action | None:
        """Give the action for this request and count it, or None."""
        with self._lock:
            for fault in self._waiting:
                if (fault.method, fault.path) == (method, path):
                    fault.count -= 1
                    if not fault.count:
                        self._waiting.remove(fault)
                    return ACTIONS[fault.kind]
        return None

    def clear(self) -> None:
        """Call off all faults."""
        with self._lock:
            self._waiting.clear()
