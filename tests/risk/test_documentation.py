"""docs/risk.md is what the code of the risk says and does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from hydra_ft.declared import leaves
from hydra_ft.risk.codes import LIMIT_CODES, SIZE_CODES
from hydra_ft.risk.documentation import EXAMPLE, POLICY, exit_table, render
from hydra_ft.risk.policy import RiskPolicy
from hydra_ft.risk.sizing import size_entry

REPOSITORY = Path(__file__).parents[2]
PAGE = render()


def test_the_page_is_current() -> None:
    written = (REPOSITORY / "docs" / "risk.md").read_text(encoding="utf-8")
    assert written == PAGE, "run: make docs"


def test_the_page_is_rendered_by_itself_as_make_docs_does() -> None:
    command = [sys.executable, "-W", "error", "-m", "hydra_ft.risk.documentation"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout == PAGE


def test_every_number_of_the_policy_stands_on_the_page() -> None:
    for leaf in leaves(RiskPolicy, "risk"):
        key = leaf.path.rpartition(".")[2]
        assert re.search(rf"^\| `{key}` \| \S+ \| .+ \| .+ \|$", PAGE, flags=re.MULTILINE), key


def test_every_code_is_explained() -> None:
    for code in LIMIT_CODES + SIZE_CODES:
        assert f"`{code}`" in PAGE


def test_no_placeholder_is_left() -> None:
    assert not re.search(r"<[A-Z_]+>", PAGE)


def test_the_worked_example_is_an_entry_that_the_defaults_let_pass() -> None:
    sized = size_entry(EXAMPLE, POLICY)
    assert f"loses {sized.risk_quote:.2f} at its stop" in PAGE
    # By hand: 48.50 * 1.15 * 1.02 * 0.9 * 0.9 * 0.8412 * 0.8 * 0.8 = 24.81, at 0.0013 a BTC of
    # 50,000 that is 0.0381 BTC.
    assert sized.quantity == 0.038


def test_the_ladder_of_the_page_closes_80_percent() -> None:
    table = exit_table((0.02, 0.05))
    closed = [int(share) for share in re.findall(r"(\d+) % \|$", table, flags=re.MULTILINE)]
    assert sum(closed) == 80
