"""A stand-in for Coinalyze, a client of it, a database, and an exchange under load."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from feeds.coinalyze_rig import Hours, client_of
from feeds.coinalyze_server import Coinalyze

from hydra_ft.store.database import Database
from loopback_exchange import Market, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hydra_ft.feeds import coinalyze


@pytest.fixture
def hours() -> Hours:
    return Hours()


@pytest.fixture
def vendor(hours: Hours) -> Iterator[Coinalyze]:
    with Coinalyze(hours.now) as running:
        yield running


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'hydra.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture
def client(vendor: Coinalyze, database: Database, hours: Hours) -> coinalyze.Coinalyze:
    return client_of(vendor, database, hours)


@pytest.fixture
def server() -> Iterator[Server]:
    """An exchange of three symbols under load."""
    with Server(Market(seed=7, symbols=("BTCUSDT", "ETHUSDT", "SOLUSDT"))) as started:
        started.streams.start_load(300)
        yield started
