"""The soak for a shorter while, on every run of the long tests, on each kind of database."""

from __future__ import annotations

import pytest
from feeds import soak
from store import postgres


@pytest.mark.ci
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_load_faults_a_stop_and_a_kill_leave_no_trade_unaccounted_for(kind: str) -> None:
    if kind == "postgresql" and (reason := postgres.missing()):
        pytest.skip(reason)
    words = ["--postgres"] if kind == "postgresql" else []
    assert soak.main(["--seconds", "45", *words]) == 0
