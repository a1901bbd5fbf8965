"""A minute of the soak, on every run of the long tests."""

from __future__ import annotations

import pytest
from feeds import soak


@pytest.mark.ci
@pytest.mark.timeout(300)
def test_a_minute_under_load_and_faults_leaves_no_trade_unaccounted_for() -> None:
    assert soak.main(["--seconds", "60"]) == 0
