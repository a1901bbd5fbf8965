"""Kernels are compiled once for all tests; no test leaves the clock as it moved it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import time_machine

from hydra_ft.warmup import keep_compiled

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOVED = pytest.StashKey[bool]()


def pytest_configure() -> None:
    """Compile what the sources or this machine have made new; processes inherit where that is."""
    keep_compiled(None, print)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Keep whether the clock was moved before a test began."""
    item.stash[_MOVED] = time_machine.escape_hatch.is_travelling()
    yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Blame the test that leaves the clock moved, not those whose servers then stand still."""
    yield
    if time_machine.escape_hatch.is_travelling() and not item.stash.get(_MOVED, False):
        pytest.fail(f"{item.nodeid} has left the clock moved: end its time_machine", pytrace=False)
