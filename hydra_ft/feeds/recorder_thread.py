"""A recorder in a thread of its own, for a bot that has no process for it."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Self

from hydra_ft.errors import FeedError, HydraError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra_ft.feeds.recorder import Recorder, RecorderHealth

_ANSWER_S = 5.0


class RecorderThread:
    """Runs a recorder in a daemon thread with its own loop, until it is stopped.

    ``make`` makes the recorder; it is called in that thread. What ends a recorder before it is
    stopped is kept in ``error``: the thread ends, the bot goes on, and its feeds grow old.
    """

    def __init__(self, make: Callable[[], Recorder]) -> None:
        self.error: BaseException | None = None
        self._make = make
        self._loop: asyncio.AbstractEventLoop | None = None
        self._recorder: Recorder | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hydra-recorder", daemon=True)

    def start(self) -> Self:
        """Begin; returns once the recorder has been made, before it is connected."""
        self._thread.start()
        self._ready.wait()
        return self

    @property
    def is_alive(self) -> bool:
        """Whether it is recording, or trying to."""
        return self._thread.is_alive()

    def stop(self, within_s: float = 30.0) -> None:
        """End gracefully; what has come is handed over. Raises FeedError if it takes too long."""
        if self._loop is not None and self._recorder is not None and self.is_alive:
            self._loop.call_soon_threadsafe(self._recorder.stop)
        self._thread.join(within_s)
        if self.is_alive:
            raise FeedError(f"recorder: expected to end within {within_s} s, it has not")

    def health(self) -> RecorderHealth:
        """Give what has been done so far; raises FeedError where nothing runs or answers."""
        loop, recorder = self._loop, self._recorder
        if loop is None or recorder is None or not self.is_alive:
            raise FeedError(f"recorder: expected to run, it has ended: {_reason(self.error)}")

        async def ask() -> RecorderHealth:
            return recorder.health()

        asked = asyncio.run_coroutine_threadsafe(ask(), loop)
        try:
            return asked.result(_ANSWER_S)
        except TimeoutError as error:
            asked.cancel()
            raise FeedError(f"recorder: expected an answer within {_ANSWER_S} s") from error

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except* (HydraError, OSError, ValueError) as errors:
            self.error = errors
        finally:
            self._ready.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._recorder = self._make()
        self._ready.set()
        await self._recorder.run()


def _reason(error: BaseException | None) -> str:
    """Words of the first error of a group, however deep it lies."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return "stopped" if error is None else f"{type(error).__name__}: {error}"
