"""A server that hangs behind connections that stand is asked once a loop, and not for long."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from hydra_ft.errors import StoreError
from hydra_ft.store.postgres import ANSWER_S as LONG_ANSWER_S
from hydra_ft.store.reading import ANSWER_S, NotAskedError, ReadingDatabase


def asked(database: ReadingDatabase, words: str) -> int:
    with database.transaction() as connection:
        return int(connection.execute(text(words)).scalar_one())


@pytest.mark.ci
def test_a_server_that_hangs_costs_one_time_out_a_loop(postgres_url: str) -> None:
    database = ReadingDatabase(postgres_url)
    backend = asked(database, "select pg_backend_pid()")
    parent = Path(f"/proc/{backend}/stat").read_text(encoding="utf-8").rsplit(")")[-1].split()[1]
    stopped = (int(parent), backend)
    for process in stopped:
        os.kill(process, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(StoreError, match="refused a statement"):
            asked(database, "select 1")
        assert time.monotonic() - began < LONG_ANSWER_S  # that of others
        began = time.monotonic()
        for _ in range(60):
            with pytest.raises(NotAskedError):
                asked(database, "select 1")
        assert time.monotonic() - began < 30 * ANSWER_S
    finally:
        for process in stopped:
            os.kill(process, signal.SIGCONT)
    database.begin_loop()
    assert asked(database, "select 1") == 1
    database.close()
