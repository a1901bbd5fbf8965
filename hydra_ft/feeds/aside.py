"""Calls that may hang, in threads that keep nobody from ending."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_Answer = TypeVar("_Answer")


async def aside(call: Callable[..., _Answer], *words: object) -> _Answer:
    """Return what a call gives, made in a daemon thread; raises what it raises.

    Unlike ``asyncio.to_thread``: where the one who waits is cancelled, neither the loop nor the
    interpreter waits for the call when it ends. A database that hangs holds up no stop.
    """
    answer: _Passed[_Answer] = _Passed()

    def work() -> None:
        with answer:
            answer.value = call(*words)

    threading.Thread(target=work, name="hydra-aside", daemon=True).start()
    return await answer.came


class _Passed(Generic[_Answer]):
    """Carries what a block in another thread gives, or raises, into this loop."""

    value: _Answer

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.came: asyncio.Future[_Answer] = self._loop.create_future()

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(
        self, _kind: object, error: BaseException | None, _trace: TracebackType | None
    ) -> bool:
        with suppress(RuntimeError):  # the loop has ended meanwhile
            self._loop.call_soon_threadsafe(self._settle, error)
        return True

    def _settle(self, error: BaseException | None) -> None:
        if self.came.done():
            return
        if error is None:
            self.came.set_result(self.value)
        else:
            self.came.set_exception(error)
