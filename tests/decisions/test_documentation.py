"""docs/decisions.md is what the code says today."""

from __future__ import annotations

from pathlib import Path

from hydra_ft.decisions.documentation import render
from hydra_ft.decisions.reasons import CODES
from hydra_ft.decisions.rules import HeadRules
from hydra_ft.decisions.thresholds import attribute, thresholds
from hydra_ft.signals.registry import SIGNALS

PAGE = Path(__file__).parents[2] / "docs" / "decisions.md"


def test_the_page_is_rendered_from_what_is_declared() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(SIGNALS), "run make docs"


def test_the_page_has_every_reason_and_every_threshold() -> None:
    page = render(SIGNALS)
    for code in CODES[1:]:
        prefix, _, name = code.partition(":")
        assert f"`{prefix}:<signal>`" in page if name in SIGNALS else f"`{code}`" in page
    for path in thresholds(HeadRules(name="", signals=())):
        assert f"| `{attribute(path)}` |" in page
