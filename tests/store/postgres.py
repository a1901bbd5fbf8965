"""A PostgreSQL server of a test's own: on 127.0.0.1, in a folder that goes with it."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# PostgreSQL does not run as root; these accounts are on Debian.
ACCOUNTS = ("postgres", "nobody")


def programs() -> Path | None:
    """Folder of `initdb` and `postgres`, the newest version; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    names = [Path(on_path)] if on_path else found[-1:]
    return names[0].resolve().parent if names else None


def missing() -> str:
    """Say what keeps a server from being started, "" where nothing does."""
    if programs() is None:
        return "no PostgreSQL server is installed (Debian: apt-get install postgresql)"
    if find_spec("psycopg") is None:
        return "psycopg is not installed (pip install hydra-ft[postgres])"
    return ""


@contextmanager
def server() -> Iterator[str]:
    """Start a server, and yield the address of its empty database."""
    if reason := missing():
        pytest.skip(reason)
    account = None if os.getuid() else next(_accounts(), None)
    if not os.getuid() and account is None:
        pytest.skip(f"PostgreSQL does not run as root, and none of {ACCOUNTS} is an account here")
    folder = Path(tempfile.mkdtemp(prefix="hydra-postgres-"))
    try:
        if account is not None:
            shutil.chown(folder, account)
        yield from _running(folder, account)
    finally:
        shutil.rmtree(folder)


def _running(folder: Path, account: str | None) -> Iterator[str]:
    bin_, data = programs(), folder / "data"
    assert bin_ is not None
    words = [bin_ / "initdb", "-D", data, "-U", "hydra", "-A", "trust", "-N", "--no-locale"]
    subprocess.run([*words, "-E", "UTF8"], check=True, capture_output=True, user=account, cwd="/")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    control = [bin_ / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
    subprocess.run(
        [*control, "-o", options, "start"],
        check=True,
        stdout=subprocess.DEVNULL,
        user=account,
        cwd="/",
    )
    try:
        yield f"postgresql+psycopg://hydra@127.0.0.1:{port}/postgres"
    finally:
        stop = [*control, "-m", "immediate", "stop"]
        subprocess.run(stop, check=True, stdout=subprocess.DEVNULL, user=account, cwd="/")


def _accounts() -> Iterator[str]:
    for name in ACCOUNTS:
        try:
            yield pwd.getpwnam(name).pw_name
        except KeyError:
            continue
