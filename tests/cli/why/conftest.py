"""A freqtrade home for `hydra why`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import time_machine
from cli.why.decided import NOW, Desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def desk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    monkeypatch.setenv("COLUMNS", "300")
    made = Desk(tmp_path, capsys)
    with time_machine.travel((NOW + 60_000) / 1000, tick=False):
        yield made
    if made.database is not None:
        made.database.close()
