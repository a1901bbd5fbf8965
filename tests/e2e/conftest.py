"""A session-wide exchange, and a bot per test."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import pytest
from e2e.plan import PLAN
from e2e.planned import TERMS
from e2e.rig import Rig

from loopback_exchange.market import Market
from loopback_exchange.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with Server(Market(seed=7), control=True) as running:
        yield running


@pytest.fixture
def rigged(server: Server, tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    """Build rigs; each starts on an empty account, and is closed with its books checked."""
    server.reset()
    PLAN.clear()
    with ExitStack() as rigs:

        def build(**config: Any) -> Rig:
            return rigs.enter_context(closing(Rig(server, tmp_path, **config)))

        yield build


@pytest.fixture
def rig(rigged: Callable[..., Rig]) -> Rig:
    return rigged()


@pytest.fixture
def planned(rigged: Callable[..., Rig]) -> Callable[..., Rig]:
    """Build bots of the planned head, whose terms let everything pass until a test says more."""
    TERMS.clear()

    def build(**config: Any) -> Rig:
        return rigged(**{"head": "PlannedHead"} | config)

    return build
