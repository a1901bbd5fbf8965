"""Every audited item of this part has a test that names it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from audit.items import ABSENT, ELSEWHERE, ITEMS, SHOWN

from hydra_ft.decisions.reasons import REASONS
from hydra_ft.features.registry import FEATURES
from hydra_ft.risk.inputs import SizeRequest

TESTS = Path(__file__).parents[1]
WORDS = re.compile(r'"""(.+?)"""|# (.+)|def (test_\w+)', re.DOTALL)
IDS = re.compile(
    r"(?<![A-Z0-9-])(?:F-[A-E]\d+|A8-\d|A7|[0-4]-\d\d|[TXPF]\d+)(?!\d)|(?<=test_)[xp]\d+(?=_)"
)
NAMED = {
    word.upper()
    for path in TESTS.rglob("test_*.py")
    for words in WORDS.findall(path.read_text(encoding="utf-8"))
    for word in IDS.findall(" ".join(words))
}


@pytest.mark.parametrize("item", ITEMS)
def test_an_item_is_named_by_a_test(item: str) -> None:
    assert item in NAMED, f"no test names {item} in its name, its docstring or a comment"


def test_no_item_is_both_shown_and_left_to_others() -> None:
    assert not set(ITEMS) & set(ELSEWHERE)
    assert not set(SHOWN) & set(ABSENT)
    assert len(set(ITEMS)) == len(ITEMS)


@pytest.mark.parametrize("behaviour", SHOWN)
def test_a_behaviour_has_the_test_that_shows_it(behaviour: str) -> None:
    place, _, name = SHOWN[behaviour].partition("::")
    assert f"def {name}(" in (TESTS / place).read_text(encoding="utf-8")


def test_what_is_left_out_on_purpose_is_told_to_users() -> None:
    page = (TESTS.parent / "docs" / "decisions.md").read_text(encoding="utf-8")
    told = page.partition("**Not here.**")[2].partition("## Reasons")[0]
    for name in ABSENT:
        word = name.split()[0].replace("time", "time filter")
        assert word in told, name


def test_what_is_left_out_is_really_not_here() -> None:
    """F6: an input that nothing reads is not declared either."""
    assert not [name for name in FEATURES if name.startswith("volume_ratio")]
    assert not [name for name in FEATURES if name.startswith("acceptance")]
    assert not [code for code in REASONS if "volume" in code]
    assert not {"volume_ratio", "atr", "probability"} & SizeRequest.__annotations__.keys()
