"""The risk is pure: it knows words, bounds and grids, and nothing of decisions or freqtrade."""

from __future__ import annotations

import ast
from pathlib import Path

import hydra_ft.risk

ALLOWED = (
    "hydra_ft.risk",
    "hydra_ft.types",
    "hydra_ft.errors",
    "hydra_ft.declared",
    "hydra_ft.execution.bounds",
    "hydra_ft.execution.ticks",
)


def test_the_risk_imports_words_bounds_and_grids_only() -> None:
    files = sorted(Path(hydra_ft.risk.__file__).parent.glob("*.py"))
    found = {
        node.module
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hydra_ft")
    }
    assert len(files) > 10
    assert "hydra_ft.execution.ticks" in found
    assert [name for name in found if not name.startswith(ALLOWED)] == []
