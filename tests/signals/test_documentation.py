"""docs/signals.md is what the signals say of themselves."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from hydra_ft.signals.documentation import in_hours, overview, render, thresholds, used_feeds
from hydra_ft.signals.range_breakout import range_breakout
from hydra_ft.signals.registry import SIGNALS
from hydra_ft.signals.sma_cross import sma_cross
from hydra_ft.types import Feed

REPOSITORY = Path(__file__).parents[2]
HERE = Path(__file__).parent
PAGE = render(SIGNALS)


def test_the_page_is_current() -> None:
    written = (REPOSITORY / "docs" / "signals.md").read_text(encoding="utf-8")
    assert written == PAGE, "run: make docs"


def test_the_page_is_rendered_by_itself_as_make_docs_does() -> None:
    """A second copy of the module in memory would warn."""
    command = [sys.executable, "-W", "error", "-m", "hydra_ft.signals.documentation"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout == PAGE


@pytest.mark.parametrize("name", sorted(SIGNALS))
def test_every_threshold_stands_in_the_table_of_its_signal(name: str) -> None:
    made = SIGNALS[name]
    table = thresholds(made)
    found = dict(re.findall(r"^\| `(\w+)` \| (\S+) \|", table, flags=re.MULTILINE))
    assert list(found) == [item.name for item in fields(made.rules)]
    for key, text in found.items():
        assert float(text) == pytest.approx(getattr(made.rules, key), rel=1e-5)


@pytest.mark.parametrize("name", sorted(SIGNALS))
def test_every_signal_says_stop_target_and_where_it_comes_from(name: str) -> None:
    text = SIGNALS[name].detect.__doc__ or ""
    assert "Stop " in text
    assert "target" in text
    assert "Reference:" in text or "New here" in text


@pytest.mark.parametrize("name", sorted(SIGNALS))
def test_every_signal_has_a_fixture_that_it_fires_on(name: str) -> None:
    """P3: no dead signals. The first three share a file."""
    shared = (HERE / "test_signals.py").read_text(encoding="utf-8")
    assert (HERE / f"test_{name}.py").is_file() or f'"{name}"' in shared


def test_feeds_that_a_signal_may_use_follow_from_its_columns() -> None:
    assert used_feeds(range_breakout) == (
        Feed.OPEN_INTEREST,
        Feed.FUNDING,
        Feed.LIQUIDATIONS,
    )


def test_the_overview_has_a_row_per_signal_with_hold_and_cooldown() -> None:
    rows = overview({"sma_cross": sma_cross}).splitlines()
    assert len(rows) == 3
    assert rows[2].endswith("| UP, DOWN | 24 h | 24 h, other side 48 h |")
    assert (in_hours(0), in_hours(5400)) == ("none", "1.5 h")


def test_every_audited_signal_has_its_fate() -> None:
    """F6: what is not here is left out on purpose, and said."""
    for name in (
        "FundingPressureContinuation",
        "TrendPullback",
        "LiquidationCascade",
        "CompressedRangeBreakout",
        "TrendExhaustionReversal",
        "EMATrendContinuation",
        "ADXExpansionMomentum",
        "StructureBreakRetest",
        "CompressionBreakout",
        "SMACrossover",
    ):
        assert re.search(rf"^\| {name} \| (merged into )?`\w+` \| ", PAGE, flags=re.MULTILINE)
