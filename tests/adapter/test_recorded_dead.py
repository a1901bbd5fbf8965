"""A database that does not answer costs a bot one time-out a loop, however many its pairs."""

from __future__ import annotations

import socket
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from adapter.recorded_tape import FIVE, PAIR, START, flat_candles
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from hydra_ft.adapter.recorded.feeds import RecordedFeeds
from hydra_ft.adapter.recorded.flow_wait import FlowWait, trades_of
from hydra_ft.adapter.recorded.live_feeds import LiveFeeds
from hydra_ft.errors import StoreError
from hydra_ft.store.database import Database
from hydra_ft.store.flow_markets import Markets
from hydra_ft.store.reading import NotAskedError, ReadingDatabase
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STOP = START + 6 * FIVE
PAIRS = [f"P{i}/USDT:USDT" for i in range(60)]


@contextmanager
def silent() -> Iterator[str]:
    """A listener that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"postgresql+psycopg://hydra:secret@127.0.0.1:{listener.getsockname()[1]}/hydra"


def read(live: RecordedFeeds, pair: str) -> type[Exception] | None:
    try:
        live.beside(pair, flat_candles(STOP, 6), (Feed.TRADES, Feed.LIQUIDATIONS))
    except StoreError as error:
        return type(error)
    return None


def test_a_server_that_never_answers_is_asked_once_a_loop() -> None:
    began = time.monotonic()
    with silent() as url:
        database = ReadingDatabase(url)
        live = RecordedFeeds(database, "binance", keeps=True)
        awaited = trades_of(database, Markets(database, "binance"))
        with pytest.raises(StoreError, match="refused a statement") as failed:
            FlowWait([awaited], FIVE, 5.0).wait(PAIRS, STOP)
        assert not isinstance(failed.value, NotAskedError)
        assert {read(live, pair) for pair in PAIRS} == {NotAskedError}
        assert "secret" not in str(failed.value)
        database.close()
    assert time.monotonic() - began < 60  # a time-out for each of the pairs would be 120


def test_the_next_loop_tries_one_read_and_goes_on_where_it_is_answered(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'hydra.sqlite'}"
    whole = Database(url)
    database = ReadingDatabase(url)
    live = RecordedFeeds(database, "binance", keeps=True)
    rename = "ALTER TABLE hydra_markets RENAME TO away"
    with whole.transaction() as connection:
        connection.execute(text(rename))
    for _ in range(2):
        database.begin_loop()
        found = [read(live, pair) for pair in PAIRS]
        assert found == [StoreError, *[NotAskedError] * 59]
    with whole.transaction() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO hydra_markets"))
    assert read(live, PAIR) is NotAskedError
    database.begin_loop()
    assert {read(live, pair) for pair in PAIRS} == {None}
    database.close()
    whole.close()


def test_what_is_wrong_with_one_pair_refuses_no_other(tmp_path: Path) -> None:
    database = ReadingDatabase(f"sqlite:///{tmp_path / 'hydra.sqlite'}")
    with pytest.raises(StoreError, match="unreadable"), database.transaction():
        raise StoreError("unreadable footprint")
    with database.transaction() as connection:
        assert connection.execute(text("select 1")).scalar_one() == 1
    with pytest.raises(StoreError), database.transaction() as connection:
        raise OperationalError("select", {}, Exception("disk"))
    with pytest.raises(NotAskedError, match="disk"), database.snapshot():
        pass
    database.close()


def test_every_loop_of_a_bot_lets_reads_through_again(tmp_path: Path) -> None:
    decided: list[type[Exception] | None] = []

    class Plain:
        def bot_loop_start(self, **_kwargs: Any) -> None:
            """Nothing more of a bot is needed."""

        def analyze(self, pairs: list[str]) -> None:
            decided.extend(read(live, pair) for pair in pairs)

    class Bot(LiveFeeds, Plain):  # type: ignore[misc]
        def _look_at_feeds(self, now: int) -> None:
            """Nothing is listed."""

    database = ReadingDatabase(f"sqlite:///{tmp_path / 'hydra.sqlite'}")
    live = RecordedFeeds(database, "binance", keeps=True)
    assert [read(live, pair) for pair in PAIRS[:2]] == [StoreError, NotAskedError]
    bot: Any = object.__new__(Bot)
    bot.frames = SimpleNamespace(reading=database)
    bot.bot_loop_start(current_time=datetime.now(UTC))
    assert read(live, PAIR) is StoreError
    # What failed before the decisions, a wait or an edge, refuses none of their reads.
    bot.analyze([PAIR])
    assert decided == [StoreError]
    database.close()
