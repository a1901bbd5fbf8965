"""An exchange and a spawner for the session, history downloaded once, a home for each test."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from commands.freqtrade_commands import (
    DOWNLOADED,
    TIMEFRAMES,
    Commands,
    Home,
    configuration,
)

from loopback_exchange import Market, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def exchange() -> Iterator[Server]:
    with Server(Market(seed=7)) as running:
        yield running


@pytest.fixture(scope="session")
def commands() -> Iterator[Commands]:
    with Commands() as running:
        yield running


@pytest.fixture(scope="session")
def downloaded(
    exchange: Server, commands: Commands, tmp_path_factory: pytest.TempPathFactory
) -> Home:
    """A home into which freqtrade downloaded candles, funding, marks and open interest."""
    made = Home(tmp_path_factory.mktemp("downloaded"), commands, configuration(exchange.url))
    done = made.freqtrade("download-data", *DOWNLOADED, "--timeframes", *TIMEFRAMES)
    assert done.code == 0, done.output
    done = made.freqtrade(
        "download-data", *DOWNLOADED, "--timeframes", "1h", "--candle-types", "open_interest"
    )
    assert done.code == 0, done.output
    return made


@pytest.fixture
def empty(exchange: Server, commands: Commands, tmp_path: Path) -> Home:
    """A home without data."""
    return Home(tmp_path, commands, configuration(exchange.url))


@pytest.fixture
def home(downloaded: Home, empty: Home) -> Home:
    """A home with a copy of the downloaded data, to be spoiled by the test."""
    shutil.copytree(downloaded.datadir, empty.datadir)
    return empty
