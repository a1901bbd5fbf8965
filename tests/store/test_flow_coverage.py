"""Two processes that prove parts of one market complete keep what each has proven."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from hydra_ft.store.database import Database
from hydra_ft.store.flow_coverage import Proof, Stretch, cover, covered, hold, uncover
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

MARKET = 1


@pytest.fixture
def other(url: str, database: Database) -> Iterator[Database]:
    """The same database, as another process has it."""
    assert database
    opened = Database(url)
    yield opened
    opened.close()


def known(database: Database) -> list[tuple[int, int]]:
    with database.transaction() as connection:
        return [(one.start, one.stop) for one in covered(connection, MARKET, Feed.TRADES)]


def prove(connection: Connection, start: int, stop: int) -> None:
    cover(connection, [Proof(MARKET, Feed.TRADES, Stretch(start, stop))])


@pytest.mark.parametrize("what", ["cover", "uncover"])
def test_what_another_one_proves_meanwhile_is_not_undone(
    database: Database, other: Database, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """A recorder and a build of files: the second reads only when the first has written."""
    with database.transaction() as connection:
        prove(connection, 0, 100)
    has_read, may_write = threading.Event(), threading.Event()
    name = {"cover": "_touched", "uncover": "_stretches"}[what]
    module = "hydra_ft.store.flow_coverage"
    read = getattr(__import__(module, fromlist=[name]), name)

    def slowly(connection: Connection, *words: object) -> object:
        found = read(connection, *words)
        if threading.current_thread() is recorder:
            has_read.set()
            may_write.wait(60)
        return found

    def record() -> None:
        with other.transaction() as connection:
            if what == "cover":
                prove(connection, 100, 150)
            else:
                uncover(connection, MARKET, Feed.TRADES, 20, 30)

    def build() -> None:
        with database.transaction() as connection:
            prove(connection, 100, 900)

    recorder, builder = (threading.Thread(target=one) for one in (record, build))
    monkeypatch.setattr(f"{module}.{name}", slowly)
    recorder.start()
    assert has_read.wait(60)
    builder.start()
    builder.join(0.2)  # it waits for the recorder; else it would have written by now
    may_write.set()
    recorder.join(60)
    builder.join(60)
    assert known(database) == {"cover": [(0, 900)], "uncover": [(0, 20), (30, 900)]}[what]


def test_markets_are_held_apart_and_twice_by_the_same_one(database: Database) -> None:
    with database.transaction() as connection:
        hold(connection, [3, 1, 2])
        hold(connection, [2])
        hold(connection, [])
        prove(connection, 5, 9)
    assert known(database) == [(5, 9)]
