"""`hydra record` into a PostgreSQL server, and what it does when that hangs."""

from __future__ import annotations

import os
import re
import signal
import time
from typing import TYPE_CHECKING

import pytest
from cli.record_home import BTC, QUICK, Home, ended, is_recording, read_until
from sqlalchemy import text
from store import postgres

from hydra_ft.store.database import Database
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.postgres import ANSWER_S
from hydra_ft.store.sole import sole
from loopback_exchange import Market, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.ci
STOP_S = 3


@pytest.fixture
def url() -> Iterator[str]:
    with postgres.server() as address:
        yield address


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with Server(Market(seed=7, symbols=("BTCUSDT", "ETHUSDT"))) as exchange:
        exchange.streams.start_load(50)
        made = Home(tmp_path, exchange.url)
        made.config["hydra"] = {"recorder": QUICK | {"stop_s": STOP_S}}
        yield made
        for process in made.running:
            if process.poll() is None:
                process.kill()
                process.wait(60)


def servers_of(url: str) -> list[int]:
    """Processes of the server that answer clients, without our own."""
    database = Database(url)
    query = """SELECT pid FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"""
    with database.transaction() as connection:
        found = list(connection.execute(text(query)).scalars())
    database.close()
    return found


def send(processes: list[int], number: signal.Signals) -> None:
    for one in processes:
        os.kill(one, number)


def test_it_records_into_a_server_and_is_refused_a_second_time(home: Home, url: str) -> None:
    process = home.start("--db-url", url)
    read_until(process, is_recording)
    _, err = home.start("--db-url", url).communicate(timeout=60)
    assert "expected no other recorder-binance on postgresql+psycopg://hydra@127.0.0.1" in err
    read_until(process, lambda line: re.search(r"written \d{3,},", line) is not None)
    assert ended(process, signal.SIGTERM)[0] == 0
    database = Database(url)
    bars = FlowStore(database, "binance").last(BTC, 10_000, 10)
    database.close()
    assert bars is None or bars.count.sum() > 0


def test_a_recorder_whose_lock_another_has_taken_ends_in_words(
    home: Home, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that was started again, or an administrator, has ended its session."""
    sooner = "import hydra_ft.store.sole\nhydra_ft.store.sole.LOOK_S = 2.0\n"
    (home.folder / "sitecustomize.py").write_text(sooner)
    monkeypatch.setenv("PYTHONPATH", str(home.folder))
    process = home.start("--db-url", url)
    read_until(process, is_recording)
    database = Database(url)
    ending = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
    with database.transaction() as connection:
        connection.execute(text(ending))
    database.close()
    with sole(url, "recorder-binance"):
        out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "another recorder works on the database: writing what has closed" in out
    assert "was another one, after the server had ended our session" in err


def test_a_server_that_hangs_is_waited_for_and_nothing_is_lost(home: Home, url: str) -> None:
    process = home.start("--db-url", url)
    read_until(process, is_recording)
    hung = servers_of(url)
    assert len(hung) >= 2  # the lock has a connection of its own
    send(hung, signal.SIGSTOP)
    try:
        read_until(process, lambda line: re.search(r"waiting [1-9]\d+,", line) is not None)
    finally:
        send(hung, signal.SIGCONT)
    line = read_until(process, lambda line: "waiting 0," in line)
    assert "dropped 0, failed writes 0" in line
    assert ended(process, signal.SIGTERM)[0] == 0


def test_a_server_that_hangs_holds_up_no_stop(home: Home, url: str) -> None:
    process = home.start("--db-url", url)
    read_until(process, is_recording)
    hung = servers_of(url)
    send(hung, signal.SIGSTOP)
    try:
        read_until(process, lambda line: re.search(r"waiting [1-9]\d*,", line) is not None)
        began = time.monotonic()
        code, out, _ = ended(process, signal.SIGTERM)
        assert time.monotonic() - began < ANSWER_S  # for so long it would wait for the server
    finally:
        send(hung, signal.SIGCONT)
    assert code == 1
    assert re.search(r"stopped; \d+ parts of what was recorded were not written", out)
