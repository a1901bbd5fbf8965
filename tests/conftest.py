"""Kernels are compiled once for all tests; no test leaves the clock as it moved it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import time_machine

from hydra_ft.warmup import keep_compiled

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_MOVED = pytest.StashKey[bool]()
_BEGUN = pytest.StashKey[tuple[float, float]]()
_JUMP_S = 1.0
_SETTINGS = ("Strategy Parameter(", "Override strategy '", "Strategy using ")
"""What freqtrade logs for each setting at each start: a hundred lines that hide the rest."""


def pytest_configure() -> None:
    """Compile what the sources or this machine have made new; processes inherit where that is."""
    keep_compiled(None, print)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Keep whether the clock was moved before a test began."""
    item.stash[_MOVED] = time_machine.escape_hatch.is_travelling()
    item.stash[_BEGUN] = _clocks()
    yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Blame the test that leaves the clock moved, not those whose servers then stand still."""
    yield
    if time_machine.escape_hatch.is_travelling() and not item.stash.get(_MOVED, False):
        pytest.fail(f"{item.nodeid} has left the clock moved: end its time_machine", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say of a test that fails what happened, and whether the clock was set meanwhile."""
    report = yield
    if report.failed:
        report.sections = [(name, _told(name, text)) for name, text in report.sections]
    if report.failed and _BEGUN in item.stash:
        begun, now = item.stash[_BEGUN], _clocks()
        set_by_s = now[0] - begun[0] - (now[1] - begun[1])
        if abs(set_by_s) > _JUMP_S:
            report.sections.append(("clock", f"set by {set_by_s:+.1f} s during this test"))
    return report


def _told(name: str, text: str) -> str:
    """Leave the settings of a bot out of a captured log."""
    if not name.startswith("Captured log"):
        return text
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not any(one in line for one in _SETTINGS))


def _clocks() -> tuple[float, float]:
    """Wall clock and monotonic clock of the machine, in seconds."""
    hatch = time_machine.escape_hatch
    wall_s = hatch.time.time() if hatch.is_travelling() else time.time()
    return wall_s, time.monotonic()
