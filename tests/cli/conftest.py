"""A freqtrade home for the commands that read one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cli.orders_home import Home

from hydra_ft.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Home:
    monkeypatch.setenv("COLUMNS", "300")
    main(["install", "--userdir", str(tmp_path)])
    return Home(tmp_path, capsys)
