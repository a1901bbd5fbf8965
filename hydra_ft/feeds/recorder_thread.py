"""A recorder in a thread of its own, for a bot that has no process for it."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from concurrent.futures import CancelledError
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Self

from hydra_ft.errors import FeedError, HydraError
from hydra_ft.feeds.recorder_session import LOST

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from contextlib import AbstractContextManager

    from hydra_ft.feeds.recorder import Recorder, RecorderHealth

logger = logging.getLogger(__name__)

_ANSWER_S = 5.0


class RecorderThread:
    """Runs a recorder in a daemon thread with its own loop, until it is stopped.

    ``make`` makes the recorder; it is called in that thread, within ``held``: what that holds
    (a lock, a database) is let go when the thread has ended, and not before. What ends a
    recorder before it is stopped is kept in ``error``: the thread ends, the bot goes on, and
    its feeds grow old.
    """

    def __init__(
        self,
        make: Callable[[], Recorder],
        held: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.error: BaseException | None = None
        self._make, self._held = make, held
        self._loop: asyncio.AbstractEventLoop | None = None
        self._recorder: Recorder | None = None
        self._is_asked_to_end = False
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hydra-recorder", daemon=True)

    def begin(self) -> None:
        """Begin, and return at once."""
        self._thread.start()

    def begun(self) -> Self:
        """Return once the recorder has been made, before it is connected, or has failed."""
        self._ready.wait()
        return self

    def start(self) -> Self:
        """Begin; returns once the recorder has been made, before it is connected."""
        self.begin()
        return self.begun()

    @property
    def is_alive(self) -> bool:
        """Whether it is recording, or trying to."""
        return self._thread.is_alive()

    @property
    def is_recording(self) -> bool:
        """Whether the recorder has been made, and has not ended."""
        return self._recorder is not None and self.is_alive

    @property
    def cause(self) -> BaseException | None:
        """The first error of what ended it, however deep in groups it lies."""
        error = self.error
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        return error

    @property
    def reason(self) -> str:
        """Words for what ended it."""
        error = self.cause
        return "stopped" if error is None else f"{type(error).__name__}: {error}"

    def ask_to_end(self) -> None:
        """Let it end gracefully, without waiting for that."""
        self._is_asked_to_end = True
        if self._loop is not None and self._recorder is not None and self.is_alive:
            # A loop that has closed meanwhile has nothing left to end.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._recorder.stop)

    def follow(self, pairs: Sequence[str]) -> Future[bool] | None:
        """Let it record these pairs from now on, without waiting; None where nothing runs.

        The answer is what ``Recorder.follow`` gives, or raises.
        """
        loop, recorder = self._loop, self._recorder
        if loop is None or recorder is None or loop.is_closed() or not self.is_alive:
            return None
        asking = recorder.follow(pairs)
        try:
            return asyncio.run_coroutine_threadsafe(asking, loop)
        except RuntimeError:  # it has ended meanwhile
            asking.close()
            return None

    def stop(self, within_s: float = 30.0) -> None:
        """End gracefully; what has come is handed over. Raises FeedError if it takes too long."""
        self.ask_to_end()
        self._thread.join(within_s)
        if self.is_alive:
            raise FeedError(f"recorder: expected to end within {within_s} s, it has not")

    def health(self) -> RecorderHealth:
        """Give what has been done so far; raises FeedError where nothing runs or answers."""
        loop, recorder = self._loop, self._recorder
        if loop is None or recorder is None or loop.is_closed() or not self.is_alive:
            raise FeedError(f"recorder: expected to run, it has ended: {self.reason}")

        async def ask() -> RecorderHealth:
            return recorder.health()

        asking = ask()
        try:
            asked = asyncio.run_coroutine_threadsafe(asking, loop)
        except RuntimeError as error:
            asking.close()
            raise FeedError(f"recorder: expected to run, it has ended: {self.reason}") from error
        try:
            return asked.result(_ANSWER_S)
        except TimeoutError as error:
            asked.cancel()
            raise FeedError(f"recorder: expected an answer within {_ANSWER_S} s") from error

    def _run(self) -> None:
        try:
            with self._held():
                asyncio.run(self._main())
        except* (HydraError, OSError, ValueError) as errors:
            self.error = errors
        finally:
            unexpected = sys.exception()
            if unexpected is not None:
                self.error = unexpected
                logger.error("The recorder failed.", exc_info=unexpected)
            self._ready.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._recorder = self._make()
        self._ready.set()
        if not self._is_asked_to_end:
            await self._recorder.run()


def answer_of(asked: Future[bool]) -> tuple[bool, str]:
    """Whether a recorder does what ``follow`` asked, and what it says if that failed."""
    try:
        return asked.result(), ""
    except (HydraError, *LOST, CancelledError) as error:
        return False, f"{type(error).__name__}: {error}"
