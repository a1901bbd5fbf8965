"""One process of a kind at a time on a database."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from hydra_ft.errors import StoreError
from hydra_ft.store.sole import sole

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
    with sole(url, NAME), sole(url, "recorder-bybit"):
        pass


def test_a_process_that_was_killed_leaves_no_lock(url: str) -> None:
    process = holder(url)
    with pytest.raises(StoreError):
        ExitStack().enter_context(sole(url, NAME))
    process.kill()
    process.communicate(timeout=20)
    for _ in range(100):  # a server notices by and by
        try:
            with sole(url, NAME):
                return
        except StoreError:
            assert not url.startswith("sqlite")
    pytest.fail("the lock outlived its process")


def test_the_process_that_holds_the_lock_is_named(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.sqlite'}"
    process = holder(url)
    with pytest.raises(StoreError, match=rf"was process {process.pid}, since 20\d\d-"):
        ExitStack().enter_context(sole(url, NAME))
    process.communicate("", timeout=20)


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
