"""Every audited item of this part has a test that names it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from audit.items import ABSENT, ELSEWHERE, ITEMS

from hydra_ft.decisions.reasons import REASONS
from hydra_ft.features.registry import FEATURES

TESTS = Path(__file__).parents[1]
NAMED = {
    word
    for path in TESTS.rglob("test_*.py")
    for words in re.findall(r'"""(.+?)"""|# (.+)', path.read_text(encoding="utf-8"), re.DOTALL)
    for word in re.findall(r"\b(?:F-A\d+|[TXPF]\d+)\b", " ".join(words))
}


@pytest.mark.parametrize("item", ITEMS)
def test_an_item_is_named_by_a_test(item: str) -> None:
    assert item in NAMED, f"no test names {item} in its docstring or in a comment"


def test_no_item_is_both_shown_and_left_to_others() -> None:
    assert not set(ITEMS) & set(ELSEWHERE)
    assert len(set(ITEMS)) == len(ITEMS)


def test_what_is_left_out_on_purpose_is_told_to_users() -> None:
    page = (TESTS.parent / "docs" / "decisions.md").read_text(encoding="utf-8")
    told = page.partition("**Not here.**")[2].partition("## Reasons")[0]
    for name in ABSENT:
        word = name.split()[0].replace("engine", "sizes").replace("time", "time filter")
        assert word in told, name


def test_what_is_left_out_is_really_not_here() -> None:
    """F6: an input that nothing reads is not declared either."""
    assert not [name for name in FEATURES if name.startswith("volume_ratio")]
    assert not [name for name in FEATURES if name.startswith("acceptance")]
    assert not [code for code in REASONS if "drawdown" in code or "volume" in code]
