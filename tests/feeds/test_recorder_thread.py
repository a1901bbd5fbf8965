"""A recorder in a thread: beside a bot, and ended by what goes wrong in it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from feeds.recording import PAIRS, TRADES, KeepingSink, account, recorder
from waiting import HANG_S, wait_until

from hydra_ft.errors import FeedError, StoreError
from hydra_ft.feeds.recorder_thread import RecorderThread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hydra_ft.feeds.sink import Resume
    from loopback_exchange import Server


def test_it_runs_in_a_thread_beside_a_bot(server: Server) -> None:
    sink = KeepingSink()
    thread = RecorderThread(lambda: recorder(server.url, PAIRS, sink, TRADES)).start()
    wait_until(lambda: len(sink.sub_bars) >= 6)
    assert thread.health().feeds[0].is_connected
    thread.stop()
    assert not thread.is_alive
    assert thread.error is None
    assert account(server, sink, PAIRS[0])[1] == 0
    with pytest.raises(FeedError, match="it has ended"):
        thread.health()


def test_what_ends_it_in_its_thread_is_kept(server: Server) -> None:
    thread = RecorderThread(lambda: recorder(server.url, ["BTC/EUR"], KeepingSink())).start()
    wait_until(lambda: not thread.is_alive)
    assert isinstance(thread.error, ExceptionGroup)
    assert "BTC/EUR" in str(thread.error.exceptions[0])


def test_a_database_that_cannot_be_read_ends_it_with_its_reason(server: Server) -> None:
    class Unread(KeepingSink):
        def resume(self, _venue: str, _pair: str) -> Resume | None:
            raise StoreError("unread")

    thread = RecorderThread(lambda: recorder(server.url, PAIRS, Unread(), TRADES)).start()
    wait_until(lambda: not thread.is_alive)
    assert isinstance(thread.error, ExceptionGroup)
    assert isinstance(thread.error.exceptions[0], StoreError)


def test_a_loop_that_has_closed_can_be_stopped_and_asked() -> None:
    """Between the end of its loop and of the thread: nothing of asyncio is raised."""

    class Ended:
        def stop(self) -> None:
            """Nothing runs."""

        async def run(self) -> None:
            """It ends at once."""

    going = threading.Event()

    @contextmanager
    def held() -> Iterator[None]:
        yield
        going.wait(HANG_S)

    made: Any = Ended
    thread = RecorderThread(made, held).start()
    loop: Any = thread._loop
    wait_until(loop.is_closed)
    assert thread.is_alive
    with pytest.raises(FeedError, match="it has ended: stopped"):
        thread.health()
    thread.ask_to_end()
    going.set()
    thread.stop(HANG_S)
