"""One process of a kind at a time on a database."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text
from waiting import HANG_S, wait_until

from hydra_ft.errors import StoreError
from hydra_ft.store.postgres import pool_of
from hydra_ft.store.session_lock import SessionLock
from hydra_ft.store.sole import TakenError, sole

NAME = "recorder-binance"
HOLD = """
import sys
from hydra_ft.store.sole import sole
with sole(sys.argv[1], sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(url: str) -> subprocess.Popen[str]:
    """A process that holds the lock until its input ends."""
    paths = [*filter(None, [os.environ.get("PYTHONPATH")]), str(Path.cwd())]
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, url, NAME],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_another_one_is_refused_until_the_first_has_ended(url: str) -> None:
    with sole(url, NAME), pytest.raises(StoreError, match="expected no other recorder-binance"):
        ExitStack().enter_context(sole(url, NAME))
    with sole(url, NAME):
        pass


def test_the_one_that_was_refused_takes_nothing_from_the_first(url: str) -> None:
    with sole(url, NAME):
        for _ in range(2):
            with pytest.raises(StoreError):
                ExitStack().enter_context(sole(url, NAME))


def test_recorders_of_two_exchanges_share_a_database(url: str) -> None:
    with sole(url, NAME) as one, sole(url, "recorder-bybit") as other:
        assert not one.is_set()
        assert not other.is_set()


def test_a_process_that_was_killed_leaves_no_lock(url: str) -> None:
    process = holder(url)
    with pytest.raises(StoreError):
        ExitStack().enter_context(sole(url, NAME))
    process.kill()
    process.communicate(timeout=60)

    def is_free() -> bool:
        try:
            with sole(url, NAME):
                return True
        except StoreError:
            assert not url.startswith("sqlite")  # a server notices by and by
            return False

    wait_until(is_free)


def test_the_process_that_holds_the_lock_is_named(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.sqlite'}"
    process = holder(url)
    with pytest.raises(StoreError, match=rf"was process {process.pid}, since 20\d\d-"):
        ExitStack().enter_context(sole(url, NAME))
    process.communicate("", timeout=60)


def test_a_full_disk_takes_no_lock_away(tmp_path: Path) -> None:
    """It holds no word of its holder then; what cannot be written is for the database to say."""
    url = f"sqlite:///{tmp_path / 'a.sqlite'}"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with sole(url, NAME), pytest.raises(TakenError, match="was another one"):
            ExitStack().enter_context(sole(url, NAME))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_an_error_within_gives_the_lock_back(url: str) -> None:
    def fail() -> None:
        with sole(url, NAME):
            raise KeyError(url)

    for _ in range(2):
        with pytest.raises(KeyError):
            fail()


def test_a_database_in_memory_or_out_of_reach_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="memory"):
        ExitStack().enter_context(sole("sqlite://", NAME))
    with pytest.raises(StoreError, match="make its folder"):
        ExitStack().enter_context(sole(f"sqlite:///{tmp_path}/no/a.sqlite", NAME))
    with pytest.raises(StoreError, match="a lock for recorder-binance"):
        ExitStack().enter_context(sole("postgresql+psycopg://x:secret@127.0.0.1:9/x", NAME))


@pytest.mark.parametrize("url", ["mysql://x:secret@h/x", "absent://x:secret@h/x"])
def test_a_database_without_its_driver_is_refused_in_words(url: str) -> None:
    with pytest.raises(StoreError, match="a lock for recorder-binance") as error:
        ExitStack().enter_context(sole(url, NAME))
    assert "secret" not in str(error.value)
    assert str(error.value).endswith("; start its server, or correct the address")


def test_two_names_of_a_file_are_one_database(tmp_path: Path) -> None:
    (tmp_path / "link.sqlite").symlink_to(tmp_path / "a.sqlite")
    with sole(f"sqlite:///{tmp_path / 'a.sqlite'}", NAME), pytest.raises(TakenError):
        ExitStack().enter_context(sole(f"sqlite:///{tmp_path / 'link.sqlite'}", NAME))


def end_sessions(url: str) -> None:
    """End the sessions that hold a lock, as a server does that is started again."""
    server = pool_of(url)
    ending = "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'"
    with server.begin() as connection:
        connection.execute(text(ending))
    server.dispose()


@pytest.mark.ci
def test_a_lock_that_the_server_dropped_is_taken_anew(postgres_url: str) -> None:
    lock = SessionLock(postgres_url, NAME)
    assert lock.take()
    lock.watch(0.05, 0.05)
    end_sessions(postgres_url)
    time.sleep(0.02)
    wait_until(lock.is_held)
    with pytest.raises(TakenError):
        ExitStack().enter_context(sole(postgres_url, NAME))
    assert not lock.is_lost.is_set()
    lock.release()
    with sole(postgres_url, NAME):
        pass


@pytest.mark.ci
def test_one_whose_lock_another_has_taken_is_told_and_ends_with_an_error(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydra_ft.store.sole.LOOK_S", 0.5)

    def first() -> None:
        with sole(postgres_url, NAME) as lost:
            end_sessions(postgres_url)
            with sole(postgres_url, NAME):
                assert lost.wait(HANG_S)

    with pytest.raises(TakenError, match="the server had ended our session"):
        first()
    with sole(postgres_url, NAME):
        pass


@pytest.mark.ci
def test_a_session_that_the_network_has_swallowed_gives_its_lock_back(postgres_url: str) -> None:
    """The server keeps it, and its lock, for hours; only its own holder may end it."""
    lock, other = SessionLock(postgres_url, NAME), SessionLock(postgres_url, NAME)
    assert lock.take()
    swallowed, lock._connection = lock._connection, None
    assert not other.take()
    assert lock.take()
    assert lock.is_held()
    assert not other.take()
    lock.release()
    assert swallowed is not None
    swallowed.invalidate()
    assert other.take()
    other.release()
