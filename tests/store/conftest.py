"""All that is kept is tried on SQLite, and with the long tests on PostgreSQL too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from store import postgres

from hydra_ft.store.database import Database
from hydra_ft.store.flow_schema import METADATA
from hydra_ft.store.postgres import pool_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Address of a PostgreSQL server; skips where there is none."""
    with postgres.server() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.ci)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty database, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hydra.sqlite'}"
    found: str = request.getfixturevalue("postgres_url")
    emptied = pool_of(found)
    METADATA.drop_all(emptied)
    emptied.dispose()
    return found


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """An empty Hydra database."""
    opened = Database(url)
    yield opened
    opened.close()
