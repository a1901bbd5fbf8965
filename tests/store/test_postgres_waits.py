"""A PostgreSQL server that hangs, behind a connection that stands, is given up."""

from __future__ import annotations

import os
import signal
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from hydra_ft.errors import StoreError
from hydra_ft.store.database import Database
from hydra_ft.store.postgres import ANSWER_S, CONNECT_S, pool_of

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def silent() -> Iterator[str]:
    """A listener that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"postgresql+psycopg://hydra:secret@127.0.0.1:{listener.getsockname()[1]}/hydra"


def test_a_server_that_never_answers_is_no_usable_database() -> None:
    began = time.monotonic()
    with silent() as url, pytest.raises(StoreError, match="expected a usable database") as error:
        Database(f"{url}?connect_timeout=2")
    assert time.monotonic() - began < 60  # else it would wait for ever
    assert "secret" not in str(error.value)


def test_an_address_says_for_itself_how_long_to_wait() -> None:
    url = "postgresql+psycopg://127.0.0.1/hydra"
    given = dict(make_url(f"{url}?connect_timeout=2").query)
    assert given == {"connect_timeout": "2"}
    assert CONNECT_S <= 5
    assert pool_of(url).dialect.driver == "psycopg"


@pytest.mark.ci
def test_a_statement_of_a_server_that_hangs_ends_in_time_and_the_next_one_is_served(
    postgres_url: str,
) -> None:
    engine = pool_of(postgres_url, answer_s=1.0)
    with engine.connect() as connection:
        server = connection.execute(text("select pg_backend_pid()")).scalar_one()
        os.kill(server, signal.SIGSTOP)
        began = time.monotonic()
        try:
            with pytest.raises(OperationalError, match=r"within 1 s, was none"):
                connection.execute(text("select 1"))
        finally:
            os.kill(server, signal.SIGCONT)
        assert 0.9 < time.monotonic() - began < ANSWER_S
    with engine.connect() as connection:
        assert connection.execute(text("select 1")).scalar_one() == 1
    engine.dispose()


@pytest.mark.ci
def test_a_long_statement_that_is_answered_in_time_is_not_cut_off(postgres_url: str) -> None:
    engine = pool_of(postgres_url, answer_s=5.0)
    with engine.connect() as connection:
        assert connection.execute(text("select 1 from pg_sleep(1.5)")).scalar_one() == 1
    engine.dispose()


@pytest.mark.ci
def test_a_connection_that_the_server_has_ended_is_not_handed_out_again(postgres_url: str) -> None:
    database, other = Database(postgres_url), create_engine(postgres_url)
    with database.transaction() as connection:
        server = connection.execute(text("select pg_backend_pid()")).scalar_one()
    with other.begin() as connection:
        connection.execute(text("select pg_terminate_backend(:pid)"), {"pid": server})
    other.dispose()
    with database.transaction() as connection:
        assert connection.execute(text("select 1")).scalar_one() == 1
    database.close()


@pytest.mark.ci
def test_a_commit_that_is_not_answered_ends_too(postgres_url: str) -> None:
    engine = pool_of(postgres_url, answer_s=1.0)
    connection = engine.connect()
    server = connection.execute(text("select pg_backend_pid()")).scalar_one()
    os.kill(server, signal.SIGSTOP)
    try:
        with pytest.raises(OperationalError, match=r"within 1 s, was none"):
            connection.commit()
    finally:
        os.kill(server, signal.SIGCONT)
        connection.close()
    engine.dispose()
