"""A head imports what every bot needs; the rest is imported where it is first used."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAD = """
import sys
from hydra_ft.adapter.heads import load_head
import hydra_ft.store.flow_upsert
late = ("sqlalchemy.dialects.postgresql", "hydra_ft.adapter.recorded.bot_recorder")
print([name for name in late if name in sys.modules], "hydra_ft.adapter.strategy" in sys.modules)
"""


@pytest.mark.ci
def test_a_head_imports_neither_postgresql_nor_the_recorder() -> None:
    """P11: most bots need neither; together they took a seventh of what Hydra's start took."""
    done = subprocess.run([sys.executable, "-c", HEAD], check=True, capture_output=True)
    assert done.stdout.decode().split() == ["[]", "True"]
