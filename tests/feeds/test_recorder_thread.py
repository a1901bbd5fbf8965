"""A recorder in a thread: beside a bot, and ended by what goes wrong in it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from feeds.recording import PAIRS, TRADES, KeepingSink, account, recorder

from hydra_ft.errors import FeedError, StoreError
from hydra_ft.feeds.recorder_thread import RecorderThread

if TYPE_CHECKING:
    from hydra_ft.feeds.sink import Resume
    from loopback_exchange import Server


def ended(thread: RecorderThread) -> None:
    """Wait until it has ended by itself."""
    deadline = time.monotonic() + 20
    while thread.is_alive and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not thread.is_alive


def test_it_runs_in_a_thread_beside_a_bot(server: Server) -> None:
    sink = KeepingSink()
    thread = RecorderThread(lambda: recorder(server.url, PAIRS, sink, TRADES)).start()
    deadline = time.monotonic() + 20
    while len(sink.sub_bars) < 6 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert thread.health().feeds[0].is_connected
    thread.stop()
    assert not thread.is_alive
    assert thread.error is None
    assert account(server, sink, PAIRS[0])[1] == 0
    with pytest.raises(FeedError, match="it has ended"):
        thread.health()


def test_what_ends_it_in_its_thread_is_kept(server: Server) -> None:
    thread = RecorderThread(lambda: recorder(server.url, ["BTC/EUR"], KeepingSink())).start()
    ended(thread)
    assert isinstance(thread.error, ExceptionGroup)
    assert "BTC/EUR" in str(thread.error.exceptions[0])


def test_a_database_that_cannot_be_read_ends_it_with_its_reason(server: Server) -> None:
    class Unread(KeepingSink):
        def resume(self, _venue: str, _pair: str) -> Resume | None:
            raise StoreError("unread")

    thread = RecorderThread(lambda: recorder(server.url, PAIRS, Unread(), TRADES)).start()
    ended(thread)
    assert isinstance(thread.error, ExceptionGroup)
    assert isinstance(thread.error.exceptions[0], StoreError)
